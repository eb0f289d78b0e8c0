//! Waiting on the poller's own epoll descriptor, with one system call.
//!
//! Two things go past `polling`, to the same descriptor: the wait, because its own makes five system calls, and registering
//! a source, because it does not ask to be told when the other side has written its last.
//!
//! A timeout is met in two ways. The kernel's own timeout is free, but it is counted in milliseconds and may be late
//! by a thousandth of its length. So it carries a distant deadline only most of the way, and is made to end early.
//! Near the deadline a timerfd takes over, which is exact and costs one more system call. It is set once for a near
//! deadline and unset when the next sleep has none.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::time::Duration;

use polling::Poller;
use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use super::BATCH;
use crate::direction::Directions;
use crate::key::Token;
use crate::notifier::Alarm;
use crate::readiness::Tidings;
use crate::sys::{self, EventBuffer, Mode};

pub(crate) struct Epoll {
    events: RefCell<EventBuffer>,
    /// Absent where the system refuses timers; deadlines are then met to the next full millisecond.
    timer: Option<OwnedFd>,
    /// Whether the timer is still to fire.
    timer_is_set: Cell<bool>,
}

impl Epoll {
    /// Takes over the wait of `poller`, or fails if its descriptor does not behave as this file believes.
    pub(super) fn new(poller: &Poller) -> io::Result<(Epoll, Alarm)> {
        let wake_up = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        watch(poller, &wake_up, Token::WAKE_UP)?;
        let alarm = Alarm::EventFd(wake_up);
        if let Err(error) = prove(poller, &alarm) {
            if let Alarm::EventFd(wake_up) = &alarm {
                let _ = poller.delete(wake_up);
            }
            return Err(error);
        }
        let epoll = Epoll {
            events: RefCell::new(EventBuffer(Vec::with_capacity(BATCH))),
            timer: exact_timer(poller).ok(),
            timer_is_set: Cell::new(false),
        };
        Ok((epoll, alarm))
    }

    pub(super) fn wait(&self, poller: &Poller, timeout: Option<Duration>) -> io::Result<()> {
        let step = Step::towards(timeout);
        match step {
            // A timer that is still set does no harm to a wait that does not sleep.
            Step::Look => {}
            Step::Sleep | Step::Nap(_) => self.unset_timer(),
            Step::Exactly(time) => self.set_timer(time),
        }
        let limit = match step {
            Step::Look => Some(Duration::ZERO),
            Step::Sleep => None,
            Step::Nap(time) => Some(time),
            Step::Exactly(_) if self.timer_is_set.get() => None,
            Step::Exactly(time) => Some(whole_millis(time.saturating_add(ALMOST_A_MILLI))),
        };
        let events = &mut self.events.borrow_mut().0;
        events.clear();
        wait(poller, events, limit)
    }

    /// Hands out the events of the last wait. `visit` must run no foreign code.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(Token, Directions, Tidings)) {
        for event in self.events.borrow_mut().0.drain(..) {
            let token = Token(event.data.u64() as usize);
            if token == Token::TIMER {
                self.timer_is_set.set(false);
            } else {
                visit(token, directions(event.flags), tidings(event.flags));
            }
        }
    }

    fn set_timer(&self, time: Duration) {
        let set = self
            .timer
            .as_ref()
            .is_some_and(|timer| set(timer, time).is_ok());
        self.timer_is_set.set(set);
    }

    /// Keeps a timer that was set for an earlier wait from ending this one.
    fn unset_timer(&self) {
        if self.timer_is_set.replace(false) {
            if let Some(timer) = &self.timer {
                let _ = set(timer, Duration::ZERO);
            }
        }
    }
}

impl fmt::Debug for Epoll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Epoll")
            .field("exact_timer", &self.timer.is_some())
            .finish_non_exhaustive()
    }
}

/// What one wait does on the way to its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Do not sleep.
    Look,
    /// Sleep until something happens.
    Sleep,
    /// Sleep for whole milliseconds that end before the deadline.
    Nap(Duration),
    /// Sleep until the deadline.
    Exactly(Duration),
}

/// Deadlines nearer than this are met by the timer. Farther ones pay a second wake-up when they are reached, which is
/// cheap at that distance, and nothing when something else ends the wait, as it mostly does.
const NEAR: Duration = Duration::from_millis(10);
/// The longest nap; the kernel counts the milliseconds of a timeout in 32 bits.
const LONGEST_NAP: Duration = Duration::from_secs(24 * 60 * 60);
/// The kernel may add a thousandth of a timeout, but not more than 100 ms, in order to wake less often.
const LATE_SHARE: u32 = 512;
const LATE_LIMIT: Duration = Duration::from_millis(128);
const MILLI: Duration = Duration::from_millis(1);
const ALMOST_A_MILLI: Duration = Duration::from_nanos(999_999);

impl Step {
    fn towards(timeout: Option<Duration>) -> Step {
        match timeout {
            None => Step::Sleep,
            Some(Duration::ZERO) => Step::Look,
            Some(time) if time < NEAR => Step::Exactly(time),
            Some(time) => {
                let late = (time / LATE_SHARE).min(LATE_LIMIT) + MILLI;
                Step::Nap(whole_millis((time - late).min(LONGEST_NAP)))
            }
        }
    }
}

/// Rounds down to what the kernel can count.
fn whole_millis(time: Duration) -> Duration {
    Duration::new(time.as_secs(), time.subsec_millis() * 1_000_000)
}

fn wait(
    poller: &Poller,
    events: &mut Vec<epoll::Event>,
    limit: Option<Duration>,
) -> io::Result<()> {
    let limit = limit.map(timespec);
    epoll::wait(poller.as_fd(), spare_capacity(events), limit.as_ref())?;
    Ok(())
}

/// Rings the alarm and expects to hear it: proof that the descriptor is an epoll, that `polling` passes a token on
/// as it is, and that an edge is seen.
fn prove(poller: &Poller, alarm: &Alarm) -> io::Result<()> {
    let mut events = Vec::with_capacity(8);
    // Twice, since an eventfd that nobody reads must ring again.
    for _ in 0..2 {
        alarm.ring();
        events.clear();
        wait(poller, &mut events, Some(Duration::ZERO))?;
        let heard = events.iter().any(|event| {
            event.data.u64() == Token::WAKE_UP.0 as u64 && directions(event.flags).read
        });
        if !heard {
            return Err(io::ErrorKind::Unsupported.into());
        }
    }
    Ok(())
}

/// The timer for near deadlines. Like the eventfd it is never read: setting it again takes its readiness back.
fn exact_timer(poller: &Poller) -> io::Result<OwnedFd> {
    let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
    let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
    watch(poller, &timer, Token::TIMER)?;
    Ok(timer)
}

/// Sets the timer to fire once after `time`, or unsets it if that is zero.
fn set(timer: &OwnedFd, time: Duration) -> io::Result<()> {
    let once = Itimerspec {
        it_interval: timespec(Duration::ZERO),
        it_value: timespec(time),
    };
    timerfd_settime(timer, TimerfdTimerFlags::empty(), &once)?;
    Ok(())
}

fn watch(poller: &Poller, fd: &OwnedFd, token: Token) -> io::Result<()> {
    sys::add(poller, fd.as_raw_fd(), token, Mode::EdgeRead)
}

/// The lengths that come here are at most a day.
fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: time.as_secs() as _,
        tv_nsec: time.subsec_nanos() as _,
    }
}

/// An end or an error concerns both directions: whoever waits finds it by trying.
fn directions(flags: epoll::EventFlags) -> Directions {
    use epoll::EventFlags as Flags;
    let end = Flags::HUP | Flags::ERR;
    Directions {
        read: flags.intersects(Flags::IN | Flags::PRI | Flags::RDHUP | end),
        write: flags.intersects(Flags::OUT | end),
    }
}

/// The kernel says in one event all that is there when it is collected. Urgent data counts as more, for a read ends in
/// front of it.
fn tidings(flags: epoll::EventFlags) -> Tidings {
    use epoll::EventFlags as Flags;
    if flags.intersects(Flags::PRI | Flags::RDHUP | Flags::HUP | Flags::ERR) {
        Tidings::MaybeMore
    } else {
        Tidings::BytesOnly
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::Direction;

    /// The latest moment at which a nap can end: the kernel may add a thousandth, at most 100 ms, and the 50 us of a
    /// thread's timer slack.
    fn latest_end(nap: Duration) -> Duration {
        nap + (nap / 1000)
            .min(Duration::from_millis(100))
            .max(Duration::from_micros(50))
    }

    #[test]
    fn a_nap_always_ends_before_its_deadline_and_makes_progress() {
        let mut base = NEAR;
        while base < Duration::from_secs(1 << 40) {
            for micros in [0, 1, 19, 20, 25, 40, 51, 500, 980, 999] {
                let time = base + Duration::from_micros(micros);
                let Step::Nap(nap) = Step::towards(Some(time)) else {
                    panic!("{time:?} is distant")
                };
                assert!(latest_end(nap) < time, "{time:?} -> {nap:?}");
                assert!(nap >= NEAR / 2, "{time:?} -> {nap:?}");
                assert_eq!(nap.subsec_nanos() % 1_000_000, 0);
            }
            base = whole_millis(base * 11 / 10);
        }
    }

    #[test]
    fn the_end_and_errors_concern_both_directions_and_the_rest_only_one() {
        use epoll::EventFlags as Flags;
        for read in [Flags::IN, Flags::PRI, Flags::RDHUP] {
            assert_eq!(directions(read), Directions::NONE.with(Direction::Read));
        }
        assert_eq!(
            directions(Flags::OUT),
            Directions::NONE.with(Direction::Write)
        );
        assert_eq!(directions(Flags::IN | Flags::OUT), Directions::BOTH);
        for end in [
            Flags::HUP,
            Flags::ERR,
            Flags::IN | Flags::HUP,
            Flags::OUT | Flags::ERR,
        ] {
            assert_eq!(directions(end), Directions::BOTH);
        }
    }

    #[test]
    fn an_end_an_error_and_urgent_data_are_more_than_bytes() {
        use epoll::EventFlags as Flags;
        for more in [Flags::PRI, Flags::RDHUP, Flags::HUP, Flags::ERR] {
            assert_eq!(tidings(Flags::IN | Flags::OUT | more), Tidings::MaybeMore);
        }
        assert_eq!(tidings(Flags::IN | Flags::OUT), Tidings::BytesOnly);
    }

    #[test]
    fn a_deadline_is_reached_in_a_few_steps() {
        for time in [10, 100, 1_000, 60_000, 3_600_000, 86_400_000].map(Duration::from_millis) {
            let mut left = time;
            let mut steps = 0;
            while !left.is_zero() {
                left = match Step::towards(Some(left)) {
                    Step::Nap(nap) => left - nap,
                    Step::Exactly(_) => Duration::ZERO,
                    other => panic!("{other:?}"),
                };
                steps += 1;
            }
            assert!(steps <= 4, "{time:?} took {steps}");
        }
    }

    #[test]
    fn extreme_timeouts_are_steps_like_others() {
        assert_eq!(Step::towards(Some(Duration::ZERO)), Step::Look);
        assert_eq!(Step::towards(None), Step::Sleep);
        assert_eq!(Step::towards(Some(Duration::MAX)), Step::Nap(LONGEST_NAP));
        let least = Duration::from_nanos(1);
        assert_eq!(Step::towards(Some(least)), Step::Exactly(least));
    }
}

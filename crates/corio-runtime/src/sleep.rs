//! `sleep` and `sleep_until`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use corio_core::waiting::{self, WaitKind};
use corio_core::{Scheduler, Whereabouts, find_scheduler};

use corio_core::time::{Alarm, Moment, Timers, nanos};

static SLEEP: WaitKind = WaitKind::new("sleep");

/// The future of [`sleep`] and [`sleep_until`]. It is `Send`, `Sync` and `Unpin`: it holds the number of a timer, not a pointer.
///
/// It is polled on a thread whose loop is running, and dropped anywhere.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sleep {
    /// When it ends, if that `is_known`; otherwise how long it takes, in nanoseconds from the first poll.
    time: u64,
    is_known: bool,
    stage: Stage,
    /// The number of the loop that has the timer.
    of_loop: u64,
    /// The timer; 0 is none.
    timer: u64,
    site: &'static Location<'static>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    New,
    /// Gives up one turn, without a timer.
    Yielding,
    Armed,
    /// Further away than anybody can wait for.
    Never,
    Over,
}

/// Gives the loop back for this long. The time counts from the first poll.
///
/// Zero gives up one turn and sets no timer. `Duration::MAX` is never. A sleep is never early.
///
/// # Panics
///
/// When it is polled on a thread where no loop is running.
///
/// # Cancel safety
///
/// Cancelling or dropping it takes the timer back, and nothing is lost.
///
/// ```
/// use std::time::Duration;
/// # use corio_runtime as corio;
/// corio::run(async {
///     corio::sleep(Duration::from_millis(1)).await;
/// });
/// ```
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep::new(nanos(duration), false, Location::caller())
}

/// Gives the loop back until this instant of the loop's clock. An instant that has passed gives up one turn.
///
/// # Panics
///
/// When it is polled on a thread where no loop is running.
///
/// # Cancel safety
///
/// Cancelling or dropping it takes the timer back, and nothing is lost.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::at(deadline.into(), Location::caller())
}

impl Sleep {
    fn new(time: u64, is_known: bool, site: &'static Location<'static>) -> Sleep {
        Sleep {
            time,
            is_known,
            stage: Stage::New,
            of_loop: 0,
            timer: 0,
            site,
        }
    }

    pub(crate) fn at(deadline: Moment, site: &'static Location<'static>) -> Sleep {
        Sleep::new(deadline.as_nanos(), true, site)
    }

    /// When it ends, once that is known.
    pub(crate) fn moment(&self) -> Option<Moment> {
        self.is_known.then(|| Moment::from_nanos(self.time))
    }

    /// When it ends, once that is known: a [`sleep`] counts from its first poll.
    pub fn deadline(&self) -> Option<Instant> {
        let moment = self.moment().filter(|&moment| moment != Moment::NEVER);
        moment.map(Moment::instant)
    }

    /// It has ended.
    pub fn is_elapsed(&self) -> bool {
        self.stage == Stage::Over
    }

    /// Moves the end, also of a sleep that is over.
    pub fn reset(&mut self, deadline: Instant) {
        let deadline = Moment::from(deadline);
        self.set(deadline);
        if self.stage == Stage::Armed {
            let moved = Scheduler::with_current(|scheduler| {
                let timers = scheduler.filter(|s| s.number() == self.of_loop)?.timers()?;
                Some(timers.rearm(self.timer, deadline))
            });
            if moved == Some(true) {
                return;
            }
            self.disarm();
        }
        self.stage = Stage::New;
    }

    fn begin(&mut self, scheduler: &Scheduler, timers: &dyn Timers, cx: &mut Context<'_>) {
        if !self.is_known && self.time == 0 {
            return self.yield_once(cx);
        }
        let now = timers.now();
        let deadline = self.moment().unwrap_or(now.after(self.time));
        if deadline <= now {
            return self.yield_once(cx);
        }
        self.set(deadline);
        if deadline == Moment::NEVER {
            self.stage = Stage::Never;
            return;
        }
        self.of_loop = scheduler.number();
        self.timer = timers.arm(deadline, Alarm::Wake(cx.waker().clone()));
        self.stage = Stage::Armed;
    }

    fn set(&mut self, deadline: Moment) {
        self.time = deadline.as_nanos();
        self.is_known = true;
    }

    fn yield_once(&mut self, cx: &mut Context<'_>) {
        self.stage = Stage::Yielding;
        cx.waker().wake_by_ref();
    }

    fn disarm(&mut self) {
        self.stage = Stage::New;
        let (of_loop, timer) = (self.of_loop, self.timer);
        let here = Scheduler::with_current(|scheduler| match scheduler {
            Some(scheduler) if scheduler.number() == of_loop => {
                disarm_on(scheduler, timer);
                true
            }
            _ => false,
        });
        if here {
            return;
        }
        match find_scheduler(of_loop) {
            Whereabouts::Here(scheduler) => disarm_on(&scheduler, timer),
            Whereabouts::Elsewhere(remote) => {
                // A loop that is closed has dropped its timers.
                let _ = remote.call_soon(move || {
                    Scheduler::with_current(|scheduler| {
                        if let Some(scheduler) = scheduler {
                            disarm_on(scheduler, timer);
                        }
                    });
                });
            }
            Whereabouts::Gone => {}
        }
    }
}

fn disarm_on(scheduler: &Scheduler, timer: u64) {
    if let Some(timers) = scheduler.timers() {
        timers.disarm(timer);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.stage == Stage::Over {
            return Poll::Ready(());
        }
        if this.stage == Stage::Yielding {
            this.stage = Stage::Over;
            return Poll::Ready(());
        }
        Scheduler::with_current(|scheduler| {
            let scheduler = scheduler.unwrap_or_else(|| crate::current::no_loop("sleep"));
            let Some(timers) = scheduler.timers() else {
                crate::current::no_loop("sleep")
            };
            if this.stage == Stage::Armed {
                assert!(
                    scheduler.number() == this.of_loop,
                    "this sleep was begun on another event loop: make a new one here"
                );
                if !timers.rewake(this.timer, cx.waker()) {
                    this.stage = Stage::Over;
                    return Poll::Ready(());
                }
            } else if this.stage == Stage::New {
                this.begin(scheduler, &**timers, cx);
            }
            waiting::note(&SLEEP, this.site);
            Poll::Pending
        })
    }
}

impl Drop for Sleep {
    #[inline]
    fn drop(&mut self) {
        if self.stage == Stage::Armed {
            self.disarm();
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .field("stage", &self.stage)
            .finish()
    }
}

//! A clock that goes back or jumps ahead, as the system's clock should not: what becomes of the timers.

use std::future::pending;
use std::rc::Rc;

use corio_combinators::timeout;
use corio_core::time::Nanos;
use proptest::prelude::*;

use super::*;
use crate::{EventLoop, get_running_loop, sleep};

const HOUR: Nanos = 3_600_000_000_000;

fn loop_with(read: impl Fn() -> Moment + 'static) -> EventLoop {
    EventLoop::with_clock(Clock::of(Source::Wrong(Box::new(read)))).unwrap()
}

/// How a timer is set.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Call,
    Sleep,
    Limit,
}

/// Sets a timer, which tells when it rings.
fn set(event_loop: &EventLoop, kind: Kind, delay: Nanos, ring: impl FnOnce() + 'static) {
    let delay = Duration::from_nanos(delay);
    match kind {
        Kind::Call => drop(event_loop.call_later(delay, ring)),
        Kind::Sleep => drop(event_loop.create_task(async move {
            sleep(delay).await;
            ring();
        })),
        Kind::Limit => drop(event_loop.create_task(async move {
            timeout(delay, pending::<()>()).await.unwrap_err();
            ring();
        })),
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Ahead(Nanos),
    Back(Nanos),
    Timer(Kind, Nanos),
}

/// A timer that was set.
struct Timer {
    deadline: Nanos,
    rung: Rc<Cell<usize>>,
}

/// A loop that never waits, whose clock shows what it is told to.
struct Program {
    event_loop: EventLoop,
    now: Rc<Cell<Nanos>>,
    /// The latest time that the clock has ever shown.
    latest: Nanos,
    timers: Vec<Timer>,
}

impl Program {
    fn new() -> Program {
        let now = Rc::new(Cell::new(HOUR));
        let shown = now.clone();
        Program {
            event_loop: loop_with(move || Moment::from_nanos(shown.get())),
            now,
            latest: HOUR,
            timers: Vec::new(),
        }
    }

    fn happen(&mut self, event: Event) {
        let now = self.now.get();
        match event {
            Event::Ahead(jump) => self.now.set(now + jump),
            Event::Back(jump) => self.now.set(now.saturating_sub(jump)),
            Event::Timer(kind, delay) => {
                let rung = Rc::new(Cell::new(0));
                let count = rung.clone();
                set(&self.event_loop, kind, delay, move || {
                    count.set(count.get() + 1);
                });
                let deadline = now + delay;
                self.timers.push(Timer { deadline, rung });
            }
        }
        self.latest = self.latest.max(self.now.get());
        // A loop that was stopped before makes one pass. The way of an alarm to its task takes some.
        for _ in 0..6 {
            self.event_loop.stop();
            self.event_loop.run_forever().unwrap();
        }
    }

    /// Whatever is due by the clock as it is has rung, and nothing that never was. So a timer is early by no more than the clock
    /// once was ahead of what it showed when the timer was set.
    fn check(&self) -> Result<(), TestCaseError> {
        for Timer { deadline, rung } in &self.timers {
            let rung = rung.get();
            prop_assert!(rung <= 1, "it rang {} times", rung);
            if *deadline <= self.now.get() {
                prop_assert_eq!(rung, 1, "it is due and does not ring");
            }
            if self.latest < *deadline {
                prop_assert_eq!(rung, 0, "it rings before the clock has shown its time");
            }
        }
        Ok(())
    }
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Call), Just(Kind::Sleep), Just(Kind::Limit)]
}

fn events() -> impl Strategy<Value = Event> {
    let length = || prop_oneof![1..1_000_000_u64, 1..2 * HOUR];
    prop_oneof![
        length().prop_map(Event::Ahead),
        length().prop_map(Event::Back),
        (kinds(), length()).prop_map(|(kind, delay)| Event::Timer(kind, delay)),
    ]
}

proptest! {
    #[test]
    fn whatever_the_clock_does_each_timer_rings_once_and_early_by_no_more_than_a_jump(
        events in prop::collection::vec(events(), 1..60)
    ) {
        let mut program = Program::new();
        for event in events {
            program.happen(event);
            program.check()?;
        }
        program.happen(Event::Ahead(100 * HOUR));
        program.check()?;
        let left = program.timers.iter().filter(|timer| timer.rung.get() == 0).count();
        prop_assert_eq!(left, 0);
    }

    #[test]
    fn a_loop_that_waits_by_a_clock_that_is_never_twice_right_rings_each_timer_once(
        errors in prop::collection::vec(0..300_000_u64, 2..40),
        timers in prop::collection::vec((kinds(), 1..300_000_u64), 1..20),
        busy in prop_oneof![Just(0), Just(50_000_u64)],
    ) {
        let (real, reading) = (Clock::real(), Cell::new(0));
        let event_loop = loop_with(move || {
            let error = errors[reading.get() % errors.len()];
            reading.set(reading.get() + 1);
            real.now().after(error)
        });
        event_loop.inner.busy_poll.set(busy);
        let (left, rung) = (Rc::new(Cell::new(timers.len())), Rc::new(Cell::new(0)));
        for (kind, delay) in timers.iter().copied() {
            let (left, rung) = (left.clone(), rung.clone());
            set(&event_loop, kind, delay, move || {
                rung.set(rung.get() + 1);
                left.set(left.get() - 1);
                if left.get() == 0 {
                    get_running_loop().stop();
                }
            });
        }
        event_loop.run_forever().unwrap();
        prop_assert_eq!(rung.get(), timers.len());
    }
}

/// Looking until a time that has moved away would keep the processor busy for as long as the clock went back.
#[test]
fn a_loop_that_looks_while_its_clock_goes_back_sleeps_instead() {
    const BACK: Nanos = 20_000_000;
    let (real, readings) = (Clock::real(), Rc::new(Cell::new(0)));
    let (begin, goes_back) = (real.now(), Rc::new(Cell::new(usize::MAX)));
    let event_loop = loop_with({
        let (readings, goes_back) = (readings.clone(), goes_back.clone());
        move || {
            readings.set(readings.get() + 1);
            let has_gone_back = readings.get() >= goes_back.get();
            let shown = if has_gone_back {
                real.now()
            } else {
                begin.after(BACK)
            };
            shown.after(HOUR)
        }
    });
    event_loop.inner.busy_poll.set(50_000);
    event_loop
        .run_until_complete(async {
            // One reading sets the timer, and one begins the visit. Those behind them look for its time.
            goes_back.set(readings.get() + 4);
            sleep(Duration::from_millis(1)).await;
        })
        .unwrap();
    let readings = readings.get();
    assert!(readings < 2_000, "the clock was read {readings} times");
}

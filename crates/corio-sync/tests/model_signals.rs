//! Event, Barrier and Condition against simple models.

mod support;

use std::cell::Cell;
use std::rc::Rc;

use corio_sync::{Barrier, BrokenBarrier, Condition, Event, Lock, LockGuard};
use proptest::prelude::*;
use support::{Driven, Executor, Job, PollAll, Turns, settle, yield_now};

#[derive(Debug, Clone)]
enum Step {
    Wait,
    Poll(usize),
    Drop(usize),
    Leak(usize),
    /// Set the event, reset the barrier.
    First,
    /// Clear the event, abort the barrier.
    Second,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        40 => Just(Step::Wait),
        40 => any::<usize>().prop_map(Step::Poll),
        15 => any::<usize>().prop_map(Step::Drop),
        2 => any::<usize>().prop_map(Step::Leak),
        6 => Just(Step::First),
        4 => Just(Step::Second),
    ];
    prop::collection::vec(step, 1..120)
}

/// Waiters in the order of their coming, with what each was told, if it was.
struct Waiters<T: Clone> {
    all: Vec<(Option<T>, Option<Driven<T>>)>,
}

impl<T: Clone + PartialEq + std::fmt::Debug> Waiters<T> {
    fn waiting(&self) -> usize {
        self.all.iter().filter(|(told, _)| told.is_none()).count()
    }

    /// Tells everybody who waits, numbered in their order.
    fn tell(&mut self, tell: impl Fn(usize) -> T) {
        let waiting = self.all.iter_mut().filter(|(told, _)| told.is_none());
        waiting
            .enumerate()
            .for_each(|(number, (told, _))| *told = Some(tell(number)));
    }

    fn start(&mut self, mut future: Driven<T>, at_once: Option<T>) {
        let got = future.poll();
        assert_eq!(got, at_once, "suspends only if it must");
        if got.is_none() {
            self.all.push((None, Some(future)));
        }
    }

    /// The steps that are the same for every primitive.
    fn step(&mut self, step: &Step) {
        let live = |(place, entry): (usize, &(_, Option<_>))| entry.1.is_some().then_some(place);
        let live: Vec<usize> = self.all.iter().enumerate().filter_map(live).collect();
        let (Step::Poll(pick) | Step::Drop(pick) | Step::Leak(pick)) = step else {
            return;
        };
        if live.is_empty() {
            return;
        }
        let place = live[pick % live.len()];
        match step {
            Step::Poll(_) => {
                let (told, future) = &mut self.all[place];
                let got = future.as_mut().and_then(Driven::poll);
                assert_eq!(&got, told, "goes on when it was told, with that");
                if got.is_some() {
                    self.all.remove(place);
                }
            }
            Step::Drop(_) => drop(self.all.remove(place)),
            _ => self.all[place].1.take().expect("live").leak(),
        }
    }

    fn check(&self) {
        for (told, future) in &self.all {
            if let Some(future) = future {
                assert_eq!(
                    future.woken(),
                    usize::from(told.is_some()),
                    "woken once, when told"
                );
            }
        }
    }
}

fn run_event(steps: &[Step]) {
    let event = Rc::new(Event::new());
    let mut waiters = Waiters { all: Vec::new() };
    let mut set = false;
    for step in steps {
        match step {
            Step::Wait => waiters.start(Driven::new(event.wait_owned()), set.then_some(())),
            Step::First => {
                event.set();
                set = true;
                waiters.tell(|_| ());
            }
            Step::Second => {
                event.clear();
                set = false;
            }
            _ => waiters.step(step),
        }
        waiters.check();
        assert_eq!(event.is_set(), set);
        assert_eq!(event.statistics().waiting, waiters.waiting());
    }
}

fn run_barrier(parties: usize, steps: &[Step]) {
    let barrier = Rc::new(Barrier::new(parties));
    let mut waiters = Waiters { all: Vec::new() };
    let mut broken = false;
    for step in steps {
        match step {
            Step::Wait => {
                let last = waiters.waiting() + 1 == parties;
                let at_once = match (broken, last) {
                    (true, _) => Some(Err(BrokenBarrier)),
                    (false, true) => Some(Ok(parties - 1)),
                    (false, false) => None,
                };
                waiters.start(Driven::new(barrier.wait_owned()), at_once);
                if at_once == Some(Ok(parties - 1)) {
                    waiters.tell(Ok);
                }
            }
            Step::First | Step::Second => {
                broken = matches!(step, Step::Second);
                if broken {
                    barrier.abort()
                } else {
                    barrier.reset()
                }
                waiters.tell(|_| Err(BrokenBarrier));
            }
            _ => waiters.step(step),
        }
        waiters.check();
        assert_eq!(barrier.broken(), broken);
        assert_eq!(barrier.n_waiting(), waiters.waiting());
    }
}

/// What happens in a program around a condition.
#[derive(Debug, Clone)]
enum Act {
    /// A consumer comes.
    Consume,
    /// Items come under the lock, each with a notification.
    Produce(usize),
    /// All are told, without anything new.
    NotifyAll,
    /// A consumer is cancelled.
    Cancel(usize),
    /// Time passes.
    Yield,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Consume),
        4 => (1..4_usize).prop_map(Act::Produce),
        1 => Just(Act::NotifyAll),
        4 => any::<usize>().prop_map(Act::Cancel),
        6 => Just(Act::Yield),
    ];
    prop::collection::vec(act, 1..80)
}

/// Consumers that are cancelled anywhere lose no notification: in the end nobody waits for an item that
/// is there, no item was taken twice, and the lock let one in at a time.
fn run_condition<E: Executor>(acts: &[Act]) {
    let ex = E::new();
    ex.run(async {
        let shared = Rc::new((Lock::new(0_usize), Condition::new()));
        let (taken, inside) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        let mut produced = 0;
        let mut consumers: Vec<Job> = Vec::new();
        for act in acts {
            match *act {
                Act::Consume => {
                    let shared = Rc::clone(&shared);
                    let (taken, inside) = (Rc::clone(&taken), Rc::clone(&inside));
                    consumers.push(ex.start(async move {
                        let (lock, condition) = &*shared;
                        let mut items = lock.acquire().await;
                        condition.wait_for(&mut items, |items| *items > 0).await;
                        assert!(LockGuard::is_held(&items));
                        assert!(!inside.replace(true), "one at a time");
                        *items -= 1;
                        taken.set(taken.get() + 1);
                        inside.set(false);
                    }));
                }
                Act::Produce(count) => {
                    let mut items = shared.0.acquire().await;
                    yield_now().await;
                    *items += count;
                    produced += count;
                    shared.1.notify(count);
                }
                Act::NotifyAll => shared.1.notify_all(),
                Act::Cancel(pick) => {
                    if !consumers.is_empty() {
                        consumers[pick % consumers.len()].cancel();
                    }
                }
                Act::Yield => yield_now().await,
            }
        }
        for _ in 0..consumers.len() {
            settle().await;
        }
        let items = shared.0.try_acquire().expect("the lock is free");
        assert_eq!(
            *items + taken.get(),
            produced,
            "no item lost or taken twice"
        );
        let waiting = consumers
            .iter()
            .filter(|consumer| !consumer.is_done())
            .count();
        assert_eq!(shared.1.statistics().waiting, waiting);
        assert!(
            *items == 0 || waiting == 0,
            "{waiting} wait although {} are there",
            *items
        );
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_event_lets_go_whoever_waited_when_it_was_set(steps in steps()) {
        run_event(&steps);
    }

    #[test]
    fn a_barrier_lets_rounds_go_and_breaks_them(parties in 1..5_usize, steps in steps()) {
        run_barrier(parties, &steps);
    }

    #[test]
    fn a_condition_loses_no_notification_by_turns(acts in acts()) {
        run_condition::<Turns>(&acts);
    }

    #[test]
    fn a_condition_loses_no_notification_with_stray_polls(acts in acts()) {
        run_condition::<PollAll>(&acts);
    }
}

//! Lock, Semaphore, RwLock and CapacityLimiter against one simple model: a number and a line.
//!
//! Random starts, polls (asked for or not), drops and leaks at every stage; after each step the model
//! says who has been woken, exactly once, and what the statistics show.

mod support;

use std::any::Any;
use std::rc::Rc;

use corio_sync::{BoundedSemaphore, CapacityLimiter, Lock, RwLock, Semaphore};
use proptest::prelude::*;
use support::Driven;

type Held = Box<dyn Any>;

/// What a model runs against.
struct Subject {
    /// Permits at the beginning.
    total: i64,
    /// What to ask for, again and again, to get them all.
    share: i64,
    /// Permits of a request, from a small random number.
    need: fn(u8) -> i64,
    start: Box<dyn Fn(i64) -> Driven<Held>>,
    try_now: Box<dyn Fn(i64) -> Option<Held>>,
    waiting: Box<dyn Fn() -> usize>,
    available: Option<Box<dyn Fn() -> i64>>,
    /// Adds to the permits or, if negative, takes away; where the subject can.
    adjust: Option<Box<dyn Fn(i64)>>,
}

#[derive(Debug, Clone)]
enum Step {
    Start(u8),
    TryNow(u8),
    Poll(usize),
    Move(usize),
    DropFuture(usize),
    LeakFuture(usize),
    DropHeld(usize),
    LeakHeld(usize),
    Adjust(i8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => any::<u8>().prop_map(Step::Start),
        2 => any::<u8>().prop_map(Step::TryNow),
        8 => any::<usize>().prop_map(Step::Poll),
        1 => any::<usize>().prop_map(Step::Move),
        3 => any::<usize>().prop_map(Step::DropFuture),
        6 => any::<usize>().prop_map(Step::DropHeld),
        1 => (-2..3_i8).prop_map(Step::Adjust),
    ];
    let rare = prop_oneof![
        40 => step,
        1 => any::<usize>().prop_map(Step::LeakFuture),
        1 => any::<usize>().prop_map(Step::LeakHeld),
    ];
    prop::collection::vec(rare, 1..120)
}

/// A request under way, by the model.
struct Request {
    need: i64,
    granted: bool,
    /// Empty once leaked: then it stays where it is for ever.
    future: Option<Driven<Held>>,
}

struct Model {
    available: i64,
    /// In the order of asking; the granted ones that have not run yet among them.
    requests: Vec<Request>,
    held: Vec<(i64, Held)>,
}

impl Model {
    fn grant(&mut self) {
        for request in self.requests.iter_mut().filter(|request| !request.granted) {
            if request.need > self.available || self.available <= 0 {
                break;
            }
            self.available -= request.need;
            request.granted = true;
        }
    }

    fn can_have(&self, need: i64) -> bool {
        need == 0 || (self.requests.is_empty() && need <= self.available)
    }

    /// The place of the `pick`th request that is still polled.
    fn pick(&self, pick: usize) -> Option<usize> {
        let live = |(place, request): (usize, &Request)| request.future.is_some().then_some(place);
        let live: Vec<usize> = self.requests.iter().enumerate().filter_map(live).collect();
        (!live.is_empty()).then(|| live[pick % live.len()])
    }

    fn step(&mut self, subject: &Subject, step: &Step) {
        match *step {
            Step::Start(size) => {
                let need = (subject.need)(size);
                let mut future = (subject.start)(need);
                let at_once = self.can_have(need);
                let got = future.poll();
                assert_eq!(got.is_some(), at_once, "suspends only if it must");
                match got {
                    Some(held) => self.take(need, held),
                    None => {
                        let future = Some(future);
                        self.requests.push(Request {
                            need,
                            granted: false,
                            future,
                        });
                    }
                }
            }
            Step::TryNow(size) => {
                let need = (subject.need)(size);
                let got = (subject.try_now)(need);
                assert_eq!(got.is_some(), self.can_have(need), "no barging");
                if let Some(held) = got {
                    self.take(need, held);
                }
            }
            Step::Poll(pick) => {
                let Some(place) = self.pick(pick) else { return };
                let request = &mut self.requests[place];
                let got = request.future.as_mut().and_then(Driven::poll);
                assert_eq!(got.is_some(), request.granted, "goes on if it was granted");
                if let Some(held) = got {
                    let request = self.requests.remove(place);
                    self.held.push((request.need, held));
                    self.grant();
                }
            }
            Step::Move(pick) => {
                let Some(place) = self.pick(pick) else { return };
                let request = &mut self.requests[place];
                if let (false, Some(future)) = (request.granted, &mut request.future) {
                    future.forget_wakes();
                    assert!(future.poll().is_none());
                }
            }
            Step::DropFuture(pick) => {
                let Some(place) = self.pick(pick) else { return };
                let request = self.requests.remove(place);
                if request.granted {
                    self.available += request.need;
                }
                drop(request.future);
                self.grant();
            }
            Step::LeakFuture(pick) => {
                let Some(place) = self.pick(pick) else { return };
                self.requests[place].future.take().unwrap().leak();
            }
            Step::DropHeld(pick) => {
                if self.held.is_empty() {
                    return;
                }
                let (need, held) = self.held.remove(pick % self.held.len());
                self.available += need;
                drop(held);
                if need > 0 {
                    self.grant();
                }
            }
            Step::LeakHeld(pick) => {
                if !self.held.is_empty() {
                    let (_, held) = self.held.remove(pick % self.held.len());
                    support::leak(held);
                }
            }
            Step::Adjust(change) => {
                if let Some(adjust) = &subject.adjust {
                    adjust(change.into());
                    self.available += i64::from(change);
                    self.grant();
                }
            }
        }
    }

    fn take(&mut self, need: i64, held: Held) {
        self.available -= need;
        self.held.push((need, held));
    }

    fn check(&self, subject: &Subject) {
        for request in &self.requests {
            if let Some(future) = &request.future {
                assert_eq!(
                    future.woken(),
                    usize::from(request.granted),
                    "woken once, when granted"
                );
            }
        }
        let waiting = self
            .requests
            .iter()
            .filter(|request| !request.granted)
            .count();
        assert_eq!((subject.waiting)(), waiting);
        if let Some(available) = &subject.available {
            assert_eq!(available(), self.available.max(0));
        }
    }
}

/// Runs the steps; then, if nothing was leaked, everything comes back.
fn run(subject: Subject, steps: &[Step]) {
    let mut model = Model {
        available: subject.total,
        requests: Vec::new(),
        held: Vec::new(),
    };
    for step in steps {
        model.step(&subject, step);
        model.check(&subject);
    }
    let leaked = |step: &Step| {
        matches!(
            step,
            Step::LeakFuture(_) | Step::LeakHeld(_) | Step::Adjust(_)
        )
    };
    if steps.iter().any(leaked) {
        return;
    }
    let left = |model: &Model| model.held.len() + 2 * model.requests.len();
    while left(&model) > 0 {
        let before = left(&model);
        model.step(&subject, &Step::DropHeld(0));
        model.check(&subject);
        for place in 0..model.requests.len() {
            model.step(&subject, &Step::Poll(place));
        }
        model.check(&subject);
        assert!(left(&model) < before, "everybody gets a turn");
    }
    let all: Vec<Held> = std::iter::from_fn(|| (subject.try_now)(subject.share)).collect();
    assert_eq!(
        all.len() as i64 * subject.share,
        subject.total,
        "nothing was lost"
    );
}

fn semaphore() -> Subject {
    let semaphore = Rc::new(Semaphore::new(3));
    let [a, b, c, d, e] = [(); 5].map(|()| Rc::clone(&semaphore));
    Subject {
        total: 3,
        share: 1,
        need: |size| i64::from(size % 4),
        start: Box::new(move |need| {
            let acquire = a.acquire_many_owned(need as usize);
            Driven::new(async move { Box::new(acquire.await) as Held })
        }),
        try_now: Box::new(move |need| {
            b.try_acquire_many_owned(need as usize)
                .map(|permit| Box::new(permit) as Held)
        }),
        waiting: Box::new(move || c.statistics().waiting),
        available: Some(Box::new(move || d.available() as i64)),
        adjust: Some(Box::new(move |change| e.release(change as usize))),
    }
}

fn bounded_semaphore() -> Subject {
    let semaphore = Rc::new(BoundedSemaphore::new(2));
    let [a, b, c, d] = [(); 4].map(|()| Rc::clone(&semaphore));
    Subject {
        total: 2,
        share: 1,
        need: |_| 1,
        start: Box::new(move |_| {
            let acquire = a.acquire_owned();
            Driven::new(async move { Box::new(acquire.await) as Held })
        }),
        try_now: Box::new(move |_| b.try_acquire_owned().map(|permit| Box::new(permit) as Held)),
        waiting: Box::new(move || c.statistics().waiting),
        available: Some(Box::new(move || d.available() as i64)),
        adjust: None,
    }
}

fn lock() -> Subject {
    let lock = Rc::new(Lock::new(0_u32));
    let [a, b, c] = [(); 3].map(|()| Rc::clone(&lock));
    Subject {
        total: 1,
        share: 1,
        need: |_| 1,
        start: Box::new(move |_| {
            let acquire = a.acquire_owned();
            Driven::new(async move {
                let mut guard = acquire.await;
                *guard += 1;
                Box::new(guard) as Held
            })
        }),
        try_now: Box::new(move |_| b.try_acquire_owned().map(|guard| Box::new(guard) as Held)),
        waiting: Box::new(move || c.statistics().waiting),
        available: None,
        adjust: None,
    }
}

/// A writer needs all of what a reader needs one of.
fn rwlock() -> Subject {
    const WRITE: i64 = 1_000_000;
    let lock = Rc::new(RwLock::new(0_u32));
    let [a, b, c] = [(); 3].map(|()| Rc::clone(&lock));
    Subject {
        total: WRITE,
        share: WRITE,
        need: |size| if size % 3 == 0 { WRITE } else { 1 },
        start: Box::new(move |need| {
            if need == 1 {
                let read = a.read_owned();
                Driven::new(async move { Box::new(read.await) as Held })
            } else {
                let write = a.write_owned();
                Driven::new(async move {
                    let mut guard = write.await;
                    *guard += 1;
                    Box::new(guard) as Held
                })
            }
        }),
        try_now: Box::new(move |need| {
            if need == 1 {
                b.try_read_owned().map(|guard| Box::new(guard) as Held)
            } else {
                b.try_write_owned().map(|guard| Box::new(guard) as Held)
            }
        }),
        waiting: Box::new(move || c.statistics().waiting),
        available: None,
        adjust: None,
    }
}

fn limiter() -> Subject {
    let limiter = Rc::new(CapacityLimiter::new(2));
    let [a, b, c, d, e] = [(); 5].map(|()| Rc::clone(&limiter));
    Subject {
        total: 2,
        share: 1,
        need: |_| 1,
        start: Box::new(move |_| {
            let acquire = a.acquire_owned();
            Driven::new(async move { Box::new(acquire.await) as Held })
        }),
        try_now: Box::new(move |_| b.try_acquire_owned().map(|token| Box::new(token) as Held)),
        waiting: Box::new(move || c.statistics().waiting),
        available: Some(Box::new(move || d.available_tokens() as i64)),
        adjust: Some(Box::new(move |change| {
            let total = e.total_tokens() as i64 + change;
            e.set_total_tokens(total.max(0) as usize);
            assert!(total >= 0, "the steps keep within what there is");
        })),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_semaphore_is_a_number_and_a_fair_line(steps in steps()) {
        let only_more = |step: &Step| !matches!(step, Step::Adjust(change) if *change < 0);
        let steps: Vec<Step> = steps.into_iter().filter(only_more).collect();
        run(semaphore(), &steps);
    }

    #[test]
    fn a_bounded_semaphore_is_one_too(steps in steps()) {
        run(bounded_semaphore(), &steps);
    }

    #[test]
    fn a_lock_is_one_permit_and_a_fair_line(steps in steps()) {
        run(lock(), &steps);
    }

    #[test]
    fn a_reader_writer_lock_is_many_permits_of_which_a_writer_needs_all(steps in steps()) {
        run(rwlock(), &steps);
    }

    #[test]
    fn a_limiter_is_a_number_that_may_be_lowered_below_what_is_taken(steps in steps()) {
        // The total stays at or above zero.
        let mut total = 2;
        let steps: Vec<Step> = steps
            .into_iter()
            .filter(|step| match step {
                Step::Adjust(change) if total + change < 0 => false,
                Step::Adjust(change) => {
                    total += change;
                    true
                }
                _ => true,
            })
            .collect();
        run(limiter(), &steps);
    }
}

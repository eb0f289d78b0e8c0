//! The queues against a simple model, with items that count how often they are dropped.
//!
//! Random puts, gets, joins, polls (asked for or not), drops and leaks at every stage, shutdowns of both
//! kinds. After each step the model says who has been woken and what is in the queue; at the end every
//! item has been received, given back, dropped with its future or by a shutdown, or is left: once.

mod support;

use std::cell::Cell;
use std::mem;
use std::rc::Rc;

use corio_sync::queue::{Fifo, Lifo, Order, OrderedQueue, Smallest};
use proptest::prelude::*;
use support::{Driven, Tracked};

#[derive(Debug, Clone)]
enum Step {
    Put(usize),
    PutNowait(usize),
    Get,
    GetNowait,
    Join,
    TaskDone,
    Poll(usize),
    Drop(usize),
    Leak(usize),
    Shutdown(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        60 => (0..5_usize).prop_map(Step::Put),
        30 => (0..5_usize).prop_map(Step::PutNowait),
        60 => Just(Step::Get),
        30 => Just(Step::GetNowait),
        10 => Just(Step::Join),
        30 => Just(Step::TaskDone),
        90 => any::<usize>().prop_map(Step::Poll),
        30 => any::<usize>().prop_map(Step::Drop),
        3 => any::<usize>().prop_map(Step::Leak),
        2 => any::<bool>().prop_map(Step::Shutdown),
    ];
    prop::collection::vec(step, 1..150)
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Put(usize),
    Get,
    Join,
}

/// What a future ended with.
enum Outcome {
    Put(bool),
    Got(Option<Tracked>),
    Joined,
}

struct Waiter {
    kind: Kind,
    chosen: bool,
    /// Empty once leaked.
    future: Option<Driven<Outcome>>,
}

/// Orders by number, as the model does.
struct Ranked(Tracked);

struct Model<O: Order<Ranked>> {
    queue: Rc<OrderedQueue<Ranked, O>>,
    /// Which of the items comes next.
    next: fn(&[usize]) -> usize,
    room: usize,
    items: Vec<usize>,
    unfinished: usize,
    shut_down: bool,
    /// In the order of asking; those who wait again go to the end.
    waiters: Vec<Waiter>,
    received: Vec<Tracked>,
    alive: Rc<Cell<usize>>,
    /// Items in leaked futures.
    leaked: usize,
}

impl<O: Order<Ranked> + 'static> Model<O> {
    fn new(room: Option<usize>, next: fn(&[usize]) -> usize) -> Self {
        let queue = match room {
            Some(room) => OrderedQueue::bounded(room),
            None => OrderedQueue::unbounded(),
        };
        Model {
            queue: Rc::new(queue),
            next,
            room: room.unwrap_or(usize::MAX),
            items: Vec::new(),
            unfinished: 0,
            shut_down: false,
            waiters: Vec::new(),
            received: Vec::new(),
            alive: Rc::default(),
            leaked: 0,
        }
    }

    fn choose(&mut self, count: usize, wanted: impl Fn(Kind) -> bool) {
        let line = self
            .waiters
            .iter_mut()
            .filter(|waiter| !waiter.chosen && wanted(waiter.kind));
        line.take(count).for_each(|waiter| waiter.chosen = true);
    }

    fn choose_putter(&mut self) {
        self.choose(1, |kind| matches!(kind, Kind::Put(_)));
    }

    fn choose_getter(&mut self) {
        self.choose(1, |kind| kind == Kind::Get);
    }

    fn is_full(&self) -> bool {
        self.items.len() >= self.room
    }

    /// Whether the model lets a future of this kind end now, and what that changes.
    fn may_end(&mut self, kind: Kind) -> bool {
        match kind {
            Kind::Put(_) if self.shut_down => true,
            Kind::Put(_) if self.is_full() => false,
            Kind::Put(number) => {
                self.items.push(number);
                self.unfinished += 1;
                self.choose_getter();
                true
            }
            Kind::Get if self.items.is_empty() => self.shut_down,
            Kind::Get => {
                self.choose_putter();
                true
            }
            Kind::Join => self.unfinished == 0,
        }
    }

    /// Compares what a future ended with.
    fn ended(&mut self, outcome: Outcome, was_shut_down: bool) {
        match outcome {
            Outcome::Put(put) => assert_eq!(put, !was_shut_down),
            Outcome::Got(None) => assert!(was_shut_down && self.items.is_empty()),
            Outcome::Got(Some(item)) => self.receive(item),
            Outcome::Joined => {}
        }
    }

    fn receive(&mut self, item: Tracked) {
        let next = self.items.remove((self.next)(&self.items));
        assert_eq!(item.number, next, "the order of the queue");
        self.received.push(item);
    }

    fn start(&mut self, kind: Kind) {
        let queue = &self.queue;
        let mut future = match kind {
            Kind::Put(number) => {
                let put = queue.put_owned(Ranked(Tracked::new(number, &self.alive)));
                Driven::new(async move { Outcome::Put(put.await.is_ok()) })
            }
            Kind::Get => {
                let get = queue.get_owned();
                Driven::new(async move { Outcome::Got(get.await.ok().map(|Ranked(item)| item)) })
            }
            Kind::Join => {
                let queue = Rc::clone(queue);
                Driven::new(async move {
                    queue.join().await;
                    Outcome::Joined
                })
            }
        };
        let may_end = self.may_end(kind);
        match future.poll() {
            Some(outcome) => {
                assert!(may_end, "waits if it must");
                self.ended(outcome, self.shut_down);
            }
            None => {
                assert!(!may_end, "does not suspend without need");
                self.waiters.push(Waiter {
                    kind,
                    chosen: false,
                    future: Some(future),
                });
            }
        }
    }

    fn pick(&self, pick: usize) -> Option<usize> {
        let live = |(place, waiter): (usize, &Waiter)| waiter.future.is_some().then_some(place);
        let live: Vec<usize> = self.waiters.iter().enumerate().filter_map(live).collect();
        (!live.is_empty()).then(|| live[pick % live.len()])
    }

    fn poll(&mut self, place: usize) {
        let mut waiter = self.waiters.remove(place);
        let future = waiter.future.as_mut().expect("picked");
        if !waiter.chosen {
            assert!(future.poll().is_none(), "goes on when it was woken only");
            self.waiters.insert(place, waiter);
            return;
        }
        // A joiner was let go when the count was zero, whatever it is now.
        let may_end = waiter.kind == Kind::Join || self.may_end(waiter.kind);
        match future.poll() {
            Some(outcome) => {
                assert!(may_end);
                self.ended(outcome, self.shut_down);
            }
            None => {
                assert!(!may_end);
                // Somebody else was faster: it waits again, and can be woken again.
                waiter.future = waiter.future.map(|mut future| {
                    future.forget_wakes();
                    assert!(future.poll().is_none());
                    future
                });
                waiter.chosen = false;
                self.waiters.push(waiter);
            }
        }
    }

    fn drop_waiter(&mut self, place: usize) {
        let waiter = self.waiters.remove(place);
        if waiter.chosen {
            match waiter.kind {
                Kind::Put(_) if !self.is_full() => self.choose_putter(),
                Kind::Get if !self.items.is_empty() => self.choose_getter(),
                _ => {}
            }
        }
    }

    fn shutdown(&mut self, immediate: bool) {
        self.queue.shutdown(immediate);
        self.shut_down = true;
        if immediate {
            self.unfinished -= mem::take(&mut self.items).len().min(self.unfinished);
        }
        let done = self.unfinished == 0;
        self.choose(usize::MAX, |kind| kind != Kind::Join || done);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Put(number) => self.start(Kind::Put(number)),
            Step::Get => self.start(Kind::Get),
            Step::Join => self.start(Kind::Join),
            Step::PutNowait(number) => {
                let result = self
                    .queue
                    .put_nowait(Ranked(Tracked::new(number, &self.alive)));
                let expected = (self.shut_down, self.is_full());
                match result {
                    Ok(()) => {
                        assert!(!expected.0 && !expected.1 && self.may_end(Kind::Put(number)))
                    }
                    Err(error) => {
                        assert_eq!(error.is_shut_down(), expected.0);
                        assert_eq!(error.is_full(), !expected.0 && expected.1);
                        assert_eq!(error.into_inner().0.number, number);
                    }
                }
            }
            Step::GetNowait => match self.queue.get_nowait() {
                Ok(Ranked(item)) => {
                    self.choose_putter();
                    self.receive(item);
                }
                Err(error) => {
                    assert!(self.items.is_empty());
                    assert_eq!(error.is_shut_down(), self.shut_down);
                }
            },
            Step::TaskDone => {
                if self.unfinished > 0 {
                    self.queue.task_done();
                    self.unfinished -= 1;
                    if self.unfinished == 0 {
                        self.choose(usize::MAX, |kind| kind == Kind::Join);
                    }
                }
            }
            Step::Poll(pick) => {
                if let Some(place) = self.pick(pick) {
                    self.poll(place);
                }
            }
            Step::Drop(pick) => {
                if let Some(place) = self.pick(pick) {
                    self.drop_waiter(place);
                }
            }
            Step::Leak(pick) => {
                if let Some(place) = self.pick(pick) {
                    let waiter = &mut self.waiters[place];
                    self.leaked += usize::from(matches!(waiter.kind, Kind::Put(_)));
                    waiter.future.take().expect("picked").leak();
                }
            }
            Step::Shutdown(immediate) => self.shutdown(immediate),
        }
    }

    fn check(&self) {
        let mut waiting = [0; 3];
        for waiter in &self.waiters {
            if let Some(future) = &waiter.future {
                assert_eq!(
                    future.woken(),
                    usize::from(waiter.chosen),
                    "{:?}",
                    waiter.kind
                );
            }
            let index = match waiter.kind {
                Kind::Put(_) => 0,
                Kind::Get => 1,
                Kind::Join => 2,
            };
            waiting[index] += usize::from(!waiter.chosen);
        }
        let statistics = self.queue.statistics();
        assert_eq!(
            [statistics.putters, statistics.getters, statistics.joiners],
            waiting
        );
        assert_eq!(statistics.size, self.items.len());
        assert_eq!(statistics.unfinished, self.unfinished);
        let in_futures = self
            .waiters
            .iter()
            .filter(|waiter| matches!(waiter.kind, Kind::Put(_)) && waiter.future.is_some());
        let expected = self.items.len() + self.received.len() + in_futures.count() + self.leaked;
        assert_eq!(self.alive.get(), expected, "every item is somewhere, once");
    }

    /// Everybody who is woken runs, until nobody is: then nobody waits for what is there.
    fn settle(&mut self) {
        while let Some(place) = self
            .waiters
            .iter()
            .position(|waiter| waiter.chosen && waiter.future.is_some())
        {
            self.poll(place);
            self.check();
        }
        if self.waiters.iter().any(|waiter| waiter.future.is_none()) {
            return;
        }
        let waits =
            |wanted: fn(Kind) -> bool| self.waiters.iter().any(|waiter| wanted(waiter.kind));
        assert!(
            self.items.is_empty() || !waits(|kind| kind == Kind::Get),
            "no lost wake-up"
        );
        assert!(
            self.is_full() || !waits(|kind| matches!(kind, Kind::Put(_))),
            "no lost wake-up"
        );
        assert!(
            self.unfinished > 0 || !waits(|kind| kind == Kind::Join),
            "no lost wake-up"
        );
    }
}

fn run<O: Order<Ranked> + 'static>(room: usize, next: fn(&[usize]) -> usize, steps: &[Step]) {
    let mut model = Model::<O>::new((room > 0).then_some(room), next);
    for step in steps {
        model.step(step);
        model.check();
    }
    model.settle();
    let (alive, leaked) = (Rc::clone(&model.alive), model.leaked);
    let kept = model.waiters.iter().any(|waiter| waiter.future.is_none());
    drop(model);
    // A leaked future keeps its queue, and what is in it.
    assert!(kept || alive.get() == leaked);
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.number.cmp(&other.0.number)
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_queue_loses_nothing_and_keeps_its_order(room in 0..4_usize, steps in steps()) {
        run::<Fifo>(room, |_| 0, &steps);
    }

    #[test]
    fn a_lifo_queue_loses_nothing_and_keeps_its_order(room in 0..4_usize, steps in steps()) {
        run::<Lifo>(room, |items| items.len() - 1, &steps);
    }

    #[test]
    fn a_priority_queue_loses_nothing_and_keeps_its_order(room in 0..4_usize, steps in steps()) {
        let smallest = |items: &[usize]| {
            let least = items.iter().min();
            items.iter().position(|item| Some(item) == least).unwrap_or(0)
        };
        run::<Smallest>(room, smallest, &steps);
    }
}

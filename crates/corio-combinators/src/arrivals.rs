//! The ends of several tasks as a queue: each comes in one turn after it happened.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

use corio_core::{AnyTask, Observer, ObserverId, Scheduler};

use crate::round::check_loop;

pub(crate) struct Arrivals {
    scheduler: Scheduler,
    tasks: Vec<AnyTask>,
    /// The places of the tasks that have ended, in the order of their ends.
    ended: RefCell<Vec<u32>>,
    /// How many of these have come in.
    arrived: Cell<usize>,
    /// The time was up: nothing comes in any more.
    closed: Cell<bool>,
    observer: Cell<Option<ObserverId>>,
    waker: Cell<Option<Waker>>,
}

impl Arrivals {
    /// Looks at the tasks from now on.
    ///
    /// # Panics
    ///
    /// When an unfinished task belongs to another loop.
    pub(crate) fn begin(scheduler: &Scheduler, tasks: Vec<AnyTask>) -> Rc<Arrivals> {
        check_loop(scheduler, tasks.iter());
        let arrivals = Rc::new(Arrivals {
            scheduler: scheduler.clone(),
            ended: RefCell::new(Vec::with_capacity(tasks.len())),
            tasks,
            arrived: Cell::new(0),
            closed: Cell::new(false),
            observer: Cell::new(None),
            waker: Cell::new(None),
        });
        let id = scheduler.add_observer(arrivals.clone());
        let mut finished = 0;
        for (index, task) in arrivals.tasks.iter().enumerate() {
            if task.done() {
                arrivals.ended.borrow_mut().push(index as u32);
                finished += 1;
            } else {
                scheduler.observe(task, &id, index as u32);
            }
        }
        arrivals.observer.set(Some(id));
        if finished > 0 {
            let arrivals = arrivals.clone();
            scheduler.call_soon(move || arrivals.come_in(finished));
        }
        arrivals
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// The place of the task that came in as number `number`, counted from 0.
    pub(crate) fn get(&self, number: usize) -> Option<usize> {
        if number >= self.arrived.get() {
            return None;
        }
        self.ended.borrow().get(number).map(|index| *index as usize)
    }

    pub(crate) fn task(&self, index: usize) -> &AnyTask {
        &self.tasks[index]
    }

    /// Nothing comes in any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// All have come in.
    pub(crate) fn is_complete(&self) -> bool {
        self.arrived.get() == self.tasks.len()
    }

    /// The time is up.
    pub(crate) fn close(&self) {
        if !self.is_complete() {
            self.closed.set(true);
            self.look_away();
            self.wake();
        }
    }

    /// Whom to wake when something comes in.
    pub(crate) fn set_waker(&self, waker: &Waker) {
        let waker = match self.waker.take() {
            Some(old) if old.will_wake(waker) => old,
            _ => waker.clone(),
        };
        self.waker.set(Some(waker));
    }

    /// Nobody waits any more.
    pub(crate) fn forget(&self) {
        self.look_away();
        drop(self.waker.take());
    }

    fn look_away(&self) {
        let Some(id) = self.observer.take() else {
            return;
        };
        for task in self.tasks.iter().filter(|task| !task.done()) {
            self.scheduler.unobserve(task, &id);
        }
        self.scheduler.forget_observer(id);
    }

    fn come_in(&self, count: usize) {
        if !self.closed.get() {
            self.arrived.set(self.arrived.get() + count);
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Observer for Arrivals {
    fn member_done(&self, index: u32) -> bool {
        self.ended.borrow_mut().push(index);
        true
    }

    fn fire(&self) {
        self.come_in(1);
    }
}

//! What the steps of a program share.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use corio_combinators::CancelScope;
use corio_core::{AnyTask, Promise, Task, TaskError};
use corio_sync::Event as Flag;

use super::foreign::Work;
use super::op::Event;
use crate::log;
use crate::support::{create_task, here};

pub struct World {
    /// Nothing is light: each task has a scope around its body, which nobody cancels, and each limit is in the tree before its
    /// work is polled.
    pub in_tree: bool,
    /// No two things that are not the same happen at the same time.
    pub apart: bool,
    tasks: RefCell<BTreeMap<usize, AnyTask>>,
    ended: RefCell<BTreeMap<usize, String>>,
    scopes: RefCell<BTreeMap<usize, CancelScope>>,
    pub flags: [Rc<Flag>; 2],
    pub promises: [Promise<()>; 2],
    over: Cell<bool>,
}

impl World {
    pub fn new(in_tree: bool, apart: bool) -> Rc<World> {
        let promise = || here().scheduler.create_promise();
        Rc::new(World {
            in_tree,
            apart,
            tasks: RefCell::default(),
            ended: RefCell::default(),
            scopes: RefCell::default(),
            flags: [Rc::new(Flag::new()), Rc::new(Flag::new())],
            promises: [promise(), promise()],
            over: Cell::new(false),
        })
    }

    /// The time of the step with this number.
    pub fn halves(&self, number: usize, halves: u8) -> f64 {
        let number = number as f64;
        let more = if self.apart && halves > 0 {
            number.sin().abs() / 1000.0
        } else {
            0.0
        };
        f64::from(halves) / 2.0 + more
    }

    /// The task whose work has this number.
    pub fn spawn(self: &Rc<World>, number: usize, work: Work) -> Task<()> {
        let task = if self.in_tree {
            create_task(async {
                let ended = CancelScope::new().run(work).await;
                ended.expect("nobody cancels this scope");
            })
        } else {
            create_task(work)
        };
        let task = task.named(format!("task {number}"));
        self.tasks.borrow_mut().insert(number, task.any());
        task
    }

    /// Notes which tasks have ended since the last look. A callback of theirs would know it sooner, but a task that has one is not
    /// waited for without a node.
    pub fn look(&self) {
        let mut ended = self.ended.borrow_mut();
        for (number, task) in &*self.tasks.borrow() {
            if task.is_settled() {
                ended.entry(*number).or_insert_with(|| {
                    let (time, outcome) = (here().time(), outcome(&task.result()));
                    format!(
                        "task {number} {outcome} at {time:?}, asked {} times",
                        task.cancelling()
                    )
                });
            }
        }
    }

    /// How the tasks have ended.
    pub fn ends(&self) -> Vec<String> {
        self.ended.borrow().values().cloned().collect()
    }

    pub fn scope(&self, number: usize, scope: &CancelScope) {
        self.scopes.borrow_mut().insert(number, scope.clone());
    }

    pub fn happen(&self, event: Event) {
        match event {
            Event::Cancel(place) => self.cancel(place),
            Event::Abort(place) => drop(self.task(place).map(|task| task.abort())),
            Event::Uncancel(place) => {
                if let Some(task) = self.task(place) {
                    log!("{} left", task.uncancel());
                }
            }
            Event::Stop(place) => self.stop(place),
            Event::Set(number) => self.flags[usize::from(number)].set(),
            Event::Fulfil(number) => drop(self.promises[usize::from(number)].set_result(())),
        }
    }

    pub fn cancel(&self, place: u8) {
        if let Some(task) = self.task(place) {
            log!("{} asked: {}", task.name(), task.cancel());
        }
    }

    pub fn stop(&self, place: u8) {
        let scope = nth(&self.scopes.borrow(), place);
        if let Some(scope) = scope {
            scope.cancel();
        }
    }

    fn task(&self, place: u8) -> Option<AnyTask> {
        nth(&self.tasks.borrow(), place)
    }

    pub fn end(&self) {
        self.over.set(true);
        self.tasks.take();
        self.scopes.take();
    }
}

fn nth<T: Clone>(all: &BTreeMap<usize, T>, place: u8) -> Option<T> {
    let place = usize::from(place) % all.len().max(1);
    all.values().nth(place).cloned()
}

pub fn outcome<T>(result: &Result<T, TaskError>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(TaskError::Panicked(panic)) => format!("panicked: {}", panic.message()),
        Err(error) => error.to_string(),
    }
}

/// Says when it is dropped before its future has ended.
pub struct Noted {
    number: usize,
    ended: bool,
    world: Rc<World>,
}

impl Noted {
    pub fn begin(number: usize, world: &Rc<World>) -> Noted {
        let start = here().clock.now() - here().time();
        let left = corio_core::cancel::deadline_here();
        let left = left.map(|deadline| deadline.instant() - start);
        log!("{number} begins, has until {left:?}");
        Noted {
            number,
            ended: false,
            world: world.clone(),
        }
    }

    pub fn end(mut self) {
        log!("{} ends", self.number);
        self.ended = true;
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if !self.ended && !self.world.over.get() {
            log!("{} dropped", self.number);
        }
    }
}

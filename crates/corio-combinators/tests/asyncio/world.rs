//! What the tasks of a program share.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use corio_combinators::{GroupError, TaskGroup};
use corio_core::{AnyTask, Promise, PromiseCallbackId, Task, TaskError};
use corio_sync::{Barrier, Condition, Event, LifoQueue, Lock, PriorityQueue, Queue, Semaphore};

use super::calls::Call;
use super::op::Op;
use super::words::run;
use crate::support::{create_task, here};

#[derive(Debug)]
pub enum Fail {
    Error(String),
    Task(TaskError),
}

impl From<TaskError> for Fail {
    fn from(error: TaskError) -> Fail {
        Fail::Task(error)
    }
}

impl Fail {
    pub fn show(&self) -> String {
        match self {
            Fail::Error(text) => text.clone(),
            Fail::Task(error) => error.to_string(),
        }
    }
}

pub fn show(error: &GroupError<Fail>) -> String {
    let failures = error.iter().map(|(_, failure)| match failure.error() {
        Some(fail) => fail.show(),
        None => "panic".into(),
    });
    format!("[{}]", failures.collect::<Vec<_>>().join(" "))
}

pub type Done = Result<(), Fail>;
pub type Running = Pin<Box<dyn Future<Output = Done>>>;

/// What the tasks of one program share.
pub struct World {
    pub log: RefCell<Vec<(String, f64, String)>>,
    pub tasks: RefCell<Vec<AnyTask>>,
    counts: RefCell<BTreeMap<String, usize>>,
    errors: RefCell<BTreeMap<String, String>>,
    pub groups: RefCell<Vec<TaskGroup<Fail>>>,
    /// Tasks that anybody may wait for, and those that the first one takes.
    pub shared: RefCell<Vec<Rc<Task<Done>>>>,
    pub handed: RefCell<Vec<Option<Task<Done>>>>,
    pub locks: [Lock<()>; 2],
    pub semaphore: Semaphore,
    pub events: [Event; 2],
    pub queues: [Queue<String>; 2],
    pub smallest: PriorityQueue<String>,
    pub newest: LifoQueue<String>,
    pub promises: RefCell<[Promise<()>; 3]>,
    pub callbacks: RefCell<Vec<(Promise<()>, PromiseCallbackId)>>,
    pub handles: RefCell<Vec<Rc<Call>>>,
    pub barrier: Barrier,
    pub condition: Condition,
    pub condition_lock: Lock<()>,
}

pub fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

impl World {
    pub fn new() -> Rc<World> {
        let promise = || here().scheduler.create_promise();
        Rc::new(World {
            log: RefCell::default(),
            tasks: RefCell::default(),
            counts: RefCell::default(),
            errors: RefCell::default(),
            groups: RefCell::default(),
            shared: RefCell::default(),
            handed: RefCell::default(),
            locks: [Lock::new(()), Lock::new(())],
            semaphore: Semaphore::new(2),
            events: [Event::new(), Event::new()],
            queues: [Queue::bounded(1), Queue::unbounded()],
            smallest: PriorityQueue::bounded(2),
            newest: LifoQueue::unbounded(),
            callbacks: RefCell::default(),
            handles: RefCell::default(),
            promises: RefCell::new([promise(), promise(), promise()]),
            barrier: Barrier::new(2),
            condition: Condition::new(),
            condition_lock: Lock::new(()),
        })
    }

    pub fn log(&self, event: impl Into<String>) {
        self.note(current().name(), event);
    }

    pub fn note(&self, name: String, event: impl Into<String>) {
        let time = here().time().as_secs_f64();
        self.log.borrow_mut().push((name, time, event.into()));
    }

    /// What was logged, in the form of the file. Tasks that are still held go, for they hold the world.
    pub fn into_log(self: Rc<Self>) -> Vec<String> {
        self.handed.take();
        self.shared.take();
        self.handles.take();
        // A callback that was never called holds the world, in a promise of this world.
        for (promise, id) in self.callbacks.take() {
            promise.remove_done_callback(id);
        }
        let events = self.log.take().into_iter();
        events
            .map(|(name, time, event)| format!("  {name} {time} {event}"))
            .collect()
    }

    /// Names a new task, and listens for its end.
    pub fn list(self: &Rc<Self>, name: String, task: &AnyTask) {
        task.set_name(name.clone());
        self.tasks.borrow_mut().push(task.clone());
        let world = self.clone();
        task.add_done_callback(move |task| {
            world.note(name, format!("done {}", world.ending(task)));
        });
    }

    /// How a task has ended.
    pub fn ending(&self, task: &AnyTask) -> String {
        let error = self.errors.borrow().get(&task.name()).cloned();
        match error {
            _ if task.cancelled() => "cancelled".into(),
            Some(error) => format!("error {error}"),
            None => "ok".into(),
        }
    }

    pub fn endings(&self, tasks: &[AnyTask]) -> String {
        let endings = tasks.iter().map(|task| format!(" {}", self.ending(task)));
        endings.collect()
    }

    /// The task with this number, modulo.
    pub fn task(&self, number: &Op) -> AnyTask {
        let tasks = self.tasks.borrow();
        tasks[number.index() % tasks.len()].clone()
    }

    /// What still waits is asked to end.
    #[allow(dead_code, reason = "a run to the end asks by itself")]
    pub fn sweep(&self) {
        let tasks = self.tasks.borrow().clone();
        for task in tasks {
            task.cancel();
        }
    }

    pub fn promise(&self, index: usize) -> Promise<()> {
        self.promises.borrow()[index].clone()
    }

    pub fn next_name(&self) -> String {
        self.next_name_for(&current().name())
    }

    fn next_name_for(&self, parent: &str) -> String {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(parent.to_owned()).or_default();
        *count += 1;
        format!("{parent}.{count}")
    }

    /// The future of a task with this name.
    pub async fn whole(self: Rc<Self>, name: String, op: Op) -> Done {
        let done = run(&self, &op).await;
        if let Err(fail) = &done {
            self.errors.borrow_mut().insert(name, fail.show());
        }
        done
    }

    pub fn create(self: &Rc<Self>, op: &Op) -> Task<Done> {
        self.create_for(&current().name(), op)
    }

    /// A task that is counted as one of `parent`.
    pub fn create_for(self: &Rc<Self>, parent: &str, op: &Op) -> Task<Done> {
        let name = self.next_name_for(parent);
        let task = create_task(self.clone().whole(name.clone(), op.clone()));
        self.list(name, &task.any());
        task
    }

    pub fn create_in(self: &Rc<Self>, group: &TaskGroup<Fail>, op: &Op) {
        let name = self.next_name();
        let task = group.create_task(self.clone().whole(name.clone(), op.clone()));
        self.list(name, &task.any());
    }

    /// False: the group is over.
    pub fn try_create_in(self: &Rc<Self>, group: &TaskGroup<Fail>, op: &Op) -> bool {
        let counts = self.counts.borrow().clone();
        let name = self.next_name();
        let task = group.create_task(self.clone().whole(name.clone(), op.clone()));
        if task.done() {
            self.counts.replace(counts);
            return false;
        }
        self.list(name, &task.any());
        true
    }

    /// What a wait for a task gave, when the waiter itself was not cancelled.
    pub fn alone(&self, outcome: Result<Done, TaskError>) -> Done {
        match outcome {
            Ok(done) => done,
            Err(error) if error.is_cancelled() => {
                self.log("child cancelled");
                Ok(())
            }
            Err(error) => panic!("{error}"),
        }
    }
}

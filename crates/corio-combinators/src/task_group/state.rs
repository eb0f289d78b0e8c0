//! What the group, its handles and its children share.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::task::Waker;

use corio_core::cancel::ScopeEntry;
use corio_core::{AnyTask, Observer, ObserverId, Report, Scheduler, TaskError};

use super::error::{Failed, Failure};

pub(super) struct State<E> {
    name: RefCell<Option<String>>,
    /// Known from the first poll on.
    scheduler: OnceCell<Scheduler>,
    observer: Cell<Option<ObserverId>>,
    entry: Cell<Option<ScopeEntry>>,
    children: RefCell<Children<E>>,
    /// In the order of the ends.
    failures: RefCell<Vec<Failed<E>>>,
    /// Ends that the group has yet to hear of: whether each was a failure.
    unheard: RefCell<VecDeque<bool>>,
    /// Who waits for the last child.
    waker: Cell<Option<Waker>>,
    /// The body has ended.
    exiting: Cell<bool>,
    /// Everybody has been asked to end.
    aborting: Cell<bool>,
    /// The group is over.
    closed: Cell<bool>,
}

/// The unfinished children, in places that are used again.
struct Children<E> {
    places: Vec<Option<Child<E>>>,
    free: Vec<u32>,
}

struct Child<E> {
    task: AnyTask,
    /// Put here by the child's future right before it ends.
    error: Option<E>,
}

impl<E: 'static> State<E> {
    pub(super) fn new() -> Rc<State<E>> {
        Rc::new(State {
            name: RefCell::new(None),
            scheduler: OnceCell::new(),
            observer: Cell::new(None),
            entry: Cell::new(None),
            children: RefCell::new(Children {
                places: Vec::new(),
                free: Vec::new(),
            }),
            failures: RefCell::new(Vec::new()),
            unheard: RefCell::new(VecDeque::new()),
            waker: Cell::new(None),
            exiting: Cell::new(false),
            aborting: Cell::new(false),
            closed: Cell::new(false),
        })
    }

    pub(super) fn set_name(&self, name: String) {
        let before = self.name.replace(Some(name));
        drop(before);
    }

    pub(super) fn name(&self) -> Option<String> {
        self.name.borrow().clone()
    }

    /// The loop of the group.
    ///
    /// # Panics
    ///
    /// When no loop runs here.
    pub(super) fn bind(&self) -> &Scheduler {
        self.scheduler.get_or_init(|| {
            Scheduler::current().expect(
                "a task group was polled on a thread where no event loop runs: await it in a task, or give it to `run`",
            )
        })
    }

    pub(super) fn scheduler(&self) -> &Scheduler {
        self.scheduler
            .get()
            .expect("the handle of a group is made in its first poll")
    }

    pub(super) fn set_entry(&self, entry: Option<ScopeEntry>) {
        self.entry.set(entry);
    }

    /// The group takes no more children.
    pub(super) fn is_refusing(&self) -> bool {
        self.closed.get() || self.aborting.get() || (self.exiting.get() && self.is_complete())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(super) fn is_aborting(&self) -> bool {
        self.aborting.get()
    }

    /// Every child has ended, and the group has heard of it.
    pub(super) fn is_complete(&self) -> bool {
        self.children.borrow().len() == 0 && self.unheard.borrow().is_empty()
    }

    pub(super) fn exit(&self) {
        self.exiting.set(true);
    }

    /// Whom to wake when the group is complete.
    pub(super) fn set_waker(&self, waker: &Waker) {
        let old = self.waker.take();
        let same = old.filter(|old| old.will_wake(waker));
        self.waker.set(Some(same.unwrap_or_else(|| waker.clone())));
    }
}

/// Children.
impl<E: 'static> State<E> {
    /// The place of the next child.
    pub(super) fn next_place(&self) -> u32 {
        let children = self.children.borrow();
        let next = children.free.last().copied();
        next.unwrap_or(children.places.len() as u32)
    }

    /// Lists a child at its place, and listens for its end.
    pub(super) fn add(self: &Rc<Self>, place: u32, task: AnyTask) {
        let scheduler = self.scheduler();
        let observer = self.observer.take();
        let observer = observer.unwrap_or_else(|| scheduler.add_observer(self.clone()));
        scheduler.observe(&task, &observer, place);
        self.observer.set(Some(observer));
        self.children.borrow_mut().insert(place, task);
    }

    /// A child is about to end with an error.
    pub(super) fn put_error(&self, place: u32, error: E, site: &'static Location<'static>) {
        let mut children = self.children.borrow_mut();
        match children.get_mut(place) {
            Some(child) if !self.closed.get() => child.error = Some(error),
            _ => {
                drop(children);
                drop(error);
                let message = "a child of a task group that was dropped has failed";
                self.scheduler().report(&Report::new(message).at(site));
            }
        }
    }

    /// Asks every child to cancel, once.
    pub(super) fn abort(&self) {
        if self.aborting.replace(true) {
            return;
        }
        let mut tasks = self.children.borrow().tasks();
        tasks.sort_unstable_by_key(AnyTask::id);
        for task in tasks {
            task.cancel();
        }
    }

    /// Asks the children and the body.
    pub(super) fn abort_all(&self) {
        self.abort();
        if let Some(entry) = self.entry.get() {
            entry.request(None);
        }
    }

    /// The group is over: what happened in it.
    pub(super) fn close(&self) -> Vec<Failed<E>> {
        self.closed.set(true);
        self.entry.set(None);
        drop(self.waker.take());
        if let Some(observer) = self.observer.take() {
            let tasks = self.children.borrow().tasks();
            for task in tasks {
                self.scheduler().unobserve(&task, &observer);
            }
            self.scheduler().forget_observer(observer);
        }
        std::mem::take(&mut *self.failures.borrow_mut())
    }

    /// The group was dropped by foreign code: its children are asked to cancel, and nobody waits.
    pub(super) fn abandon(&self) {
        if self.closed.get() {
            return;
        }
        let failures = self.close();
        self.aborting.set(false);
        self.abort();
        let children = std::mem::take(&mut self.children.borrow_mut().places);
        drop((failures, children));
    }
}

/// Ends are counted as they happen, and acted on one turn later, where a done callback would run.
impl<E: 'static> Observer for State<E> {
    fn member_done(&self, index: u32) -> bool {
        let mut children = self.children.borrow_mut();
        let Some(child) = children.remove(index) else {
            return false;
        };
        let failure = match child.task.peek_error() {
            Some(TaskError::Panicked(panic)) => {
                child.task.mark_seen();
                Some(Failure::Panicked(panic))
            }
            // Also that of a task that ended cancelled, since it had an error and a request at the same time.
            _ => child.error.map(Failure::Error),
        };
        let failed = failure.is_some();
        if let Some(failure) = failure {
            let failed = Failed::new(child.task.name(), child.task.site(), failure);
            self.failures.borrow_mut().push(failed);
        }
        // Only these two kinds of ends have consequences.
        let matters = failed || children.len() == 0;
        if matters {
            self.unheard.borrow_mut().push_back(failed);
        }
        matters
    }

    fn fire(&self) {
        let failed = self.unheard.borrow_mut().pop_front();
        if self.closed.get() {
            return;
        }
        if self.exiting.get() && self.is_complete() {
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
        if failed == Some(true) && !self.aborting.get() {
            self.abort_all();
        }
    }
}

impl<E> Children<E> {
    fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    fn insert(&mut self, place: u32, task: AnyTask) {
        let child = Some(Child { task, error: None });
        if self.free.last() == Some(&place) {
            self.free.pop();
            self.places[place as usize] = child;
        } else {
            self.places.push(child);
        }
    }

    fn get_mut(&mut self, place: u32) -> Option<&mut Child<E>> {
        self.places.get_mut(place as usize)?.as_mut()
    }

    fn remove(&mut self, place: u32) -> Option<Child<E>> {
        let child = self.places.get_mut(place as usize)?.take()?;
        self.free.push(place);
        Some(child)
    }

    fn tasks(&self) -> Vec<AnyTask> {
        let children = self.places.iter().flatten();
        children.map(|child| child.task.clone()).collect()
    }
}

impl<E> fmt::Debug for State<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("name", &self.name.borrow())
            .field("children", &self.children.borrow().tasks())
            .field("aborting", &self.aborting.get())
            .field("closed", &self.closed.get())
            .finish()
    }
}

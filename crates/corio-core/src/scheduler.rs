//! The scheduler: the table of tasks, the ready queue, and one step.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Context;

use crate::callback::Handle;
use crate::cancel;
use crate::cell::{Advance, CellRef, Fallible, Plain};
use crate::error::Cancelled;
use crate::extras::Extras;
use crate::key::{MAX_SLOTS, TaskKey};
use crate::remote::{self, Inbox, Message, Notify};
use crate::report::Reporter;
use crate::slab::Slab;
use crate::state::{Begin, Outcome};
use crate::task::{AnyTask, Task, TaskId};
use crate::waiters::{Lists, Observer};
use crate::waker;

/// A ready queue and the tasks that go through it, for one thread: the core of an event loop, without a clock and without I/O.
///
/// It is a handle; clones are the same scheduler. Whoever drives it calls [`run`](Scheduler::run) while
/// [`ready`](Scheduler::ready) is not zero, sleeps until notified otherwise, and calls [`close`](Scheduler::close) at the end:
/// unfinished tasks and their scheduler keep each other alive until then.
///
/// ```
/// use corio_core::Scheduler;
///
/// let scheduler = Scheduler::new(|| {});
/// let task = scheduler.create_task(async { 6 * 7 });
/// while scheduler.ready() > 0 {
///     scheduler.run(usize::MAX);
/// }
/// assert_eq!(*task.result().unwrap(), 42);
/// scheduler.close();
/// ```
#[derive(Clone)]
pub struct Scheduler(Rc<Inner>);

pub(crate) struct Inner {
    id: u32,
    number: u64,
    inbox: Arc<Inbox>,
    ready: RefCell<VecDeque<CellRef>>,
    tasks: RefCell<Slab<CellRef>>,
    current: Cell<Option<CellRef>>,
    running: Cell<bool>,
    closed: Cell<bool>,
    next_task: Cell<u64>,
    next_entry: Cell<u64>,
    spare_mail: Cell<Vec<Message>>,
    lists: RefCell<Lists>,
    observers: RefCell<Slab<Rc<dyn Observer>>>,
    pub(crate) extras: RefCell<Slab<Extras>>,
    pub(crate) context: crate::extras::CurrentContext,
    pub(crate) reporter: RefCell<Option<Reporter>>,
    drivers: OnceCell<Rc<dyn Any>>,
    pub(crate) timers: crate::time::TimersSlot,
    steps: Cell<u64>,
}

static NUMBERS: AtomicU64 = AtomicU64::new(1);

impl Scheduler {
    /// A scheduler without tasks. `notify` is called, from any thread, when something was sent to it from another one.
    ///
    /// # Panics
    ///
    /// When more than a million schedulers are alive.
    pub fn new(notify: impl Notify + 'static) -> Scheduler {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let inbox = Arc::new(Inbox::new(number, Box::new(notify)));
        let scheduler = Scheduler(Rc::new(Inner {
            id: remote::register(inbox.clone()),
            number,
            inbox,
            ready: RefCell::new(VecDeque::new()),
            tasks: RefCell::new(Slab::new()),
            current: Cell::new(None),
            running: Cell::new(false),
            closed: Cell::new(false),
            next_task: Cell::new(1),
            next_entry: Cell::new(1),
            spare_mail: Cell::new(Vec::new()),
            lists: RefCell::new(Lists::new()),
            observers: RefCell::new(Slab::new()),
            extras: RefCell::new(Slab::new()),
            context: crate::extras::CurrentContext::new(),
            reporter: RefCell::new(None),
            drivers: OnceCell::new(),
            timers: OnceCell::new(),
            steps: Cell::new(0),
        }));
        current::announce(&scheduler);
        scheduler
    }

    /// A task that takes its first step in the next batch.
    ///
    /// A task that is created on a closed scheduler is cancelled at once, and its future is dropped.
    #[doc(alias = "spawn")]
    #[track_caller]
    pub fn create_task<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.create_task_at(future, Location::caller())
    }

    /// The same, for a caller that knows on whose line the task is created.
    pub fn create_task_at<F>(&self, future: F, site: &'static Location<'static>) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // SAFETY: the future and its output borrow nothing.
        let cell = unsafe {
            CellRef::task::<F, Plain>(future, true, self.next_task(), site, self.clone())
        };
        self.start(&cell);
        Task::new(cell)
    }

    /// A task whose future says whether it failed: after `None` it is done with [`TaskError::Failed`](crate::TaskError::Failed),
    /// and what went wrong is where the future has put it.
    #[track_caller]
    pub fn create_fallible_task<F, T>(&self, future: F) -> Task<T>
    where
        F: Future<Output = Option<T>> + 'static,
        T: 'static,
    {
        let site = Location::caller();
        // SAFETY: the future and its output borrow nothing.
        let cell = unsafe {
            CellRef::task::<F, Fallible>(future, true, self.next_task(), site, self.clone())
        };
        self.start(&cell);
        Task::new(cell)
    }

    /// Calls `callback` in the next batch, behind what is ready now.
    #[track_caller]
    pub fn call_soon(&self, callback: impl FnOnce() + 'static) -> Handle {
        let cell = CellRef::callback(callback, Location::caller(), self.clone());
        cell.capture_context();
        self.queue_callback(cell.clone());
        Handle::new(cell)
    }

    /// A callback that is not queued yet, see [`Handle::queue`].
    #[track_caller]
    pub fn callback(&self, callback: impl FnOnce() + 'static) -> Handle {
        let cell = CellRef::callback(callback, Location::caller(), self.clone());
        cell.capture_context();
        Handle::new(cell)
    }

    /// How many steps and callbacks are ready: what is called a batch when taken as it stands.
    #[inline]
    pub fn ready(&self) -> usize {
        self.0.ready.borrow().len()
    }

    /// Runs at most `limit` steps and callbacks, in order, and returns how many there were. It does not look at the mail from
    /// other threads.
    ///
    /// # Panics
    ///
    /// When it is called from inside of itself.
    pub fn run(&self, limit: usize) -> usize {
        assert!(
            !self.0.running.replace(true),
            "this event loop is already running: await the future instead of running the loop inside of itself"
        );
        struct Running<'a>(&'a Inner);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.running.set(false);
            }
        }
        let _running = Running(&self.0);
        self.enter(|| {
            let mut steps = 0;
            while steps < limit {
                let Some(cell) = self.next_ready() else { break };
                self.step(cell);
                steps += 1;
            }
            steps
        })
    }

    /// Makes this the current scheduler of the thread while `body` runs.
    pub fn enter<R>(&self, body: impl FnOnce() -> R) -> R {
        current::enter(&self.0, body)
    }

    /// The scheduler that runs, or was entered, on this thread.
    pub fn current() -> Option<Scheduler> {
        current::get()
    }

    /// Looks at the current scheduler of this thread without taking a share of it.
    #[inline]
    pub fn with_current<R>(look: impl FnOnce(Option<&Scheduler>) -> R) -> R {
        current::with_scheduler(look)
    }

    /// True while [`run`](Scheduler::run) is on the stack.
    pub fn is_running(&self) -> bool {
        self.0.running.get()
    }

    /// Something may have come from another thread. To be asked after announcing that one is about to sleep.
    #[inline]
    pub fn has_mail(&self) -> bool {
        self.0.inbox.has_mail()
    }

    /// Queues what has come from other threads, in the order in which it came.
    pub fn take_mail(&self) {
        if !self.has_mail() {
            return;
        }
        let mut mail = self.0.inbox.take(self.0.spare_mail.take());
        for message in mail.drain(..) {
            match message {
                Message::Wake(key) => self.wake(key),
                Message::Call(call) => {
                    self.queue_callback(CellRef::callback(call, Location::caller(), self.clone()));
                }
            }
        }
        if mail.capacity() <= 4096 {
            self.0.spare_mail.set(mail);
        }
    }

    /// The handle for other threads.
    pub fn remote(&self) -> crate::Remote {
        crate::Remote::new(self.0.inbox.clone())
    }

    /// The unfinished tasks in the order of their creation.
    pub fn all_tasks(&self) -> Vec<AnyTask> {
        let mut tasks: Vec<AnyTask> = self
            .0
            .tasks
            .borrow()
            .iter()
            .map(|cell| AnyTask::new(cell.clone()))
            .collect();
        tasks.sort_unstable_by_key(AnyTask::id);
        tasks
    }

    /// How many tasks are unfinished.
    pub fn task_count(&self) -> usize {
        self.0.tasks.borrow().len()
    }

    /// The task that takes its step now.
    pub fn current_task(&self) -> Option<AnyTask> {
        self.0.current_cell().map(AnyTask::new)
    }

    /// Gives the leaves of a loop a place to find its drivers (clock, timers, reactor). Once.
    ///
    /// # Panics
    ///
    /// When drivers were given before.
    pub fn set_drivers(&self, drivers: Rc<dyn Any>) {
        assert!(
            self.0.drivers.set(drivers).is_ok(),
            "the drivers are given once"
        );
    }

    /// What [`set_drivers`](Scheduler::set_drivers) was given, if it is a `T`.
    pub fn drivers<T: 'static>(&self) -> Option<Rc<T>> {
        self.0.drivers.get()?.clone().downcast().ok()
    }

    /// Closes the scheduler: the futures of all unfinished tasks are dropped, on this thread, and the tasks end cancelled;
    /// callbacks are dropped uncalled. Outcomes stay where handles can read them. Closing twice is fine.
    ///
    /// # Panics
    ///
    /// When the scheduler is running.
    pub fn close(&self) {
        assert!(
            !self.0.running.get(),
            "an event loop cannot be closed while it is running"
        );
        let mail = self.0.inbox.close();
        drop(mail);
        if self.0.closed.replace(true) {
            return;
        }
        self.enter(|| {
            for task in self.all_tasks() {
                self.end_by_force(task.cell(), Cancelled::because("the event loop was closed"));
            }
            // Destructors may have queued callbacks, and callbacks own things with destructors.
            loop {
                let left = std::mem::take(&mut *self.0.ready.borrow_mut());
                if left.is_empty() {
                    break;
                }
                for cell in left {
                    cell.revoke();
                }
            }
        });
    }

    /// True after [`close`](Scheduler::close).
    pub fn is_closed(&self) -> bool {
        self.0.closed.get()
    }

    /// The number that no other scheduler of the process has or will have.
    #[inline]
    pub fn number(&self) -> u64 {
        self.0.number
    }

    /// The unfinished task with this number.
    pub fn find_task(&self, id: TaskId) -> Option<AnyTask> {
        let tasks = self.0.tasks.borrow();
        tasks
            .iter()
            .find(|cell| cell.id == id.get())
            .map(|cell| AnyTask::new(cell.clone()))
    }

    /// How many [`Remote`](crate::Remote) handles exist.
    pub fn remotes(&self) -> usize {
        // The scheduler has one share of the inbox and the registry of the process has one.
        Arc::strong_count(&self.0.inbox).saturating_sub(2)
    }

    /// Describes the step that comes next, for messages about slow ones.
    pub fn describe_next(&self) -> Option<String> {
        let cell = self.0.ready.borrow().front().cloned()?;
        Some(if cell.id == 0 {
            format!("{:?}", Handle::new(cell))
        } else {
            format!("{:?}", AnyTask::new(cell))
        })
    }

    /// Counts the steps, so that something can be done once per step.
    #[inline]
    pub fn steps(&self) -> u64 {
        self.0.steps.get()
    }

    /// The number that this scheduler has among those that are alive. Numbers are used again.
    #[inline]
    pub fn id(&self) -> u32 {
        self.0.id
    }
}

/// The steps.
impl Scheduler {
    /// The one place where the next ready entry is chosen.
    #[inline]
    fn next_ready(&self) -> Option<CellRef> {
        self.0.ready.borrow_mut().pop_front()
    }

    #[inline]
    fn step(&self, cell: CellRef) {
        self.0.steps.set(self.0.steps.get() + 1);
        match cell.state.begin() {
            Begin::Poll => self.poll(&cell),
            Begin::Skip => {}
            Begin::Relay => self.wake_cell(&cell),
            Begin::Call => self.call(&cell),
            Begin::Attend => match cancel::before_poll(&cell) {
                None => self.poll(&cell),
                Some(cancelled) => self.end_by_force(&cell, cancelled),
            },
            Begin::Abort => self.end_by_force(&cell, Cancelled::because("the task was aborted")),
        }
    }

    #[inline]
    fn poll(&self, cell: &CellRef) {
        cell.wait_kind.set(None);
        let before = self.0.current.replace(Some(cell.clone()));
        let outside = cell.enter_context();
        let waker = waker::of(cell.key());
        // SAFETY: `begin` gave `Poll` or `Attend`, and the step ends below with `suspend` or `end`.
        let advance = unsafe { cell.poll(&mut Context::from_waker(waker.get())) };
        cell.leave_context(outside);
        self.0.current.set(before);
        match advance {
            Advance::Pending => {
                cell.state.suspend();
                if cell.state.needs_attention() {
                    self.after_poll(cell);
                }
            }
            Advance::Ended(outcome) => self.ended(cell, outcome),
        }
    }

    #[cold]
    fn after_poll(&self, cell: &CellRef) {
        if let Some(cancelled) = cancel::after_poll(cell) {
            self.end_by_force(cell, cancelled);
        }
    }

    fn call(&self, cell: &CellRef) {
        let outside = cell.enter_context();
        let called = crate::cell::caught(|| cell.call());
        cell.leave_context(outside);
        if let Err(panic) = called {
            self.report_callback(cell, panic);
        }
    }

    /// The future has given its last answer, and the stage holds the outcome.
    fn ended(&self, cell: &CellRef, mut outcome: Outcome) {
        if cell.scope.get() != 0 {
            if let Some(cancelled) = cancel::task_ended(cell) {
                if outcome == Outcome::Value || outcome == Outcome::Failed {
                    cell.state.finish(outcome);
                    outcome = self.replace_value(cell, cancelled);
                    self.release(cell, outcome);
                    return;
                }
            }
        }
        cell.state.finish(outcome);
        self.release(cell, outcome);
    }

    /// A request to cancel was outstanding when the task returned its value: the value is dropped.
    #[cold]
    fn replace_value(&self, cell: &CellRef, cancelled: Cancelled) -> Outcome {
        // SAFETY: nobody has been told of the end yet, so nobody can have looked at the value.
        let end = unsafe { cell.drop_value() };
        cell.state.unfinish();
        let outcome = if end.is_ok() {
            Outcome::Cancelled
        } else {
            Outcome::Panicked
        };
        cell.finish(end.map(|()| cancelled));
        outcome
    }

    /// Ends a task that is not being polled: drops its future, as its own step.
    pub(crate) fn end_by_force(&self, cell: &CellRef, cancelled: Cancelled) {
        if !cell.state.has_future() {
            return;
        }
        let before = self.0.current.replace(Some(cell.clone()));
        let outside = cell.enter_context();
        let dropped = cancel::collect(|| cell.drop_future());
        cell.leave_context(outside);
        self.0.current.set(before);
        if cell.scope.get() != 0 {
            drop(cancel::task_ended(cell));
        }
        let outcome = if dropped.is_ok() {
            Outcome::Cancelled
        } else {
            Outcome::Panicked
        };
        cell.finish(dropped.map(|()| cancelled));
        self.release(cell, outcome);
    }

    /// The task has its outcome: out of the table, everybody is told, and a value that nobody can ask for goes.
    fn release(&self, cell: &CellRef, outcome: Outcome) {
        let listed = self.0.tasks.borrow_mut().remove(cell.slot.get());
        cell.tell_waiters();
        if outcome == Outcome::Value && !cell.state.is_owned() && cell.callbacks.get() == 0 {
            self.drop_value(cell);
        }
        drop(listed);
    }

    /// Drops the value of a task without an owner, outside of every borrow.
    pub(crate) fn drop_value(&self, cell: &CellRef) {
        cell.report_unread_error();
        // SAFETY: the owner has gone and no callback is queued or running, so no reference to the value is left.
        if let Err(panic) = unsafe { cell.drop_value() } {
            self.report_drop(cell, panic);
        }
    }
}

/// What the other files of this crate need.
impl Scheduler {
    pub(crate) fn next_task(&self) -> u64 {
        let id = self.0.next_task.get();
        self.0.next_task.set(id + 1);
        id
    }

    pub(crate) fn next_entry(&self) -> u64 {
        let id = self.0.next_entry.get();
        self.0.next_entry.set(id + 1);
        id
    }

    /// Lists a new task and queues its first step.
    pub(crate) fn start(&self, cell: &CellRef) {
        cell.capture_context();
        let slot = {
            let mut tasks = self.0.tasks.borrow_mut();
            assert!(
                tasks.len() < MAX_SLOTS,
                "more than {MAX_SLOTS} tasks are unfinished"
            );
            tasks.insert(cell.clone())
        };
        cell.slot.set(slot);
        if self.0.closed.get() {
            self.end_by_force(cell, Cancelled::because("the event loop is closed"));
        } else {
            self.wake_cell(cell);
        }
    }

    #[inline]
    pub(crate) fn wake(&self, key: TaskKey) {
        let tasks = self.0.tasks.borrow();
        if let Some(cell) = tasks.get(key.slot()) {
            if key.names(cell.id) {
                self.wake_cell(cell);
            }
        }
    }

    #[inline]
    pub(crate) fn wake_cell(&self, cell: &CellRef) {
        if cell.state.wake() {
            self.0.ready.borrow_mut().push_back(cell.clone());
        }
    }

    /// Wakes a task by way of the queue, as the end of a timer does.
    pub(crate) fn relay(&self, key: TaskKey) {
        let tasks = self.0.tasks.borrow();
        if let Some(cell) = tasks.get(key.slot()) {
            if key.names(cell.id) && cell.state.relay() {
                self.0.ready.borrow_mut().push_back(cell.clone());
            }
        }
    }

    pub(crate) fn queue_callback(&self, cell: CellRef) {
        if self.0.closed.get() {
            cell.revoke();
        } else if cell.state.wake() {
            self.0.ready.borrow_mut().push_back(cell);
        }
    }

    pub(crate) fn queue_fire(&self, observer: Rc<dyn Observer>) {
        let fire = move || observer.fire();
        self.queue_callback(CellRef::callback(fire, Location::caller(), self.clone()));
    }

    pub(crate) fn lists(&self) -> &RefCell<Lists> {
        &self.0.lists
    }

    pub(crate) fn observers(&self) -> &RefCell<Slab<Rc<dyn Observer>>> {
        &self.0.observers
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn same(&self, other: &Scheduler) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Inner {
    fn current_cell(&self) -> Option<CellRef> {
        let cell = self.current.take();
        let copy = cell.clone();
        self.current.set(cell);
        copy
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.inbox.close());
        remote::unregister(self.id);
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("ready", &self.ready())
            .field("tasks", &self.task_count())
            .field("running", &self.is_running())
            .field("closed", &self.is_closed())
            .finish()
    }
}

/// Wakes a task by its key, from any thread.
#[inline]
pub(crate) fn wake(key: TaskKey) {
    current::with(|inner| match inner {
        Some(inner) if inner.id == key.loop_id() => {
            let tasks = inner.tasks.borrow();
            if let Some(cell) = tasks.get(key.slot()) {
                if key.names(cell.id) && cell.state.wake() {
                    inner.ready.borrow_mut().push_back(cell.clone());
                }
            }
        }
        _ => wake_elsewhere(key),
    });
}

/// A loop of this thread that is not running, or one of another thread.
#[cold]
fn wake_elsewhere(key: TaskKey) {
    match current::of_this_thread(key.loop_id()) {
        Some(scheduler) => scheduler.wake(key),
        None => remote::wake(key),
    }
}

/// Wakes the task behind `waker` by way of the ready queue: it is queued when its turn in the current order comes, as a timer
/// callback of asyncio would do it. The waker of another executor is woken as it is.
pub fn relay(waker: std::task::Waker) {
    if let Some(key) = waker::key_of(&waker) {
        let here = current::with(|inner| inner.is_some_and(|inner| inner.id == key.loop_id()));
        let scheduler = if here {
            current::get()
        } else {
            current::of_this_thread(key.loop_id())
        };
        if let Some(scheduler) = scheduler {
            return scheduler.relay(key);
        }
    }
    waker.wake();
}

/// The cell of the task that takes its step now on this thread.
#[inline]
pub(crate) fn with_current_cell(look: impl FnOnce(&CellRef)) {
    current::with(|inner| {
        let Some(inner) = inner else { return };
        let cell = inner.current.take();
        if let Some(cell) = &cell {
            look(cell);
        }
        inner.current.set(cell);
    });
}

/// The cell of the running task.
pub(crate) fn current_cell() -> Option<CellRef> {
    current::with(|inner| inner.and_then(Inner::current_cell))
}

/// The current scheduler of the thread.
mod current {
    use super::*;
    use std::mem::ManuallyDrop;
    use std::ptr;

    thread_local! {
        static CURRENT: Cell<*const Inner> = const { Cell::new(ptr::null()) };
        /// The loops that were made on this thread, for wakes and drops that come while they do not run.
        static HERE: RefCell<Vec<(u32, Weak<Inner>)>> = const { RefCell::new(Vec::new()) };
    }

    #[inline]
    pub(super) fn with<R>(look: impl FnOnce(Option<&Inner>) -> R) -> R {
        // SAFETY: the pointer is null, or was set by an `enter` that is still on the stack of this thread and borrows what it
        // points to.
        look(unsafe { CURRENT.get().as_ref() })
    }

    pub(super) fn with_scheduler<R>(look: impl FnOnce(Option<&Scheduler>) -> R) -> R {
        let pointer = CURRENT.get();
        if pointer.is_null() {
            return look(None);
        }
        // SAFETY: as in `with`; the pointer came from `Rc::as_ptr`, and the `Rc` that is made here is never dropped, so the
        // count does not change.
        let scheduler = ManuallyDrop::new(Scheduler(unsafe { Rc::from_raw(pointer) }));
        look(Some(&scheduler))
    }

    pub(super) fn get() -> Option<Scheduler> {
        let pointer = CURRENT.get();
        if pointer.is_null() {
            return None;
        }
        // SAFETY: the pointer came from `Rc::as_ptr`, and the `enter` on the stack keeps that `Rc` alive; the count is raised
        // for the `Rc` that is made here.
        let inner = unsafe {
            Rc::increment_strong_count(pointer);
            Rc::from_raw(pointer)
        };
        Some(Scheduler(inner))
    }

    pub(super) fn enter<R>(inner: &Rc<Inner>, body: impl FnOnce() -> R) -> R {
        struct Restore(*const Inner);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let _restore = Restore(CURRENT.replace(Rc::as_ptr(inner)));
        body()
    }

    pub(super) fn announce(scheduler: &Scheduler) {
        let entry = (scheduler.0.id, Rc::downgrade(&scheduler.0));
        let _ = HERE.try_with(|here| {
            let mut here = here.borrow_mut();
            here.retain(|(_, weak)| weak.strong_count() > 0);
            here.push(entry);
        });
    }

    pub(super) fn numbered(number: u64) -> Option<Scheduler> {
        HERE.try_with(|here| {
            let here = here.borrow();
            let mut alive = here.iter().filter_map(|(_, weak)| weak.upgrade());
            alive.find(|inner| inner.number == number).map(Scheduler)
        })
        .ok()
        .flatten()
    }

    pub(super) fn of_this_thread(id: u32) -> Option<Scheduler> {
        HERE.try_with(|here| {
            let here = here.borrow();
            let (_, weak) = here
                .iter()
                .find(|(other, weak)| *other == id && weak.strong_count() > 0)?;
            weak.upgrade().map(Scheduler)
        })
        .ok()
        .flatten()
    }
}

/// Where the scheduler with a [number](Scheduler::number) is, seen from this thread.
#[derive(Debug)]
pub enum Whereabouts {
    /// It was made on this thread.
    Here(Scheduler),
    /// It is another thread's.
    Elsewhere(crate::Remote),
    /// It is gone.
    Gone,
}

/// Finds a scheduler by its [number](Scheduler::number).
pub fn find_scheduler(number: u64) -> Whereabouts {
    if let Some(scheduler) = current::numbered(number) {
        return Whereabouts::Here(scheduler);
    }
    match crate::Remote::of(number) {
        Some(remote) => Whereabouts::Elsewhere(remote),
        None => Whereabouts::Gone,
    }
}

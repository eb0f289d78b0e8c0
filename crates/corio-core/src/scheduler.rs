//! The scheduler: the table of tasks, the ready queue, and one step.

use std::any::Any;
use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::callback::Handle;
use crate::caught::caught;
use crate::cell::{CellRef, Header};
use crate::current;
use crate::error::Cancelled;
use crate::extras::Extras;
use crate::key::TaskKey;
use crate::observer::{Observed, Observer};
use crate::pool::Pool;
use crate::ready::Ready;
use crate::remote::{self, Inbox, Message, Notify};
use crate::report::{Report, Reporter};
use crate::slab::Slab;
use crate::stage::{Ending, Fallible, Plain};
use crate::table::Tasks;
use crate::task::{AnyTask, Task, TaskId};
use crate::waiters::Lists;

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
pub struct Scheduler(pub(crate) Rc<Inner>);

pub(crate) struct Inner {
    pub(crate) id: u32,
    /// What the keys of all its tasks have in common.
    loop_key: TaskKey,
    pub(crate) number: u64,
    inbox: Arc<Inbox>,
    pub(crate) ready: Ready,
    pub(crate) tasks: Tasks,
    /// The cell of the task that takes its step now; null outside of a step.
    pub(crate) current: Cell<*const Header>,
    pub(crate) running: Cell<bool>,
    pub(crate) pause: Cell<bool>,
    /// The number of the run whose target has ended; 0 is none.
    pub(crate) target_ended: Cell<u64>,
    pub(crate) closed: Cell<bool>,
    next_task: Cell<u64>,
    next_entry: Cell<u64>,
    /// Numbers for the limits that need no node in the cancellation tree.
    pub(crate) next_limit: Cell<u32>,
    spare_mail: Cell<Vec<Message>>,
    lists: RefCell<Lists>,
    observers: RefCell<Slab<Observed>>,
    pub(crate) extras: RefCell<Slab<Extras>>,
    pub(crate) context: crate::extras::CurrentContext,
    pub(crate) reporter: RefCell<Option<Reporter>>,
    drivers: OnceCell<Rc<dyn Any>>,
    pub(crate) pool: Pool,
    pub(crate) timers: crate::time::TimersSlot,
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
        let id = remote::register(inbox.clone());
        let scheduler = Scheduler(Rc::new(Inner {
            id,
            loop_key: TaskKey::new(id, 0, 0),
            number,
            inbox,
            ready: Ready::new(),
            tasks: Tasks::new(),
            current: Cell::new(std::ptr::null()),
            pause: Cell::new(false),
            target_ended: Cell::new(0),
            running: Cell::new(false),
            closed: Cell::new(false),
            next_task: Cell::new(1),
            next_entry: Cell::new(1),
            next_limit: Cell::new(0),
            spare_mail: Cell::new(Vec::new()),
            lists: RefCell::new(Lists::new()),
            observers: RefCell::new(Slab::new()),
            extras: RefCell::new(Slab::new()),
            context: crate::extras::CurrentContext::new(),
            reporter: RefCell::new(None),
            drivers: OnceCell::new(),
            pool: Pool::new(),
            timers: OnceCell::new(),
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
        Task::new(unsafe { self.spawn::<F, Plain>(future, site) })
    }

    /// A task whose future says whether it failed: after `None` it is done with [`TaskError::Failed`](crate::TaskError::Failed),
    /// and what went wrong is where the future has put it. It is shown as a task of the future `Shown`, around which `F` is a
    /// wrapper.
    #[track_caller]
    pub fn create_fallible_task<Shown, F, T>(&self, future: F) -> Task<T>
    where
        F: Future<Output = Option<T>> + 'static,
        T: 'static,
    {
        self.create_fallible_task_at::<Shown, F, T>(future, Location::caller())
    }

    /// The same, for a caller that knows on whose line the task is created.
    pub fn create_fallible_task_at<Shown, F, T>(
        &self,
        future: F,
        site: &'static Location<'static>,
    ) -> Task<T>
    where
        F: Future<Output = Option<T>> + 'static,
        T: 'static,
    {
        // SAFETY: the future and its output borrow nothing.
        Task::new(unsafe { self.spawn::<F, Fallible<Shown>>(future, site) })
    }

    /// A number that is the same throughout a batch and greater in the next one: whether two things happened in one turn.
    pub fn batch(&self) -> u64 {
        self.0.ready.batch()
    }

    /// How many steps and callbacks are ready: what is called a batch when taken as it stands.
    #[inline]
    pub fn ready(&self) -> usize {
        self.0.ready.len()
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
                Message::Wake(key) => {
                    self.0.wake(key);
                }
                Message::Call(call) => {
                    self.queue_callback(CellRef::callback(call, Location::caller(), self.clone()));
                }
            }
        }
        if mail.capacity() <= 4096 {
            self.0.spare_mail.set(mail);
        }
    }

    /// Refuses mail from now on, and drops what is there.
    fn drop_mail(&self) {
        for message in self.0.inbox.close() {
            if let Err(panic) = caught(|| drop(message)) {
                self.report(&Report::new("exception in a destructor").with_panic(panic));
            }
        }
    }

    /// The handle for other threads.
    pub fn remote(&self) -> crate::Remote {
        crate::Remote::new(self.0.inbox.clone())
    }

    /// The unfinished tasks in the order of their creation.
    pub fn all_tasks(&self) -> Vec<AnyTask> {
        let mut tasks: Vec<AnyTask> = self.0.tasks.all().into_iter().map(AnyTask::new).collect();
        tasks.sort_unstable_by_key(AnyTask::id);
        tasks
    }

    /// How many tasks are unfinished.
    pub fn task_count(&self) -> usize {
        self.0.tasks.len()
    }

    /// The task that takes its step now.
    pub fn current_task(&self) -> Option<AnyTask> {
        self.0.current_cell().map(AnyTask::new)
    }

    /// The number of the task that takes its step now.
    pub fn current_task_id(&self) -> Option<TaskId> {
        let mut id = None;
        self.0
            .with_current(|cell| id = Some(TaskId::from_number(cell.id())));
        id
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
        if self.0.closed.replace(true) {
            return;
        }
        self.enter(|| {
            self.drop_mail();
            for task in self.all_tasks() {
                self.end_by_force(task.cell(), Cancelled::because("the event loop was closed"));
            }
            // Destructors may have queued callbacks, and callbacks own things with destructors.
            self.empty_queue();
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
        let cell = self
            .0
            .tasks
            .all()
            .into_iter()
            .find(|cell| cell.id() == id.get())?;
        Some(AnyTask::new(cell))
    }

    /// How many [`Remote`](crate::Remote) handles exist. The loop is notified when the last one goes.
    pub fn remotes(&self) -> usize {
        self.0.inbox.handles()
    }

    /// Describes the step that comes next, for messages about slow ones.
    pub fn describe_next(&self) -> Option<String> {
        let cell = self.0.ready.front()?;
        Some(if cell.id() == 0 {
            format!("{:?}", Handle::new(cell))
        } else {
            format!("{:?}", AnyTask::new(cell))
        })
    }

    /// Counts the steps, so that something can be done once per step.
    #[inline]
    pub fn steps(&self) -> u64 {
        self.0.ready.taken()
    }

    /// The number that this scheduler has among those that are alive. Numbers are used again.
    #[inline]
    pub fn id(&self) -> u32 {
        self.0.id
    }
}

/// What the other files of this crate need.
impl Scheduler {
    pub(crate) fn next_entry(&self) -> u64 {
        let id = self.0.next_entry.get();
        self.0.next_entry.set(id + 1);
        id
    }

    /// Makes a task, lists it, and queues its first step.
    ///
    /// # Safety
    ///
    /// As [`CellRef::task`].
    #[inline]
    pub(crate) unsafe fn spawn<F, M>(&self, future: F, site: &'static Location<'static>) -> CellRef
    where
        F: Future,
        M: Ending<F::Output>,
    {
        let inner = &*self.0;
        let id = inner.next_task.get();
        inner.next_task.set(id + 1);
        let slot = inner.tasks.reserve();
        let key = inner.loop_key.with_task(slot, id);
        // SAFETY: the caller vouches for it.
        let [listed, handle] = unsafe { CellRef::task::<F, M>(future, id, key, site, self) };
        // SAFETY: the slot was reserved above.
        unsafe { inner.tasks.fill(slot, listed) };
        // SAFETY: a new task counts as queued, and has just got its place in the table.
        unsafe { inner.ready.push_task(&handle) };
        if inner.closed.get() || inner.context.is_there() {
            self.started_rarely(&handle);
        }
        handle
    }

    #[cold]
    fn started_rarely(&self, cell: &CellRef) {
        cell.capture_context();
        if self.0.closed.get() {
            self.end_by_force(cell, Cancelled::because("the event loop is closed"));
            // It was queued; on a closed scheduler nobody will take it out.
            self.empty_queue();
        }
    }

    #[inline]
    pub(crate) fn wake_cell(&self, cell: &CellRef) {
        self.0.wake_cell(cell);
    }

    pub(crate) fn queue_callback(&self, cell: CellRef) {
        if self.0.closed.get() {
            if cell.state.cancel_callback() {
                cell.revoke();
            }
        } else if cell.state.wake() {
            self.0.ready.push_callback(cell);
        }
    }

    pub(crate) fn queue_fire(&self, observer: Rc<dyn Observer>) {
        let fire = move || observer.fire();
        self.queue_callback(CellRef::callback(fire, Location::caller(), self.clone()));
    }

    pub(crate) fn lists(&self) -> &RefCell<Lists> {
        &self.0.lists
    }

    pub(crate) fn observers(&self) -> &RefCell<Slab<Observed>> {
        &self.0.observers
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(crate) fn same(&self, other: &Scheduler) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for message in self.inbox.close() {
            // The reporter may have gone; a panic here has nobody left to tell.
            drop(caught(|| drop(message)));
        }
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

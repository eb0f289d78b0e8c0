//! `scope`: children that borrow from outside of the scope and live inside of its future.
//!
//! A child is a task: it has its number, its waker, its root in the cancellation tree. Only its future is not in the task's cell but
//! here, so that it may borrow what the scope's caller owns, without a word of unsafe code: it goes when the scope goes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use corio_core::cancel::{Kind, Node, Taken, poll_after_passing_on};
use corio_core::waiting::{self, WaitKind};
use corio_core::{AnyTask, LentFuture, Panic, Scheduler, ScopedTask, TaskError};
use pin_project_lite::pin_project;

use crate::part::{is_there, poll_caught};

static SCOPE: WaitKind = WaitKind::new("scope");

/// Runs `body` with children that may borrow everything that outlives the scope.
///
/// The scope ends when the body and all children have ended. A cancellation from outside drops the body, cancels the children,
/// and goes on when all have ended. A child that is cancelled on its own disturbs nobody. A panic of the body, or of a child that
/// nobody waits for, cancels all others and is resumed when the scope ends; so is any other panic that nobody has read by then.
///
/// Children run in the steps of the task that the scope is in, each when it was woken. For children that need no borrow,
/// [`task_group`](crate::task_group()) is the lighter one.
///
/// # Panics
///
/// When it is polled where no loop runs, and with the body's panic or a child's unread one.
///
/// # Cancel safety
///
/// Cancelled, it waits for the clean-up of its children, as above. Not polled for a while then, it keeps the request, as
/// [`finally`](crate::finally()) does; but where its body waits for a child, nobody waits for a child that has a step to take and
/// is not polled. Dropped by foreign code, it drops the futures of its children where they stand.
///
/// Leaked by `mem::forget`, it never ends its children: they are listed until the loop closes, and the end of a run waits for them
/// for as long as its grace period is.
///
/// ```
/// use corio_combinators::{gather, scope};
/// use corio_core::{Scheduler, TaskError};
///
/// async fn total(numbers: &[u32]) -> Result<u32, TaskError> {
///     let halves = scope(async |s| {
///         gather(numbers.chunks(2).map(|half| s.spawn(async move { half.iter().sum::<u32>() }))).await
///     });
///     Ok(halves.await?.iter().sum())
/// }
///
/// let scheduler = Scheduler::new(|| {});
/// let main = scheduler.create_task(async { total(&[1, 2, 3, 4]).await });
/// while scheduler.ready() > 0 {
///     scheduler.run(1);
/// }
/// assert_eq!(*main.result().unwrap().as_ref().unwrap(), 10);
/// # scheduler.close();
/// ```
///
/// What does not outlive the scope cannot be borrowed:
///
/// ```compile_fail,E0597
/// # use corio_combinators::scope;
/// # async fn example() {
/// scope(async |s| {
///     let local = String::from("too short");
///     let borrowed = &local;
///     s.spawn(async move { borrowed.len() });
/// }).await;
/// # }
/// ```
///
/// Neither the handle of the scope nor that of a child may outlive what the children borrow:
///
/// ```compile_fail,E0597
/// # use corio_combinators::scope;
/// # async fn example() {
/// let handle;
/// {
///     let local = String::from("too short");
///     let borrowed = &local;
///     handle = scope(async |s| {
///         s.spawn(async move { borrowed.len() });
///         s
///     }).await;
/// }
/// drop(handle);
/// # }
/// ```
///
/// ```compile_fail,E0597
/// # use corio_combinators::scope;
/// # async fn example() {
/// let child;
/// {
///     let local = String::from("too short");
///     let borrowed = &local;
///     child = scope(async |s| s.spawn(async move { borrowed.len() })).await;
/// }
/// drop(child);
/// # }
/// ```
///
/// And a task that stands alone cannot have the handle of a scope whose children borrow:
///
/// ```compile_fail,E0597
/// # use corio_combinators::scope;
/// # use corio_core::Scheduler;
/// # async fn example(scheduler: &Scheduler) {
/// let local = String::from("too short");
/// let borrowed = &local;
/// scope(async |s| {
///     s.spawn(async move { borrowed.len() });
///     scheduler.create_task(async move { drop(s) });
/// }).await;
/// # }
/// ```
#[doc(alias = "moro")]
#[doc(alias = "async_scoped")]
#[track_caller]
pub fn scope<'env, R, B>(body: B) -> ScopeFuture<'env, R, impl Future<Output = R> + use<'env, R, B>>
where
    B: AsyncFnOnce(Scope<'env>) -> R,
{
    let state = Rc::new(State {
        scheduler: RefCell::new(None),
        children: RefCell::new(Vec::new()),
        free: RefCell::new(Vec::new()),
        running: Cell::new(0),
        woken: Rc::default(),
        panics: RefCell::new(Vec::new()),
        fatal: RefCell::new(None),
        aborting: Cell::new(false),
        closed: Cell::new(false),
    });
    let handle = Scope {
        state: state.clone(),
    };
    ScopeFuture {
        body: Some(async move { body(handle).await }),
        outcome: None,
        outside: None,
        passed: false,
        site: Location::caller(),
        node: Node::new(Kind::Catch),
        children: Children { state },
    }
}

/// The handle of a scope. Clones are the same scope, so that children can add siblings.
pub struct Scope<'env> {
    state: Rc<State<'env>>,
}

struct State<'env> {
    scheduler: RefCell<Option<Scheduler>>,
    /// A place is empty while its child takes a step.
    children: RefCell<Vec<Option<LentFuture<'env>>>>,
    free: RefCell<Vec<usize>>,
    running: Cell<usize>,
    woken: Rc<Woken>,
    /// Children that have panicked.
    panics: RefCell<Vec<AnyTask>>,
    /// The panic for which the others were asked to end.
    fatal: RefCell<Option<Panic>>,
    aborting: Cell<bool>,
    closed: Cell<bool>,
}

/// Which children have a step to take, and whom to wake for that.
#[derive(Default)]
struct Woken {
    queue: RefCell<VecDeque<usize>>,
    /// The child that takes its step now: that it ends is known here.
    stepping: Cell<Option<usize>>,
    waker: Cell<Option<Waker>>,
}

impl<'env> Scope<'env> {
    /// Adds a child. What it borrows must outlive the scope.
    ///
    /// A scope that is over, or whose children were asked to end, takes no more: the result is a task that is already cancelled,
    /// and the future is dropped without having run.
    #[track_caller]
    pub fn spawn<F>(&self, work: F) -> ScopedTask<'env, F::Output>
    where
        F: IntoFuture,
        F::IntoFuture: 'env,
    {
        let state = &self.state;
        let scheduler = state.scheduler.borrow().clone();
        let scheduler = scheduler.expect("the handle of a scope is made in its first poll");
        let (work, site) = (work.into_future(), Location::caller());
        if state.closed.get() || state.aborting.get() {
            let (task, refused) = scheduler.create_lent_task(work, || (), site);
            drop(refused);
            return task;
        }
        let place = state.free.borrow_mut().pop();
        let place = place.unwrap_or_else(|| state.children.borrow().len());
        let woken = state.woken.clone();
        let (task, lent) = scheduler.create_lent_task(work, move || woken.wake(place), site);
        let mut children = state.children.borrow_mut();
        if place == children.len() {
            children.push(Some(lent));
        } else {
            children[place] = Some(lent);
        }
        state.running.set(state.running.get() + 1);
        task
    }
}

impl Woken {
    fn wake(&self, place: usize) {
        if self.stepping.get() == Some(place) {
            return;
        }
        self.queue.borrow_mut().push_back(place);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl State<'_> {
    /// Lets every child that was woken take its step.
    fn step_children(&self) {
        loop {
            let Some(place) = self.woken.queue.borrow_mut().pop_front() else {
                return;
            };
            let child = self
                .children
                .borrow_mut()
                .get_mut(place)
                .and_then(Option::take);
            let Some(mut child) = child else { continue };
            let task = child.task();
            let watched = task.is_awaited();
            self.woken.stepping.set(Some(place));
            let ended = child.step();
            self.woken.stepping.set(None);
            if ended {
                drop(child);
                self.free.borrow_mut().push(place);
                self.running.set(self.running.get() - 1);
                self.ended(task, watched);
            } else {
                self.children.borrow_mut()[place] = Some(child);
            }
        }
    }

    /// A child has ended. A panic is for whoever waits for the child, and if nobody does it ends the scope.
    fn ended(&self, task: AnyTask, watched: bool) {
        if !matches!(task.peek_error(), Some(TaskError::Panicked(_))) {
            return;
        }
        if watched || self.aborting.get() {
            self.panics.borrow_mut().push(task);
        } else {
            *self.fatal.borrow_mut() = task.take_unseen_panic();
            self.abort();
        }
    }

    /// Asks every child to cancel, once.
    fn abort(&self) {
        if self.aborting.replace(true) {
            return;
        }
        let children = self.children.borrow();
        let mut tasks: Vec<AnyTask> = children.iter().flatten().map(LentFuture::task).collect();
        drop(children);
        tasks.sort_unstable_by_key(AnyTask::id);
        for task in tasks {
            task.cancel();
        }
    }

    /// The first panic that nobody has read.
    fn unread_panic(&self) -> Option<Panic> {
        let unread = || {
            let tasks = self.panics.take();
            tasks.iter().find_map(AnyTask::take_unseen_panic)
        };
        self.fatal.take().or_else(unread)
    }
}

pin_project! {
    /// The future of [`scope`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct ScopeFuture<'env, R, B> {
        #[pin]
        body: Option<B>,
        // What the body gave.
        outcome: Option<R>,
        // A request from outside, which goes on when the children have ended.
        outside: Option<Taken>,
        // It has gone on, and whoever takes it drops this.
        passed: bool,
        site: &'static Location<'static>,
        // After the body, so that what is inside leaves first.
        node: Node,
        children: Children<'env>,
    }
}

/// Drops the children, which may hold handles of the scope.
struct Children<'env> {
    state: Rc<State<'env>>,
}

impl Drop for Children<'_> {
    fn drop(&mut self) {
        self.state.closed.set(true);
        let children = std::mem::take(&mut *self.state.children.borrow_mut());
        drop(children);
        drop(self.state.woken.waker.take());
    }
}

impl<R, B: Future<Output = R>> Future for ScopeFuture<'_, R, B> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let mut this = self.project();
        if *this.passed {
            return poll_after_passing_on();
        }
        let state = this.children.state.clone();
        state.bind();
        state.woken.listen(cx.waker());
        let mut take = this.node.enter(cx);
        loop {
            if take {
                let taken = this.node.take(|| this.body.set(None));
                if !this.node.is_own(&taken) {
                    match this.outside {
                        Some(first) => first.merge(taken),
                        None => *this.outside = Some(taken),
                    }
                    if let Some(outside) = this.outside {
                        this.node.work_on(outside);
                    }
                }
                state.abort();
            }
            if let Some(body) = this.body.as_mut().as_pin_mut() {
                if let Poll::Ready(outcome) = this.node.inside(|| poll_caught(body, cx)) {
                    match outcome {
                        Ok(outcome) => *this.outcome = Some(outcome),
                        Err(panic) => {
                            state.fatal.borrow_mut().get_or_insert(panic);
                            state.abort();
                        }
                    }
                    this.body.set(None);
                }
            }
            let calm = !state.aborting.get();
            state.step_children();
            if calm && state.aborting.get() && is_there(this.body.as_mut()) {
                // A panic that nobody waits for: the body is asked as well.
                if let Some(entry) = this.node.entry() {
                    entry.request(None);
                }
            }
            if !is_there(this.body.as_mut()) {
                if state.running.get() == 0 {
                    break;
                }
                waiting::note(&SCOPE, this.site);
            }
            take = this.node.look();
            if !take {
                return Poll::Pending;
            }
        }
        state.closed.set(true);
        if let Some(panic) = state.unread_panic() {
            this.node.leave();
            panic.resume();
        }
        if let Some(outside) = this.outside.take() {
            *this.passed = true;
            this.node.pass_on_taken(outside);
            this.node.leave();
            return Poll::Pending;
        }
        this.node.leave();
        match this.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => panic!("a finished scope was polled again"),
        }
    }
}

impl State<'_> {
    /// Notes the loop that runs here.
    fn bind(&self) {
        if self.scheduler.borrow().is_some() {
            return;
        }
        let scheduler = Scheduler::current().expect(
            "a scope was polled on a thread where no event loop runs: await it in a task, or give it to `run`",
        );
        *self.scheduler.borrow_mut() = Some(scheduler);
    }
}

impl Woken {
    fn listen(&self, waker: &Waker) {
        let old = self.waker.take();
        let same = old.filter(|old| old.will_wake(waker));
        self.waker.set(Some(same.unwrap_or_else(|| waker.clone())));
    }
}

impl Clone for Scope<'_> {
    fn clone(&self) -> Self {
        Scope {
            state: self.state.clone(),
        }
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("children", &self.state.running.get())
            .finish()
    }
}

impl<R, B> fmt::Debug for ScopeFuture<'_, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeFuture")
            .field("children", &self.children.state.running.get())
            .finish()
    }
}

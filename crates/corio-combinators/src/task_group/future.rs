//! `task_group`: the body of a group, and the wait for its children.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use corio_core::cancel::{Kind, Node, Taken, poll_after_passing_on};
use corio_core::waiting::{self, WaitKind};
use pin_project_lite::pin_project;

use crate::part::{is_there, poll_caught};

use super::error::{Failed, Failure, GroupError};
use super::handle::TaskGroup;
use super::state::State;

static GROUP: WaitKind = WaitKind::new("task group");

/// Runs `body` with a group of tasks that end with it.
///
/// The body adds children by its handle, and children add siblings by clones of it. The group ends when the body and all
/// children have ended, also those that were added meanwhile.
///
/// The first failure (an `Err` or a panic, of a child or of the body) cancels all other children and the body, once; the group
/// waits for all of them, and its error holds every failure. A child that is cancelled on its own is not a failure.
///
/// The error type cannot be inferred from the body: annotate it once, `async |group: TaskGroup<MyError>|`. The body ends in
/// `Ok(..)`.
///
/// # Errors
///
/// [`GroupError`] with all failures in the order of completion, or [`GroupError::Stopped`] when [`TaskGroup::cancel`] ended the body.
///
/// # Panics
///
/// When it is polled where no loop runs.
///
/// # Cancel safety
///
/// Cancelled, it drops the body (inside of which catchers and owned tasks are cancelled first), cancels the children once, and
/// lets the cancellation go on when all have ended. If a child failed meanwhile, the error is the result, and the
/// cancellation comes at the next await. Dropped by foreign code, it asks the children to cancel, and waits for nobody.
///
/// ```
/// use corio_combinators::{TaskGroup, task_group};
/// use corio_core::{Scheduler, TaskError};
///
/// let scheduler = Scheduler::new(|| {});
/// let main = scheduler.create_task(task_group(async |group: TaskGroup<TaskError>| {
///     let a = group.create_task(async { Ok(1) });
///     let b = group.create_task(async { Ok(2) });
///     Ok(a.await? + b.await?)
/// }));
/// while scheduler.ready() > 0 {
///     scheduler.run(1);
/// }
/// assert_eq!(*main.result().unwrap().as_ref().unwrap(), 3);
/// # scheduler.close();
/// ```
#[doc(alias = "open_nursery")]
#[doc(alias = "try_join_all")]
#[track_caller]
pub fn task_group<E, R, B>(
    body: B,
) -> GroupScope<E, R, impl Future<Output = Result<R, E>> + use<E, R, B>>
where
    E: 'static,
    B: AsyncFnOnce(TaskGroup<E>) -> Result<R, E>,
{
    let state = State::new();
    let group = TaskGroup::new(state.clone());
    GroupScope {
        body: Some(async move { body(group).await }),
        outcome: None,
        outside: None,
        passed: false,
        site: Location::caller(),
        node: Node::new(Kind::Catch),
        state: Some(state),
    }
}

pin_project! {
    /// The future of [`task_group`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct GroupScope<E, R, B>
    where
        E: 'static,
    {
        #[pin]
        body: Option<B>,
        // What the body gave, or that it panicked.
        outcome: Option<Result<R, Failure<E>>>,
        // A request from outside, which goes on when the children have ended.
        outside: Option<Taken>,
        // It has gone on, and whoever takes it drops this.
        passed: bool,
        site: &'static Location<'static>,
        // After the body, so that what is inside leaves first.
        node: Node,
        state: Option<Rc<State<E>>>,
    }

    impl<E: 'static, R, B> PinnedDrop for GroupScope<E, R, B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.body.set(None);
            if let Some(state) = this.state.take() {
                state.abandon();
            }
        }
    }
}

impl<E: 'static, R, B> GroupScope<E, R, B> {
    /// Gives the group a name, which its error tells.
    pub fn named(self, name: impl Into<String>) -> Self {
        if let Some(state) = &self.state {
            state.set_name(name.into());
        }
        self
    }
}

impl<E, R, B> Future for GroupScope<E, R, B>
where
    B: Future<Output = Result<R, E>>,
{
    type Output = Result<R, GroupError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if *this.passed {
            return poll_after_passing_on();
        }
        let gone = "a finished task group was polled again";
        let state = this.state.as_ref().expect(gone).clone();
        state.bind();
        let mut take = this.node.enter(cx);
        loop {
            if take {
                let taken = this.node.take(|| this.body.set(None));
                state.exit();
                if !this.node.is_own(&taken) {
                    match this.outside {
                        Some(first) => first.merge(taken),
                        None => *this.outside = Some(taken),
                    }
                    if let Some(outside) = this.outside {
                        this.node.work_on(outside);
                    }
                    state.abort();
                }
            }
            if let Some(body) = this.body.as_mut().as_pin_mut() {
                state.set_entry(this.node.entry());
                if let Poll::Ready(outcome) = this.node.inside(|| poll_caught(body, cx)) {
                    let failed = !matches!(outcome, Ok(Ok(_)));
                    *this.outcome = Some(outcome.map_or_else(
                        |panic| Err(Failure::Panicked(panic)),
                        |given| given.map_err(Failure::Error),
                    ));
                    this.body.set(None);
                    state.exit();
                    if failed {
                        state.abort();
                    }
                }
            }
            if !is_there(this.body.as_mut()) {
                if state.is_complete() {
                    break;
                }
                state.set_waker(cx.waker());
                waiting::note(&GROUP, this.site);
            }
            take = this.node.look();
            if !take {
                return Poll::Pending;
            }
        }
        *this.state = None;
        let mut failed = state.close();
        let value = match this.outcome.take() {
            Some(Ok(value)) => Some(value),
            Some(Err(failure)) => {
                failed.push(Failed::new("body".into(), this.site, failure));
                None
            }
            None => None,
        };
        let outside = this.outside.take();
        if !failed.is_empty() {
            if let Some(outside) = outside {
                this.node.request_again(outside);
            }
            this.node.leave();
            return Poll::Ready(Err(GroupError::failed(state.name(), failed)));
        }
        if let Some(outside) = outside {
            *this.passed = true;
            this.node.pass_on_taken(outside);
            this.node.leave();
            return Poll::Pending;
        }
        this.node.leave();
        Poll::Ready(value.ok_or(GroupError::Stopped))
    }
}

impl<E, R, B> fmt::Debug for GroupScope<E, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GroupScope").field(&self.state).finish()
    }
}

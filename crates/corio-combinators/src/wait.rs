//! `wait`: some tasks, until enough of them are done.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use corio_core::combine::{AsTask, AsTryTask};
use corio_core::time::Alarm;
use corio_core::waiting::{self, WaitKind};

use crate::expiry::Expiry;
use crate::member::{Member, Owned};
use crate::round::{Round, Until, running_loop};
use crate::settle::Settle;

static WAIT: WaitKind = WaitKind::new("wait");

/// When a [`wait`](wait()) returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReturnWhen {
    /// When all tasks are done.
    #[default]
    AllCompleted,
    /// When one is done.
    FirstCompleted,
    /// When one has failed, or all are done. A cancelled task has not failed.
    FirstException,
}

/// Waits until the tasks are done, or enough of them, and gives them back: those that are done, and those that are not, both in
/// the order of the arguments.
///
/// Handles given by value come back as handles, references as references. What is done is read when the waiter goes on, so
/// more tasks than the first may be done. It never cancels anything and fails for nothing: not because of a task, not on a
/// timeout. Nothing given returns at once; otherwise it takes a turn, also if everything is done.
///
/// ```
/// # let scheduler = corio_core::Scheduler::new(|| {});
/// # let running = scheduler.clone();
/// # let main = scheduler.create_task(async move {
/// # let create_task = |f| running.create_task(f);
/// use corio_combinators::{ReturnWhen, wait};
///
/// let mut pending: Vec<_> = (1..=3).map(|n| create_task(async move { n })).collect();
/// let mut sum = 0;
/// while !pending.is_empty() {
///     let (done, rest) = wait(pending).return_when(ReturnWhen::FirstCompleted).await;
///     for task in done {
///         sum += task.into_result()?;
///     }
///     pending = rest;
/// }
/// assert_eq!(sum, 6);
/// # Ok::<(), corio_core::TaskError>(())
/// # });
/// # while scheduler.ready() > 0 { scheduler.run(scheduler.ready()); }
/// # main.into_result().unwrap().unwrap();
/// # scheduler.close();
/// ```
///
/// # Cancel safety
///
/// Cancelling or dropping it leaves all tasks running. Handles that were given by value go with it: use references to keep them.
#[doc(alias = "select")]
#[doc(alias = "select_all")]
#[doc(alias = "FuturesUnordered")]
#[track_caller]
pub fn wait<I>(tasks: I) -> Wait<I::Item>
where
    I: IntoIterator<Item: AsTask>,
{
    Wait::new(tasks, |handle| Member::Any(handle.as_any()))
}

/// As [`wait`](wait()), for tasks whose value is a `Result`: for [`ReturnWhen::FirstException`] an `Err` is a failure too.
///
/// # Cancel safety
///
/// As [`wait`](wait()).
#[track_caller]
pub fn try_wait<I>(tasks: I) -> Wait<I::Item>
where
    I: IntoIterator<Item: AsTryTask>,
{
    Wait::new(tasks, |handle| Member::Try(handle.as_any_try()))
}

/// The future of [`wait`](wait()) and [`try_wait`].
///
/// # Cancel safety
///
/// Cancelling or dropping it leaves all tasks running.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Wait<H: AsTask> {
    handles: Vec<H>,
    member: fn(&H) -> Member,
    return_when: ReturnWhen,
    timeout: Option<Duration>,
    round: Option<Rc<Round>>,
    expiry: Option<Expiry>,
    settle: Settle,
    site: &'static Location<'static>,
}

impl<H: AsTask> Wait<H> {
    #[track_caller]
    fn new(tasks: impl IntoIterator<Item = H>, member: fn(&H) -> Member) -> Wait<H> {
        Wait {
            handles: tasks.into_iter().collect(),
            member,
            return_when: ReturnWhen::default(),
            timeout: None,
            round: None,
            expiry: None,
            settle: Settle::default(),
            site: Location::caller(),
        }
    }

    /// Says what is enough. To be called before the first poll.
    pub fn return_when(mut self, return_when: ReturnWhen) -> Self {
        self.return_when = return_when;
        self
    }

    /// Returns when `timeout` has passed since the first poll, with what is done then. `Duration::MAX` is never, and
    /// `Duration::ZERO` takes one turn. To be called before the first poll.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The first poll.
    fn begin(&mut self, cx: &Context<'_>) -> Rc<Round> {
        let scheduler = running_loop("`wait`");
        let members = self.handles.iter().map(self.member).collect();
        let until = match self.return_when {
            ReturnWhen::AllCompleted => Until::All,
            ReturnWhen::FirstCompleted => Until::FirstEnd,
            ReturnWhen::FirstException => Until::FirstException,
        };
        let round = Round::begin(&scheduler, members, Owned::Nothing, until);
        round.take_turn();
        if let Some(timeout) = self.timeout {
            self.expiry = Expiry::new(&scheduler, timeout, Alarm::Wake(cx.waker().clone()));
        }
        self.round = Some(round.clone());
        round
    }

    /// Waits until the values of what is done may leave, if the handles own them.
    fn poll_settled(&mut self, cx: &mut Context<'_>, round: &Round) -> Poll<()> {
        if !self.handles.first().is_some_and(H::owns) {
            return Poll::Ready(());
        }
        let tasks = round.members().iter().map(Member::task);
        self.settle.poll(cx, tasks.filter(|task| task.done()))
    }
}

impl<H: AsTask> Future for Wait<H> {
    type Output = (Vec<H>, Vec<H>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.handles.is_empty() {
            return Poll::Ready((Vec::new(), Vec::new()));
        }
        let round = match &this.round {
            Some(round) => round.clone(),
            None => this.begin(cx),
        };
        let enough = round.is_over()
            || this
                .expiry
                .as_ref()
                .is_some_and(|expiry| expiry.is_up(cx.waker()));
        if !enough {
            round.set_waker(cx.waker());
            waiting::note(&WAIT, this.site);
            return Poll::Pending;
        }
        if this.poll_settled(cx, &round).is_pending() {
            waiting::note(&WAIT, this.site);
            return Poll::Pending;
        }
        round.forget();
        this.expiry = None;
        let handles = std::mem::take(&mut this.handles);
        Poll::Ready(handles.into_iter().partition(|task| task.as_any().done()))
    }
}

impl<H: AsTask> Drop for Wait<H> {
    fn drop(&mut self) {
        if let Some(round) = &self.round {
            round.forget();
        }
    }
}

impl<H: AsTask> Unpin for Wait<H> {}

impl<H: AsTask> fmt::Debug for Wait<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks: Vec<_> = self.handles.iter().map(AsTask::as_any).collect();
        f.debug_struct("Wait")
            .field("tasks", &tasks)
            .field("return_when", &self.return_when)
            .field("timeout", &self.timeout)
            .finish()
    }
}

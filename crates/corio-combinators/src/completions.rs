//! What `as_completed` is with and without a time limit: handles, handed out in the order in which their tasks end.

use std::collections::HashSet;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use corio_core::Scheduler;
use corio_core::combine::{AsTask, IntoTask};
use corio_core::time::Alarm;
use corio_core::waiting::{self, WaitKind};

use crate::arrivals::Arrivals;
use crate::error::TimeoutError;
use crate::expiry::Expiry;
use crate::round::running_loop;
use crate::settle::Settle;

static AS_COMPLETED: WaitKind = WaitKind::new("as_completed");

pub(crate) struct Completions<C: IntoTask> {
    /// What was given, until a loop runs.
    given: Vec<C>,
    /// Those that were not handed out yet, in their places.
    handles: Vec<Option<C::Handle>>,
    /// How many were handed out, time limits included.
    handed_out: usize,
    arrivals: Option<Rc<Arrivals>>,
    /// Not armed yet.
    timeout: Option<Duration>,
    expiry: Option<Expiry>,
    settle: Settle,
    site: &'static Location<'static>,
}

impl<C: IntoTask> Completions<C> {
    /// Makes the tasks now if a loop runs here, else at the first poll.
    #[track_caller]
    pub(crate) fn new(tasks: impl IntoIterator<Item = C>) -> Completions<C> {
        let mut completions = Completions {
            given: Vec::new(),
            handles: Vec::new(),
            handed_out: 0,
            arrivals: None,
            timeout: None,
            expiry: None,
            settle: Settle::default(),
            site: Location::caller(),
        };
        match Scheduler::current() {
            Some(scheduler) => completions.start(&scheduler, tasks),
            None => completions.given = tasks.into_iter().collect(),
        }
        completions
    }

    fn start(&mut self, scheduler: &Scheduler, tasks: impl IntoIterator<Item = C>) {
        let start = |task: C| task.into_task(scheduler, self.site);
        let mut handles: Vec<_> = tasks.into_iter().map(start).collect();
        if handles.first().is_some_and(|handle| !handle.owns()) {
            // A reference may be given twice; its task comes once.
            let mut seen = HashSet::with_capacity(handles.len());
            handles.retain(|handle| seen.insert(handle.as_any().id()));
        }
        let members = handles.iter().map(AsTask::as_any).collect();
        self.handles = handles.into_iter().map(Some).collect();
        self.arrivals = Some(Arrivals::begin(scheduler, members));
    }

    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = Some(timeout);
    }

    /// How many are still to be handed out.
    pub(crate) fn left(&self) -> usize {
        self.given.len() + self.handles.len() - self.handed_out
    }

    /// Where it was made.
    pub(crate) fn site(&self) -> &'static Location<'static> {
        self.site
    }

    /// Ready with the next handle, with the time limit, or with nothing when all have been handed out. Who waits does so at `site`.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        site: &'static Location<'static>,
    ) -> Poll<Option<Result<C::Handle, TimeoutError>>> {
        if self.left() == 0 {
            return Poll::Ready(None);
        }
        let arrivals = self.begin();
        let Some(index) = arrivals.get(self.handed_out) else {
            if arrivals.is_closed() {
                self.handed_out += 1;
                return Poll::Ready(Some(Err(TimeoutError::new())));
            }
            arrivals.set_waker(cx.waker());
            waiting::note(&AS_COMPLETED, site);
            return Poll::Pending;
        };
        let task = arrivals.task(index);
        let owned = self.handles[index].as_ref().is_some_and(C::Handle::owns);
        if owned && self.settle.poll(cx, std::iter::once(task)).is_pending() {
            waiting::note(&AS_COMPLETED, site);
            return Poll::Pending;
        }
        self.handed_out += 1;
        if arrivals.is_complete() {
            self.expiry = None;
        }
        Poll::Ready(self.handles[index].take().map(Ok))
    }

    /// What the first poll does.
    fn begin(&mut self) -> Rc<Arrivals> {
        let arrivals = match &self.arrivals {
            Some(arrivals) => arrivals.clone(),
            None => {
                let given = std::mem::take(&mut self.given);
                self.start(&running_loop("`as_completed`"), given);
                return self.begin();
            }
        };
        if let Some(timeout) = self.timeout.take() {
            let scheduler = arrivals.scheduler();
            let closing = arrivals.clone();
            let close = scheduler.callback(move || closing.close());
            self.expiry = Expiry::new(scheduler, timeout, Alarm::Call(close));
        }
        arrivals
    }

    /// The handles that were not handed out.
    pub(crate) fn into_pending(mut self) -> Vec<C::Handle> {
        if self.arrivals.is_none() && !self.given.is_empty() {
            self.begin();
        }
        std::mem::take(&mut self.handles)
            .into_iter()
            .flatten()
            .collect()
    }
}

impl<C: IntoTask> Drop for Completions<C> {
    fn drop(&mut self) {
        if let Some(arrivals) = &self.arrivals {
            arrivals.forget();
        }
    }
}

impl<C: IntoTask> fmt::Debug for Completions<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handles = self.handles.iter().flatten();
        f.debug_list().entries(handles.map(AsTask::as_any)).finish()
    }
}

//! The wait until values may leave their tasks.

use std::fmt;
use std::task::{Context, Poll, ready};

use corio_core::{AnyTask, EndWait};

/// A value leaves when no done callback is queued or running. Callbacks that were there before the end have run when a
/// waiter is stepped, so this is for those that came after it.
#[derive(Default)]
pub(crate) struct Settle {
    wait: Option<EndWait>,
}

impl Settle {
    /// Ready when all of these tasks, which have ended, are settled at once.
    pub(crate) fn poll<'a>(
        &mut self,
        cx: &mut Context<'_>,
        tasks: impl Iterator<Item = &'a AnyTask> + Clone,
    ) -> Poll<()> {
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.poll_settled(cx));
                self.wait = None;
            }
            match tasks.clone().find(|task| !task.is_settled()) {
                Some(task) => self.wait = Some(EndWait::new(task)),
                None => return Poll::Ready(()),
            }
        }
    }
}

impl fmt::Debug for Settle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wait.fmt(f)
    }
}

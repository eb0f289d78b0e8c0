//! Pauses between attempts, for the few things that the system does not report.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use corio_runtime::{Sleep, sleep};

/// Pauses that become longer.
#[derive(Debug)]
pub(crate) struct Backoff {
    pause: Option<Sleep>,
    next: Duration,
}

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(50);

impl Backoff {
    /// No pause yet.
    pub(crate) fn new() -> Backoff {
        Backoff {
            pause: None,
            next: SHORTEST,
        }
    }

    /// Begins the next pause.
    pub(crate) fn again(&mut self) {
        self.pause = Some(sleep(self.next));
        self.next = (self.next * 2).min(LONGEST);
    }

    /// A pause was begun and is not over.
    pub(crate) fn is_under_way(&self) -> bool {
        self.pause.is_some()
    }

    /// Ready once, when a pause that was begun is over.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.pause {
            Some(pause) => ready!(Pin::new(pause).poll(cx)),
            None => return Poll::Pending,
        }
        self.pause = None;
        Poll::Ready(())
    }
}

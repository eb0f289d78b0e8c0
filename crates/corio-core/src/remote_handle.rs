//! The handle by which other threads reach a loop.

use std::fmt;
use std::sync::Arc;

use crate::remote::{self, Inbox, LoopClosed, Message};

/// A loop, seen from any thread. It does not keep the loop alive.
pub struct Remote {
    inbox: Arc<Inbox>,
}

impl Remote {
    pub(crate) fn new(inbox: Arc<Inbox>) -> Remote {
        inbox.handle_made();
        Remote { inbox }
    }

    /// The way to the loop with this number, if it is alive.
    pub fn of(number: u64) -> Option<Remote> {
        remote::inbox_of(number).map(Remote::new)
    }

    /// The number of the loop, see [`Scheduler::number`](crate::Scheduler::number).
    pub fn number(&self) -> u64 {
        self.inbox.number()
    }

    /// Calls `callback` on the loop's thread, in the next turn. What one thread sends runs in the order in which it was sent.
    ///
    /// # Errors
    ///
    /// When the loop is closed; the callback is dropped here.
    #[doc(alias = "call_soon_threadsafe")]
    pub fn call_soon(&self, callback: impl FnOnce() + Send + 'static) -> Result<(), LoopClosed> {
        self.inbox
            .send(Message::Call(Box::new(callback)))
            .map_err(|_| LoopClosed)
    }
}

impl Clone for Remote {
    fn clone(&self) -> Remote {
        Remote::new(self.inbox.clone())
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.inbox.handle_gone();
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("loop", &self.number())
            .finish_non_exhaustive()
    }
}

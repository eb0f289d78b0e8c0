//! `Cancelled`: the request as a value, for the code that caught it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use super::nodes::NodeId;
use super::request::{Part, Request, Why};
use super::tree;

/// The work was asked to end, and has been dropped. Whoever catches it cleans up, with awaits if need be, and then says
/// `cancelled.propagate().await`; leaving it out swallows the request.
///
/// Cheap to clone.
#[derive(Clone)]
#[doc(alias = "CancelledError")]
pub struct Cancelled(Arc<Info>);

struct Info {
    why: Arc<Why>,
    /// The tree that the parts belong to.
    tree: u64,
    parts: Vec<Part>,
    /// It was propagated, so its end is not the end of the request.
    settled: AtomicBool,
}

impl Cancelled {
    pub(crate) fn of(request: Request) -> Cancelled {
        Cancelled(Arc::new(Info {
            why: request.why().clone(),
            tree: tree::number(),
            parts: request.parts,
            settled: AtomicBool::new(false),
        }))
    }

    /// One without a request behind it: for what ends by force, or is refused.
    pub fn because(reason: &'static str) -> Cancelled {
        let why = Why {
            reason: Some(Cow::Borrowed(reason)),
            asker: None,
        };
        Cancelled::of(Request::empty(Arc::new(why)))
    }

    /// A cancellation with nothing behind it but a reason: for outcomes that are made by hand.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Cancelled {
        let why = Why {
            reason: Some(reason.into()),
            asker: None,
        };
        Cancelled::of(Request::empty(Arc::new(why)))
    }

    /// The outcome of a task that a request has ended, with the reason of what entered at its root: nothing is outstanding any more.
    pub(crate) fn outcome(request: &Request, root: NodeId) -> Cancelled {
        Cancelled::of(Request::empty(request.why_from(root).clone()))
    }

    /// The request that is still behind this value in this thread's tree.
    pub(crate) fn request(&self) -> Request {
        let here = self.0.tree == tree::number();
        let parts = if here {
            self.0.parts.clone()
        } else {
            Vec::new()
        };
        Request::new(self.0.why.clone(), parts)
    }

    pub(crate) fn settle(&self) {
        self.0.settled.store(true, Ordering::Relaxed);
    }

    /// The text that was given with the request. Of several requests that were delivered together, that of the first.
    #[doc(alias = "args")]
    pub fn reason(&self) -> Option<&str> {
        self.0.why.reason.as_deref()
    }

    /// The name of the task that asked, if a task did.
    pub fn asked_by(&self) -> Option<&str> {
        self.0.why.asker.as_deref()
    }

    /// Lets the cancellation go on: the next catcher further out takes it, and the task ends if there is none. The future
    /// never completes; it is dropped by whoever takes the request.
    ///
    /// Used where the request was not caught (a stored value, another task's outcome), it asks the current task to cancel.
    ///
    /// # Panics
    ///
    /// When it is polled outside of any task and any catcher, where nobody could ever take the request. When the future it is
    /// part of was only lent to whoever took the request, as in `timeout(d, &mut future)`, and is awaited again afterwards: it
    /// could never end. The same holds for everything that passes a request on (`finally`, a limit, a scope, a group).
    ///
    /// # Cancel safety
    ///
    /// It is the end of a clean-up. Dropping it before its first poll swallows the request.
    #[doc(alias = "raise")]
    #[must_use = "a future does nothing unless it is awaited"]
    pub fn propagate(self) -> Propagate {
        Propagate {
            cancelled: Some(self),
        }
    }
}

impl Drop for Info {
    fn drop(&mut self) {
        if !self.parts.is_empty() && !*self.settled.get_mut() {
            tree::collect_dropped(self.tree, &self.why, &self.parts);
        }
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled")
            .field("reason", &self.reason())
            .field("asked_by", &self.asked_by())
            .finish()
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled")?;
        match self.reason() {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl Error for Cancelled {}

/// The type `!`, which stable Rust can name only as the output of a function.
pub type Never = <fn() -> ! as Returns>::Output;

/// Names the output of a function type, see [`Never`].
#[doc(hidden)]
pub trait Returns {
    /// What the function returns.
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}

/// The future of [`Cancelled::propagate`].
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Propagate {
    cancelled: Option<Cancelled>,
}

impl Future for Propagate {
    type Output = Never;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Never> {
        let Some(cancelled) = self.cancelled.take() else {
            return super::task::poll_after_passing_on();
        };
        cancelled.settle();
        super::task::rise_here(cancelled.request());
        Poll::Pending
    }
}

/// `.or_propagate()` on what a catcher gives: the value, or the request goes on.
pub trait OrPropagate {
    /// The value in the good case.
    type Value;

    /// Gives the value, or lets the cancellation go on and never completes.
    ///
    /// # Cancel safety
    ///
    /// As [`Cancelled::propagate`].
    fn or_propagate(self) -> impl Future<Output = Self::Value>;
}

impl<T> OrPropagate for Result<T, Cancelled> {
    type Value = T;

    async fn or_propagate(self) -> T {
        match self {
            Ok(value) => value,
            Err(cancelled) => cancelled.propagate().await,
        }
    }
}

//! [`Barrier`]: tasks that wait for each other.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::handle::Handle;
use crate::name::name_methods;
use crate::observe;
use crate::waiters::{Key, Waiters};

/// A meeting point of a fixed number of tasks, again and again.
///
/// The task that completes the round goes on at once, the others on their next turn. Whoever comes from
/// then on waits for the next round, even before all of this one have run.
///
/// ```
/// use corio_sync::Barrier;
/// # use futures_lite::future;
/// # future::block_on(async {
/// let barrier = Barrier::new(2);
/// let (first, second) = future::zip(barrier.wait(), barrier.wait()).await;
/// assert_eq!((first, second), (Ok(0), Ok(1)));
/// # });
/// ```
#[doc(alias = "asyncio.Barrier")]
pub struct Barrier {
    parties: usize,
    broken: Cell<bool>,
    waiters: Waiters<Outcome>,
    name: Option<Rc<str>>,
}

/// What [`Barrier::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BarrierStatistics {
    /// How many tasks make a round.
    pub parties: usize,
    /// How many of this round are there.
    pub waiting: usize,
    /// Whether the barrier was aborted.
    pub broken: bool,
}

/// The barrier was reset while the task waited, or aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias("asyncio.BrokenBarrierError", "BrokenBarrierError"))]
pub struct BrokenBarrier;

/// The future of [`Barrier::wait`] and [`Barrier::wait_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<'a> {
    barrier: Handle<'a, Barrier>,
    key: Option<Key>,
    location: &'static Location<'static>,
}

type Outcome = Result<usize, BrokenBarrier>;

impl Barrier {
    /// A barrier for `parties` tasks.
    ///
    /// # Panics
    ///
    /// If `parties` is zero.
    pub const fn new(parties: usize) -> Self {
        assert!(parties > 0, "a barrier needs at least one party");
        Barrier {
            parties,
            broken: Cell::new(false),
            waiters: Waiters::new(),
            name: None,
        }
    }

    name_methods!();

    /// Waits until the round is complete, and gives this task's number in it: 0 for the first that came,
    /// `parties - 1` for the last. Each number is given once in a round.
    ///
    /// # Errors
    ///
    /// If the barrier is [reset](Self::reset) or [aborted](Self::abort) meanwhile, or was aborted before.
    ///
    /// # Cancel safety
    ///
    /// A task that gives up before the round is complete does not count.
    #[track_caller]
    pub fn wait(&self) -> Wait<'_> {
        Wait {
            barrier: Handle::Borrowed(self),
            key: None,
            location: Location::caller(),
        }
    }

    /// As [`wait`](Self::wait), with a future that shares the barrier instead of borrowing it.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    ///
    /// # Cancel safety
    ///
    /// That of [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_owned<'a>(self: &Rc<Self>) -> Wait<'a> {
        Wait {
            barrier: Handle::Shared(Rc::clone(self)),
            key: None,
            location: Location::caller(),
        }
    }

    /// Sends those who wait away with an error and makes the barrier usable again if it was aborted.
    pub fn reset(&self) {
        self.broken.set(false);
        self.break_round();
    }

    /// Breaks the barrier: those who wait and those who come get an error, until a [`reset`](Self::reset).
    pub fn abort(&self) {
        self.broken.set(true);
        self.break_round();
    }

    /// Whether the barrier was aborted.
    pub fn broken(&self) -> bool {
        self.broken.get()
    }

    /// How many tasks make a round.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many of this round are there.
    pub fn n_waiting(&self) -> usize {
        self.waiters.waiting()
    }

    /// The state of this round.
    pub fn statistics(&self) -> BarrierStatistics {
        BarrierStatistics {
            parties: self.parties,
            waiting: self.n_waiting(),
            broken: self.broken(),
        }
    }

    fn break_round(&self) {
        self.waiters
            .wake_all(|outcome| *outcome = Err(BrokenBarrier));
    }

    /// The answer to one who arrives, if it need not wait. The last one lets the others go.
    fn arrive(&self) -> Option<Outcome> {
        if self.broken.get() {
            return Some(Err(BrokenBarrier));
        }
        let last = self.parties - 1;
        if self.n_waiting() < last {
            return None;
        }
        let mut number = 0;
        self.waiters.wake_all(|outcome| {
            *outcome = Ok(number);
            number += 1;
        });
        Some(Ok(last))
    }
}

impl Future for Wait<'_> {
    type Output = Result<usize, BrokenBarrier>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let barrier = &*this.barrier;
        let told_later = Err(BrokenBarrier);
        let polled = barrier
            .waiters
            .poll(&mut this.key, cx.waker(), told_later, || barrier.arrive());
        if polled.is_pending() {
            observe::waits("Barrier", barrier.name.as_ref(), None, this.location);
        }
        polled
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.barrier.waiters.forget(self.key);
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("name", &self.name())
            .field("parties", &self.parties)
            .field("waiting", &self.n_waiting())
            .field("broken", &self.broken())
            .finish()
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("barrier", &*self.barrier)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier was reset or aborted")
    }
}

impl Error for BrokenBarrier {}

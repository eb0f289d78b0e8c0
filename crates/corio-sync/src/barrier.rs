//! [`Barrier`]: tasks that wait for each other.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::handle::Handle;
use crate::name::name_methods;
use crate::observe::{self, kind};
use crate::waiters::{Left, Ticket, Waiters};

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
    waiters: Waiters<()>,
    /// What those whose round has ended are told, until they have run; in the order of their tickets.
    told: RefCell<VecDeque<(Ticket, Outcome)>>,
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
    ticket: Option<Ticket>,
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
            told: RefCell::new(VecDeque::new()),
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
            ticket: None,
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
            ticket: None,
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
        self.end_round(|_| Err(BrokenBarrier));
    }

    /// Lets everybody go who waits, each told by its number.
    fn end_round(&self, tell: impl Fn(usize) -> Outcome) {
        let mut number = 0;
        self.waiters.wake_while(
            |()| true,
            |ticket, ()| {
                self.told.borrow_mut().push_back((ticket, tell(number)));
                number += 1;
            },
        );
    }

    /// What the holder of a ticket was told when its round ended.
    fn outcome(&self, ticket: Ticket) -> Outcome {
        let mut told = self.told.borrow_mut();
        let found = told.binary_search_by_key(&ticket, |(ticket, _)| *ticket);
        let entry = found.ok().and_then(|index| told.remove(index));
        entry.map_or(Err(BrokenBarrier), |(_, outcome)| outcome)
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
        self.end_round(Ok);
        Some(Ok(last))
    }
}

impl Future for Wait<'_> {
    type Output = Result<usize, BrokenBarrier>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let barrier = &*this.barrier;
        let waker = cx.waker();
        match this.ticket {
            Some(ticket) if barrier.waiters.claim(ticket, waker) => {
                this.ticket = None;
                return Poll::Ready(barrier.outcome(ticket));
            }
            Some(_) => {}
            None => {
                let arrived = || barrier.arrive();
                let entered = barrier.waiters.enter(&mut this.ticket, waker, (), arrived);
                if entered.is_ready() {
                    return entered;
                }
            }
        }
        observe::waits(kind!("Barrier"), barrier.name.as_ref(), this.location);
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            if self.barrier.waiters.leave(ticket) == Left::Chosen {
                let _ = self.barrier.outcome(ticket);
            }
        }
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

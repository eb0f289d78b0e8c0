//! [`CapacityLimiter`]: how many at once, adjustable while it is in use.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::handle::Handle;
use crate::name::name_methods;
use crate::observe::{self, Holder, kind};
use crate::permits::{MOST, Permits};
use crate::waiters::Ticket;

/// A limit on how many tasks do something at once, which can be raised and lowered on the way and knows
/// who has its tokens.
///
/// ```
/// use corio_sync::CapacityLimiter;
/// # futures_lite::future::block_on(async {
/// let limit = CapacityLimiter::new(2);
/// let (a, b) = (limit.acquire().await, limit.acquire().await);
/// limit.set_total_tokens(1);
/// drop(a);
/// assert!(limit.try_acquire().is_none());
/// drop(b);
/// assert!(limit.try_acquire().is_some());
/// # });
/// ```
#[doc(alias("anyio.CapacityLimiter", "trio.CapacityLimiter"))]
pub struct CapacityLimiter {
    tokens: Permits,
    total: Cell<usize>,
    borrowers: RefCell<Borrowers>,
    name: Option<Rc<str>>,
}

/// What [`CapacityLimiter::statistics`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimiterStatistics {
    /// How many may have a token.
    pub total: usize,
    /// How many have one; more than `total` if that was lowered meanwhile.
    pub borrowed: usize,
    /// Who has them.
    pub borrowers: Vec<Holder>,
    /// Tasks in the line.
    pub waiting: usize,
}

/// The right to be one of those at work, given back on drop.
#[must_use = "the token is given back when it is dropped"]
pub struct Token<'a> {
    limiter: Handle<'a, CapacityLimiter>,
    entry: usize,
}

/// The future of [`CapacityLimiter::acquire`] and [`CapacityLimiter::acquire_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire<'a> {
    limiter: Handle<'a, CapacityLimiter>,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

/// Who has a token, each at the place its token knows.
#[derive(Default)]
struct Borrowers {
    entries: Vec<Option<Holder>>,
    free: Vec<usize>,
}

impl CapacityLimiter {
    /// A limit of `total`. `usize::MAX` stands for no limit.
    pub const fn new(total: usize) -> Self {
        let total = if total < MOST { total } else { MOST };
        CapacityLimiter {
            tokens: Permits::new(total),
            total: Cell::new(total),
            borrowers: RefCell::new(Borrowers {
                entries: Vec::new(),
                free: Vec::new(),
            }),
            name: None,
        }
    }

    name_methods!();

    /// Waits for a token.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses this task's place in the line. A token that had been granted to it goes
    /// to the next in line.
    #[track_caller]
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire {
            limiter: Handle::Borrowed(self),
            ticket: None,
            location: Location::caller(),
        }
    }

    /// As [`acquire`](Self::acquire), with a future and a token that share the limiter.
    ///
    /// # Cancel safety
    ///
    /// That of [`acquire`](Self::acquire).
    #[track_caller]
    pub fn acquire_owned<'a>(self: &Rc<Self>) -> Acquire<'a> {
        let limiter = Handle::Shared(Rc::clone(self));
        Acquire {
            limiter,
            ticket: None,
            location: Location::caller(),
        }
    }

    /// A token, if one is free and nobody is in front.
    #[doc(alias = "acquire_nowait")]
    #[track_caller]
    pub fn try_acquire(&self) -> Option<Token<'_>> {
        let location = Location::caller();
        let free = self.tokens.try_acquire(1);
        free.then(|| Token::new(Handle::Borrowed(self), location))
    }

    /// As [`try_acquire`](Self::try_acquire), with a token that shares the limiter.
    #[track_caller]
    pub fn try_acquire_owned<'a>(self: &Rc<Self>) -> Option<Token<'a>> {
        let location = Location::caller();
        let free = self.tokens.try_acquire(1);
        free.then(|| Token::new(Handle::Shared(Rc::clone(self)), location))
    }

    /// How many may have a token.
    pub fn total_tokens(&self) -> usize {
        self.total.get()
    }

    /// Changes the limit. A higher one lets those in front go on; a lower one takes no token away, and
    /// nobody gets one until enough have come back.
    pub fn set_total_tokens(&self, total: usize) {
        let total = total.min(MOST);
        let before = self.total.replace(total);
        self.tokens.adjust(total as isize - before as isize);
    }

    /// How many have a token.
    pub fn borrowed_tokens(&self) -> usize {
        self.borrowers.borrow().len()
    }

    /// Tokens that can be had now.
    pub fn available_tokens(&self) -> usize {
        self.tokens.available()
    }

    /// The limit, who has tokens, and how many wait.
    pub fn statistics(&self) -> LimiterStatistics {
        let borrowers: Vec<Holder> = self.borrowers.borrow().iter().collect();
        LimiterStatistics {
            total: self.total.get(),
            borrowed: borrowers.len(),
            borrowers,
            waiting: self.tokens.waiting(),
        }
    }
}

impl<'a> Token<'a> {
    fn new(limiter: Handle<'a, CapacityLimiter>, location: &'static Location<'static>) -> Self {
        let holder = Holder {
            task: observe::task_here(),
            location,
        };
        let entry = limiter.borrowers.borrow_mut().insert(holder);
        Token { limiter, entry }
    }
}

impl Drop for Token<'_> {
    fn drop(&mut self) {
        self.limiter.borrowers.borrow_mut().remove(self.entry);
        self.limiter.tokens.release(1);
    }
}

impl Acquire<'_> {
    /// The part of a poll that waits; whether there was no need to.
    #[inline(never)]
    fn wait(&mut self, waker: &Waker) -> bool {
        let limiter = &*self.limiter;
        let ready = limiter.tokens.wait(&mut self.ticket, 1, waker);
        if !ready {
            let holder = || limiter.borrowers.borrow().iter().next();
            observe::waits_for_holder(
                kind!("CapacityLimiter"),
                limiter.name.as_ref(),
                holder,
                self.location,
            );
        }
        ready
    }
}

impl<'a> Future for Acquire<'a> {
    type Output = Token<'a>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Token<'a>> {
        let this = self.get_mut();
        let tokens = &this.limiter.tokens;
        if !tokens.poll_fast(&mut this.ticket, 1) && !this.wait(cx.waker()) {
            return Poll::Pending;
        }
        Poll::Ready(Token::new(this.limiter.clone(), this.location))
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.limiter.tokens.cancel(ticket, 1);
        }
    }
}

impl Borrowers {
    fn insert(&mut self, holder: Holder) -> usize {
        match self.free.pop() {
            Some(entry) => {
                self.entries[entry] = Some(holder);
                entry
            }
            None => {
                self.entries.push(Some(holder));
                self.entries.len() - 1
            }
        }
    }

    fn remove(&mut self, entry: usize) {
        self.entries[entry] = None;
        self.free.push(entry);
    }

    fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    fn iter(&self) -> impl Iterator<Item = Holder> {
        self.entries.iter().copied().flatten()
    }
}

impl fmt::Debug for CapacityLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapacityLimiter")
            .field("name", &self.name())
            .field("total", &self.total_tokens())
            .field("borrowed", &self.borrowed_tokens())
            .field("waiting", &self.tokens.waiting())
            .finish()
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("limiter", &*self.limiter)
            .finish()
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            .field("limiter", &*self.limiter)
            .finish_non_exhaustive()
    }
}

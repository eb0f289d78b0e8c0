//! `Promise<T>`: a value that comes later, set by hand.

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::callback::Handle;
use crate::caught::caught;
use crate::error::{Cancelled, InvalidState, TaskError};
use crate::scheduler::Scheduler;
use crate::waiting::{self, WaitKind};

static PROMISE: WaitKind = WaitKind::new("promise");

/// A result that is not there yet. Clones are the same promise: some set it, others wait.
///
/// ```
/// # use corio_core::Scheduler;
/// # let scheduler = Scheduler::new(|| {});
/// let promise = scheduler.create_promise();
/// let task = scheduler.create_task({
///     let promise = promise.clone();
///     async move { promise.await.unwrap() + 1 }
/// });
/// scheduler.run(1);
/// promise.set_result(41).unwrap();
/// scheduler.run(1);
/// assert_eq!(*task.result().unwrap(), 42);
/// # scheduler.close();
/// ```
#[doc(alias = "asyncio.Future")]
#[doc(alias = "oneshot")]
pub struct Promise<T> {
    inner: Rc<Inner<T>>,
}

struct Inner<T> {
    outcome: OnceCell<Result<T, Cancelled>>,
    scheduler: Scheduler,
    /// The first waiter has a place of its own, since most promises have no other.
    first: Cell<Option<Waiter<T>>>,
    rest: RefCell<Vec<Waiter<T>>>,
}

struct Waiter<T> {
    /// Of its own within the loop, so that the number of one promise's callback means nothing to another promise.
    id: u64,
    what: What<T>,
}

enum What<T> {
    Wake(Waker),
    /// The callback finds the promise in the place that is filled when the promise is settled: if it held the promise from the
    /// start, each would keep the other alive.
    Call(Handle, Rc<OnceCell<Promise<T>>>),
}

/// The number of a done callback of a promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PromiseCallbackId(u64);

impl Scheduler {
    /// A promise whose callbacks run on this scheduler.
    #[doc(alias = "create_future")]
    pub fn create_promise<T>(&self) -> Promise<T> {
        Promise {
            inner: Rc::new(Inner {
                outcome: OnceCell::new(),
                scheduler: self.clone(),
                first: Cell::new(None),
                rest: RefCell::new(Vec::new()),
            }),
        }
    }
}

impl<T> Promise<T> {
    /// Sets the value and wakes who waits, in the order in which they came; they run on the next turn.
    ///
    /// # Errors
    ///
    /// When there is an outcome already; the first one stays.
    pub fn set_result(&self, value: T) -> Result<(), InvalidState> {
        self.settle(Ok(value))
    }

    /// Ends the promise as cancelled. False: it had an outcome already.
    pub fn cancel(&self) -> bool {
        self.settle(Err(Cancelled::because("the promise was cancelled")))
            .is_ok()
    }

    /// It has an outcome.
    pub fn done(&self) -> bool {
        self.inner.outcome.get().is_some()
    }

    /// It was cancelled.
    pub fn cancelled(&self) -> bool {
        matches!(self.inner.outcome.get(), Some(Err(_)))
    }

    /// The outcome, once there is one.
    ///
    /// # Errors
    ///
    /// `NotDone` before, and `Cancelled` if it was cancelled.
    pub fn result(&self) -> Result<&T, TaskError> {
        match self.inner.outcome.get() {
            None => Err(TaskError::NotDone),
            Some(Ok(value)) => Ok(value),
            Some(Err(cancelled)) => Err(TaskError::Cancelled(cancelled.clone())),
        }
    }

    /// Calls `callback` with the promise one turn after its end, in the order of the calls; at the next turn if it is done.
    #[track_caller]
    pub fn add_done_callback(
        &self,
        callback: impl FnOnce(&Promise<T>) + 'static,
    ) -> PromiseCallbackId
    where
        T: 'static,
    {
        let place = Rc::new(OnceCell::new());
        let call = {
            let place = place.clone();
            move || {
                if let Some(promise) = place.get() {
                    callback(promise);
                }
            }
        };
        let handle = self.inner.scheduler.callback(call);
        if self.done() {
            self.queue(&handle, &place);
            return PromiseCallbackId(0);
        }
        PromiseCallbackId(self.inner.add(What::Call(handle, place)))
    }

    /// Takes a done callback back. False: it was called, is about to be, or was taken back before.
    pub fn remove_done_callback(&self, id: PromiseCallbackId) -> bool {
        let Some(removed) = self.inner.remove(id.0) else {
            return false;
        };
        if let What::Call(handle, _) = &removed.what {
            handle.cancel();
        }
        true
    }

    fn queue(&self, handle: &Handle, place: &OnceCell<Promise<T>>) {
        let filled = place.set(self.clone());
        debug_assert!(filled.is_ok(), "a callback is queued once");
        handle.queue();
    }

    fn settle(&self, outcome: Result<T, Cancelled>) -> Result<(), InvalidState> {
        self.inner.outcome.set(outcome).map_err(|_| InvalidState)?;
        let first = self.inner.first.take();
        let rest = std::mem::take(&mut *self.inner.rest.borrow_mut());
        for waiter in first.into_iter().chain(rest) {
            match waiter.what {
                What::Call(handle, place) => self.queue(&handle, &place),
                What::Wake(waker) => {
                    if let Err(panic) = caught(|| waker.wake()) {
                        self.inner.scheduler.report_foreign_waker(panic);
                    }
                }
            }
        }
        Ok(())
    }
}

impl<T> Inner<T> {
    /// Who has to do with one loop only waits for that loop.
    fn check_loop(&self) {
        Scheduler::with_current(|current| {
            assert!(
                current.is_none_or(|current| current.same(&self.scheduler)),
                "this promise belongs to another event loop, which does not run while this one does: \
                 make it with `create_promise` of the loop whose tasks await it"
            );
        });
    }

    fn add(&self, what: What<T>) -> u64 {
        let id = self.scheduler.next_entry();
        let waiter = Waiter { id, what };
        match self.first.take() {
            None if self.rest.borrow().is_empty() => self.first.set(Some(waiter)),
            first => {
                self.first.set(first);
                self.rest.borrow_mut().push(waiter);
            }
        }
        id
    }

    fn remove(&self, id: u64) -> Option<Waiter<T>> {
        match self.first.take() {
            Some(first) if first.id == id => return Some(first),
            first => self.first.set(first),
        }
        let mut rest = self.rest.borrow_mut();
        let place = rest.iter().position(|waiter| waiter.id == id)?;
        Some(rest.remove(place))
    }

    /// Replaces the waker of a waiter that keeps its place.
    fn renew(&self, id: u64, waker: &Waker) {
        let mut first = self.first.take();
        let mut rest = self.rest.borrow_mut();
        let place = first
            .iter_mut()
            .chain(rest.iter_mut())
            .find(|waiter| waiter.id == id);
        let stale = match place {
            Some(Waiter {
                what: What::Wake(old),
                ..
            }) => !old.will_wake(waker),
            _ => false,
        };
        drop(rest);
        self.first.set(first.take());
        if stale {
            let mut new = Some(waker.clone());
            let mut first = self.first.take();
            let mut rest = self.rest.borrow_mut();
            let place = first
                .iter_mut()
                .chain(rest.iter_mut())
                .find(|waiter| waiter.id == id);
            if let Some(Waiter {
                what: What::Wake(old),
                ..
            }) = place
            {
                new = new.map(|new| std::mem::replace(old, new));
            }
            drop(rest);
            self.first.set(first);
            drop(new);
        }
    }
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Promise<T> {
        Promise {
            inner: self.inner.clone(),
        }
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.inner.outcome.get() {
            None => "pending",
            Some(Ok(_)) => "finished",
            Some(Err(_)) => "cancelled",
        };
        write!(f, "<Promise {state}>")
    }
}

/// A place among the waiters of a promise.
struct PromisePlace<T> {
    promise: Promise<T>,
    id: Option<u64>,
    site: &'static Location<'static>,
}

impl<T> PromisePlace<T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.promise.done() {
            return Poll::Ready(());
        }
        match self.id {
            Some(id) => self.promise.inner.renew(id, cx.waker()),
            None => {
                self.promise.inner.check_loop();
                let waker = cx.waker().clone();
                if !self.promise.done() {
                    self.id = Some(self.promise.inner.add(What::Wake(waker)));
                }
            }
        }
        // The clone of a waker is foreign code, which may have settled it.
        if self.promise.done() {
            return Poll::Ready(());
        }
        waiting::note(&PROMISE, self.site);
        Poll::Pending
    }
}

impl<T> Drop for PromisePlace<T> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            if !self.promise.done() {
                drop(self.promise.inner.remove(id));
            }
        }
    }
}

/// The future of `promise.await`: the value, cloned, since others may wait for it too.
///
/// # Panics
///
/// When it is awaited in a task of another loop and has no outcome yet.
///
/// # Cancel safety
///
/// Cancelling or dropping the wait leaves the promise alone.
#[must_use = "a future does nothing unless it is awaited"]
pub struct PromiseWait<T>(PromisePlace<T>);

impl<T: Clone> IntoFuture for Promise<T> {
    type Output = Result<T, TaskError>;
    type IntoFuture = PromiseWait<T>;

    #[track_caller]
    fn into_future(self) -> PromiseWait<T> {
        PromiseWait(PromisePlace {
            promise: self,
            id: None,
            site: Location::caller(),
        })
    }
}

impl<T: Clone> Future for PromiseWait<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx).map(|()| self.0.promise.result().cloned())
    }
}

impl<T> Unpin for PromiseWait<T> {}

/// The future of `(&promise).await`: a look at the value.
///
/// # Panics
///
/// When it is awaited in a task of another loop and has no outcome yet.
///
/// # Cancel safety
///
/// Cancelling or dropping the wait leaves the promise alone.
#[must_use = "a future does nothing unless it is awaited"]
pub struct PromiseWatch<'a, T> {
    promise: &'a Promise<T>,
    place: PromisePlace<T>,
}

impl<'a, T> IntoFuture for &'a Promise<T> {
    type Output = Result<&'a T, TaskError>;
    type IntoFuture = PromiseWatch<'a, T>;

    #[track_caller]
    fn into_future(self) -> PromiseWatch<'a, T> {
        let place = PromisePlace {
            promise: self.clone(),
            id: None,
            site: Location::caller(),
        };
        PromiseWatch {
            promise: self,
            place,
        }
    }
}

impl<'a, T> Future for PromiseWatch<'a, T> {
    type Output = Result<&'a T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.place.poll(cx).map(|()| self.promise.result())
    }
}

impl<T> Unpin for PromiseWatch<'_, T> {}

impl<T> fmt::Debug for PromiseWait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PromiseWait").field(&self.0.promise).finish()
    }
}

impl<T> fmt::Debug for PromiseWatch<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PromiseWatch").field(&self.promise).finish()
    }
}

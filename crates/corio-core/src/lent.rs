//! A task whose future lives elsewhere: in somebody who may hold what borrows, and who polls it when the task was woken.
//!
//! The cell of such a task holds a proxy. When the scheduler takes the task out of the ready queue, the proxy tells the holder; the
//! holder has its own step, and inside of that the [`LentFuture`] takes the step of its task: with the task's waker, context and
//! root in the cancellation tree, and with its own judgement afterwards.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::cancel;
use crate::caught::caught;
use crate::cell::CellRef;
use crate::error::{Cancelled, Panic};
use crate::scheduler::Scheduler;
use crate::scoped::{Kept, ScopedTask};
use crate::stage::Ending;
use crate::state::Outcome;
use crate::task::AnyTask;
use crate::waker;

/// The future of a lent task. Whoever drops it ends the task: at once, or in its next turn if `woken` does.
pub struct LentFuture<'env> {
    cell: CellRef,
    future: Option<Pin<Box<dyn Future<Output = ()> + 'env>>>,
}

impl Scheduler {
    /// A task whose future may borrow: the future comes back, to be [stepped](LentFuture::step) by its holder whenever `woken`
    /// was called, which happens in a step of the scheduler, for the first time in the next batch, and for the last time when
    /// the task ends.
    pub fn create_lent_task<'env, F>(
        &self,
        future: F,
        woken: impl FnMut() + 'static,
        site: &'static Location<'static>,
    ) -> (ScopedTask<'env, F::Output>, LentFuture<'env>)
    where
        F: Future + 'env,
    {
        // SAFETY: the proxy borrows nothing.
        let cell = unsafe { self.spawn::<_, Lent<F>>(Proxy(woken), site) };
        cell.state.disown();
        cell.state.lend();
        let value = Rc::new(Kept::new());
        let place = value.clone();
        let future = async move {
            let output = future.await;
            place.keep(output);
        };
        let lent = LentFuture {
            cell: cell.clone(),
            future: Some(Box::pin(future)),
        };
        (ScopedTask::new(cell, value), lent)
    }
}

impl LentFuture<'_> {
    /// The task.
    pub fn task(&self) -> AnyTask {
        AnyTask::new(self.cell.clone())
    }

    /// Takes a step of the task, if it has one to take. True: the task has ended, and this may be dropped.
    pub fn step(&mut self) -> bool {
        let cell = &self.cell;
        if cell.state.is_done() {
            self.future = None;
            return true;
        }
        if !cell.state.begin_lent() {
            return false;
        }
        if cell.state.needs_attention() {
            if let Some(cancelled) = cancel::before_poll(cell) {
                self.end(Ok(cancelled));
                return true;
            }
        }
        match self.poll() {
            Ok(Poll::Pending) => self.suspend(),
            Ok(Poll::Ready(())) => {
                self.finish();
                true
            }
            Err(panic) => {
                self.end(Err(panic));
                true
            }
        }
    }

    fn poll(&mut self) -> Result<Poll<()>, Panic> {
        let Some(future) = &mut self.future else {
            return Ok(Poll::Pending);
        };
        self.cell.wait_kind.set(0);
        let waker = waker::of(self.cell.key.get());
        let mut cx = Context::from_waker(waker.get());
        let poll = || caught(|| future.as_mut().poll(&mut cx));
        as_step_of(&self.cell, || cancel::outside(poll))
    }

    fn suspend(&mut self) -> bool {
        if self.cell.state.is_done() {
            // The scheduler was closed in this very step.
            self.end(Ok(Cancelled::because("the event loop was closed")));
            return true;
        }
        self.cell.state.suspend();
        if !self.cell.state.needs_attention() {
            return false;
        }
        match cancel::after_poll(&self.cell) {
            Some(cancelled) => {
                self.end(Ok(cancelled));
                true
            }
            None => false,
        }
    }

    /// The future has given its value.
    fn finish(&mut self) {
        let dropped = self.drop_future();
        match (dropped, cancel::task_ended(&self.cell)) {
            (Err(panic), _) => self.release(Err(panic)),
            (Ok(()), Some(cancelled)) => self.release(Ok(cancelled)),
            (Ok(()), None) if self.cell.state.is_done() => {}
            (Ok(()), None) => {
                self.cell.state.finish(Outcome::Value);
                self.cell.scheduler.release(&self.cell, Outcome::Value);
            }
        }
    }

    /// The task ends without a value.
    fn end(&mut self, end: Result<Cancelled, Panic>) {
        let dropped = cancel::collect(|| self.drop_future());
        drop(cancel::task_ended(&self.cell));
        self.release(match (end, dropped) {
            (Ok(cancelled), Ok(())) => Ok(cancelled),
            (Err(panic), _) | (Ok(_), Err(panic)) => Err(panic),
        });
    }

    /// A task that was ended by force meanwhile, since its own code has closed the scheduler, keeps that end.
    fn release(&self, end: Result<Cancelled, Panic>) {
        if self.cell.state.is_done() {
            if let Err(panic) = end {
                self.cell.scheduler.report_late(&self.cell, panic);
            }
            return;
        }
        let outcome = match &end {
            Ok(_) => Outcome::Cancelled,
            Err(_) => Outcome::Panicked,
        };
        self.cell.finish(end);
        self.cell.scheduler.release(&self.cell, outcome);
    }

    /// Drops the future and its proxy, as a step of the task.
    fn drop_future(&mut self) -> Result<(), Panic> {
        let dropped = self.drop_lent();
        dropped.and(self.cell.drop_future())
    }

    fn drop_lent(&mut self) -> Result<(), Panic> {
        let future = self.future.take();
        as_step_of(&self.cell, || caught(|| drop(future)))
    }
}

impl Drop for LentFuture<'_> {
    fn drop(&mut self) {
        if self.cell.state.is_done() {
            return;
        }
        if self.cell.state.begin_lent() {
            return self.end(Ok(Cancelled::because("the scope of the task has gone")));
        }
        // It is `woken` that drops this, from inside of the proxy, which has to stay until that call is over.
        let dropped = cancel::collect(|| self.drop_lent());
        self.task().abort();
        if let Err(panic) = dropped {
            self.cell.scheduler.report_drop(&self.cell, panic);
        }
    }
}

impl fmt::Debug for LentFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LentFuture").field(&self.task()).finish()
    }
}

/// Runs `body` with the task as the current one, inside of the step of another.
fn as_step_of<R>(cell: &CellRef, body: impl FnOnce() -> R) -> R {
    let inner = cell.scheduler.inner();
    let before = inner.current.replace(cell.as_ptr());
    let outside = inner.context.replace(None);
    cell.enter_context();
    let result = body();
    cell.leave_context(outside);
    inner.current.set(before);
    result
}

/// What the cell of a lent task holds. It never ends by itself; its end by force has to be told as well.
struct Proxy<W: FnMut()>(W);

impl<W: FnMut()> Drop for Proxy<W> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl<W: FnMut()> Unpin for Proxy<W> {}

impl<W: FnMut()> Future for Proxy<W> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        (self.0)();
        Poll::Pending
    }
}

/// The value of the cell is nothing, and its type is told as that of the future.
struct Lent<F>(PhantomData<F>);

impl<F> Ending<()> for Lent<F> {
    type Value = ();

    fn end((): ()) -> Option<()> {
        Some(())
    }

    fn type_name<P>() -> &'static str {
        std::any::type_name::<F>()
    }
}

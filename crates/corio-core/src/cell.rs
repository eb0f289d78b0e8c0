//! The cell: one block of memory that holds a header and then, in the same place one after the other, the future and its
//! outcome.
//!
//! # Who may touch what, and when
//!
//! A cell never leaves its thread. [`CellRef`] counts without atomics and is neither `Send` nor `Sync`; wakers hold a
//! [`TaskKey`], not a reference. So there are no data races to argue about, only re-entrance:
//!
//! 1. All fields of the header are `Cell`s or never change. Anybody with a `CellRef` may read and write them.
//! 2. The stage is touched only by the functions of this file and of [`stage`](crate::stage), and which of its members is alive is told by
//!    [`State::stage`](crate::state::State::stage).
//! 3. *Future.* Between edges 2 and 3 the only `&mut` to it is the one of the poll in progress. A second poll cannot begin,
//!    since `begin` gives `Skip` for a cell that is RUNNING. It never moves: the block stays where it is until it is freed.
//! 4. The bits change before foreign code runs: a destructor of the future finds the bit FUTURE gone, a destructor of the
//!    value finds OUTPUT gone, and so nobody can reach what is being dropped.
//! 5. *Value.* Shared references to it are handed out for as long as the `Task` that they borrow lives, or for the time of a
//!    done callback. It is moved or dropped only through the owning `Task`, when no callback is queued or running, or after
//!    that owner has gone.
//! 6. The block is freed when the last `CellRef` goes. Foreign code that runs then (the destructor of what the stage still
//!    holds) cannot get at the cell, for it would need a `CellRef`.
//! 7. *Queue.* A place in the ready queue holds no reference to an unfinished task: the table does, and a task leaves it only by its
//!    end. So a step may use its task without counting, and ends with the release that takes it out of the table. A task that
//!    ends while it is queued leaves a reference for each of its places, and a callback's place always holds one.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::panic::Location;
use std::ptr::{self, NonNull};
use std::task::Context;

use crate::caught::{caught, discard};
use crate::error::{Cancelled, Panic, TaskError};
use crate::key::{GENERATION_BITS, TaskKey};
use crate::scheduler::Scheduler;
use crate::stage::{Advance, CallbackVTable, Ending, New, TaskVTable, VTable};
use crate::state::{Outcome, Stage, State};

/// What every cell begins with, whatever its future is.
pub(crate) struct Header {
    pub(crate) vtable: &'static VTable,
    pub(crate) refs: Cell<u32>,
    /// The upper bits of the number within the loop; the key has the others.
    pub(crate) id_high: u32,
    pub(crate) state: State,
    /// Done callbacks that are queued or running.
    pub(crate) callbacks: Cell<u16>,
    /// What kind of leaf the last poll ended in, see [`waiting`](crate::waiting); 0 is none that is known.
    pub(crate) wait_kind: Cell<u16>,
    /// What its wakers carry. The slot in it is the place in the scheduler's table while unfinished.
    pub(crate) key: Cell<TaskKey>,
    /// Where it was created.
    pub(crate) site: &'static Location<'static>,
    pub(crate) scheduler: Scheduler,
    /// Who is to be told of the end, see [`waiters`](crate::waiters).
    pub(crate) waiters: Cell<u64>,
    /// Where the leaf was made in which the last poll ended, if `wait_kind` says that it did.
    pub(crate) wait_site: Cell<Option<&'static Location<'static>>>,
    /// Root in the cancellation tree; 0 is none.
    pub(crate) scope: Cell<u32>,
    /// What few tasks have (a name, a context): index in the scheduler's table of extras plus one; 0 is none.
    pub(crate) extras: Cell<u32>,
}

/// A counted reference to a cell, for the cell's own thread.
#[repr(transparent)]
pub(crate) struct CellRef(NonNull<Header>);

impl CellRef {
    /// A cell for a future that may borrow, with two references to it: for the table of tasks, and for the handle. It counts as
    /// queued, and its place in the queue needs none.
    ///
    /// # Safety
    ///
    /// The future and its output leave the cell, by their end or by force, before anything that they borrow does.
    #[inline]
    pub(crate) unsafe fn task<F, M>(
        future: F,
        id: u64,
        key: TaskKey,
        site: &'static Location<'static>,
        scheduler: &Scheduler,
    ) -> [CellRef; 2]
    where
        F: Future,
        M: Ending<F::Output>,
    {
        let state = State::queued_task();
        let new = New {
            vtable: &TaskVTable::<F, M>::VTABLE,
            refs: 2,
            state,
            id,
            key,
            site,
        };
        let cell = new.allocate::<F, M::Value>(future, scheduler);
        [CellRef(cell), CellRef(cell)]
    }

    /// A cell for a function that is called once from the ready queue.
    pub(crate) fn callback<C>(
        callback: C,
        site: &'static Location<'static>,
        scheduler: Scheduler,
    ) -> CellRef
    where
        C: FnOnce() + 'static,
    {
        let key = TaskKey::new(0, 0, 0);
        let vtable = &CallbackVTable::<C>::VTABLE;
        let new = New {
            vtable,
            refs: 1,
            state: State::callback(),
            id: 0,
            key,
            site,
        };
        CellRef(new.allocate::<C, ()>(callback, &scheduler))
    }

    /// The number within the loop, from 1; 0 for a callback.
    pub(crate) fn id(&self) -> u64 {
        (u64::from(self.id_high) << GENERATION_BITS) | self.key.get().generation()
    }

    #[inline]
    pub(crate) fn as_ptr(&self) -> *const Header {
        self.0.as_ptr()
    }

    /// A reference that does not count, for a moment in which somebody else holds one that does.
    ///
    /// # Safety
    ///
    /// `pointer` is null, or came from [`as_ptr`](CellRef::as_ptr) of a cell that stays alive while the result is used.
    #[inline]
    pub(crate) unsafe fn lent(pointer: *const Header) -> Option<ManuallyDrop<CellRef>> {
        NonNull::new(pointer.cast_mut()).map(|cell| ManuallyDrop::new(CellRef(cell)))
    }

    /// What the ready queue holds.
    #[inline]
    pub(crate) fn as_entry(&self) -> NonNull<Header> {
        self.0
    }

    /// The cell of an entry of the ready queue.
    ///
    /// # Safety
    ///
    /// The entry came from [`as_entry`](CellRef::as_entry) of a cell that stays alive while the result is used. Whoever takes the
    /// result out of its wrapper owns the reference that belongs to the entry.
    #[inline]
    pub(crate) unsafe fn of_entry(entry: NonNull<Header>) -> ManuallyDrop<CellRef> {
        ManuallyDrop::new(CellRef(entry))
    }

    /// The task has ended while it was queued: each of its places in the queue gets a reference of its own.
    #[cold]
    pub(crate) fn leave_queued(&self) {
        for _ in 0..self.state.places() {
            mem::forget(self.clone());
        }
    }

    /// The last poll has panicked: drops the future, and puts the panic into the stage.
    pub(crate) fn panicked(&self, payload: Box<dyn Any + Send>) {
        if let Err(second) = self.drop_future() {
            discard(second);
        }
        // SAFETY: the stage is empty, and large and aligned enough for each member of its union.
        unsafe { self.stage().cast::<Panic>().write(Panic::new(payload)) };
    }

    /// One step of a task that `begin` allowed (state RUNNING, stage Future). A panic is an outcome.
    ///
    /// # Safety
    ///
    /// The caller got `Begin::Poll` or `Begin::Attend` for this step and has not ended it yet.
    #[inline]
    pub(crate) unsafe fn poll(&self, cx: &mut Context<'_>) -> Advance {
        debug_assert_eq!(self.state.stage(), Stage::Future);
        // SAFETY: the stage holds the future (rule 3 of the module), and no other poll of it is in progress.
        unsafe { (self.vtable.advance)(self.0, cx) }
    }

    /// Calls a callback, if it is still there. Panics as the callback does.
    pub(crate) fn call(&self) {
        if self.state.take_callback() {
            let waker = std::task::Waker::noop();
            // SAFETY: `take_callback` found the callback in its place and has marked it as gone.
            let _ = unsafe { (self.vtable.advance)(self.0, &mut Context::from_waker(waker)) };
        }
    }

    /// Drops a callback that was not called, if it is still there. A panic of its destructors is reported.
    pub(crate) fn revoke(&self) {
        if self.state.take_callback() {
            // SAFETY: as in `call`.
            let cleared = caught(|| unsafe { (self.vtable.clear)(self.0, Stage::Future) });
            if let Err(panic) = cleared {
                self.scheduler.report_drop(self, panic);
            }
        }
    }

    /// Drops the future of an unfinished task that is not being polled. A panic of its destructors is the result.
    pub(crate) fn drop_future(&self) -> Result<(), Panic> {
        if !self.state.has_future() {
            return Ok(());
        }
        self.state.future_left();
        // SAFETY: the bit said that the future is in its place, it is cleared now, and no poll of it is in progress: the callers have
        // begun a step of this task that does not poll it, or its poll has just panicked, or it takes no step. A future that lives
        // elsewhere may be in its step, but what is in this cell is its proxy, which is not.
        caught(|| unsafe { (self.vtable.clear)(self.0, Stage::Future) })
    }

    /// Ends the task without a value. The stage is empty before.
    pub(crate) fn finish(&self, end: Result<Cancelled, Panic>) {
        debug_assert!(!self.state.has_future());
        let stage = self.stage();
        match end {
            Ok(cancelled) => {
                // SAFETY: the stage is empty, and large and aligned enough for each member of its union.
                unsafe { stage.cast::<Cancelled>().write(cancelled) };
                self.state.finish(Outcome::Cancelled);
            }
            Err(panic) => {
                // SAFETY: as above.
                unsafe { stage.cast::<Panic>().write(panic) };
                self.state.finish(Outcome::Panicked);
            }
        }
    }

    /// The error of a task that has ended without a value, `NotDone` of one that has not ended. `None`: it has a value.
    pub(crate) fn error(&self) -> Option<TaskError> {
        match self.state.outcome() {
            None => Some(TaskError::NotDone),
            Some(Outcome::Value) => None,
            Some(Outcome::Failed) => Some(TaskError::Failed),
            Some(Outcome::Cancelled) => {
                // SAFETY: the outcome says which member is alive; it stays until the block is freed.
                let cancelled = unsafe { self.stage().cast::<Cancelled>().as_ref() };
                Some(TaskError::Cancelled(cancelled.clone()))
            }
            Some(Outcome::Panicked) => {
                // SAFETY: as above.
                let panic = unsafe { self.stage().cast::<Panic>().as_ref() };
                Some(TaskError::Panicked(panic.clone()))
            }
        }
    }

    /// The value of a task that ended with one.
    ///
    /// # Safety
    ///
    /// `T` is the type of the task's value, and the reference is not used after the value has left (rule 5 of the module).
    pub(crate) unsafe fn value<T>(&self) -> Option<&T> {
        if self.state.stage() != Stage::Output {
            return None;
        }
        // SAFETY: the stage holds the value, of the type that the caller vouches for.
        Some(unsafe { self.stage().cast::<T>().as_ref() })
    }

    /// Moves the value out.
    ///
    /// # Safety
    ///
    /// `T` is the type of the task's value, and no reference to it is in use.
    #[inline]
    pub(crate) unsafe fn take_value<T>(&self) -> Option<T> {
        if !self.state.output_left() {
            return None;
        }
        // SAFETY: the value was there and is marked as gone, so it is read once.
        Some(unsafe { self.stage().cast::<T>().read() })
    }

    /// Drops the value that nobody can reach any more. A panic of its destructor is the result.
    ///
    /// # Safety
    ///
    /// No reference to the value is in use, and the owning handle has gone.
    pub(crate) unsafe fn drop_value(&self) -> Result<(), Panic> {
        if !self.state.output_left() {
            return Ok(());
        }
        // SAFETY: the value was there and is marked as gone.
        caught(|| unsafe { (self.vtable.clear)(self.0, Stage::Output) })
    }

    /// Takes back an end that nobody was told of, and drops the value: its destructor finds a task that is still in the table, and
    /// whose places in the queue own nothing. A panic of the destructor is the result.
    ///
    /// # Safety
    ///
    /// No reference to the value is in use.
    pub(crate) unsafe fn unfinish(&self) -> Result<(), Panic> {
        if !self.state.unfinish() {
            return Ok(());
        }
        // SAFETY: the value was there and is marked as gone.
        caught(|| unsafe { (self.vtable.clear)(self.0, Stage::Output) })
    }

    /// The name of the future's type, without the closures that the compiler adds.
    pub(crate) fn type_name(&self) -> &'static str {
        let name = (self.vtable.type_name)();
        name.trim_end_matches("::{{closure}}")
    }

    fn stage(&self) -> NonNull<u8> {
        // SAFETY: the offset lies inside the block.
        unsafe { self.0.cast::<u8>().add(self.vtable.stage_offset) }
    }

    /// Speaks of what nobody saw, and drops what the stage still holds: the bits first, and a destructor that panics is reported,
    /// since there is no poll and no handle left to tell.
    #[cold]
    fn clear_rest(&self, stage: Stage) {
        self.scheduler.cell_unreachable(self);
        if stage == Stage::Future {
            self.state.future_left();
        }
        // SAFETY: this was the last reference, so nobody is polling the future or looking at the value.
        let cleared = caught(|| unsafe { (self.vtable.clear)(self.0, stage) });
        if let Err(panic) = cleared {
            self.scheduler.report_drop(self, panic);
        }
    }
}

impl Deref for CellRef {
    type Target = Header;

    #[inline]
    fn deref(&self) -> &Header {
        // SAFETY: the block lives as long as there is a CellRef, and a header is only ever shared.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for CellRef {
    #[inline]
    fn clone(&self) -> CellRef {
        let refs = self.refs.get();
        if refs == u32::MAX {
            too_many_references();
        }
        self.refs.set(refs + 1);
        CellRef(self.0)
    }
}

impl Drop for CellRef {
    #[inline]
    fn drop(&mut self) {
        let refs = self.refs.get() - 1;
        if refs == 0 {
            // The count stays at one while the outcome nobody saw is being reported: that code may hold the cell for a moment.
            free(self.0);
        } else {
            self.refs.set(refs);
        }
    }
}

/// The last reference to a cell has gone.
#[inline(never)]
fn free(cell: NonNull<Header>) {
    // SAFETY: the block is freed below, and not before.
    let header = unsafe { cell.as_ref() };
    if !header.state.is_spent() || header.extras.get() != 0 {
        // The drop that calls this does nothing more with its reference.
        let cell = ManuallyDrop::new(CellRef(cell));
        cell.clear_rest(cell.state.stage());
    }
    let vtable = header.vtable;
    // SAFETY: the scheduler is the only field of a header with a destructor, and it is moved out once, here; the stage has been
    // cleared above.
    let scheduler = unsafe { ptr::read(&raw const header.scheduler) };
    // SAFETY: the block came from this scheduler's pool with this class and layout, and nothing refers to it any more.
    unsafe {
        scheduler
            .0
            .pool
            .give(cell.cast(), vtable.class, vtable.layout)
    };
    drop(scheduler);
}

impl PartialEq for CellRef {
    fn eq(&self, other: &CellRef) -> bool {
        self.0 == other.0
    }
}

impl Eq for CellRef {}

/// A count that wrapped would free a cell that is in use.
#[cold]
#[inline(never)]
fn too_many_references() -> ! {
    std::process::abort()
}

#[cfg(test)]
mod tests;

//! The typed half of a cell: the stage, and the functions that know the type of the future.
//!
//! Each of them is reached through the [`VTable`] of a cell only, which was made for that cell's types. The rules of
//! [`cell`](crate::cell) say which member of the stage is alive when.

use std::alloc::Layout;
use std::cell::{Cell, UnsafeCell};
use std::future::Future;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop, offset_of};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use crate::caught::discard;
use crate::cell::Header;
use crate::error::{Cancelled, Panic};
use crate::key::{GENERATION_BITS, TaskKey};
use crate::pool::Class;
use crate::scheduler::Scheduler;
use crate::state::{Outcome, Stage, State};

/// The functions that know the type of the future.
pub(crate) struct VTable {
    /// Polls the future, or calls the callback.
    pub(crate) advance: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Advance,
    /// Drops what the stage holds.
    pub(crate) clear: unsafe fn(NonNull<Header>, Stage),
    pub(crate) stage_offset: usize,
    pub(crate) layout: Layout,
    pub(crate) class: Class,
    pub(crate) type_name: fn() -> &'static str,
}

/// What came of one step.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Advance {
    Pending,
    Ended(Outcome),
}

/// How the output of a future becomes the value of its task.
pub(crate) trait Ending<Output> {
    type Value;
    /// `None` ends the task as failed.
    fn end(output: Output) -> Option<Self::Value>;
    /// What the type of the future is called.
    fn type_name<F>() -> &'static str {
        std::any::type_name::<F>()
    }
}

/// The output is the value.
pub(crate) struct Plain;

impl<T> Ending<T> for Plain {
    type Value = T;
    fn end(output: T) -> Option<T> {
        Some(output)
    }
}

/// The future says itself whether it failed, and is shown as `Shown`.
pub(crate) struct Fallible<Shown>(PhantomData<Shown>);

impl<T, Shown> Ending<Option<T>> for Fallible<Shown> {
    type Value = T;
    fn end(output: Option<T>) -> Option<T> {
        output
    }
    fn type_name<F>() -> &'static str {
        std::any::type_name::<Shown>()
    }
}

#[repr(C)]
pub(crate) struct TaskCell<F, T> {
    pub(crate) header: Header,
    pub(crate) stage: UnsafeCell<StageOf<F, T>>,
}

pub(crate) union StageOf<F, T> {
    pub(crate) future: ManuallyDrop<F>,
    output: ManuallyDrop<T>,
    panic: ManuallyDrop<Panic>,
    cancelled: ManuallyDrop<Cancelled>,
}

/// What a new cell begins with.
pub(crate) struct New {
    pub(crate) vtable: &'static VTable,
    pub(crate) refs: u32,
    pub(crate) state: State,
    pub(crate) id: u64,
    pub(crate) key: TaskKey,
    pub(crate) site: &'static Location<'static>,
}

impl New {
    #[inline]
    pub(crate) fn allocate<F, T>(self, content: F, scheduler: &Scheduler) -> NonNull<Header> {
        let layout = Layout::new::<TaskCell<F, T>>();
        let block: NonNull<TaskCell<F, T>> = scheduler
            .0
            .pool
            .take(const { Class::of(Layout::new::<TaskCell<F, T>>()) }, layout)
            .cast();
        let cell = TaskCell {
            header: Header {
                vtable: self.vtable,
                refs: Cell::new(self.refs),
                id_high: (self.id >> GENERATION_BITS) as u32,
                state: self.state,
                callbacks: Cell::new(0),
                key: Cell::new(self.key),
                site: self.site,
                scheduler: scheduler.clone(),
                waiters: Cell::new(0),
                wait_kind: Cell::new(0),
                wait_site: Cell::new(None),
                scope: Cell::new(0),
                extras: Cell::new(0),
            },
            stage: UnsafeCell::new(StageOf {
                future: ManuallyDrop::new(content),
            }),
        };
        // SAFETY: the block is fresh memory of this layout.
        unsafe { block.write(cell) };
        block.cast()
    }
}

pub(crate) struct TaskVTable<F, M>(PhantomData<(F, M)>);

impl<F: Future, M: Ending<F::Output>> TaskVTable<F, M> {
    pub(crate) const VTABLE: VTable = VTable {
        advance: Self::advance,
        clear: clear::<F, M::Value>,
        stage_offset: offset_of!(TaskCell<F, M::Value>, stage),
        layout: Layout::new::<TaskCell<F, M::Value>>(),
        class: Class::of(Layout::new::<TaskCell<F, M::Value>>()),
        type_name: M::type_name::<F>,
    };

    /// # Safety
    ///
    /// `cell` is a `TaskCell<F, M::Value>` whose stage holds the future, and no other poll of it is in progress.
    unsafe fn advance(cell: NonNull<Header>, cx: &mut Context<'_>) -> Advance {
        let stage = stage_of::<F, M::Value>(cell);
        // SAFETY: the future is alive, this is the only reference to it, and it does not move until it is dropped. A panic leaves
        // it in its place, for `panicked`.
        let polled = unsafe { Pin::new_unchecked(&mut *(*stage).future) }.poll(cx);
        let Poll::Ready(output) = polled else {
            return Advance::Pending;
        };
        if mem::needs_drop::<F>() {
            // SAFETY: the cell outlives this call, and headers are only ever shared.
            unsafe { cell.as_ref() }.state.future_left();
            let dropped = catch_unwind(AssertUnwindSafe(|| {
                // SAFETY: the future is alive and marked as gone, so it is dropped once.
                unsafe { ManuallyDrop::drop(&mut (*stage).future) }
            }));
            if let Err(payload) = dropped {
                if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(output))) {
                    discard(second);
                }
                // SAFETY: the stage is empty, and no reference into it exists.
                unsafe { (*stage).panic = ManuallyDrop::new(Panic::new(payload)) };
                return Advance::Ended(Outcome::Panicked);
            }
        }
        Advance::Ended(match M::end(output) {
            Some(value) => {
                // SAFETY: as above.
                unsafe { (*stage).output = ManuallyDrop::new(value) };
                Outcome::Value
            }
            None => Outcome::Failed,
        })
    }
}

pub(crate) struct CallbackVTable<C>(PhantomData<C>);

impl<C: FnOnce() + 'static> CallbackVTable<C> {
    pub(crate) const VTABLE: VTable = VTable {
        advance: Self::advance,
        clear: clear::<C, ()>,
        stage_offset: offset_of!(TaskCell<C, ()>, stage),
        layout: Layout::new::<TaskCell<C, ()>>(),
        class: Class::of(Layout::new::<TaskCell<C, ()>>()),
        type_name: std::any::type_name::<C>,
    };

    /// # Safety
    ///
    /// `cell` is a `TaskCell<C, ()>` whose stage holds the callback, which is marked as gone.
    unsafe fn advance(cell: NonNull<Header>, _: &mut Context<'_>) -> Advance {
        // SAFETY: the callback is alive and marked as gone, so it is taken once.
        let callback = unsafe { ManuallyDrop::take(&mut (*stage_of::<C, ()>(cell)).future) };
        callback();
        Advance::Ended(Outcome::Value)
    }
}

fn stage_of<F, T>(cell: NonNull<Header>) -> *mut StageOf<F, T> {
    let cell: *const TaskCell<F, T> = cell.cast().as_ptr();
    // SAFETY: only the place of a field is computed, inside one allocation.
    UnsafeCell::raw_get(unsafe { &raw const (*cell).stage })
}

/// # Safety
///
/// `cell` is a `TaskCell<F, T>`, its stage holds what `stage` says, and nobody else uses it.
unsafe fn clear<F, T>(cell: NonNull<Header>, stage: Stage) {
    let content = stage_of::<F, T>(cell);
    // SAFETY: the caller says which member is alive; it is dropped once, since the bits were cleared before.
    unsafe {
        match stage {
            Stage::Future => ManuallyDrop::drop(&mut (*content).future),
            Stage::Output => ManuallyDrop::drop(&mut (*content).output),
            Stage::Panic => ManuallyDrop::drop(&mut (*content).panic),
            Stage::Cancelled => ManuallyDrop::drop(&mut (*content).cancelled),
            Stage::Empty => {}
        }
    }
}

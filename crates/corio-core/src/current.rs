//! Which scheduler and which task are current on this thread, and wakes by key.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::ptr;
use std::rc::{Rc, Weak};
use std::task::Waker;

use crate::cell::CellRef;
use crate::key::TaskKey;
use crate::remote;
use crate::scheduler::{Inner, Scheduler};
use crate::waker;

thread_local! {
    static CURRENT: Cell<*const Inner> = const { Cell::new(ptr::null()) };
    /// The schedulers that were made on this thread, for wakes and drops that come while they do not run.
    static HERE: RefCell<Vec<(u32, Weak<Inner>)>> = const { RefCell::new(Vec::new()) };
}

#[inline]
pub(crate) fn with_inner<R>(look: impl FnOnce(Option<&Inner>) -> R) -> R {
    // SAFETY: the pointer is null, or was set by an `enter` that is still on the stack of this thread and borrows what it points
    // to.
    look(unsafe { CURRENT.get().as_ref() })
}

impl Scheduler {
    /// Makes this the current scheduler of the thread while `body` runs.
    pub fn enter<R>(&self, body: impl FnOnce() -> R) -> R {
        struct Restore(*const Inner);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let _restore = Restore(CURRENT.replace(Rc::as_ptr(&self.0)));
        body()
    }

    /// The scheduler that runs, or was entered, on this thread.
    pub fn current() -> Option<Scheduler> {
        Scheduler::with_current(|scheduler| scheduler.cloned())
    }

    /// Looks at the current scheduler of this thread without taking a share of it.
    #[inline]
    pub fn with_current<R>(look: impl FnOnce(Option<&Scheduler>) -> R) -> R {
        let pointer = CURRENT.get();
        if pointer.is_null() {
            return look(None);
        }
        // SAFETY: as in `with_inner`; the pointer came from `Rc::as_ptr`, and the `Rc` that is made here is never dropped, so the
        // count does not change.
        let scheduler = ManuallyDrop::new(Scheduler(unsafe { Rc::from_raw(pointer) }));
        look(Some(&scheduler))
    }
}

/// Notes a new scheduler of this thread.
pub(crate) fn announce(scheduler: &Scheduler) {
    let entry = (scheduler.id(), Rc::downgrade(&scheduler.0));
    let _ = HERE.try_with(|here| {
        let mut here = here.borrow_mut();
        here.retain(|(_, weak)| weak.strong_count() > 0);
        here.push(entry);
    });
}

fn of_this_thread(is_meant: impl Fn(&Inner) -> bool) -> Option<Scheduler> {
    let find = |here: &RefCell<Vec<(u32, Weak<Inner>)>>| {
        let here = here.borrow();
        here.iter()
            .filter_map(|(_, weak)| weak.upgrade())
            .find(|inner| is_meant(inner))
    };
    HERE.try_with(find).ok().flatten().map(Scheduler)
}

/// Wakes a task by its key, from any thread.
#[inline]
pub(crate) fn wake(key: TaskKey) {
    let woken = with_inner(|inner| inner.is_some_and(|inner| inner.wake(key)));
    if !woken {
        wake_elsewhere(key);
    }
}

/// A task of a loop of this thread that is not running, or of another thread, or one that is gone.
#[cold]
fn wake_elsewhere(key: TaskKey) {
    let id = key.loop_id();
    if with_inner(|inner| inner.is_some_and(|inner| inner.id == id)) {
        return;
    }
    match of_this_thread(|inner| inner.id == id) {
        Some(scheduler) => {
            scheduler.0.wake(key);
        }
        None => remote::wake(key),
    }
}

/// Wakes the task behind `waker` by way of the ready queue: it is queued when its turn in the current order comes, as a timer
/// callback of asyncio would do it. The waker of another executor is woken as it is.
pub fn relay(waker: Waker) {
    let Some(key) = waker::key_of(&waker) else {
        return waker.wake();
    };
    let here = with_inner(|inner| match inner {
        Some(inner) if inner.id == key.loop_id() => {
            inner.relay(key);
            true
        }
        _ => false,
    });
    if !here {
        match of_this_thread(|inner| inner.id == key.loop_id()) {
            Some(scheduler) => scheduler.0.relay(key),
            None => waker.wake(),
        }
    }
}

/// Looks at the cell of the task that takes its step now on this thread.
#[inline]
pub(crate) fn with_current_cell(look: impl FnOnce(&CellRef)) {
    with_inner(|inner| {
        if let Some(inner) = inner {
            inner.with_current(look);
        }
    });
}

/// Some task takes its step now on this thread.
#[inline]
pub(crate) fn is_in_step() -> bool {
    with_inner(|inner| inner.is_some_and(|inner| !inner.current.get().is_null()))
}

/// The cell of the task that takes its step now on this thread.
pub(crate) fn current_cell() -> Option<CellRef> {
    let mut current = None;
    with_current_cell(|cell| current = Some(cell.clone()));
    current
}

/// Where the scheduler with a [number](Scheduler::number) is, seen from this thread.
#[derive(Debug)]
pub enum Whereabouts {
    /// It was made on this thread.
    Here(Scheduler),
    /// It is another thread's.
    Elsewhere(crate::Remote),
    /// It is gone.
    Gone,
}

/// Finds a scheduler by its [number](Scheduler::number).
pub fn find_scheduler(number: u64) -> Whereabouts {
    if let Some(scheduler) = of_this_thread(|inner| inner.number == number) {
        return Whereabouts::Here(scheduler);
    }
    match crate::Remote::of(number) {
        Some(remote) => Whereabouts::Elsewhere(remote),
        None => Whereabouts::Gone,
    }
}

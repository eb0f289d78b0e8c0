//! Wakers: the standard library's vtable around a [`TaskKey`].
//!
//! On 64-bit targets the key is the data word of the waker itself: to clone one is to copy a number, to drop one is nothing,
//! and the owner check is a compare of the loop's number. Smaller targets keep the key behind an `Arc`.

use std::mem::ManuallyDrop;
use std::task::Waker;

use crate::current;
use crate::key::TaskKey;

#[cfg(target_pointer_width = "64")]
mod word {
    use super::*;
    use std::ptr;
    use std::task::{RawWaker, RawWakerVTable};

    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data, &VTABLE),
        |data| current::wake(TaskKey::from_bits(data.addr() as u64)),
        |data| current::wake(TaskKey::from_bits(data.addr() as u64)),
        |_| {},
    );

    #[inline]
    pub(super) fn waker(key: TaskKey) -> Waker {
        let data = ptr::without_provenance(key.to_bits() as usize);
        // SAFETY: the data word is a number that is never dereferenced. Each function of the table may be called with any
        // number, any number of times, from any thread.
        unsafe { Waker::new(data, &VTABLE) }
    }

    #[inline]
    pub(super) fn is_of(waker: &Waker, key: TaskKey) -> bool {
        ptr::eq(waker.vtable(), &VTABLE) && waker.data().addr() as u64 == key.to_bits()
    }

    #[inline]
    pub(super) fn key_of(waker: &Waker) -> Option<TaskKey> {
        ptr::eq(waker.vtable(), &VTABLE).then(|| TaskKey::from_bits(waker.data().addr() as u64))
    }
}

#[cfg(not(target_pointer_width = "64"))]
mod word {
    use super::*;
    use std::sync::Arc;
    use std::task::Wake;

    struct Key(TaskKey);

    impl Wake for Key {
        fn wake(self: Arc<Self>) {
            current::wake(self.0);
        }
        fn wake_by_ref(self: &Arc<Self>) {
            current::wake(self.0);
        }
    }

    pub(super) fn waker(key: TaskKey) -> Waker {
        Waker::from(Arc::new(Key(key)))
    }

    pub(super) fn is_of(_: &Waker, _: TaskKey) -> bool {
        false
    }

    pub(super) fn key_of(_: &Waker) -> Option<TaskKey> {
        None
    }
}

/// The waker of one poll. It is not dropped where the drop would do nothing.
#[inline]
pub(crate) fn of(key: TaskKey) -> WakerOfPoll {
    WakerOfPoll(ManuallyDrop::new(word::waker(key)))
}

/// The key inside one of our wakers; `None` for the waker of somebody else.
#[inline]
pub(crate) fn key_of(waker: &Waker) -> Option<TaskKey> {
    word::key_of(waker)
}

/// It is one of our wakers, with this key.
#[inline]
pub(crate) fn is_of(waker: &Waker, key: TaskKey) -> bool {
    word::is_of(waker, key)
}

/// A waker of the task with this key.
pub(crate) fn owned(key: TaskKey) -> Waker {
    word::waker(key)
}

pub(crate) struct WakerOfPoll(ManuallyDrop<Waker>);

impl WakerOfPoll {
    #[inline]
    pub(crate) fn get(&self) -> &Waker {
        &self.0
    }
}

impl Drop for WakerOfPoll {
    #[inline]
    fn drop(&mut self) {
        if !cfg!(target_pointer_width = "64") {
            // SAFETY: the field is not used again.
            unsafe { ManuallyDrop::drop(&mut self.0) };
        }
    }
}

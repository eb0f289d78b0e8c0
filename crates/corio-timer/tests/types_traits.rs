//! Sizes and automatic traits: a change here is a change of the interface.

use std::fmt::Debug;
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use corio_timer::{TimerKey, Wheel};

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}
fn is_unpin<T: Unpin>() {}
fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
fn is_plain<
    T: Copy + Eq + Hash + Debug + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static,
>() {
}

/// The constants of a probe itself go before these, and exist only if the trait is there.
trait Otherwise {
    const SEND: bool = false;
    const SYNC: bool = false;
}

struct SendProbe<T>(std::marker::PhantomData<T>);
struct SyncProbe<T>(std::marker::PhantomData<T>);

impl<T> Otherwise for SendProbe<T> {}
impl<T> Otherwise for SyncProbe<T> {}

impl<T: Send> SendProbe<T> {
    const SEND: bool = true;
}

impl<T: Sync> SyncProbe<T> {
    const SYNC: bool = true;
}

#[test]
fn a_wheel_is_as_shareable_as_its_values() {
    is_send::<Wheel<std::cell::Cell<u8>>>();
    is_sync::<Wheel<std::sync::MutexGuard<'static, u8>>>();
    is_unpin::<Wheel<u8>>();
    is_unwind_safe::<Wheel<u8>>();
    const { assert!(!SendProbe::<Wheel<Rc<u8>>>::SEND) };
    const { assert!(!SyncProbe::<Wheel<std::cell::Cell<u8>>>::SYNC) };
    const { assert!(SendProbe::<Wheel<u8>>::SEND && SyncProbe::<Wheel<u8>>::SYNC) };
}

#[test]
fn a_key_is_eight_bytes_and_leaves_room_for_none() {
    is_plain::<TimerKey>();
    assert_eq!(size_of::<TimerKey>(), 8);
    assert_eq!(size_of::<Option<TimerKey>>(), 8);
}

#[test]
fn a_wheel_shows_itself_without_its_values() {
    struct Silent;
    let mut wheel = Wheel::default();
    let key = wheel.insert(5, Silent);
    assert!(format!("{wheel:?}").contains("len: 1"));
    assert_eq!(format!("{key:?}"), "TimerKey(0.1)");
}

//! Which thread may hold what: a change of this table is a change of the API.

use corio_reactor::{
    Backend, Direction, NotRegistered, Notifier, Reactor, Ready, SourceKey, Ticket, WaitToken,
};
use std::panic::{RefUnwindSafe, UnwindSafe};

/// Answers by overload resolution: the inherent constant exists only for types with the trait.
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        #[allow(dead_code)]
        trait Otherwise {
            const ANSWER: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        struct Ask<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + $($bound)+> Ask<T> {
            const ANSWER: bool = true;
        }
        <Ask<$type>>::ANSWER
    }};
}

macro_rules! table {
    ($($type:ty => $send:literal $sync:literal $unpin:literal;)+) => {
        $(
            assert_eq!(implements!($type: Send), $send, "{}: Send", stringify!($type));
            assert_eq!(implements!($type: Sync), $sync, "{}: Sync", stringify!($type));
            assert_eq!(implements!($type: Unpin), $unpin, "{}: Unpin", stringify!($type));
        )+
    };
}

#[test]
fn send_sync_and_unpin_are_as_promised() {
    table! {
        // type                Send  Sync  Unpin
        Reactor             => true  false true;
        Notifier            => true  true  true;
        SourceKey           => true  true  true;
        Ticket              => true  true  true;
        WaitToken           => true  true  true;
        Direction           => true  true  true;
        Backend             => true  true  true;
        NotRegistered       => true  true  true;
        Ready<'static>      => false false true;
    }
}

#[test]
fn a_notifier_may_cross_a_panic() {
    assert!(implements!(Notifier: UnwindSafe));
    assert!(implements!(Notifier: RefUnwindSafe));
}

#[test]
fn a_key_is_eight_bytes() {
    assert_eq!(size_of::<SourceKey>(), 8);
    assert_eq!(size_of::<Ticket>(), 8);
}

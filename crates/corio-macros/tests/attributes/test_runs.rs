//! What `#[corio::test]` makes of a function, entered through a stand-in for the facade.

// The name `test` is the attribute itself from here on: what it writes must not depend on that name.
use corio_macros::test;

use crate::fake;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test(crate = "crate::fake")]
async fn a_test_enters_the_loop() {
    assert_eq!(fake::take_calls(), ["run"]);
}

#[test(crate = "crate::fake", clock = "virtual")]
async fn a_test_may_ask_for_the_virtual_clock() {
    assert_eq!(fake::take_calls(), ["run_virtual"]);
}

#[test(clock = "virtual", crate = "crate::fake")]
async fn options_come_in_any_order() {
    assert_eq!(fake::take_calls(), ["run_virtual"]);
}

#[test(crate = "crate::fake")]
async fn a_test_may_return_a_result() -> Result<(), std::num::ParseIntError> {
    let number: u8 = "7".parse()?;
    assert_eq!(number, 7);
    Ok(())
}

#[test(crate = "crate::fake")]
#[should_panic(expected = "as announced")]
async fn should_panic_stays() {
    panic!("as announced");
}

#[should_panic(expected = "as announced")]
#[test(crate = "crate::fake")]
async fn should_panic_stays_above_the_attribute() {
    panic!("as announced");
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

#[test(crate = "crate::fake")]
async fn counted() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

#[::core::prelude::v1::test]
fn a_test_is_still_a_function_that_can_be_called() {
    counted();
    assert!(CALLS.load(Ordering::Relaxed) >= 1);
}

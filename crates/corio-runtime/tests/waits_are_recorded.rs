//! A task list says what each task waits for, and who holds it.

use std::rc::Rc;
use std::time::Duration;

use corio_runtime::{EventLoop, create_task, sleep, yield_now};
use corio_sync::Lock;

#[test]
fn a_waiter_for_a_lock_names_the_lock_and_its_holder() {
    let event_loop = EventLoop::builder().virtual_clock().build().unwrap();
    let said = event_loop.run_until_complete(async {
        let lock = Rc::new(Lock::new(()).named("db"));
        let held = lock.clone();
        let holder = create_task(async move {
            let guard = held.acquire().await;
            sleep(Duration::from_secs(1)).await;
            drop(guard);
        });
        holder.set_name("conn-17");
        let waiter = create_task(async move { drop(lock.acquire().await) });
        yield_now().await;
        yield_now().await;
        let said = waiter.any().waits_for().unwrap();
        assert_eq!(holder.any().waits_for().unwrap().kind(), "sleep");
        holder.await.unwrap();
        waiter.await.unwrap();
        said
    });
    let said = said.unwrap();
    assert_eq!((said.name(), said.holder()), (Some("db"), Some("conn-17")));
    let text = said.to_string();
    assert!(
        text.starts_with("Lock 'db' at crates/corio-runtime/tests/waits_are_recorded.rs:"),
        "{text}"
    );
    assert!(
        text.contains(", held by conn-17 (crates/corio-runtime/tests/waits_are_recorded.rs:"),
        "{text}"
    );
}

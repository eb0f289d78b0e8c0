//! smoke
use std::time::Duration;
#[test]
fn value() {
    assert_eq!(corio_runtime::run(async { 5 }), 5);
}
#[test]
fn task() {
    assert_eq!(
        corio_runtime::run(async { corio_runtime::create_task(async { 5 }).await.unwrap() }),
        5
    );
}
#[test]
fn sleeps() {
    corio_runtime::run(async { corio_runtime::sleep(Duration::from_millis(2)).await });
}
#[test]
fn yields() {
    corio_runtime::run(async { corio_runtime::yield_now().await });
}
#[test]
fn virt() {
    let mut r = corio_runtime::Runner::builder()
        .virtual_clock()
        .build()
        .unwrap();
    r.run(async { corio_runtime::sleep(Duration::from_secs(2000)).await })
        .unwrap();
}

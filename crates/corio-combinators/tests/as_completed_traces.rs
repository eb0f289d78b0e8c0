//! as_completed runs turn by turn as asyncio's does: the programs and the logs of the traces.

mod support;

use corio_combinators::{TimeoutError, as_completed};
use corio_core::TaskError;
use support::{assert_trace, create_task, failing, seconds, sleep, sleeper};

fn said(error: &TaskError) -> String {
    match error {
        TaskError::Panicked(panic) => panic.message().to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn tasks_come_in_the_order_of_their_ends() {
    // t19
    let trace = r#"
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+0   t=0.0  C start
        k+2   t=1.0  B end
        k+4   t=1.0  slot 0 -> b
        k+6   t=2.0  C raises ValueError
        k+8   t=2.0  slot 1 raised ValueError('C')
        k+10  t=3.0  A end
        k+12  t=3.0  slot 2 -> a
        k+12  t=3.0  -- with timeout 2.5
        k+13  t=3.0  A start
        k+13  t=3.0  B start
        k+13  t=3.0  C start
        k+15  t=4.0  B end
        k+17  t=4.0  slot 0 -> b
        k+19  t=5.5  slot 1 TimeoutError
        k+19  t=5.5  slot 2 TimeoutError
        k+21  t=7.0  A end
        k+23  t=8.0  C end
        k+25  t=9.5  A and C were not cancelled by the timeout
        k+25  t=9.5  -- same-tick ties: tasks created A,B,C all return at once
        k+28  t=9.5  order ["A", "B", "C"]
    "#;
    assert_trace(trace, async {
        let mut slots = as_completed([
            create_task(sleeper("A", 3.0)),
            create_task(sleeper("B", 1.0)),
            create_task(failing("C", 2.0, "ValueError")),
        ]);
        let mut slot = 0;
        while let Some(task) = slots.next().await {
            match task.into_result() {
                Ok(value) => log!("slot {slot} -> {value}"),
                Err(error) => log!("slot {slot} raised {}", said(&error)),
            }
            slot += 1;
        }
        log!("-- with timeout 2.5");
        let sleepers = [sleeper("A", 4.0), sleeper("B", 1.0), sleeper("C", 5.0)];
        let mut slots = as_completed(sleepers).timeout(seconds(2.5));
        let mut slot = 0;
        while let Some(next) = slots.next().await {
            match next {
                Ok(task) => log!("slot {slot} -> {}", task.into_result().unwrap()),
                Err(TimeoutError { .. }) => log!("slot {slot} TimeoutError"),
            }
            slot += 1;
        }
        sleep(4.0).await;
        log!("A and C were not cancelled by the timeout");
        log!("-- same-tick ties: tasks created A,B,C all return at once");
        let mut order = Vec::new();
        let mut tasks = as_completed(["A", "B", "C"].map(|name| create_task(async move { name })));
        while let Some(task) = tasks.next().await {
            order.push(task.into_result().unwrap());
        }
        log!("order {order:?}");
    });
}

#[test]
fn what_comes_is_the_handle_that_was_given() {
    // t20
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+0   t=0.0  C start
        k+2   t=1.0  B end
        k+4   t=1.0  yielded B same object true done true
        k+6   t=2.0  C raises ValueError
        k+8   t=2.0  yielded C same object true done true
        k+8   t=2.0  await raises ValueError('C')
        k+10  t=3.0  A end
        k+12  t=3.0  yielded A same object true done true
    ";
    assert_trace(trace, async {
        let tasks = [
            create_task(sleeper("A", 3.0)).named("A"),
            create_task(sleeper("B", 1.0)).named("B"),
            create_task(failing("C", 2.0, "ValueError")).named("C"),
        ];
        let mut completed = as_completed(&tasks);
        while let Some(task) = completed.next().await {
            let same = tasks.iter().any(|given| std::ptr::eq(given, task));
            log!(
                "yielded {} same object {same} done {}",
                task.name(),
                task.done()
            );
            if let Err(error) = task.await {
                log!("await raises {}", said(&error));
            }
        }
    });
}

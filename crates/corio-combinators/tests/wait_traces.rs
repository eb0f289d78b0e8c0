//! wait runs turn by turn as asyncio's does: the programs and the logs of the traces.

mod support;

use std::rc::Rc;

use corio_combinators::{ReturnWhen, gather, wait};
use corio_core::Task;
use support::{assert_trace, call_later, create_task, failing, seconds, sleep, sleeper, yield_now};

fn names<T>(tasks: &[&Task<T>]) -> String {
    let names: Vec<String> = tasks
        .iter()
        .map(|task| format!("'{}'", task.name()))
        .collect();
    format!("[{}]", names.join(", "))
}

#[test]
fn each_mode_returns_in_the_turn_of_asyncio() {
    // t16
    let trace = "
        k+0   t=0.0  -- AllCompleted
        k+1   t=0.0  A start
        k+1   t=0.0  B start
        k+1   t=0.0  C start
        k+1   t=0.0  D start
        k+3   t=1.0  B end
        k+6   t=2.0  C raises ValueError
        k+9   t=3.0  A end
        k+12  t=4.0  D end
        k+14  t=4.0  done ['A', 'B', 'C', 'D'] pending []
        k+14  t=4.0  -- FirstCompleted
        k+15  t=4.0  A start
        k+15  t=4.0  B start
        k+15  t=4.0  C start
        k+15  t=4.0  D start
        k+17  t=5.0  B end
        k+19  t=5.0  done ['B'] pending ['A', 'C', 'D']
        k+21  t=6.0  C raises ValueError
        k+24  t=7.0  A end
        k+27  t=8.0  D end
        k+29  t=8.0  -- FirstException
        k+30  t=8.0  A start
        k+30  t=8.0  B start
        k+30  t=8.0  C start
        k+30  t=8.0  D start
        k+32  t=9.0  B end
        k+35  t=10.0 C raises ValueError
        k+37  t=10.0 done ['B', 'C'] pending ['A', 'D']
        k+39  t=11.0 A end
        k+42  t=12.0 D end
    ";
    assert_trace(trace, async {
        let modes = [
            ReturnWhen::AllCompleted,
            ReturnWhen::FirstCompleted,
            ReturnWhen::FirstException,
        ];
        for mode in modes {
            log!("-- {mode:?}");
            let tasks = [
                create_task(sleeper("A", 3.0)).named("A"),
                create_task(sleeper("B", 1.0)).named("B"),
                create_task(failing("C", 2.0, "ValueError")).named("C"),
                create_task(sleeper("D", 4.0)).named("D"),
            ];
            let (done, pending) = wait(&tasks).return_when(mode).await;
            log!("done {} pending {}", names(&done), names(&pending));
            gather(tasks).return_exceptions().await;
        }
    });
}

#[test]
fn a_cancelled_task_is_no_exception() {
    // t17
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+2   t=1.0  A cancelled
        k+5   t=3.0  B end
        k+7   t=3.0  returned; done ['A', 'B'] pending []
    ";
    assert_trace(trace, async {
        let tasks = [
            create_task(sleeper("A", 2.0)).named("A"),
            create_task(sleeper("B", 3.0)).named("B"),
        ];
        let first = tasks[0].any();
        call_later(1.0, move || first.cancel());
        let (done, pending) = wait(&tasks).return_when(ReturnWhen::FirstException).await;
        log!(
            "returned; done {} pending {}",
            names(&done),
            names(&pending)
        );
    });
}

#[test]
fn neither_a_timeout_nor_a_cancellation_reaches_the_tasks() {
    // t18
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+2   t=1.0  A end
        k+5   t=2.0  timeout: done ['A'] pending ['B'] B cancelling 0
        k+7   t=2.0  timeout=0: done ['A'] pending ['B']
        k+10  t=2.0  wait() cancelled; B still running: true
        k+12  t=5.0  B end
        k+13  t=5.0  wait([]) -> ([], [])
    ";
    assert_trace(trace, async {
        let tasks = Rc::new([
            create_task(sleeper("A", 1.0)).named("A"),
            create_task(sleeper("B", 5.0)).named("B"),
        ]);
        let (done, pending) = wait(&*tasks).timeout(seconds(2.0)).await;
        let cancelling = tasks[1].cancelling();
        log!(
            "timeout: done {} pending {} B cancelling {cancelling}",
            names(&done),
            names(&pending)
        );
        let (done, pending) = wait(&*tasks).timeout(seconds(0.0)).await;
        log!(
            "timeout=0: done {} pending {}",
            names(&done),
            names(&pending)
        );
        let shared = tasks.clone();
        let waiter = create_task(async move { drop(wait(&*shared).await) });
        yield_now().await;
        waiter.cancel();
        (&waiter).await.unwrap_err();
        log!("wait() cancelled; B still running: {}", !tasks[1].done());
        (&tasks[1]).await.unwrap();
        log!("wait([]) -> {:?}", wait(Vec::<Task<()>>::new()).await);
    });
}

#[test]
fn a_second_wait_for_the_same_tasks_returns_without_time_passing() {
    // C033
    let trace = "
        k+0   t=0.0   A start
        k+0   t=0.0   B start
        k+2   t=0.1   A end
        k+5   t=0.15  B end
        k+7   t=0.15  2 0
        k+9   t=0.15  2 0
    ";
    assert_trace(trace, async {
        let tasks = [
            create_task(sleeper("A", 0.1)),
            create_task(sleeper("B", 0.15)),
        ];
        for _ in 0..2 {
            let (done, pending) = wait(&tasks).await;
            log!("{} {}", done.len(), pending.len());
        }
        sleep(0.0).await;
    });
}

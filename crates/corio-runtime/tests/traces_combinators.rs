//! Sleepers, gather, wait, as_completed and shield on the loop's own timers: the programs and the logs of asyncio's traces.

mod support;

use std::rc::Rc;
use std::time::Duration;

use corio_combinators::{ReturnWhen, as_completed, gather, shield, wait};
use corio_core::{Task, TaskError};
use corio_runtime::{create_task, get_running_loop, yield_now};
use support::{OnDrop, assert_trace, failing, nap, seconds, sleeper};

fn text(result: &Result<String, TaskError>) -> String {
    match result {
        Ok(value) => format!("'{value}'"),
        Err(TaskError::Cancelled(_)) => "'CancelledError'".into(),
        Err(TaskError::Panicked(panic)) => panic.message().into(),
        Err(other) => format!("{other:?}"),
    }
}

fn list(results: &[Result<String, TaskError>]) -> String {
    let texts: Vec<String> = results.iter().map(text).collect();
    format!("[{}]", texts.join(", "))
}

fn names<T>(tasks: &[&Task<T>]) -> String {
    let mut names: Vec<String> = tasks
        .iter()
        .map(|task| format!("'{}'", task.name()))
        .collect();
    names.sort();
    format!("[{}]", names.join(", "))
}

fn error(result: Result<impl Sized, TaskError>) -> String {
    match result {
        Ok(_) => panic!("it did not fail"),
        Err(TaskError::Panicked(panic)) => panic.message().into(),
        Err(TaskError::Cancelled(_)) => "CancelledError".into(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn three_sleepers_are_gathered_in_the_order_of_the_arguments() {
    // T10
    let trace = r#"
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+0   t=0.0  C start
        k+2   t=1.0  B end
        k+5   t=2.0  C end
        k+8   t=3.0  A end
        k+10  t=3.0  gather -> ["a", "b", "c"]
    "#;
    assert_trace(trace, async {
        let values = gather([sleeper("A", 3.0), sleeper("B", 1.0), sleeper("C", 2.0)]).await;
        log!("gather -> {:?}", values.unwrap());
    });
}

#[test]
fn a_failure_ends_the_gathering_and_the_others_run_on() {
    // T11
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+0   t=0.0  C start
        k+2   t=1.0  B raises ValueError
        k+4   t=1.0  gather raised ValueError('B') others done? [false, true, false]
        k+6   t=2.0  C end
        k+9   t=3.0  A end
        k+12  t=5.0  later: A a C c
    ";
    assert_trace(trace, async {
        let tasks = [
            create_task(sleeper("A", 3.0)),
            create_task(failing("B", 1.0, "ValueError")),
            create_task(sleeper("C", 2.0)),
        ];
        let error = error(gather(&tasks).await);
        let done: Vec<bool> = tasks.iter().map(Task::done).collect();
        log!("gather raised {error} others done? {done:?}");
        nap(4.0).await;
        log!(
            "later: A {} C {}",
            tasks[0].result().unwrap(),
            tasks[2].result().unwrap()
        );
    });
}

#[test]
fn failures_are_values_when_that_is_asked_for() {
    // T12
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+0   t=0.0  C start
        k+2   t=1.0  B raises ValueError
        k+5   t=2.0  A end
        k+8   t=3.0  C raises KeyError
        k+10  t=3.0  gather -> ['a', ValueError('B'), KeyError('C')]
    ";
    assert_trace(trace, async {
        let tasks = [
            create_task(sleeper("A", 2.0)),
            create_task(failing("B", 1.0, "ValueError")),
            create_task(failing("C", 3.0, "KeyError")),
        ];
        let results = gather(tasks).return_exceptions().await;
        log!("gather -> {}", list(&results));
    });
}

#[test]
fn a_child_that_is_cancelled_alone_is_a_failure_like_another() {
    // T13
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+2   t=1.0  A cancelled
        k+4   t=1.0  gather raised CancelledError; own cancelling() = 0 B done? false
        k+6   t=3.0  B end
        k+7   t=3.0  B finished normally
        k+8   t=3.0  A start
        k+8   t=3.0  B start
        k+10  t=4.0  A cancelled
        k+13  t=6.0  B end
        k+15  t=6.0  return_exceptions -> ['CancelledError', 'b']
    ";
    assert_trace(trace, async {
        let pair = || {
            [
                create_task(sleeper("A", 3.0)),
                create_task(sleeper("B", 3.0)),
            ]
        };
        let cancel_later = |task: &Task<String>| {
            let first = task.any();
            get_running_loop().call_later(seconds(1.0), move || {
                first.cancel();
            });
        };
        let tasks = pair();
        cancel_later(&tasks[0]);
        let error = error(gather(&tasks).await);
        let me = corio_runtime::current_task().unwrap();
        log!(
            "gather raised {error}; own cancelling() = {} B done? {}",
            me.cancelling(),
            tasks[1].done()
        );
        (&tasks[1]).await.unwrap();
        log!("B finished normally");
        let tasks = pair();
        cancel_later(&tasks[0]);
        let results = gather(tasks).return_exceptions().await;
        log!("return_exceptions -> {}", list(&results));
    });
}

#[test]
fn a_cancelled_gathering_ends_when_its_children_have() {
    // T14
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+2   t=1.0  cancel outer, return_exceptions = false -> true
        k+3   t=1.0  A cancelled
        k+3   t=1.0  B cancelled
        k+5   t=1.0  outer sees CancelledError; children cancelled: [true, true]
        k+6   t=1.0  outer.cancelled() true
        k+7   t=1.0  A start
        k+7   t=1.0  B start
        k+9   t=2.0  cancel outer, return_exceptions = true -> true
        k+10  t=2.0  A cancelled
        k+10  t=2.0  B cancelled
        k+12  t=2.0  outer sees CancelledError; children cancelled: [true, true]
        k+13  t=2.0  outer.cancelled() true
    ";
    assert_trace(trace, async {
        for return_exceptions in [false, true] {
            let tasks = [
                create_task(sleeper("A", 3.0)),
                create_task(sleeper("B", 3.0)),
            ];
            let children = tasks.each_ref().map(Task::any);
            let outer = create_task(async move {
                let _seen = OnDrop::new(move || {
                    let cancelled = children.map(|child| child.cancelled());
                    log!("outer sees CancelledError; children cancelled: {cancelled:?}");
                });
                if return_exceptions {
                    gather(tasks).return_exceptions().await;
                } else {
                    gather(tasks).await.unwrap();
                }
                unreachable!("it is cancelled");
            });
            nap(1.0).await;
            log!(
                "cancel outer, return_exceptions = {return_exceptions} -> {}",
                outer.cancel()
            );
            (&outer).await.unwrap_err();
            log!("outer.cancelled() {}", outer.cancelled());
        }
    });
}

#[test]
fn a_task_may_be_gathered_several_times_and_a_done_gathering_is_not_cancelled() {
    // T15
    let trace = "
        k+0   t=0.0  A start
        k+2   t=1.0  A end
        k+4   t=1.0  gather(t,t,t) -> [\"a\", \"a\", \"a\"]
        k+5   t=1.0  X start
        k+5   t=1.0  Y start
        k+7   t=2.0  X raises ValueError
        k+9   t=2.0  g done; Y cancelled? 0
        k+11  t=4.0  Y end
    ";
    assert_trace(trace, async {
        let task = create_task(sleeper("A", 1.0));
        let values = gather([&task, &task, &task]).await.unwrap();
        log!("gather(t,t,t) -> {values:?}");
        let x = create_task(failing("X", 1.0, "ValueError"));
        let y = create_task(sleeper("Y", 3.0));
        gather([&x, &y]).await.unwrap_err();
        log!("g done; Y cancelled? {}", y.cancelling());
        y.await.unwrap();
    });
}

#[test]
fn wait_returns_by_its_mode() {
    // T16
    let trace = "
        t=0.0  -- AllCompleted
        t=0.0  A start
        t=0.0  B start
        t=0.0  C start
        t=0.0  D start
        t=1.0  B end
        t=2.0  C raises ValueError
        t=3.0  A end
        t=4.0  D end
        t=4.0  done ['A', 'B', 'C', 'D'] pending []
        t=4.0  -- FirstCompleted
        t=4.0  A start
        t=4.0  B start
        t=4.0  C start
        t=4.0  D start
        t=5.0  B end
        t=5.0  done ['B'] pending ['A', 'C', 'D']
        t=6.0  C raises ValueError
        t=7.0  A end
        t=8.0  D end
        t=8.0  -- FirstException
        t=8.0  A start
        t=8.0  B start
        t=8.0  C start
        t=8.0  D start
        t=9.0  B end
        t=10.0 C raises ValueError
        t=10.0 done ['B', 'C'] pending ['A', 'D']
        t=11.0 A end
        t=12.0 D end
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
fn a_cancelled_task_is_no_exception_for_wait() {
    // T17
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
        get_running_loop().call_later(seconds(1.0), move || {
            first.cancel();
        });
        let (done, pending) = wait(&tasks).return_when(ReturnWhen::FirstException).await;
        log!(
            "returned; done {} pending {}",
            names(&done),
            names(&pending)
        );
    });
}

#[test]
fn wait_cancels_nobody() {
    // T18
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+2   t=1.0  A end
        k+5   t=2.0  timeout: done ['A'] pending ['B'] B cancelling 0
        k+7   t=2.0  timeout=0: done ['A'] pending ['B']
        k+10  t=2.0  wait() cancelled; B still running: true
        k+12  t=5.0  B end
        k+13  t=5.0  wait([]) returns
    ";
    assert_trace(trace, async {
        let tasks = Rc::new([
            create_task(sleeper("A", 1.0)).named("A"),
            create_task(sleeper("B", 5.0)).named("B"),
        ]);
        let (done, pending) = wait(&*tasks).timeout(seconds(2.0)).await;
        log!(
            "timeout: done {} pending {} B cancelling {}",
            names(&done),
            names(&pending),
            tasks[1].cancelling()
        );
        let (done, pending) = wait(&*tasks).timeout(Duration::ZERO).await;
        log!(
            "timeout=0: done {} pending {}",
            names(&done),
            names(&pending)
        );
        let shared = tasks.clone();
        let waiter = create_task(async move { drop(wait(&*shared).await) });
        yield_now().await;
        waiter.cancel();
        waiter.await.unwrap_err();
        log!("wait() cancelled; B still running: {}", !tasks[1].done());
        (&tasks[1]).await.unwrap();
        let (done, pending) = wait(Vec::<Task<()>>::new()).await;
        assert!(done.is_empty() && pending.is_empty());
        log!("wait([]) returns");
    });
}

#[test]
fn as_completed_gives_the_ends_as_they_come() {
    // T19
    let trace = "
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
        k+28  t=9.5  order ['A', 'B', 'C']
    ";
    assert_trace(trace, async {
        let mut slots = as_completed([
            create_task(sleeper("A", 3.0)),
            create_task(sleeper("B", 1.0)),
            create_task(failing("C", 2.0, "ValueError")),
        ]);
        for slot in 0..3 {
            match slots.next().await.unwrap().into_result() {
                Ok(value) => log!("slot {slot} -> {value}"),
                failed => log!("slot {slot} raised {}", error(failed)),
            }
        }
        assert!(slots.next().await.is_none());
        log!("-- with timeout 2.5");
        let tasks = [
            create_task(sleeper("A", 4.0)),
            create_task(sleeper("B", 1.0)),
            create_task(sleeper("C", 5.0)),
        ];
        let mut slots = as_completed(&tasks).timeout(seconds(2.5));
        for slot in 0..3 {
            match slots.next().await.unwrap() {
                Ok(task) => log!("slot {slot} -> {}", task.result().unwrap()),
                Err(_) => log!("slot {slot} TimeoutError"),
            }
        }
        nap(4.0).await;
        log!("A and C were not cancelled by the timeout");
        log!("-- same-tick ties: tasks created A,B,C all return at once");
        let mut slots = as_completed(["A", "B", "C"].map(|name| create_task(async move { name })));
        let mut order = Vec::new();
        while let Some(task) = slots.next().await {
            order.push(format!("'{}'", task.into_result().unwrap()));
        }
        log!("order [{}]", order.join(", "));
    });
}

#[test]
fn as_completed_yields_the_handles_that_it_was_given() {
    // T20
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
        let mut slots = as_completed(&tasks);
        while let Some(task) = slots.next().await {
            let same = tasks.iter().any(|other| std::ptr::eq(other, task));
            log!(
                "yielded {} same object {same} done {}",
                task.name(),
                task.done()
            );
            if let failed @ Err(_) = task.await {
                log!("await raises {}", error(failed));
            }
        }
    });
}

#[test]
fn a_shield_keeps_the_inner_task_from_the_cancellation_of_the_outer() {
    // T39
    let trace = "
        k+0   t=1.0  outer cancelled; inner.done false
        k+1   t=1.0  outer gone
        k+3   t=3.0  inner finished
        k+4   t=3.0  inner result 9
        k+8   t=4.0  inner cancelled
        k+10  t=4.0  inner cancelled -> shield CancelledError
    ";
    assert_trace(trace, async {
        let work = || async {
            let interrupted = OnDrop::new(|| log!("inner cancelled"));
            nap(3.0).await;
            interrupted.disarm();
            log!("inner finished");
            9
        };
        let inner = Rc::new(create_task(work()));
        let outer = create_task({
            let inner = inner.clone();
            async move {
                let any = inner.any();
                let _seen = OnDrop::new(move || log!("outer cancelled; inner.done {}", any.done()));
                *shield(&*inner).await.unwrap()
            }
        });
        nap(1.0).await;
        outer.cancel();
        outer.await.unwrap_err();
        log!("outer gone");
        log!("inner result {}", (&*inner).await.unwrap());
        let inner = create_task(work());
        let any = inner.any();
        let shielded = create_task(async move { error(shield(inner).await) });
        nap(1.0).await;
        any.cancel();
        log!("inner cancelled -> shield {}", shielded.await.unwrap());
    });
}

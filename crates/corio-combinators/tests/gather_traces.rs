//! gather runs turn by turn as asyncio's does: the programs and the logs of the traces.

mod support;

use corio_combinators::{gather, shield, wait};
use corio_core::TaskError;
use support::{assert_trace, call_later, create_task, failing, sleep, sleeper};

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

#[test]
fn each_wait_costs_the_turns_of_asyncio() {
    // t06
    let trace = "
        k+0 t=0.0 begin
        k+0 t=0.0 after gather() with no args []
        k+3 t=0.0 after gather of two immediate coroutines ['v', 'v']
        k+6 t=0.0 after wait() of one immediate task 1 0
        k+9 t=0.0 after shield(immediate coroutine) v
    ";
    assert_trace(trace, async {
        let inner = || async { 'v' };
        log!("begin");
        let nothing = gather(Vec::<std::future::Ready<()>>::new()).await.unwrap();
        log!("after gather() with no args {nothing:?}");
        let values = gather([inner(), inner()]).await.unwrap();
        log!("after gather of two immediate coroutines {values:?}");
        let (done, pending) = wait([create_task(inner())]).await;
        log!(
            "after wait() of one immediate task {} {}",
            done.len(),
            pending.len()
        );
        let value = shield(inner()).await.unwrap();
        log!("after shield(immediate coroutine) {value}");
    });
}

#[test]
fn values_come_in_the_order_of_the_arguments() {
    // t10
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
        let sleepers = [sleeper("A", 3.0), sleeper("B", 1.0), sleeper("C", 2.0)];
        let values = gather(sleepers).await.unwrap();
        log!("gather -> {values:?}");
    });
}

#[test]
fn the_first_failure_ends_the_wait_and_the_others_run_on() {
    // t11
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
        match gather(&tasks).await {
            Err(TaskError::Panicked(panic)) => {
                let done: Vec<bool> = tasks.iter().map(|task| task.done()).collect();
                log!("gather raised {} others done? {done:?}", panic.message());
            }
            other => panic!("{other:?}"),
        }
        sleep(4.0).await;
        let [a, _, c] = &tasks;
        log!("later: A {} C {}", a.result().unwrap(), c.result().unwrap());
    });
}

#[test]
fn return_exceptions_collects_every_outcome() {
    // t12
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
fn a_member_cancelled_on_its_own_is_a_failure_and_not_a_cancellation() {
    // t13
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
        let tasks = pair();
        let first = tasks[0].any();
        call_later(1.0, move || first.cancel());
        let result = gather(&tasks).await;
        assert!(matches!(result, Err(TaskError::Cancelled(_))), "{result:?}");
        let current = support::here().scheduler.current_task().unwrap();
        log!(
            "gather raised CancelledError; own cancelling() = {} B done? {}",
            current.cancelling(),
            tasks[1].done()
        );
        (&tasks[1]).await.unwrap();
        log!("B finished normally");
        let tasks = pair();
        let first = tasks[0].any();
        call_later(1.0, move || first.cancel());
        let results = gather(tasks).return_exceptions().await;
        log!("return_exceptions -> {}", list(&results));
    });
}

#[test]
fn cancelling_the_waiter_cancels_the_members_and_goes_on_when_they_have_ended() {
    // t14, with the members given by value, since that is what hands a request on.
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
            let members = [tasks[0].any(), tasks[1].any()];
            let outer = create_task(async move {
                struct Sees([corio_core::AnyTask; 2]);
                impl Drop for Sees {
                    fn drop(&mut self) {
                        let cancelled = self.0.each_ref().map(|task| task.cancelled());
                        log!("outer sees CancelledError; children cancelled: {cancelled:?}");
                    }
                }
                let _sees = Sees(members);
                if return_exceptions {
                    gather(tasks).return_exceptions().await;
                } else {
                    gather(tasks).await.ok();
                }
                panic!("the wait gave a result");
            });
            sleep(1.0).await;
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
fn a_task_may_be_given_three_times_and_a_finished_gather_cannot_be_cancelled() {
    // t15
    let trace = r#"
        k+0   t=0.0  A start
        k+2   t=1.0  A end
        k+4   t=1.0  gather(t,t,t) -> ["a", "a", "a"]
        k+5   t=1.0  X start
        k+5   t=1.0  Y start
        k+7   t=2.0  X raises ValueError
        k+9   t=2.0  g done; g.cancel() -> false ; Y cancelled? 0
        k+11  t=4.0  Y end
    "#;
    assert_trace(trace, async {
        let task = create_task(sleeper("A", 1.0));
        let values = gather([&task, &task, &task]).await.unwrap();
        log!("gather(t,t,t) -> {values:?}");
        let x = create_task(failing("X", 1.0, "ValueError"));
        let y = create_task(sleeper("Y", 3.0));
        let mut both = gather([&x, &y]);
        (&mut both).await.unwrap_err();
        log!(
            "g done; g.cancel() -> {} ; Y cancelled? {}",
            both.cancel(),
            y.cancelling()
        );
        (&y).await.unwrap();
    });
}

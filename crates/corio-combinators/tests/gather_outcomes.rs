//! What a gather gives, when its members end in whatever way.

mod support;

use std::cell::Cell;
use std::future::{Future, pending, ready};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use corio_combinators::{gather, try_gather};
use corio_core::{Task, TaskError};
use support::{Dropped, TestLoop, create_task, here, poll_once, raise, run, sleep, yield_now};

#[derive(Debug, PartialEq)]
enum Oops {
    Own(u32),
    Task(String),
}

impl From<TaskError> for Oops {
    fn from(error: TaskError) -> Oops {
        Oops::Task(error.to_string())
    }
}

async fn after<T>(duration: f64, value: T) -> T {
    sleep(duration).await;
    value
}

#[test]
fn nothing_given_is_ready_at_once_even_without_a_loop() {
    let mut cx = Context::from_waker(Waker::noop());
    let nothing: [std::future::Ready<u32>; 0] = [];
    let Poll::Ready(values) = pin!(gather(nothing)).poll(&mut cx) else {
        panic!("pending")
    };
    assert_eq!(values.unwrap(), []);
    let nothing: [Task<u32>; 0] = [];
    let results = gather(nothing).return_exceptions();
    assert!(matches!(pin!(results).poll(&mut cx), Poll::Ready(list) if list.is_empty()));
    let nothing: [std::future::Ready<Result<u32, Oops>>; 0] = [];
    let values = pin!(try_gather(nothing)).poll(&mut cx);
    assert!(matches!(values, Poll::Ready(Ok(list)) if list.is_empty()));
}

#[test]
fn the_macro_given_nothing_is_ready_at_once_too() {
    let mut cx = Context::from_waker(Waker::noop());
    let values = pin!(corio_combinators::gather!()).poll(&mut cx);
    assert!(matches!(values, Poll::Ready(Ok(()))));
    let outcomes = corio_combinators::gather!().return_exceptions();
    assert!(pin!(outcomes).poll(&mut cx).is_ready());
}

#[test]
fn finished_members_do_not_suspend_the_waiter() {
    run(async {
        let tasks = [create_task(async { 1 }), create_task(async { 2 })];
        yield_now().await;
        assert!(
            matches!(poll_once(&mut gather(&tasks)).await, Poll::Ready(Ok(v)) if v == [&1, &2])
        );
        assert!(matches!(poll_once(&mut gather(tasks)).await, Poll::Ready(Ok(v)) if v == [1, 2]));
    });
}

#[test]
fn a_member_that_had_failed_before_the_call_ends_it_at_once() {
    run(async {
        let failed = create_task(async { raise("early") });
        yield_now().await;
        let slow: Task<()> = create_task(sleep(5.0));
        let result = poll_once(&mut gather([slow, failed])).await;
        assert!(
            matches!(result, Poll::Ready(Err(TaskError::Panicked(p))) if p.message() == "early")
        );
    });
    assert!(here().reports.borrow().is_empty());
}

#[test]
fn return_exceptions_waits_for_all_even_if_one_had_failed_before_the_call() {
    run(async {
        let failed: Task<u32> = create_task(async { raise("early") });
        yield_now().await;
        let results = gather([create_task(after(5.0, 5)), failed])
            .return_exceptions()
            .await;
        assert_eq!(*results[0].as_ref().unwrap(), 5);
        assert!(results[1].as_ref().unwrap_err().is_panic());
        assert_eq!(here().clock.armed(), 0);
    });
    assert!(here().reports.borrow().is_empty());
}

#[test]
fn failures_that_come_after_the_first_are_not_reported() {
    run(async {
        let tasks = [1.0, 2.0, 3.0].map(|time| async move {
            sleep(time).await;
            raise(format!("failure at {time}"))
        });
        let error = gather(tasks).await.map(|_: Vec<()>| ()).unwrap_err();
        assert!(error.to_string().contains("failure at 1"), "{error}");
    });
    assert!(here().reports.borrow().is_empty());
}

#[test]
fn a_failure_that_no_gather_delivered_is_reported_once() {
    run(async {
        let mut gathered = gather([after(2.0, ()), after(1.0, ())].map(|wait| async {
            wait.await;
            raise("lost")
        }));
        assert!(poll_once(&mut gathered).await.is_pending());
        sleep(1.0).await;
        yield_now().await;
        // The failure was counted in the last turn, and nobody has been told yet.
        drop(gathered);
    });
    let reports = here().reports.borrow().clone();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].contains("never retrieved"), "{reports:?}");
}

#[test]
fn an_unawaited_gather_leaves_its_tasks_alone_and_their_failures_are_reported() {
    run(async {
        drop(gather([async { raise("unheard") }]));
        yield_now().await;
    });
    assert_eq!(here().reports.borrow().len(), 1);
}

#[test]
fn futures_become_tasks_at_the_call_when_a_loop_runs() {
    run(async {
        let ran = Rc::new(Cell::new(false));
        let set = ran.clone();
        let gathered = gather([async move { set.set(true) }]);
        assert_eq!(here().scheduler.task_count(), 2);
        yield_now().await;
        assert!(ran.get());
        gathered.await.unwrap();
    });
}

#[test]
fn without_a_loop_futures_become_tasks_at_the_first_poll() {
    let test = TestLoop::new();
    let ran = Rc::new(Cell::new(0));
    let body = || {
        let ran = ran.clone();
        async move { ran.set(ran.get() + 1) }
    };
    let dropped = Dropped::default();
    let guard = dropped.guard();
    drop(gather([async move { drop(guard) }]));
    assert_eq!(
        dropped.count(),
        1,
        "what was captured goes with an unpolled gather"
    );
    let gathered = gather([body(), body()]);
    assert_eq!(test.scheduler.task_count(), 0);
    let main = test.scheduler.create_task(gathered);
    test.settle();
    assert_eq!(ran.get(), 2);
    assert_eq!(main.into_result().unwrap().unwrap(), [(), ()]);
}

#[test]
fn tasks_remember_the_line_of_the_gather_that_made_them() {
    async fn place() -> u32 {
        here().scheduler.current_task().unwrap().site().line()
    }
    let (early, early_line) = (gather([place()]), line!());
    let lines = run(async {
        let (many, line) = (gather([place(), place()]), line!());
        assert_eq!(many.await.unwrap(), [line, line]);
        let (few, line) = (gather!(place(), place()), line!());
        assert_eq!(few.await.unwrap(), (line, line));
        early.await.unwrap()
    });
    assert_eq!(lines, [early_line], "also when no loop ran there");
}

#[test]
fn a_waiting_task_says_that_it_waits_in_a_gather_and_where() {
    run(async {
        let line = line!() + 1;
        let waiter = create_task(async { gather([sleep(1.0)]).await });
        yield_now().await;
        let waiting = waiter.any().waits_for().unwrap();
        assert_eq!((waiting.kind(), waiting.site().line()), ("gather", line));
        waiter.await.unwrap().unwrap();
    });
}

#[test]
fn a_value_that_a_done_callback_may_look_at_leaves_after_the_callback() {
    run(async {
        let seen = Rc::new(Cell::new(0));
        let task = create_task(async { 7 });
        yield_now().await;
        let look = seen.clone();
        task.add_done_callback(move |task| look.set(*task.result().unwrap()));
        let mut gathered = gather([task]);
        assert!(poll_once(&mut gathered).await.is_pending());
        assert_eq!(seen.get(), 0);
        assert_eq!(gathered.await.unwrap(), [7]);
        assert_eq!(seen.get(), 7);
    });
}

#[test]
fn the_same_reference_may_be_given_many_times() {
    run(async {
        let task = create_task(after(1.0, String::from("once")));
        let values = gather([&task; 100]).await.unwrap();
        assert!(values.iter().all(|value| std::ptr::eq(*value, values[0])));
        assert_eq!(values.len(), 100);
    });
}

#[test]
fn a_task_of_another_loop_is_refused() {
    let elsewhere = corio_core::Scheduler::new(|| {});
    let foreign = elsewhere.create_task(pending::<()>());
    let message = run(async move {
        let refused = std::panic::AssertUnwindSafe(|| drop(gather([&foreign])));
        let payload = std::panic::catch_unwind(refused).unwrap_err();
        payload.downcast_ref::<String>().cloned().unwrap()
    });
    assert!(message.contains("another event loop"), "{message}");
    elsewhere.close();
}

#[test]
fn try_gather_ends_with_the_first_error_and_the_rest_runs_on() {
    run(async {
        let late = create_task(async {
            sleep(3.0).await;
            Ok::<u32, Oops>(3)
        });
        let handle = late.any();
        let early = create_task(async {
            sleep(1.0).await;
            Err::<u32, Oops>(Oops::Own(1))
        });
        let later = create_task(async {
            sleep(2.0).await;
            raise("seen by nobody, and that is fine")
        });
        let start = here().clock.armed();
        assert_eq!(try_gather([late, early, later]).await, Err(Oops::Own(1)));
        assert!(start == 0 && !handle.done() && handle.cancelling() == 0);
        sleep(2.5).await;
        assert!(handle.done());
    });
    assert!(here().reports.borrow().is_empty());
}

#[test]
fn try_gather_turns_panics_and_cancellations_into_the_error_type() {
    run(async {
        let failing = || async { raise("broken") };
        let result: Result<Vec<()>, Oops> = try_gather([failing()]).await;
        assert_eq!(result, Err(Oops::Task("panicked: broken".into())));
        let cancelled: Task<Result<(), Oops>> = create_task(pending());
        cancelled.cancel_with("enough");
        let result = try_gather([cancelled]).await;
        assert_eq!(result, Err(Oops::Task("cancelled: enough".into())));
        let kinds: Result<Vec<()>, io::Error> =
            try_gather([ready(Err(io::ErrorKind::NotFound.into()))]).await;
        assert_eq!(kinds.unwrap_err().kind(), io::ErrorKind::NotFound);
    });
    assert!(here().reports.borrow().is_empty());
}

#[test]
fn try_gather_sees_an_error_that_was_there_before_the_call() {
    run(async {
        let failed = create_task(async { Err::<u32, Oops>(Oops::Own(2)) });
        yield_now().await;
        let slow = create_task(after(9.0, Ok(1)));
        let result = poll_once(&mut try_gather([slow, failed])).await;
        assert!(matches!(result, Poll::Ready(Err(Oops::Own(2)))));
    });
}

#[test]
fn try_gather_gives_values_in_the_order_of_the_arguments() {
    run(async {
        let futures = [3.0, 1.0, 2.0].map(|time| after(time, Ok::<f64, Oops>(time)));
        assert_eq!(try_gather(futures).await, Ok(vec![3.0, 1.0, 2.0]));
    });
}

#[test]
fn the_macro_takes_futures_tasks_and_references_of_different_types() {
    run(async {
        let shared = create_task(after(1.0, "shared"));
        let owned = create_task(after(2.0, 'o'));
        let any = owned.any();
        let (number, text, letter, unit) =
            gather!(async { 1u8 }, &shared, owned, any).await.unwrap();
        assert_eq!((number, *text, letter, unit), (1, "shared", 'o', ()));
        let one = gather!(async { 5 }).await.unwrap();
        assert_eq!(one, (5,));
    });
}

#[test]
fn the_macro_takes_twelve() {
    run(async {
        let twelve = gather!(
            ready(0),
            ready(1),
            ready(2),
            ready(3),
            ready(4),
            ready(5),
            ready(6),
            ready(7),
            ready(8),
            ready(9),
            ready(10),
            ready("eleven"),
        );
        let (.., ten, eleven) = twelve.await.unwrap();
        assert_eq!((ten, eleven), (10, "eleven"));
    });
}

#[test]
fn the_macro_ends_with_the_first_failure() {
    run(async {
        let result = gather!(sleep(9.0), async {
            sleep(1.0).await;
            raise("first");
        })
        .await;
        assert!(
            result
                .map(|(a, b): ((), ())| (a, b))
                .unwrap_err()
                .is_panic()
        );
    });
    assert!(here().reports.borrow().is_empty());
}

#[test]
fn the_macro_gives_every_outcome_if_asked() {
    run(async {
        let task = create_task(after(2.0, "late"));
        async fn fails() -> bool {
            raise("on purpose")
        }
        let outcomes = corio_combinators::gather!(after(1.0, 1), fails(), &task, task.any());
        let (number, failed, word, end) = outcomes.return_exceptions().await;
        assert_eq!(number.unwrap(), 1);
        assert!(failed.unwrap_err().is_panic());
        assert_eq!((word.unwrap(), end.unwrap()), (&"late", ()));
    });
}

#[test]
fn debug_names_the_members() {
    run(async {
        let tasks = [
            create_task(async {}).named("left"),
            create_task(async {}).named("right"),
        ];
        let gathered = gather(&tasks);
        let text = format!("{gathered:?}");
        assert!(
            text.contains("name='left'") && text.contains("name='right'"),
            "{text}"
        );
        gathered.await.unwrap();
    });
}

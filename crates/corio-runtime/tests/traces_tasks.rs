//! Names, contexts, late callbacks and shared outcomes of tasks on the loop: the programs and the logs of asyncio's traces.

mod support;

use std::rc::Rc;

use corio_combinators::gather;
use corio_core::TaskError;
use corio_runtime::{
    Runner, all_tasks, context, create_task, current_task, get_running_loop, yield_now,
};
use support::{assert_trace, nap, raise, run};

context! {
    static VARIABLE: i32 = 0;
    static OTHER: String = String::from("unset");
}

#[test]
fn a_context_is_copied_where_a_task_or_callback_is_made() {
    // T70
    let trace = "
        k+0   t=0.0  task sees 1
        k+1   t=0.0  task sees own 2
        k+2   t=0.0  main still 5
        k+2   t=0.0  direct await shares the context: 9
        k+3   t=0.0  call_soon captured 9
        k+3   t=0.0  main 10
    ";
    assert_trace(trace, async {
        VARIABLE.set(1);
        let task = create_task(async {
            log!("task sees {}", VARIABLE.get());
            VARIABLE.set(2);
            yield_now().await;
            log!("task sees own {}", VARIABLE.get());
        });
        VARIABLE.set(5);
        task.await.unwrap();
        log!("main still {}", VARIABLE.get());
        let direct = async {
            VARIABLE.set(9);
        };
        direct.await;
        log!("direct await shares the context: {}", VARIABLE.get());
        get_running_loop().call_soon(|| {
            log!("call_soon captured {}", VARIABLE.get());
            VARIABLE.set(77);
        });
        VARIABLE.set(10);
        yield_now().await;
        log!("main {}", VARIABLE.get());
    });
}

#[test]
fn a_variable_goes_back_by_its_token_and_after_a_scope() {
    run(async {
        let token = VARIABLE.set(3);
        assert_eq!((VARIABLE.get(), OTHER.get()), (3, "unset".into()));
        let inner = VARIABLE.with(4, async {
            assert_eq!(VARIABLE.get(), 4);
            yield_now().await;
            VARIABLE.set(5);
            yield_now().await;
            VARIABLE.get()
        });
        let watcher = create_task(async { VARIABLE.get() });
        assert_eq!(inner.await, 5);
        assert_eq!(VARIABLE.get(), 3, "the scope is over");
        assert_eq!(watcher.await.unwrap(), 3);
        VARIABLE.reset(token);
        assert_eq!(VARIABLE.get(), 0);
        let other = OTHER.set("set".into());
        OTHER.reset(other);
        assert_eq!(OTHER.get(), "unset");
    });
}

#[test]
fn a_scope_whose_future_panics_puts_the_value_back() {
    run(async {
        VARIABLE.set(1);
        let task = create_task(async {
            let scope = VARIABLE.with(2, async { raise("inside") });
            scope.await
        });
        assert!(task.await.unwrap_err().is_panic());
        assert_eq!(VARIABLE.get(), 1);
    });
}

#[test]
fn variables_work_outside_of_any_loop_and_stay_there() {
    std::thread::spawn(|| {
        assert_eq!(VARIABLE.get(), 0);
        let token = VARIABLE.set(1);
        assert_eq!(VARIABLE.get(), 1);
        let mut runner = Runner::builder().virtual_clock().build().unwrap();
        assert_eq!(runner.run(async { VARIABLE.get() }).unwrap(), 0);
        assert_eq!(VARIABLE.get(), 1);
        VARIABLE.reset(token);
        assert_eq!(VARIABLE.get(), 0);
    })
    .join()
    .unwrap();
}

#[test]
fn names_lists_and_the_current_task() {
    // T74
    let trace = "
        k+0   t=0.0  auto names Task-2 Task-3
        k+0   t=0.0  set_name(5) -> \"5\"
        k+0   t=0.0  all_tasks counts unfinished incl. self 3
        k+4   t=0.0  after 1
        k+5   t=0.0  current_task inside a plain callback: None
        k+6   t=0.0  await on itself -> task 'me' cannot await itself
    ";
    assert_trace(trace, async {
        let (a, b) = (create_task(yield_now()), create_task(yield_now()));
        log!("auto names {} {}", a.name(), b.name());
        a.set_name("5");
        log!("set_name(5) -> {:?}", a.name());
        log!(
            "all_tasks counts unfinished incl. self {}",
            all_tasks().len()
        );
        gather([a, b]).await.unwrap();
        log!("after {}", all_tasks().len());
        assert_eq!(current_task().unwrap().name(), "Task-1");
        get_running_loop().call_soon(|| {
            log!("current_task inside a plain callback: {:?}", current_task());
        });
        yield_now().await;
        let mine = create_task(async { current_task().unwrap().await }).named("me");
        let Err(TaskError::Panicked(panic)) = mine.await else {
            panic!("it awaited itself")
        };
        log!("await on itself -> {}", panic.message());
    });
}

#[test]
fn late_callbacks_run_one_turn_later_and_waiters_in_their_order() {
    // T75
    let trace = "
        k+0   t=0.0  callbacks added on a finished task run one tick later
        k+4   t=1.0  still same tick
        k+5   t=1.0  late callback
        k+9   t=2.0  first
        k+9   t=2.0  second
        k+9   t=2.0  awaiter woke after earlier-registered callbacks 1
    ";
    assert_trace(trace, async {
        let work = || async {
            nap(1.0).await;
            1
        };
        let task = create_task(work());
        log!("callbacks added on a finished task run one tick later");
        (&task).await.unwrap();
        task.add_done_callback(|_| log!("late callback"));
        log!("still same tick");
        yield_now().await;
        let second = create_task(work());
        second.add_done_callback(|_| log!("first"));
        second.add_done_callback(|_| log!("second"));
        let value = (&second).await.unwrap();
        log!("awaiter woke after earlier-registered callbacks {value}");
    });
}

#[test]
fn one_task_is_awaited_by_many() {
    // T76
    let trace = "
        k+0   t=1.0  A got v
        k+0   t=1.0  B got v
        k+0   t=1.0  C got v
        k+6   t=2.0  A got ValueError
        k+6   t=2.0  B got ValueError
        k+8   t=2.0  same exception object to every awaiter: true
    ";
    assert_trace(trace, async {
        let task = Rc::new(create_task(async {
            nap(1.0).await;
            "v"
        }));
        let reader = |name: &'static str| {
            let task = task.clone();
            async move { log!("{name} got {}", (&*task).await.unwrap()) }
        };
        gather(["A", "B", "C"].map(reader)).await.unwrap();
        let bad = Rc::new(create_task(async {
            nap(1.0).await;
            raise("ValueError")
        }));
        let reader = |name: &'static str| {
            let bad = bad.clone();
            async move {
                match (&*bad).await {
                    Err(TaskError::Panicked(panic)) => {
                        log!("{name} got {}", panic.message());
                        panic
                    }
                    other => panic!("{other:?}"),
                }
            }
        };
        let panics = gather(["A", "B"].map(reader)).await.unwrap();
        let same = std::ptr::eq(panics[0].message(), panics[1].message());
        log!("same exception object to every awaiter: {same}");
    });
}

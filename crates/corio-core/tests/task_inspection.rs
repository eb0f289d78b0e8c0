//! Names, states, lists, contexts, and the text that a task is shown as.

mod support;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use corio_core::waiting::{self, WaitKind};
use corio_core::{AnyTask, ContextMap, Handle, Scheduler, TaskState, current_context};
use support::{Bed, Drops, Log, OnDrop, forever, raise, yield_now};

static NAP: WaitKind = WaitKind::new("nap");

/// A leaf that notes where it was made.
#[track_caller]
fn nap() -> impl Future<Output = ()> {
    let site = std::panic::Location::caller();
    poll_fn(move |_| {
        waiting::note(&NAP, site);
        Poll::Pending
    })
}

async fn do_work() {
    nap().await;
}

const NAP_LINE: u32 = line!() - 3;

#[test]
fn a_task_shows_its_state_name_code_place_wait_and_callbacks() {
    let bed = Bed::new();
    let file = file!();
    let task = bed.scheduler.create_task(do_work());
    let line = line!() - 1;
    let shown = |state: &str, rest: &str| {
        format!("<Task {state} name='Task-1' coro=task_inspection::do_work at {file}:{line}{rest}>")
    };
    assert_eq!(format!("{task:?}"), shown("pending", ""));
    bed.settle();
    let wait = format!(" wait_for=nap at {file}:{NAP_LINE}");
    assert_eq!(format!("{task:?}"), shown("pending", &wait));
    task.add_done_callback(|_| ());
    task.add_done_callback(|_| ());
    let callbacks = format!("{wait} cb=[{file}:{}, {file}:{}]", line!() - 2, line!() - 1);
    assert_eq!(format!("{task:?}"), shown("pending", &callbacks));
    assert_eq!(format!("{:?}", task.any()), shown("pending", &callbacks));
    let watch = format!("Watch({})", shown("pending", &callbacks));
    assert_eq!(format!("{:?}", task.watch()), watch);
    task.cancel();
    assert_eq!(format!("{task:?}"), shown("cancelling", &callbacks));
    bed.settle();
    assert_eq!(format!("{task:?}"), shown("cancelled", ""));
    let wait = format!("OwnedWait(Some({}))", shown("cancelled", ""));
    assert_eq!(format!("{:?}", task.into_future()), wait);
}

#[test]
fn a_task_shows_how_it_ended() {
    let bed = Bed::new();
    let value = bed.scheduler.create_task(async {});
    let panic = bed.scheduler.create_task(async { raise("why") });
    bed.settle();
    assert!(format!("{value:?}").starts_with("<Task finished name='Task-1' coro="));
    let shown = format!("{panic:?}");
    assert!(shown.starts_with("<Task finished name='Task-2'"), "{shown}");
    assert!(shown.ends_with(" exception=\"why\">"), "{shown}");
    panic.result().unwrap_err();
}

#[test]
fn what_an_async_function_makes_is_shown_by_its_path() {
    async fn outer(scheduler: Scheduler) -> [String; 3] {
        async fn inner() {}
        [
            format!("{:?}", scheduler.create_task(inner())),
            format!("{:?}", scheduler.create_task(Box::pin(async {}))),
            format!("{:?}", scheduler.call_soon(|| ())),
        ]
    }
    let bed = Bed::new();
    let task = bed.scheduler.create_task(outer(bed.scheduler.clone()));
    let path = "task_inspection::what_an_async_function_makes_is_shown_by_its_path::outer";
    let shown = format!("{task:?}");
    assert!(shown.contains(&format!(" coro={path} at ")), "{shown}");
    bed.settle();
    let shown = task.into_result().unwrap();
    let nested = format!(" coro={path}::inner at ");
    assert!(shown[0].contains(&nested), "{}", shown[0]);
    let boxed = format!("Box<{path}>> at ");
    assert!(shown[1].contains(&boxed), "{}", shown[1]);
    let callback = format!("<Handle {path} at ");
    assert!(shown[2].starts_with(&callback), "{}", shown[2]);
}

#[test]
fn names_of_the_standard_library_are_shown_without_their_modules() {
    type Boxed = Pin<Box<dyn Future<Output = Result<String, AnyTask>>>>;
    let bed = Bed::new();
    let boxed: Boxed = Box::pin(std::future::pending());
    let shown = format!("{:?}", bed.scheduler.create_task(boxed));
    let short =
        " coro=Pin<Box<dyn Future<Output = Result<String, corio_core::task::AnyTask>>>> at ";
    assert!(shown.contains(short), "{shown}");
}

/// In every state, also from inside of callbacks and destructors.
#[test]
fn a_task_can_be_shown_from_everywhere() {
    let bed = Bed::new();
    let log = Log::new();
    let me = Rc::new(RefCell::new(None::<AnyTask>));
    let show = {
        let (log, me) = (log.clone(), me.clone());
        move |from: &str| {
            let text = format!("{:?}", me.borrow().as_ref().unwrap());
            let state = text.split_whitespace().nth(1).unwrap().to_owned();
            log.add(format!("{from}: {state}"));
        }
    };
    let guard = OnDrop::new({
        let show = show.clone();
        move || show("future dropped")
    });
    let value = OnDrop::new({
        let show = show.clone();
        move || show("value dropped")
    });
    let mut steps = 0;
    let mut value = Some(value);
    let task = bed.scheduler.create_task({
        let show = show.clone();
        poll_fn(move |cx| {
            let _held = &guard;
            steps += 1;
            show("poll");
            if steps == 2 {
                return Poll::Ready(value.take());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    });
    *me.borrow_mut() = Some(task.any());
    task.add_done_callback({
        let show = show.clone();
        move |_| show("callback")
    });
    show("before");
    bed.turn();
    show("between");
    bed.settle();
    show("after");
    drop(task);
    me.take();
    assert_eq!(
        log.take(),
        [
            "before: pending",
            "poll: running",
            "between: pending",
            "poll: running",
            "future dropped: running",
            "callback: finished",
            "after: finished",
            "value dropped: finished",
        ]
    );
}

#[test]
fn callbacks_and_the_loop_can_be_shown() {
    let bed = Bed::new();
    let handle: Handle = bed.scheduler.call_soon(|| ());
    let line = line!() - 1;
    let shown = format!("{handle:?}");
    assert!(
        shown.starts_with("<Handle task_inspection::callbacks_and"),
        "{shown}"
    );
    assert!(shown.ends_with(&format!("{}:{line}>", file!())), "{shown}");
    assert_eq!(bed.scheduler.describe_next(), Some(shown));
    handle.cancel();
    assert!(format!("{handle:?}").starts_with("<Handle cancelled "));
    let loop_shown = format!("{:?}", bed.scheduler);
    assert!(
        loop_shown.contains("ready: 1") && loop_shown.contains("tasks: 0"),
        "{loop_shown}"
    );
    bed.settle();
    assert_eq!(bed.scheduler.describe_next(), None);
}

#[test]
fn names_are_numbers_until_they_are_given() {
    let bed = Bed::new();
    let (first, second) = (
        bed.scheduler.create_task(forever()),
        bed.scheduler.create_task(forever()),
    );
    assert_eq!(
        (first.name(), second.name()),
        ("Task-1".into(), "Task-2".into())
    );
    first.set_name("5");
    assert_eq!(first.any().name(), "5");
    first.any().set_name(String::from("renamed"));
    assert_eq!(first.name(), "renamed");
    assert_eq!(second.id().to_string(), "2");
    bed.scheduler.close();
    assert_eq!(first.name(), "renamed", "a name lives as long as the task");
}

#[test]
fn the_list_has_the_unfinished_tasks_in_the_order_of_creation() {
    let bed = Bed::new();
    let quick = bed.scheduler.create_task(async {});
    let slow: Vec<_> = (0..5)
        .map(|_| bed.scheduler.create_task(forever()))
        .collect();
    bed.settle();
    let late = bed.scheduler.create_task(forever());
    let ids = |tasks: &[AnyTask]| tasks.iter().map(|task| task.id().get()).collect::<Vec<_>>();
    assert_eq!(ids(&bed.scheduler.all_tasks()), [2, 3, 4, 5, 6, 7]);
    slow[1].cancel();
    assert_eq!(bed.scheduler.task_count(), 6, "asked, and still there");
    bed.settle();
    assert_eq!(ids(&bed.scheduler.all_tasks()), [2, 4, 5, 6, 7]);
    assert_eq!(bed.scheduler.find_task(late.id()), Some(late.any()));
    assert_eq!(bed.scheduler.find_task(quick.id()), None);
    assert_eq!(slow[0].any(), slow[0].any());
    assert_ne!(slow[0].any(), slow[2].any());
}

#[test]
fn a_wait_is_on_record_only_while_the_task_waits_there() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async {
        assert!(
            corio_core::Scheduler::current()
                .unwrap()
                .current_task()
                .unwrap()
                .waits_for()
                .is_none()
        );
        yield_now().await;
        nap().await;
    });
    let any = task.any();
    assert!(any.waits_for().is_none(), "before its first step");
    bed.turn();
    assert!(any.waits_for().is_none(), "a leaf that notes nothing");
    bed.settle();
    let waiting = any.waits_for().unwrap();
    assert_eq!(waiting.kind(), "nap");
    assert!(waiting.site().file().ends_with("task_inspection.rs"));
    let outer = bed.scheduler.create_task(async move { task.await });
    let line = line!() - 1;
    bed.settle();
    let waiting = outer.any().waits_for().unwrap();
    assert_eq!((waiting.kind(), waiting.site().line()), ("task", line));
    any.cancel();
    bed.settle();
    assert!(any.waits_for().is_none(), "after its end");
    assert_eq!(outer.state(), TaskState::Done);
}

fn context(value: &'static str) -> Option<ContextMap> {
    Some(Arc::new(value))
}

fn seen() -> &'static str {
    current_context().map_or("none", |map| map.downcast_ref::<&str>().unwrap())
}

#[test]
fn tasks_and_callbacks_carry_the_context_of_their_creation() {
    let bed = Bed::new();
    let log = Log::new();
    let see = |name: &str| {
        let (log, name) = (log.clone(), name.to_owned());
        move || log.add(format!("{name} {}", seen()))
    };
    bed.scheduler.set_context(context("one"));
    let task = bed.scheduler.create_task({
        let (first, second, scheduler) = (see("task"), see("task again"), bed.scheduler.clone());
        async move {
            first();
            scheduler.set_context(context("own"));
            yield_now().await;
            second();
        }
    });
    bed.scheduler.call_soon(see("callback"));
    task.add_done_callback({
        let see = see("done callback");
        move |_| see()
    });
    let promise = bed.scheduler.create_promise::<()>();
    promise.add_done_callback({
        let see = see("promise callback");
        move |_| see()
    });
    bed.scheduler.set_context(context("two"));
    bed.scheduler.call_soon({
        let (see, scheduler) = (see("second callback"), bed.scheduler.clone());
        move || {
            see();
            scheduler.set_context(context("lost"));
        }
    });
    bed.scheduler.set_context(None);
    bed.scheduler.call_soon(see("bare callback"));
    promise.set_result(()).unwrap();
    bed.settle();
    assert_eq!(
        log.take(),
        [
            "task one",
            "callback one",
            "second callback two",
            "bare callback none",
            "promise callback one",
            "task again own",
            "done callback one",
        ]
    );
    assert!(bed.scheduler.context().is_none());
    let own = task.any().context().unwrap();
    assert_eq!(own.downcast_ref::<&str>(), Some(&"own"));
}

#[test]
fn a_child_inherits_and_the_parent_does_not() {
    let bed = Bed::new();
    let log = Log::new();
    let parent = bed.scheduler.create_task({
        let (log, scheduler) = (log.clone(), bed.scheduler.clone());
        async move {
            scheduler.set_context(context("parent"));
            let child = scheduler.create_task({
                let (log, scheduler) = (log.clone(), scheduler.clone());
                async move {
                    log.add(format!("child {}", seen()));
                    scheduler.set_context(context("child"));
                    yield_now().await;
                    log.add(format!("child {}", seen()));
                }
            });
            scheduler.set_context(context("changed"));
            child.await.unwrap();
            log.add(format!("parent {}", seen()));
        }
    });
    bed.settle();
    parent.result().unwrap();
    assert_eq!(
        log.take(),
        ["child parent", "child child", "parent changed"]
    );
}

#[test]
fn destructors_and_reports_of_a_task_run_in_its_context() {
    let bed = Bed::new();
    let log = Log::new();
    bed.scheduler.set_reporter(Some(Rc::new({
        let log = log.clone();
        move |_: &corio_core::Report| log.add(format!("report {}", seen()))
    })));
    bed.scheduler.set_context(context("task"));
    let task = bed.scheduler.create_task({
        let guard = OnDrop::new({
            let log = log.clone();
            move || log.add(format!("dropped {}", seen()))
        });
        async move {
            let _guard = guard;
            forever().await;
        }
    });
    drop(bed.scheduler.create_task(async { raise("lost") }));
    bed.scheduler.set_context(context("outside"));
    bed.settle();
    task.cancel();
    bed.settle();
    assert_eq!(log.take(), ["report task", "dropped task"]);
    assert_eq!(
        bed.scheduler.context().unwrap().downcast_ref::<&str>(),
        Some(&"outside")
    );
}

#[test]
fn a_context_is_dropped_with_the_last_who_carries_it() {
    struct Held(Arc<()>);
    let bed = Bed::new();
    let alive = Arc::new(());
    bed.scheduler
        .set_context(Some(Arc::new(Held(alive.clone()))));
    let task = bed.scheduler.create_task(forever());
    bed.scheduler.call_soon(|| ());
    bed.scheduler.set_context(None);
    assert_eq!(Arc::strong_count(&alive), 2);
    bed.settle();
    task.cancel();
    bed.settle();
    assert_eq!(Arc::strong_count(&alive), 2, "the task may be asked for it");
    drop(task);
    assert_eq!(Arc::strong_count(&alive), 1);
    drop(Held(alive).0);
}

#[test]
fn leaked_handles_waits_and_promises_harm_nobody_else() {
    let bed = Bed::new();
    let drops = Drops::new();
    let guard = drops.guard();
    let task = bed.scheduler.create_task(async move {
        yield_now().await;
        drop(guard);
        1
    });
    let other = bed.scheduler.create_task({
        let any = task.any();
        async move { any.await }
    });
    let mut wait = task.into_future();
    let (_, waker) = support::Count::new();
    assert!(support::poll_with(&mut wait, &waker).is_pending());
    // Never dropped as far as the loop knows, only so late that nobody calls it a leak of the test.
    let leaked_wait = std::mem::ManuallyDrop::new(wait);
    let promise = bed.scheduler.create_promise::<i32>();
    let mut of_promise = promise.clone().into_future();
    assert!(support::poll_with(&mut of_promise, &waker).is_pending());
    let leaked_place = std::mem::ManuallyDrop::new(of_promise);
    promise.set_result(1).unwrap();
    bed.settle();
    assert_eq!(drops.count(), 1);
    other.into_result().unwrap().unwrap();
    drop(bed);
    drop(std::mem::ManuallyDrop::into_inner(leaked_wait));
    drop(std::mem::ManuallyDrop::into_inner(leaked_place));
}

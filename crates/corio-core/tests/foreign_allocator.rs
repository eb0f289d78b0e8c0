//! An allocator that comes back into the scheduler which asks it for memory: it finds nothing borrowed.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::RangeInclusive;
use std::rc::Rc;

use corio_core::{Scheduler, Task};

thread_local! {
    /// What is called by the allocator for memory of so many bytes.
    static HOOK: Cell<Option<Hook>> = const { Cell::new(None) };
    static SCHEDULER: Cell<Option<Scheduler>> = const { Cell::new(None) };
    static TASKS: Cell<Vec<Task<()>>> = const { Cell::new(Vec::new()) };
}

type Sizes = RangeInclusive<usize>;
type Hook = (fn(), Sizes);

const ANY: Sizes = 0..=usize::MAX;
/// Of the first buffer that the ready queue has.
const BUFFER: Sizes = 2048..=2048;

struct ComesBack;

// SAFETY: memory is that of the system. The hook does not unwind.
unsafe impl GlobalAlloc for ComesBack {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        come_back(layout);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        come_back(layout);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: ComesBack = ComesBack;

fn come_back(layout: Layout) {
    let _ = HOOK.try_with(|hook| {
        if let Some((call, sizes)) = hook.take() {
            if sizes.contains(&layout.size()) {
                call();
            }
            hook.set(Some((call, sizes)));
        }
    });
}

fn with_scheduler<R>(body: impl FnOnce(&Scheduler) -> R) -> Option<R> {
    SCHEDULER.with(|place| {
        let scheduler = place.take()?;
        let result = body(&scheduler);
        place.set(Some(scheduler));
        Some(result)
    })
}

fn spawn() {
    with_scheduler(|scheduler| {
        let mut tasks = TASKS.take();
        tasks.push(scheduler.create_task(async {}));
        TASKS.set(tasks);
    });
}

/// Runs `body` with an allocator that spawns a task whenever it is asked for memory of these sizes or gets it back, and many at first.
fn hooked<R>(sizes: Sizes, body: impl FnOnce(&Scheduler) -> R) -> R {
    let scheduler = Scheduler::new(|| {});
    SCHEDULER.set(Some(scheduler.clone()));
    let hook = || {
        let count = with_scheduler(Scheduler::task_count).unwrap_or(0);
        let more = if count < 2_000 { 500 } else { 1 };
        for _ in 0..more {
            spawn();
        }
    };
    HOOK.set(Some((hook, sizes)));
    let result = body(&scheduler);
    HOOK.set(None);
    while scheduler.ready() > 0 {
        scheduler.run(usize::MAX);
    }
    assert_eq!(scheduler.task_count(), 0);
    let tasks = TASKS.take();
    assert!(tasks.iter().all(Task::done));
    SCHEDULER.set(None);
    scheduler.close();
    result
}

#[test]
fn an_allocator_may_spawn_tasks_while_room_is_made_for_one() {
    hooked(ANY, |scheduler| {
        for _ in 0..200 {
            drop(scheduler.create_task(async {}));
        }
    });
}

#[test]
fn an_allocator_may_spawn_tasks_while_the_queue_gets_a_buffer_and_gives_it_back() {
    hooked(BUFFER, |scheduler| drop(scheduler.create_task(async {})));
}

#[test]
fn an_allocator_may_spawn_tasks_while_there_is_a_new_chunk_of_memory_for_them() {
    hooked(0..=64, |scheduler| {
        for _ in 0..2_000 {
            drop(scheduler.create_task(async {}));
        }
    });
}

#[test]
fn an_allocator_may_spawn_tasks_while_the_tasks_are_listed() {
    let (listed, at_least) = hooked(ANY, |scheduler| {
        let at_least = scheduler.task_count();
        let held = Rc::new(scheduler.all_tasks());
        (held.len(), at_least)
    });
    assert!(listed >= at_least);
}

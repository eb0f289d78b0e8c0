//! What each word of a program does at the things that tasks share.

use std::rc::Rc;

use corio_core::TaskError;
use corio_sync::queue::{Order, OrderedQueue};

use super::op::Op;
use super::words::run;
use super::world::{Done, World, current};

pub async fn step_shared(world: &Rc<World>, kind: &str, args: &[Op]) -> Done {
    match kind {
        "lock" => {
            let guard = world.locks[args[0].index()].acquire().await;
            world.log(format!("locked {}", args[0].word()));
            run(world, &args[1]).await?;
            drop(guard);
        }
        "permit" => {
            let permit = world.semaphore.acquire().await;
            world.log("admitted");
            run(world, &args[0]).await?;
            drop(permit);
        }
        "event" => {
            world.events[args[0].index()].wait().await;
            world.log(format!("event {}", args[0].word()));
        }
        "put" | "get" | "take" | "join" => match args[0].index() {
            2 => step_queue(world, &world.smallest, kind, args).await,
            3 => step_queue(world, &world.newest, kind, args).await,
            index => step_queue(world, &world.queues[index], kind, args).await,
        },
        "promise" => {
            let outcome: Result<(), TaskError> =
                (&world.promise(args[0].index())).await.map(|_| ());
            world.alone(outcome.map(Ok))?;
            world.log(format!("promise {}", args[0].word()));
        }
        "barrier" => {
            let passed = world.barrier.wait().await;
            world.log(if passed.is_ok() { "passed" } else { "broken" });
        }
        "abort" => {
            world.barrier.abort();
            world.log("aborts");
        }
        "reset" => {
            world.barrier.reset();
            world.log("resets");
        }
        "await_change" => {
            let mut guard = world.condition_lock.acquire().await;
            world.condition.wait(&mut guard).await;
            world.log("changed");
        }
        "await_until" => {
            let mut guard = world.condition_lock.acquire().await;
            let event = &world.events[args[0].index()];
            let changed = world.condition.wait_for(&mut guard, |()| event.is_set());
            changed.await;
            world.log("changed");
        }
        "callback" => {
            let (told, name) = (world.clone(), current().name());
            let index = args[0].index();
            let promise = world.promise(index);
            let id = promise.add_done_callback(move |_| told.note(name, format!("called {index}")));
            world.callbacks.borrow_mut().push((promise, id));
        }
        "uncallback" => {
            let last = world.callbacks.borrow_mut().pop();
            if let Some((promise, id)) = last {
                let removed = promise.remove_done_callback(id);
                world.log(if removed { "removed" } else { "not there" });
            }
        }
        "notify" => {
            let guard = world.condition_lock.acquire().await;
            world.condition.notify(args[0].index());
            world.log(format!("notified {}", args[0].word()));
            run(world, &args[1]).await?;
            drop(guard);
        }
        other => panic!("{other}?"),
    }
    Ok(())
}

async fn step_queue<O: Order<String>>(
    world: &World,
    queue: &OrderedQueue<String, O>,
    kind: &str,
    args: &[Op],
) {
    let number = args[0].word();
    match kind {
        "put" => {
            let put = queue.put(current().name()).await;
            let how = if put.is_ok() { "put" } else { "shut down" };
            world.log(format!("{how} {number}"));
        }
        "get" => match queue.get().await {
            Ok(item) => {
                world.log(format!("got {number} {item}"));
                queue.task_done();
            }
            Err(_) => world.log(format!("shut down {number}")),
        },
        "take" => match queue.get().await {
            Ok(item) => world.log(format!("took {number} {item}")),
            Err(_) => world.log(format!("shut down {number}")),
        },
        _ => {
            queue.join().await;
            world.log(format!("joined {number}"));
        }
    }
}

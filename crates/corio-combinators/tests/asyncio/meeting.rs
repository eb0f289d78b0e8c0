//! What each word of a program does at the things that tasks share.

use std::rc::Rc;

use corio_core::TaskError;
use corio_sync::queue::{Order, OrderedQueue};

use super::op::Op;
use super::words::run;
use super::world::{Done, World, current};
use crate::support::{call_later, here};

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
        "put" | "get" | "join" => match args[0].index() {
            2 => step_queue(world, &world.smallest, kind, args).await,
            3 => step_queue(world, &world.newest, kind, args).await,
            index => step_queue(world, &world.queues[index], kind, args).await,
        },
        "promise" => {
            let outcome: Result<(), TaskError> =
                (&world.promises[args[0].index()]).await.map(|_| ());
            world.alone(outcome.map(Ok))?;
            world.log(format!("promise {}", args[0].word()));
        }
        "barrier" => {
            world.barrier.wait().await.expect("nobody breaks it");
            world.log("passed");
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
            let id = world.promises[index]
                .add_done_callback(move |_| told.note(name, format!("called {index}")));
            world.callbacks.borrow_mut().push((index, id));
        }
        "uncallback" => {
            let last = world.callbacks.borrow_mut().pop();
            if let Some((index, id)) = last {
                let removed = world.promises[index].remove_done_callback(id);
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
        "now" => world.log(format!("now {}", call(world, args))),
        "soon" => call_soon(world, args),
        "later" => {
            let (world, args, name) = (world.clone(), args.to_vec(), current().name());
            call_later(args[0].number(), move || {
                let word = format!("later {}", call(&world, &args[1..]));
                world.note(name, word);
            });
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
        _ => {
            queue.join().await;
            world.log(format!("joined {number}"));
        }
    }
}

fn call_soon(world: &Rc<World>, args: &[Op]) {
    let (world, args, name) = (world.clone(), args.to_vec(), current().name());
    here().scheduler.call_soon(move || {
        let word = format!("soon {}", call(&world, &args));
        world.note(name, word);
    });
}

/// What may be done without awaiting anything.
fn call(world: &Rc<World>, args: &[Op]) -> String {
    let (what, number) = (args[0].word(), args[1].index());
    match what {
        "set" => world.events[number].set(),
        "clear" => world.events[number].clear(),
        "resolve" => drop(world.promises[number].set_result(())),
        "reject" => drop(world.promises[number].cancel()),
        "shutdown" => world.queues[number].shutdown(false),
        "discard" => world.queues[number].shutdown(true),
        "offer" => {
            if world.queues[number].put_nowait("offer".into()).is_err() {
                return "refused".into();
            }
        }
        "admit" => world.semaphore.release(1),
        "ask" => {
            let asked = world.task(&args[1]).cancel();
            return format!("ask {}", if asked { "True" } else { "False" });
        }
        other => panic!("{other}?"),
    }
    what.into()
}

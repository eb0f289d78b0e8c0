//! What each word of a program does at the things that tasks share.

use std::rc::Rc;

use corio_core::TaskError;

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
        "put" => {
            let put = world.queues[args[0].index()].put(current().name()).await;
            let how = if put.is_ok() { "put" } else { "shut down" };
            world.log(format!("{how} {}", args[0].word()));
        }
        "get" => {
            let queue = &world.queues[args[0].index()];
            match queue.get().await {
                Ok(item) => {
                    world.log(format!("got {} {item}", args[0].word()));
                    queue.task_done();
                }
                Err(_) => world.log(format!("shut down {}", args[0].word())),
            }
        }
        "join" => {
            world.queues[args[0].index()].join().await;
            world.log(format!("joined {}", args[0].word()));
        }
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
        "ask" => {
            let asked = world.task(&args[1]).cancel();
            return format!("ask {}", if asked { "True" } else { "False" });
        }
        other => panic!("{other}?"),
    }
    what.into()
}

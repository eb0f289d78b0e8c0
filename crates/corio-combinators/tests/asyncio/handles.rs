//! What each word of a program does with tasks that others hold, too.

use std::rc::Rc;

use corio_combinators::{
    CancelScope, ReturnWhen, as_completed, catch_cancel, gather, shield, try_gather, try_wait,
};
use corio_core::Task;

use super::op::Op;
use super::words::{mode, run};
use super::world::{Done, Fail, World, current};
use crate::support::{here, now, seconds};

pub async fn step_handles(world: &Rc<World>, kind: &str, args: &[Op]) -> Option<Done> {
    match kind {
        "share" => {
            let task = Rc::new(world.create(&args[0]));
            world.shared.borrow_mut().push(task);
        }
        "hand" => {
            let task = world.create(&args[0]);
            world.handed.borrow_mut().push(Some(task));
        }
        "see" => {
            let tasks = picked(world, args);
            if let Some(task) = tasks.first() {
                let seen = (&**task).await.map(|_| Ok(()));
                if let Err(fail) = world.alone(seen) {
                    return Some(Err(fail));
                }
                world.log(format!("saw {}", world.ending(&task.any())));
            }
        }
        "seeshield" => {
            let tasks = picked(world, args);
            if let Some(task) = tasks.first() {
                let seen = shield(&**task).await.map(|_| Ok(()));
                if let Err(fail) = world.alone(seen) {
                    return Some(Err(fail));
                }
                world.log(format!("saw {}", world.ending(&task.any())));
            }
        }
        "seeall" => {
            let tasks = picked(world, args);
            // The first one twice.
            let again = tasks.iter().chain(tasks.first()).map(|task| &**task);
            let outcomes = gather(again).return_exceptions().await;
            let listed: Vec<_> = tasks.iter().map(|task| task.any()).collect();
            assert_eq!(
                outcomes.len(),
                listed.len() + usize::from(!listed.is_empty())
            );
            world.log(format!("saw all{}", world.endings(&listed)));
        }
        "seewait" => {
            let tasks = picked(world, &args[2..]);
            let wait = try_wait(tasks.iter().map(|task| &**task));
            let wait = wait.timeout(seconds(args[0].number()));
            let (done, pending) = wait.return_when(mode(&args[1])).await;
            world.log(format!("waited {} {}", done.len(), pending.len()));
        }
        "seesome" => {
            let tasks = picked(world, &args[1..]);
            let mut ended = as_completed(tasks.iter().map(|task| &**task));
            for _ in 0..args[0].index() {
                let Some(task) = ended.next().await else {
                    break;
                };
                let ending = world.ending(&task.any());
                world.log(format!("next {} {ending}", task.name()));
            }
            world.log("saw some");
        }
        "some" => {
            let tasks: Vec<_> = args[1..].iter().map(|op| world.create(op)).collect();
            let mut ended = as_completed(tasks);
            for _ in 0..args[0].index() {
                let Some(task) = ended.next().await else {
                    break;
                };
                let ending = world.ending(&task.any());
                world.log(format!("next {} {ending}", task.name()));
            }
            drop(ended);
            world.log("some");
        }
        "own" => {
            if let Some(task) = taken(world, args).pop() {
                if let Err(fail) = world.alone(task.await) {
                    return Some(Err(fail));
                }
                world.log("owned");
            }
        }
        "ownall" => {
            let tasks = taken(world, args);
            let done = match try_gather(tasks).await {
                Ok(_) => Ok(()),
                Err(Fail::Task(error)) => world.alone(Err(error)),
                Err(fail) => Err(fail),
            };
            if let Err(fail) = done {
                return Some(Err(fail));
            }
            world.log("owned all");
        }
        "ownrace" => {
            let tasks = taken(world, args);
            let wait = try_wait(tasks).return_when(ReturnWhen::FirstCompleted);
            let (done, pending) = wait.await;
            world.log(format!("waited {} {}", done.len(), pending.len()));
        }
        "undo" => {
            let me = current();
            assert!(me.cancel());
            world.log(format!("undoes {}", me.uncancel()));
        }
        "pardon" => {
            let task = world.task(&args[0]);
            world.log(format!("pardons {} {}", task.name(), task.uncancel()));
        }
        "tell" => {
            let task = world.task(&args[0]);
            let asked = task.cancel_with(args[1].word().to_owned());
            let asked = if asked { "True" } else { "False" };
            world.log(format!("tells {} {asked}", task.name()));
        }
        "why" => match catch_cancel(run(world, &args[0])).await {
            Ok(done) => return Some(done),
            Err(cancelled) => {
                // Limits and groups give reasons of their own, asyncio's give none.
                let told = |reason: &&str| ["haste", "whim"].contains(reason);
                let reason = cancelled.reason().filter(told).unwrap_or("nothing");
                world.log(format!("because of {reason}"));
                cancelled.propagate().await
            }
        },
        "until" => {
            let start = now() - here().time();
            let scope = CancelScope::with_deadline(start + seconds(args[0].number()));
            match scope.run(run(world, &args[1])).await {
                Ok(Err(fail)) => return Some(Err(fail)),
                Ok(Ok(())) => world.log("in time"),
                Err(_) => world.log("timed out"),
            }
        }
        _ => return None,
    }
    Some(Ok(()))
}

/// The shared tasks with these numbers, each once, and not the one that asks.
fn picked(world: &World, numbers: &[Op]) -> Vec<Rc<Task<Done>>> {
    let shared = world.shared.borrow();
    let mut picked: Vec<Rc<Task<Done>>> = Vec::new();
    for number in numbers {
        let Some(task) = shared.get(number.index() % shared.len().max(1)) else {
            continue;
        };
        if task.any() != current() && !picked.iter().any(|other| Rc::ptr_eq(other, task)) {
            picked.push(task.clone());
        }
    }
    picked
}

/// The tasks with these numbers, as far as nobody has taken them yet.
fn taken(world: &World, numbers: &[Op]) -> Vec<Task<Done>> {
    let mut handed = world.handed.borrow_mut();
    let count = handed.len().max(1);
    let mut taken = Vec::new();
    for number in numbers {
        if let Some(place) = handed.get_mut(number.index() % count) {
            taken.extend(place.take_if(|task| task.any() != current()));
        }
    }
    taken
}

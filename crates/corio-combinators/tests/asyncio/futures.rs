//! What each word of a program does that hands over futures, and not tasks.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use corio_combinators::{as_completed, gather, shield, try_gather};
use corio_core::AnyTask;

use super::op::Op;
use super::world::{Done, Fail, World, current};
use crate::support::{seconds, yield_now};

pub async fn step_futures(world: &Rc<World>, kind: &str, args: &[Op]) -> Option<Done> {
    match kind {
        "gathernew" => {
            match try_gather(futures(world, args)).await {
                Ok(_) => {}
                Err(Fail::Task(error)) => {
                    if let Err(fail) = world.alone(Err(error)) {
                        return Some(Err(fail));
                    }
                }
                Err(fail) => return Some(Err(fail)),
            }
            world.log("gathered");
        }
        "gatherallnew" => {
            let futures = futures(world, args);
            let outcomes = gather(futures).return_exceptions().await;
            let endings = outcomes.iter().map(|outcome| match outcome {
                Ok(Ok(())) => " ok".into(),
                Ok(Err(fail)) => format!(" error {}", fail.show()),
                Err(error) if error.is_cancelled() => " cancelled".into(),
                Err(error) => panic!("{error}"),
            });
            world.log(format!("gathered{}", endings.collect::<String>()));
        }
        "stopgather" => {
            let mut gathering = Box::pin(gather(futures(world, &args[1..])).return_exceptions());
            for _ in 0..args[0].index() {
                let mut turn = pin!(yield_now());
                let polled = poll_fn(|cx| {
                    assert!(gathering.as_mut().poll(cx).is_pending());
                    turn.as_mut().poll(cx).map(drop)
                });
                polled.await;
            }
            drop(gathering);
            world.log("gave up");
        }
        "shieldnew" => {
            let work = futures(world, args).remove(0);
            if let Err(fail) = world.alone(shield(work).await) {
                return Some(Err(fail));
            }
            world.log("shielded");
        }
        "eachnew" => {
            let limit = match args[0].number() {
                0.0 => Duration::MAX,
                time => seconds(time),
            };
            let mut ended = as_completed(futures(world, &args[1..])).timeout(limit);
            while let Some(next) = ended.next().await {
                match next {
                    Ok(task) => log_next(world, &task.any()),
                    Err(_) => {
                        world.log("too late");
                        break;
                    }
                }
            }
        }
        "somenew" => {
            let mut ended = as_completed(futures(world, &args[1..]));
            for _ in 0..args[0].index() {
                let Some(task) = ended.next().await else {
                    break;
                };
                log_next(world, &task.any());
            }
            drop(ended);
            world.log("some");
        }
        _ => return None,
    }
    Some(Ok(()))
}

fn log_next(world: &World, task: &AnyTask) {
    world.log(format!("next {} {}", task.name(), world.ending(task)));
}

/// What becomes tasks that have their name when they begin.
fn futures(world: &Rc<World>, ops: &[Op]) -> Vec<impl Future<Output = Done> + use<>> {
    let begins = |op: &Op| {
        let (world, name, op) = (world.clone(), world.next_name(), op.clone());
        async move {
            world.list(name.clone(), &current());
            world.whole(name, op).await
        }
    };
    ops.iter().map(begins).collect()
}

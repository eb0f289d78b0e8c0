//! What each word of a program does with tasks.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use corio_combinators::{
    CancelScope, ReturnWhen, TaskGroup, as_completed, catch_cancel, finally, gather, shield,
    task_group, timeout, try_gather, try_wait, wait,
};
use corio_core::Task;

use super::calls::step_calls;
use super::futures::step_futures;
use super::handles::step_handles;
use super::meeting::step_shared;
use super::op::Op;
use super::world::{Done, Fail, Running, World, current, show};
use crate::support::{now, seconds, sleep, yield_now};

pub fn run(world: &Rc<World>, op: &Op) -> Running {
    let world = world.clone();
    let op = op.clone();
    Box::pin(async move {
        let (kind, args) = op.list().split_first().expect("a kind");
        step(&world, kind.word(), args).await
    })
}

async fn step(world: &Rc<World>, kind: &str, args: &[Op]) -> Done {
    match kind {
        "sleep" => {
            let time = args[0].number();
            if time == 0.0 {
                yield_now().await;
            } else {
                sleep(time).await;
            }
            world.log(format!("slept {time}"));
        }
        "seq" => {
            for op in args {
                run(world, op).await?;
            }
        }
        "fail" => {
            world.log(format!("fails {}", args[0].word()));
            return Err(Fail::Error(args[0].word().into()));
        }
        "counter" => world.log(format!("cancelling {}", current().cancelling())),
        "cancel" => {
            let task = world.task(&args[0]);
            let asked = if task.cancel() { "True" } else { "False" };
            world.log(format!("cancels {} {asked}", task.name()));
        }
        "catch" => match catch_cancel(run(world, &args[0])).await {
            Ok(done) => return done,
            Err(cancelled) => {
                world.log("caught");
                run(world, &args[1]).await?;
                world.log("propagates");
                cancelled.propagate().await
            }
        },
        "swallow" => match catch_cancel(run(world, &args[0])).await {
            Ok(done) => return done,
            Err(_) => world.log(format!("swallows {}", current().uncancel())),
        },
        "finally" => return step_finally(world, args).await,
        "timeout" | "waitfor" => return step_timeout(world, kind, args).await,
        "await" => {
            world.alone(world.create(&args[0]).await)?;
            world.log("awaited");
        }
        "spawn" => drop(world.create(&args[0])),
        "shield" => {
            world.alone(shield(world.create(&args[0])).await)?;
            world.log("shielded");
        }
        "gather" => {
            let tasks: Vec<_> = args.iter().map(|op| world.create(op)).collect();
            match try_gather(tasks).await {
                Ok(_) => {}
                Err(Fail::Task(error)) => world.alone(Err(error))?,
                Err(fail) => return Err(fail),
            }
            world.log("gathered");
        }
        "wait" => {
            let tasks: Vec<_> = args[2..].iter().map(|op| world.create(op)).collect();
            let wait = try_wait(&tasks).timeout(seconds(args[0].number()));
            let (done, pending) = wait.return_when(mode(&args[1])).await;
            world.log(format!("waited {} {}", done.len(), pending.len()));
        }
        "group" | "regroup" => return step_group(world, kind, args).await,
        "gatherall" => {
            let tasks: Vec<_> = args.iter().map(|op| world.create(op)).collect();
            let listed: Vec<_> = tasks.iter().map(Task::any).collect();
            let results = gather(tasks).return_exceptions().await;
            assert_eq!(results.len(), listed.len());
            world.log(format!("gathered{}", world.endings(&listed)));
        }
        "each" => step_each(world, args).await,
        "race" => step_race(world, args).await,
        "child" => {
            let groups = world.groups.borrow().clone();
            if !groups.is_empty() {
                let group = &groups[args[0].index() % groups.len()];
                let open = world.try_create_in(group, &args[1]);
                world.log(if open { "child" } else { "no child" });
            }
        }
        "retime" => return step_retime(world, args).await,
        "attend" => {
            let task = world.task(&args[0]);
            if task != current() {
                wait([&task]).await;
                world.log(format!("attended {}", task.name()));
            }
        }
        _ => {
            if step_calls(world, kind, args) {
                return Ok(());
            }
            if let Some(done) = step_handles(world, kind, args).await {
                return done;
            }
            return match step_futures(world, kind, args).await {
                Some(done) => done,
                None => step_shared(world, kind, args).await,
            };
        }
    }
    Ok(())
}

pub fn mode(name: &Op) -> ReturnWhen {
    match name.word() {
        "first" => ReturnWhen::FirstCompleted,
        "failure" => ReturnWhen::FirstException,
        _ => ReturnWhen::AllCompleted,
    }
}

async fn step_finally(world: &Rc<World>, args: &[Op]) -> Done {
    let after = RefCell::new("cancel");
    let work = async {
        let done = run(world, &args[0]).await;
        *after.borrow_mut() = "value";
        done
    };
    let cleanup = async || {
        world.log(format!("cleanup after {}", after.borrow()));
        run(world, &args[1]).await.expect("clean-ups do not fail");
        world.log("cleaned up");
    };
    finally(work, cleanup).await
}

async fn step_timeout(world: &Rc<World>, kind: &str, args: &[Op]) -> Done {
    let (time, work) = (seconds(args[0].number()), run(world, &args[1]));
    let ended = if kind == "timeout" && time.is_zero() {
        CancelScope::with_timeout(time).run(work).await.ok()
    } else {
        timeout(time, work).await.ok()
    };
    match ended {
        Some(done) => {
            done?;
            world.log("in time");
        }
        None => world.log("timed out"),
    }
    Ok(())
}

async fn step_group(world: &Rc<World>, kind: &str, args: &[Op]) -> Done {
    let ended = task_group(async |group: TaskGroup<Fail>| {
        world.groups.borrow_mut().push(group.clone());
        for op in &args[1..] {
            world.create_in(&group, op);
        }
        run(world, &args[0]).await
    });
    match ended.await {
        Ok(()) => world.log("group ok"),
        Err(error) if kind == "group" => {
            world.log(format!("group {}", show(&error)));
        }
        Err(error) => return Err(Fail::Error(show(&error))),
    }
    Ok(())
}

async fn step_retime(world: &Rc<World>, args: &[Op]) -> Done {
    let scope = CancelScope::with_timeout(seconds(args[0].number()));
    let work = async {
        run(world, &args[1]).await?;
        if !scope.expired() {
            let later = now() + seconds(args[2].number());
            scope.reschedule(Some(later));
        }
        run(world, &args[3]).await
    };
    match scope.run(work).await {
        Ok(done) => {
            done?;
            world.log("in time");
        }
        Err(_) => world.log("timed out"),
    }
    Ok(())
}

async fn step_each(world: &Rc<World>, args: &[Op]) {
    let tasks: Vec<_> = args[1..].iter().map(|op| world.create(op)).collect();
    let limit = match args[0].number() {
        0.0 => Duration::MAX,
        time => seconds(time),
    };
    let mut ended = as_completed(tasks).timeout(limit);
    while let Some(next) = ended.next().await {
        match next {
            Ok(task) => {
                let ending = world.ending(&task.any());
                world.log(format!("next {} {ending}", task.name()));
            }
            Err(_) => return world.log("too late"),
        }
    }
}

async fn step_race(world: &Rc<World>, args: &[Op]) {
    let tasks: Vec<_> = args.iter().map(|op| world.create(op).any()).collect();
    let (_, pending) = wait(&tasks).return_when(ReturnWhen::FirstCompleted).await;
    for task in &pending {
        task.cancel();
    }
    if !pending.is_empty() {
        wait(pending).await;
    }
    world.log(format!("raced{}", world.endings(&tasks)));
}

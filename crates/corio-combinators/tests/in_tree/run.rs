//! The future of a program.

use std::future::Future;
use std::rc::Rc;

use corio_combinators::{
    CancelScope, catch_cancel, finally, gather, move_on_after, timeout, timeout_at,
};
use corio_core::cancel::OrPropagate;
use corio_core::{Cancelled, Task};

use super::foreign::{Work, join, poll_times, until_ended};
use super::op::{End, Limit, Op};
use super::world::{Noted, World, outcome};
use crate::log;
use crate::support::{here, seconds, sleep, yield_now};

pub fn run_op((number, op): (usize, Op), world: &Rc<World>) -> Work {
    let world = world.clone();
    Box::pin(async move {
        let noted = Noted::begin(number, &world);
        step(number, op, &world).await;
        noted.end();
    })
}

async fn step(number: usize, op: Op, world: &Rc<World>) {
    let mut numbered = op.numbered(number);
    let mut children = numbered.iter().cloned().map(|child| run_op(child, world));
    let mut next = || children.next().expect("a child");
    match op {
        Op::Sleep(time) => sleep(world.halves(number, time)).await,
        Op::Yield => yield_now().await,
        Op::Event(flag) => world.flags[usize::from(flag)].wait().await,
        Op::Promise(promise) => {
            let given = world.promises[usize::from(promise)].clone().await;
            log!("{number} {}", outcome(&given));
        }
        Op::CancelSelf => {
            let me = here().scheduler.current_task();
            me.expect("a running task").cancel();
        }
        Op::Cancel(place) => world.cancel(place),
        Op::Stop(place) => world.stop(place),
        Op::Seq(_) => {
            for child in children {
                child.await;
            }
        }
        Op::Join(_) => join(children.collect()).await,
        Op::JoinApart(ops) => until_ended(children.collect(), ops.len()).await,
        Op::Select(_) => until_ended(children.collect(), 1).await,
        Op::Await(_) => {
            let task = world.spawn(number + 1, next());
            log!("{number} {}", outcome(&task.await));
        }
        Op::Watch(_) => {
            let task = world.spawn(number + 1, next());
            log!("{number} {}", outcome(&(&task).await));
        }
        Op::Gather(_) => {
            let spawn = |child: (usize, Op)| world.spawn(child.0, run_op(child, world));
            drop(children);
            let tasks: Vec<Task<()>> = numbered.drain(..).map(spawn).collect();
            log!("{number} {}", outcome(&gather(tasks).await));
        }
        Op::Within(limit, _) => drop(within(number, limit, next(), world).await),
        Op::Catch(_, _, propagates) => {
            let (work, then) = (next(), next());
            let caught = catch_cancel(work).await;
            log!("{number} {}", say(&caught));
            if caught.is_err() {
                then.await;
            }
            if propagates {
                caught.or_propagate().await;
            }
        }
        Op::Finally(..) => {
            let (work, cleanup) = (next(), next());
            finally(work, async || cleanup.await).await;
        }
        Op::Lend(_, limit, _) => {
            let (mut work, then) = (next(), next());
            if !within(number, limit, &mut work, world).await {
                then.await;
                work.await;
            }
        }
        Op::Aside(_, times, _, end) => {
            let (mut work, then) = (next(), next());
            if poll_times(&mut work, times).await {
                aside(number, work, then, end, world).await;
            }
        }
    }
}

async fn aside(number: usize, work: Work, then: Work, end: End, world: &Rc<World>) {
    // A limit that waits without a node gets another timer in another task, which rings after those of the same time.
    let end = match end {
        End::HandedOver | End::LeftToATask if !world.apart => End::Awaited,
        end => end,
    };
    match end {
        End::Dropped => {
            then.await;
            drop(work);
        }
        End::Awaited => {
            then.await;
            work.await;
        }
        End::Limited(limit) => {
            then.await;
            within(number, limit, work, world).await;
        }
        End::HandedOver => {
            let task = world.spawn(number + 1, work);
            then.await;
            log!("{number} {}", outcome(&task.await));
        }
        End::LeftToATask => {
            then.await;
            let task = world.spawn(number + 1, work);
            log!("{number} {}", outcome(&(&task).await));
        }
    }
}

/// False: the work was ended by the limit.
async fn within(
    number: usize,
    limit: Limit,
    work: impl Future<Output = ()>,
    world: &Rc<World>,
) -> bool {
    let (ended, said) = match limit {
        // Without any time the work is never polled, so that is the same in both runs.
        Limit::Timeout(time) | Limit::MoveOn(time) if world.in_tree && time > 0 => {
            let deadline = here().clock.now() + seconds(world.halves(number, time));
            let ended = timeout_at(deadline, work).await.is_ok();
            (ended, format!("in time: {ended}"))
        }
        Limit::Timeout(time) => {
            let ended = timeout(seconds(world.halves(number, time)), work)
                .await
                .is_ok();
            (ended, format!("in time: {ended}"))
        }
        Limit::MoveOn(time) => {
            let ended = move_on_after(seconds(world.halves(number, time)), work)
                .await
                .is_some();
            (ended, format!("in time: {ended}"))
        }
        Limit::Scope | Limit::TimedScope(_) => {
            let scope = match limit {
                Limit::TimedScope(time) => {
                    CancelScope::with_timeout(seconds(world.halves(number, time)))
                }
                _ => CancelScope::new(),
            };
            world.scope(number, &scope);
            let ended = scope.run(work).await;
            (
                ended.is_ok(),
                format!("{}, expired: {}", say(&ended), scope.expired()),
            )
        }
        Limit::Catch => {
            let ended = catch_cancel(work).await;
            (ended.is_ok(), say(&ended))
        }
    };
    log!("{number} {said}");
    ended
}

fn say(ended: &Result<(), Cancelled>) -> String {
    match ended {
        Ok(()) => "not cancelled".to_owned(),
        Err(cancelled) => format!("cancelled by {:?}", cancelled.asked_by()),
    }
}

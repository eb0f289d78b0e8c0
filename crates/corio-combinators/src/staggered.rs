//! `staggered_race`: attempts that begin one after the other, until one succeeds.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use corio_core::waiting::{self, WaitKind};
use corio_core::{Task, TaskError};

use crate::task_group::{Failure, TaskGroup, task_group};
use crate::wait::{ReturnWhen, wait};

static STAGGERED_RACE: WaitKind = WaitKind::new("staggered_race");

/// How a [`staggered_race`] ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Staggered<T, E> {
    /// The first success, and the number of its attempt from 0. `None`: every attempt has failed.
    pub winner: Option<(usize, T)>,
    /// The failures that came before that, in their order, with the numbers of their attempts. An attempt that was still at work
    /// when another one succeeded has been cancelled, and is not among them.
    pub failures: Vec<(usize, E)>,
}

/// Begins the attempts in their order, the next one when one has failed or `delay` has passed without an end. The first
/// success ends the race: what is still at work is cancelled and waited for, its clean-up included. `None` begins the next only
/// after a failure.
///
/// This is what connects to a host with several addresses without waiting long for one that is silent.
///
/// # Panics
///
/// With the panic of an attempt, when the others have been cancelled and have ended. When it is polled where no loop runs, or with
/// a `delay` on a loop without a clock.
///
/// # Cancel safety
///
/// Cancelled, it cancels the attempts and waits for their clean-up. Dropped by foreign code, it asks them to cancel, and waits for
/// nobody.
///
/// ```
/// use corio_combinators::staggered_race;
///
/// # let scheduler = corio_core::Scheduler::new(|| {});
/// # let main = scheduler.create_task(async {
/// let attempts = [2, 3].map(|n| async move || if n % 2 == 0 { Err("even") } else { Ok(n) });
/// let race = staggered_race(attempts, None).await;
/// assert_eq!(race.winner, Some((1, 3)));
/// assert_eq!(race.failures, [(0, "even")]);
/// # });
/// # while scheduler.ready() > 0 { scheduler.run(scheduler.ready()); }
/// # main.into_result().unwrap();
/// # scheduler.close();
/// ```
#[doc(alias = "happy eyeballs")]
#[doc(alias = "select_ok")]
#[track_caller]
pub fn staggered_race<I, A, F, T, E>(attempts: I, delay: Option<Duration>) -> StaggeredRace<T, E>
where
    I: IntoIterator<Item = A, IntoIter: 'static>,
    A: FnOnce() -> F + 'static,
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    let site = Location::caller();
    StaggeredRace {
        race: Box::pin(run(attempts.into_iter(), delay, site)),
        site,
    }
}

/// The future of [`staggered_race`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct StaggeredRace<T, E> {
    race: Pin<Box<dyn Future<Output = Staggered<T, E>>>>,
    site: &'static Location<'static>,
}

impl<T, E> Future for StaggeredRace<T, E> {
    type Output = Staggered<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Staggered<T, E>> {
        let polled = self.race.as_mut().poll(cx);
        if polled.is_pending() {
            waiting::note(&STAGGERED_RACE, self.site);
        }
        polled
    }
}

impl<T, E> fmt::Debug for StaggeredRace<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaggeredRace").finish_non_exhaustive()
    }
}

/// A child of the race: its number, and how it went.
type Attempt<T, E> = Task<(usize, Result<T, E>)>;

async fn run<A, F, T, E>(
    attempts: impl Iterator<Item = A>,
    delay: Option<Duration>,
    site: &'static Location<'static>,
) -> Staggered<T, E>
where
    A: FnOnce() -> F,
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    let race = task_group(async |group: TaskGroup<Infallible>| {
        let mut race = Race::new();
        let mut attempts = attempts.enumerate();
        while race.winner.is_none() {
            let next = attempts.next();
            let limit = next.as_ref().and(delay);
            match next {
                Some((number, attempt)) => {
                    let attempt = attempt();
                    let child = async move { Ok((number, attempt.await)) };
                    race.running.push(group.create_task_at(child, site));
                }
                None if race.running.is_empty() => break,
                None => {}
            }
            race.wait(limit).await;
        }
        for attempt in &race.running {
            attempt.cancel();
        }
        Ok(Staggered {
            winner: race.winner,
            failures: race.failures,
        })
    });
    match race.await {
        Ok(ended) => ended,
        Err(error) => match error.into_failures().into_iter().next() {
            Some((_, Failure::Panicked(panic))) => panic.resume(),
            Some((_, Failure::Error(never))) => match never {},
            None => unreachable!("nobody else has the group's handle, so it was not stopped"),
        },
    }
}

struct Race<T, E> {
    running: Vec<Attempt<T, E>>,
    winner: Option<(usize, T)>,
    failures: Vec<(usize, E)>,
}

impl<T, E> Race<T, E> {
    fn new() -> Race<T, E> {
        Race {
            running: Vec::new(),
            winner: None,
            failures: Vec::new(),
        }
    }

    /// Until an attempt ends, or so long.
    async fn wait(&mut self, limit: Option<Duration>) {
        let waiting = wait(std::mem::take(&mut self.running));
        let waiting = waiting.return_when(ReturnWhen::FirstCompleted);
        let (done, running) = match limit {
            Some(limit) => waiting.timeout(limit).await,
            None => waiting.await,
        };
        self.running = running;
        for attempt in done {
            match attempt.into_result() {
                Ok((number, Ok(value))) if self.winner.is_none() => {
                    self.winner = Some((number, value));
                }
                // Of several successes in one turn the first counts.
                Ok((_, Ok(_))) => {}
                Ok((number, Err(error))) => self.failures.push((number, error)),
                Err(TaskError::NotDone) => unreachable!("an attempt that has ended"),
                // A panic is the group's, and an attempt that was cancelled on its own has just gone.
                Err(_) => {}
            }
        }
    }
}

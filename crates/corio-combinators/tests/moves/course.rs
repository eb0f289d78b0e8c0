//! One run: a future in its first and in its second place.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, pending};
use std::rc::Rc;

use corio_combinators::{CancelScope, finally, scope, timeout};
use corio_core::cancel::nodes_alive;

use super::kinds::{Kind, SCOPED, set_scope};
use super::places::{Manner, Place, Slot, visit, wakers_left};
use super::{Moving, Notes, later, note, take_notes, waiters_left};
use crate::support::{TestLoop, both, here, seconds, sleep};

/// Where a future is polled first, and how often.
#[derive(Clone, Copy)]
pub struct Earlier {
    pub place: &'static Place,
    pub polls: u32,
    pub manner: Manner,
}

impl Earlier {
    /// Its place is dropped before the future goes on.
    pub fn is_dropped_before(&self, pause: f64) -> bool {
        match self.manner {
            Manner::Dropped => true,
            Manner::DroppedLater => pause >= DROPPED_LATER,
            Manner::Ends | Manner::Stands => false,
        }
    }

    pub fn is_there_later(&self) -> bool {
        matches!(self.manner, Manner::Stands | Manner::DroppedLater)
    }
}

impl fmt::Display for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (polls, place) = (self.polls, self.place.name);
        write!(f, "polled {polls} times in {place} ({:?})", self.manner)
    }
}

/// What happens when the future is in its second place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    Completes,
    /// Its task is cancelled.
    Cancel,
    /// The limit around it is reached.
    Limit,
    /// The scope around it is cancelled.
    Stop,
    /// It is dropped by somebody who knows nothing of cancellation.
    Drop,
    /// A limit beside it is reached, which is polled after it.
    BesideALimit,
    /// The same, but the limit is polled before it.
    BehindALimit,
}

/// How a future goes on.
#[derive(Clone, Copy)]
pub struct Course {
    pub place: &'static Place,
    pub by_value: bool,
    /// How long after its first polls.
    pub pause: f64,
    pub then: Then,
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lent = if self.by_value { "" } else { ", lent" };
        let (pause, place) = (self.pause, self.place.name);
        write!(f, "after {pause} s in {place}{lent}, {:?}", self.then)
    }
}

/// When a place that was left is dropped: before what happens at two seconds.
const DROPPED_LATER: f64 = 1.5;

/// A future goes on in a place. If there is an earlier one, it `visits` the future, or another one in its place. What is seen of the
/// future is the result, or `None` if it had ended before.
pub fn play(
    kind: &'static Kind,
    earlier: Option<Earlier>,
    visits: bool,
    course: Course,
) -> Option<Notes> {
    let test = TestLoop::new();
    let nodes = nodes_alive();
    let (make, slot) = (kind.make, Slot::default());
    let (kept, goes_on) = (slot.clone(), Rc::new(Cell::new(false)));
    let went_on = goes_on.clone();
    let subject = async move {
        slot.fill(make());
        let mut stands = None;
        if let Some(earlier) = earlier {
            let visitor = if visits {
                slot.clone()
            } else {
                Slot::default()
            };
            if !visits {
                visitor.fill(Box::pin(pending()));
            }
            let Earlier {
                place,
                polls,
                manner,
            } = earlier;
            stands = visit(&visitor, place, polls, manner).await;
            if manner == Manner::DroppedLater {
                let left = stands.take();
                later(DROPPED_LATER, move || drop(left));
            }
            // What the first place saw, and a future that ended there.
            take_notes();
        }
        if slot.is_empty() {
            return;
        }
        went_on.set(true);
        if course.pause > 0.0 {
            sleep(course.pause).await;
        }
        go_on(&slot, course).await;
        drop(stands);
    };
    let main = test.scheduler.create_task(in_scope(kind, subject));
    if course.then == Then::Cancel {
        let main = main.any();
        later(2.0, move || main.cancel());
    }
    while !main.any().is_settled() {
        if !test.turn() {
            note("waits for ever");
            break;
        }
    }
    kept.clear();
    note(match main.any().peek_error() {
        None => "ended".to_owned(),
        Some(error) => format!("ended: {error}"),
    });
    for what in waiters_left() {
        note(format!("somebody waits at {what}"));
    }
    while test.scheduler.task_count() > 0 && test.turn() {}
    test.settle();
    drop(main);
    let seen = take_notes();
    let left = [
        ("tasks", test.scheduler.task_count()),
        ("timers", test.clock.armed()),
        ("nodes", nodes_alive() - nodes),
        ("wakers", wakers_left()),
    ];
    let is_there = earlier.map_or(String::new(), |earlier| format!("{earlier}, "));
    for (what, count) in left {
        let name = kind.name;
        assert_eq!(
            count, 0,
            "{what} left by {name}, {is_there}then {course}: {seen:?}"
        );
    }
    goes_on.get().then_some(seen)
}

/// In a scope, if the future needs one.
async fn in_scope(kind: &'static Kind, subject: impl Future<Output = ()> + 'static) {
    if !kind.name.starts_with(SCOPED) {
        return subject.await;
    }
    scope(async move |s| {
        set_scope(Some(s));
        subject.await;
    })
    .await;
}

async fn go_on(slot: &Slot, course: Course) {
    let left = seconds(2.0).saturating_sub(here().time());
    let work = if course.by_value {
        slot.take()
    } else {
        slot.lend()
    };
    let work: Moving = (course.place.put)(work);
    let beside = || timeout(seconds(1.0), finally(pending::<()>(), async || {}));
    let outcome = match course.then {
        Then::Completes | Then::Cancel => Some(work.await),
        Then::Limit => timeout(left, work).await.ok(),
        Then::Stop => {
            let scope = CancelScope::new();
            let stop = scope.clone();
            later(left.as_secs_f64(), move || stop.cancel());
            scope.run(work).await.ok()
        }
        Then::Drop => {
            let wait = async {
                sleep(left.as_secs_f64()).await;
                None
            };
            futures_lite::future::race(async { Some(work.await) }, wait).await
        }
        Then::BesideALimit => Some(both(work, beside()).await.0),
        Then::BehindALimit => Some(both(beside(), work).await.1),
    };
    note(format!("{outcome:?}"));
    if !slot.is_empty() {
        let again = slot.lend().await;
        note(format!("and again {again:?}"));
    }
}

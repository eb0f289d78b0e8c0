//! Futures that are polled first in one place and then go on in another: what becomes of them does not depend on the first.
//!
//! Every kind of future is polled in every place, goes on in every place, lent or given away, and then completes, is cancelled or
//! is dropped. What is seen, at which times, is compared with a run in which the first place polls something else.

mod moves;
mod support;

use std::time::Duration;

use moves::Notes;
use moves::course::{Course, Earlier, Then, play};
use moves::kinds::{Begins, KINDS, Kind};
use moves::places::{Manner, PLACES};
use support::seconds;

/// One of so many combinations is played. It has no divisor in common with the lengths of the tables, so that every pair of rows
/// meets. With 1 all are.
const SHARE: usize = 13;

const MANNERS: [(u32, Manner); 5] = [
    (1, Manner::Ends),
    (2, Manner::Ends),
    (1, Manner::Dropped),
    (1, Manner::Stands),
    (1, Manner::DroppedLater),
];

/// All that may come first, before a pause.
fn earlier(pause: f64) -> impl Iterator<Item = Earlier> {
    let visits = PLACES.iter().flat_map(|place| {
        MANNERS.map(|(polls, manner)| Earlier {
            place,
            polls,
            manner,
        })
    });
    visits.filter(move |earlier| {
        let place = earlier.place.name;
        // Whoever drops what is owned cancels it, and what is in it.
        let owns = matches!(place, "another task" | "a scoped child");
        !(owns && earlier.is_dropped_before(pause))
    })
}

/// How long a future may rest between its places.
fn pauses(kind: &Kind, then: Then) -> &'static [f64] {
    match (kind.begins, then) {
        (Begins::AtOnce, _) => &[0.0],
        (Begins::Before, Then::Completes) => &[0.0, 0.5, 9.0],
        _ => &[0.0, 0.5],
    }
}

/// Everything that a future does in its second place, for each kind, place and pause, is the same as without a first place.
fn assert_the_same(then: Then) {
    let mut failures = Vec::new();
    let mut count = 0;
    for kind in KINDS {
        for place in PLACES {
            for (by_value, pause) in pairs(&[false, true], pauses(kind, then)) {
                let course = Course {
                    place,
                    by_value,
                    pause,
                    then,
                };
                // What begins with its first poll has begun before the pause.
                let alone = Course {
                    pause: if kind.begins == Begins::Before {
                        pause
                    } else {
                        0.0
                    },
                    ..course
                };
                let mut expected = None;
                for earlier in earlier(pause) {
                    count += 1;
                    if count % SHARE != 0 {
                        continue;
                    }
                    let beside = earlier
                        .is_there_later()
                        .then(|| play(kind, Some(earlier), false, alone));
                    let beside = beside.unwrap_or_else(|| {
                        let alone = || play(kind, None, false, alone);
                        expected.get_or_insert_with(alone).clone()
                    });
                    let seen = play(kind, Some(earlier), true, course);
                    // It may have ended in its first place.
                    if seen.is_some() && seen != beside {
                        failures.push(format!(
                            "{}, {earlier}, then {course}:\n  {}\nexpected:\n  {}",
                            kind.name,
                            lines(seen),
                            lines(beside)
                        ));
                    }
                }
            }
        }
    }
    let (some, found) = (failures.iter().take(5), failures.len());
    let some: Vec<&str> = some.map(String::as_str).collect();
    assert!(
        found == 0,
        "{found} of {}:\n{}",
        count / SHARE,
        some.join("\n")
    );
}

fn pairs<'a>(a: &'a [bool], b: &'a [f64]) -> impl Iterator<Item = (bool, f64)> + 'a {
    a.iter().flat_map(|a| b.iter().map(|b| (*a, *b)))
}

fn lines(seen: Option<Notes>) -> String {
    let seen = seen.unwrap_or_default();
    let lines: Vec<String> = seen
        .iter()
        .map(|(time, what)| format!("{time:?} {what}"))
        .collect();
    lines.join("\n  ")
}

#[test]
fn a_future_that_has_moved_completes_as_any_other() {
    assert_the_same(Then::Completes);
}

#[test]
fn a_future_that_has_moved_is_cancelled_with_its_task() {
    assert_the_same(Then::Cancel);
}

#[test]
fn a_future_that_has_moved_obeys_the_limit_around_it() {
    assert_the_same(Then::Limit);
}

#[test]
fn a_future_that_has_moved_obeys_the_scope_around_it() {
    assert_the_same(Then::Stop);
}

#[test]
fn a_future_that_has_moved_is_dropped_as_any_other() {
    assert_the_same(Then::Drop);
}

/// A limit that joins the tree late takes nothing with it that stands beside it.
#[test]
fn a_future_beside_a_limit_goes_on_when_the_limit_is_reached() {
    let takes_time = |kind: &&Kind| !matches!(kind.name, "yield_now" | "timeout of nothing");
    for kind in KINDS.iter().filter(takes_time) {
        for place in PLACES {
            let course = |then| Course {
                place,
                by_value: true,
                pause: 0.0,
                then,
            };
            let alone = play(kind, None, false, course(Then::Completes));
            for then in [Then::BesideALimit, Then::BehindALimit] {
                let seen = play(kind, None, false, course(then));
                assert_eq!(seen, alone, "{} in {}, {then:?}", kind.name, place.name);
            }
        }
    }
}

/// The time of the runs is the virtual one, and each of them comes to an end.
#[test]
fn the_runs_that_others_are_compared_with_end_in_time() {
    for kind in KINDS {
        for place in PLACES {
            let course = Course {
                place,
                by_value: true,
                pause: 0.0,
                then: Then::Completes,
            };
            let seen = play(kind, None, false, course).expect("it goes on");
            let last = seen.last().map_or(Duration::ZERO, |(time, _)| *time);
            let about = format!("{} in {}: {seen:?}", kind.name, place.name);
            assert!(last <= seconds(5.5), "{about}");
            assert!(
                last > Duration::ZERO || kind.begins == Begins::AtOnce,
                "{about}"
            );
        }
    }
}

//! staggered_race begins attempts one after the other, and the first success ends it.

mod support;

use std::time::Duration;

use corio_combinators::{finally, staggered_race};
use support::{create_task, here, raise, run, sleep};

/// Takes so long, and then succeeds or fails.
async fn attempt(name: &'static str, takes: f64, succeeds: bool) -> Result<&'static str, String> {
    here().log(format!("{name} begins"));
    let work = async {
        sleep(takes).await;
        here().log(format!("{name} ends"));
        if succeeds {
            Ok(name)
        } else {
            Err(format!("no {name}"))
        }
    };
    let clean_up = async || {
        sleep(0.5).await;
        here().log(format!("{name} has cleaned up"));
    };
    finally(work, clean_up).await
}

/// What was logged, with its time and without the numbers of the turns.
fn lines() -> Vec<String> {
    let lines = here().lines();
    let untold = |line: &String| {
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    lines.iter().map(untold).collect()
}

const DELAY: Option<Duration> = Some(Duration::from_secs(2));

#[test]
fn the_next_begins_after_the_delay_and_the_losers_have_cleaned_up_when_the_race_ends() {
    let race = run(async {
        let attempts = [("a", 9.0), ("b", 1.0), ("c", 1.0)];
        let attempts = attempts.map(|(name, takes)| move || attempt(name, takes, true));
        let race = staggered_race(attempts, DELAY).await;
        here().log("over");
        race
    });
    assert_eq!(race.winner, Some((1, "b")));
    assert!(race.failures.is_empty());
    let expected = [
        "t=0.0 a begins",
        "t=2.0 b begins",
        "t=3.0 b ends",
        "t=3.5 b has cleaned up",
        "t=4.0 a has cleaned up",
        "t=4.0 over",
    ];
    // The third begins in time, before the second is done with its clean-up: its own comes after it was cancelled.
    let seen = lines();
    let seen: Vec<&str> = seen
        .iter()
        .map(String::as_str)
        .filter(|line| !line.contains(" c "))
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_failure_begins_the_next_at_once_and_is_kept() {
    let race = run(async {
        let attempts = [("a", 1.0, false), ("b", 1.0, true)];
        let attempts = attempts.map(|(name, takes, good)| move || attempt(name, takes, good));
        staggered_race(attempts, DELAY).await
    });
    assert_eq!(race.winner, Some((1, "b")));
    assert_eq!(race.failures, [(0, "no a".to_owned())]);
    assert!(
        lines().contains(&"t=1.5 b begins".to_owned()),
        "{:?}",
        lines()
    );
}

#[test]
fn without_a_delay_only_a_failure_begins_the_next_and_when_all_fail_nobody_wins() {
    let race = run(async {
        let attempts = [("a", 50.0), ("b", 1.0)];
        let attempts = attempts.map(|(name, takes)| move || attempt(name, takes, false));
        staggered_race(attempts, None).await
    });
    assert_eq!(race.winner, None);
    let failures = [(0, "no a".to_owned()), (1, "no b".to_owned())];
    assert_eq!(race.failures, failures);
    assert!(
        lines().contains(&"t=50.5 b begins".to_owned()),
        "{:?}",
        lines()
    );
}

#[test]
fn a_race_of_nobody_is_over_at_once() {
    let none: Vec<&str> = Vec::new();
    let attempts = none
        .into_iter()
        .map(|name| move || attempt(name, 1.0, true));
    let race = run(staggered_race(attempts, DELAY));
    assert!(race.winner.is_none() && race.failures.is_empty());
}

#[test]
fn a_cancelled_race_ends_when_its_attempts_have_cleaned_up() {
    run(async {
        let attempts = ["a", "b"].map(|name| move || attempt(name, 100.0, true));
        let race = create_task(staggered_race(attempts, DELAY));
        sleep(5.0).await;
        race.cancel();
        let error = race.await.unwrap_err();
        here().log(format!("cancelled: {}", error.is_cancelled()));
    });
    let expected = [
        "t=0.0 a begins",
        "t=2.0 b begins",
        "t=5.5 a has cleaned up",
        "t=5.5 b has cleaned up",
        "t=5.5 cancelled: true",
    ];
    assert_eq!(lines(), expected);
}

#[test]
fn a_panic_of_an_attempt_is_resumed_when_the_others_have_ended() {
    run(async {
        let attempts = ["a", "b"].map(|name| {
            move || async move {
                if name == "b" {
                    raise("b is broken");
                }
                attempt(name, 100.0, true).await
            }
        });
        let race = create_task(staggered_race(attempts, DELAY));
        let error = race.await.unwrap_err();
        here().log(format!("{error}"));
    });
    let seen = lines();
    assert_eq!(seen[..2], ["t=0.0 a begins", "t=2.5 a has cleaned up"]);
    assert!(seen[2].contains("b is broken"), "{seen:?}");
}

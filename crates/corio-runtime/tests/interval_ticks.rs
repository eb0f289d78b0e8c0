//! Ticks: the first after one period, missed ones skipped, the phase kept.

mod support;

use std::pin::Pin;
use std::time::Duration;

use corio_combinators::timeout;
use corio_runtime::{get_running_loop, interval};
use futures_core::Stream;
use support::{nap, run, seconds};

#[test]
fn ticks_keep_their_phase_and_missed_ones_are_skipped() {
    run(async {
        let start = get_running_loop().time();
        let mut beat = interval(seconds(1.0));
        assert_eq!(beat.period(), seconds(1.0));
        let since = |instant: std::time::Instant| (instant - start).as_secs_f64();
        assert_eq!(since(beat.tick().await), 1.0);
        assert_eq!(since(get_running_loop().time()), 1.0);
        nap(0.4).await;
        assert_eq!(since(beat.tick().await), 2.0);
        nap(3.5).await;
        assert_eq!(
            since(beat.tick().await),
            3.0,
            "the one that was due first, late"
        );
        assert_eq!(since(get_running_loop().time()), 5.5);
        assert_eq!(since(beat.tick().await), 6.0, "4 and 5 were missed");
        nap(2.0).await;
        assert_eq!(since(beat.tick().await), 7.0);
        assert_eq!(
            since(beat.tick().await),
            9.0,
            "8 was due at the moment of the last"
        );
    });
}

#[test]
fn the_first_period_counts_from_the_first_wait() {
    run(async {
        let start = get_running_loop().time();
        let mut beat = interval(seconds(1.0));
        nap(5.5).await;
        assert_eq!(beat.tick().await - start, seconds(6.5));
    });
}

#[test]
fn a_wait_that_is_dropped_leaves_the_tick_to_the_next() {
    run(async {
        let start = get_running_loop().time();
        let mut beat = interval(seconds(2.0));
        for _ in 0..3 {
            assert!(timeout(seconds(0.5), beat.tick()).await.is_err());
        }
        assert_eq!(beat.tick().await - start, seconds(2.0));
    });
}

#[test]
fn ticks_are_a_stream() {
    run(async {
        let start = get_running_loop().time();
        let mut beat = interval(seconds(1.0));
        for count in 1..4 {
            let tick = std::future::poll_fn(|cx| Pin::new(&mut beat).poll_next(cx)).await;
            assert_eq!(tick.unwrap() - start, seconds(f64::from(count)));
        }
    });
}

#[test]
fn a_period_beyond_all_time_never_ticks() {
    run(async {
        for period in [Duration::MAX, Duration::from_secs(u64::MAX)] {
            let mut beat = interval(period);
            assert!(timeout(seconds(1.0), beat.tick()).await.is_err());
            assert!(timeout(seconds(1.0), beat.tick()).await.is_err());
        }
    });
}

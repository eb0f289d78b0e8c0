//! The place of a source, read by one loop while others take it away, under every interleaving that matters. Run with
//! `RUSTFLAGS="--cfg loom" cargo test -p corio-runtime --release --test loom_place`.
#![cfg(loom)]
#![allow(
    dead_code,
    reason = "the file is the library's own, and the models use a part of it"
)]

#[path = "."]
mod io_source {
    /// What the checker watches, in the place of the real ones.
    mod primitive {
        pub(super) use loom::sync::atomic::{AtomicU64, Ordering};

        pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

        impl<T> Mutex<T> {
            pub(super) fn new(value: T) -> Mutex<T> {
                Mutex(loom::sync::Mutex::new(value))
            }

            pub(super) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
                self.0.lock().expect("no panic under this lock")
            }
        }
    }

    #[path = "../src/io_source/place.rs"]
    mod place;

    use corio_reactor::{Detacher, Reactor, SourceKey};
    use loom::sync::Arc;
    use loom::thread;
    use place::Place;
    use std::convert::Infallible;

    /// A key that tells the loop that gave it, and how often.
    fn key(of_loop: u64, time: u64) -> SourceKey {
        SourceKey::from_bits(of_loop << 32 | time)
    }

    fn join(place: &Place, of_loop: u64, time: u64, detacher: &Detacher) -> Option<u64> {
        let joined = || Ok::<_, Infallible>((key(of_loop, time), detacher.clone()));
        let (left, now) = place.change(of_loop, |_| {}, joined);
        assert_eq!(now, Ok(key(of_loop, time)));
        left.map(|left| {
            // The way out of the old loop fits to its key.
            assert_eq!(left.key.to_bits() >> 32, left.of_loop);
            left.of_loop
        })
    }

    /// One loop finds its own key or none, never that of another loop.
    #[test]
    fn a_loop_never_reads_the_key_of_another_one() {
        let reactor = Reactor::new().expect("a reactor");
        let detacher = reactor.detacher();
        loom::model(move || {
            let place = Arc::new(Place::nowhere());
            assert_eq!(join(&place, 1, 0, &detacher), None);
            let other = thread::spawn({
                let (place, detacher) = (place.clone(), detacher.clone());
                move || {
                    let left = join(&place, 2, 0, &detacher);
                    assert_eq!(left, Some(1));
                    if let Some(found) = place.key_at(2) {
                        assert_eq!(found, key(2, 0));
                    }
                }
            });
            match place.key_at(1) {
                Some(found) => assert_eq!(found, key(1, 0)),
                None => {
                    assert_eq!(join(&place, 1, 1, &detacher), Some(2));
                    assert_eq!(place.key_at(1), Some(key(1, 1)));
                }
            }
            other.join().expect("no panic");
        });
    }

    /// The first loop is the only one until it is left, and never again.
    #[test]
    fn a_loop_that_was_left_is_never_the_only_one_again() {
        let reactor = Reactor::new().expect("a reactor");
        let detacher = reactor.detacher();
        loom::model(move || {
            let place = Arc::new(Place::nowhere());
            assert!(!place.is_only_at(1));
            join(&place, 1, 0, &detacher);
            assert!(place.is_only_at(1));
            let other = thread::spawn({
                let (place, detacher) = (place.clone(), detacher.clone());
                move || {
                    join(&place, 2, 0, &detacher);
                    assert!(!place.is_only_at(1));
                    assert!(!place.is_only_at(2));
                }
            });
            if !place.is_only_at(1) {
                join(&place, 1, 1, &detacher);
                assert!(!place.is_only_at(1));
            }
            other.join().expect("no panic");
            assert!(!place.is_only_at(1));
        });
    }

    /// Of several loops that take a source at once, each leaves the place that it found, and none is left twice.
    #[test]
    fn loops_that_take_a_source_from_each_other_leave_every_place_once() {
        let reactor = Reactor::new().expect("a reactor");
        let detacher = reactor.detacher();
        loom::model(move || {
            let place = Arc::new(Place::nowhere());
            let takers: Vec<_> = (2..=3)
                .map(|of_loop| {
                    let (place, detacher) = (place.clone(), detacher.clone());
                    thread::spawn(move || join(&place, of_loop, 0, &detacher))
                })
                .collect();
            let mut left = vec![join(&place, 1, 0, &detacher)];
            left.extend(
                takers
                    .into_iter()
                    .map(|taker| taker.join().expect("no panic")),
            );
            left.push(place.of_loop());
            left.sort();
            assert_eq!(left, [None, Some(1), Some(2), Some(3)]);
        });
    }
}

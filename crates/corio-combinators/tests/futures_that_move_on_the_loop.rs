//! The futures of the event loop that wait for time, threads, sources and other loops, polled first in one place and then in another:
//! what becomes of them does not depend on the first, and the loop has nothing left.

#[path = "moves/notes.rs"]
mod notes;
#[path = "moves/places.rs"]
mod places;
#[path = "support/on_loop.rs"]
mod support;

use std::cell::RefCell;
use std::fmt::Debug;
use std::future::Future;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;

use corio_combinators::timeout;
use corio_core::cancel::nodes_alive;
use corio_runtime::{
    EventLoop, IoSource, create_task, get_running_loop, interval, sleep, sleep_until, to_thread,
    yield_now,
};
use notes::{Moving, Notes, later, note, take_notes};
use places::{Manner, PLACES, Place, Slot, visit, wakers_left};
use support::{begin, here, seconds};

struct Kind {
    name: &'static str,
    make: fn() -> Moving,
    /// It waits for the clock. While something else is awaited from elsewhere, the clock stands still.
    takes_time: bool,
}

const fn kind(name: &'static str, make: fn() -> Moving, takes_time: bool) -> Kind {
    Kind {
        name,
        make,
        takes_time,
    }
}

const KINDS: &[Kind] = &[
    kind("sleep", || text(sleep(seconds(4.0))), true),
    kind(
        "sleep_until",
        || text(sleep_until(get_running_loop().time() + seconds(4.0))),
        true,
    ),
    kind(
        "interval",
        || {
            let mut ticks = interval(seconds(2.0));
            text(async move {
                ticks.tick().await;
                ticks.tick().await;
            })
        },
        true,
    ),
    kind(
        "timeout",
        || text(timeout(seconds(4.0), sleep(seconds(9.0)))),
        true,
    ),
    kind("readable", || readable(false), false),
    kind("read_io", || readable(true), false),
    kind(
        "to_thread",
        || {
            let (go, told) = mpsc::channel();
            let job = to_thread(move || told.recv().map_err(drop));
            GO.set(Some(Box::new(move || go.send(()).unwrap())));
            text(async { drop(job.await) })
        },
        false,
    ),
    kind(
        "a remote task",
        || {
            let remote = get_running_loop().remote();
            let task = remote.create_task(|| async {
                for _ in 0..20 {
                    yield_now().await;
                }
            });
            text(async { task.await.unwrap() })
        },
        false,
    ),
];

thread_local! {
    /// Lets end what waits for somebody else.
    static GO: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

fn text<T: Debug>(work: impl Future<Output = T> + 'static) -> Moving {
    Box::pin(async { format!("{:?}", work.await) })
}

/// A source that is readable when the future goes on.
fn readable(reads: bool) -> Moving {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let writer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (reader, _) = listener.accept().unwrap();
    reader.set_nonblocking(true).unwrap();
    GO.set(Some(Box::new(move || (&writer).write_all(b"x").unwrap())));
    let source = IoSource::new(reader);
    let read = |mut stream: &TcpStream| stream.read(&mut [0; 8]);
    if reads {
        return text(async move { source.read_io(read).await.unwrap() });
    }
    // Until an attempt has failed, a source counts as ready.
    assert!(source.try_read_io(read).is_err());
    text(async move { source.readable().await.unwrap() })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Then {
    Completes,
    Cancel,
    Limit,
    Drop,
}

#[derive(Clone, Copy)]
struct Course {
    place: &'static Place,
    by_value: bool,
    pause: f64,
    then: Then,
}

/// A future is polled first in another place, if there is one, and then goes on. `None`: it had ended there.
fn play(
    kind: &'static Kind,
    earlier: Option<(&'static Place, u32, Manner)>,
    course: Course,
) -> Option<Notes> {
    let event_loop = EventLoop::builder().virtual_clock().build().unwrap();
    let main = async move {
        begin(get_running_loop().time());
        let (slot, mut stands) = (Slot::default(), None);
        slot.fill((kind.make)());
        if let Some((place, polls, manner)) = earlier {
            stands = visit(&slot, place, polls, manner).await;
        }
        take_notes();
        let goes_on = !slot.is_empty();
        if goes_on {
            sleep(seconds(course.pause)).await;
            let task = create_task(go_on(slot, course));
            if course.then == Then::Cancel {
                let task = task.any();
                later(2.0 - course.pause, move || task.cancel());
            }
            let ended = timeout(seconds(60.0), &task).await;
            note(format!("{:?}", ended.map(|ended| ended.is_ok())));
        }
        drop(stands);
        let seen = take_notes();
        // What runs elsewhere comes back.
        let others = || get_running_loop().all_tasks().len() > 1;
        for _ in 0..60 {
            if others() {
                sleep(seconds(1.0)).await;
            }
        }
        goes_on.then_some(seen)
    };
    let seen = event_loop.run_until_complete(main).unwrap();
    let (name, place, then) = (kind.name, course.place.name, course.then);
    let about = format!("left by {name} in {place}, {then:?}: {seen:?}");
    assert_eq!(nodes_alive(), 0, "nodes {about}");
    // A thread lets go of a waker after it has woken it, while this goes on.
    let wakers = wakers_left();
    assert!(wakers == 0 || name == "to_thread", "wakers {about}");
    assert!(event_loop.reactor().is_empty(), "sources {about}");
    assert!(event_loop.all_tasks().is_empty(), "tasks {about}");
    seen
}

async fn go_on(slot: Slot, course: Course) {
    let left = seconds(2.0).saturating_sub(here().time());
    let work = if course.by_value {
        slot.take()
    } else {
        slot.lend()
    };
    let work = (course.place.put)(work);
    if let Some(go) = GO.take() {
        create_task(async {
            yield_now().await;
            go();
        });
    }
    let outcome = match course.then {
        Then::Completes | Then::Cancel => Some(work.await),
        Then::Limit => timeout(left, work).await.ok(),
        Then::Drop => {
            let wait = async {
                sleep(left).await;
                None
            };
            futures_lite::future::race(async { Some(work.await) }, wait).await
        }
    };
    note(format!("{outcome:?}"));
    if !slot.is_empty() {
        note(format!("and again {:?}", slot.lend().await));
    }
}

#[test]
fn a_future_of_the_loop_goes_on_in_any_place_as_if_it_had_begun_there() {
    for kind in KINDS {
        let all = [Then::Completes, Then::Cancel, Then::Limit, Then::Drop];
        let thens = if kind.takes_time { &all[..] } else { &all[..1] };
        for (number, place) in PLACES.iter().enumerate() {
            for (more, &then) in thens.iter().enumerate() {
                for by_value in [false, true] {
                    let course = |pause| Course {
                        place,
                        by_value,
                        pause,
                        then,
                    };
                    let expected = play(kind, None, course(0.0));
                    for (polls, manner) in
                        [(1, Manner::Ends), (2, Manner::Ends), (1, Manner::Stands)]
                    {
                        // Every fourth place, another one each time.
                        let first = PLACES.iter().skip((number + more) % 4).step_by(4);
                        for first in first {
                            let pause = if kind.takes_time && polls == 1 {
                                0.5
                            } else {
                                0.0
                            };
                            let seen = play(kind, Some((first, polls, manner)), course(pause));
                            let (from, to) = (first.name, place.name);
                            assert_eq!(
                                seen, expected,
                                "{} from {from} ({polls}, {manner:?}) to {to}, {then:?}, {by_value}",
                                kind.name
                            );
                        }
                    }
                }
            }
        }
    }
}

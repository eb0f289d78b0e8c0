//! The futures of sockets, streams and servers, polled first in one place and then in another one of the same loop: they are woken
//! where they are, and the loop has nothing left of either place.
#![cfg(unix)]

#[path = "../../corio-combinators/tests/support/gives_up.rs"]
mod gives_up;
#[path = "../../corio-combinators/tests/moves/places.rs"]
mod places;
#[path = "support/programs.rs"]
mod programs;
#[path = "support/mod.rs"]
mod sockets;
#[path = "support/tls.rs"]
mod support_tls;

/// What the programs and the places begin with.
mod support {
    pub(crate) use super::sockets::{Folder, LIMIT, tcp_pair};
    pub(crate) use corio_runtime::{create_task, yield_now};
    use std::time::Duration;

    pub(crate) fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }
}

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use corio_combinators::timeout;
use corio_core::cancel::nodes_alive;
use corio_runtime::{EventLoop, create_task, get_running_loop};
use gives_up::{GivesUp, How};
use places::{Manner, PLACES, Place, Slot, visit, wakers_left};
use programs::{CASES, Row};
use support::LIMIT;

pub(crate) type Moving = Pin<Box<dyn Future<Output = String>>>;

/// What a place sees of a cancellation is the matter of the tests of scopes.
pub(crate) fn note(_: impl Into<String>) {}

/// The cases in which a thread is asked.
const LOOK_UPS: &[&str] = &["Bind Lookup", "Connect", "Recv SendOne UdpConnect"];

#[derive(Clone, Copy, Debug)]
enum Then {
    Completes,
    GivenUp(How),
}

/// Polls a program so many times in a place, and goes on in another one. False: it has ended in the first.
fn play(case: &Row, first: &Place, polls: u32, manner: Manner, second: &Place, then: Then) -> bool {
    let (name, make) = *case;
    let about = format!(
        "{name}: {polls} polls in {} ({manner:?}), {then:?} in {}",
        first.name, second.name
    );
    let event_loop = EventLoop::new().unwrap();
    // What a server could not tell anybody else is no matter here.
    event_loop.set_exception_handler(|_| {});
    let main = async {
        let slot = Slot::default();
        slot.fill(Box::pin(async move { format!("{:?}", make().await) }));
        let stands = visit(&slot, first, polls, manner).await;
        let goes_on = !slot.is_empty();
        if goes_on {
            let work = (second.put)(slot.take());
            let ended = match then {
                Then::Completes => create_task(async { Some(work.await) }).await,
                Then::GivenUp(how) => create_task(GivesUp::new(work, how, 1, Rc::default())).await,
            };
            match (then, ended) {
                (Then::Completes, Ok(Some(ended))) => assert_eq!(ended, "Ok(())", "{about}"),
                (Then::GivenUp(How::Drop), Ok(_)) | (Then::GivenUp(How::Cancel), _) => {}
                (_, ended) => panic!("{about}: {ended:?}"),
            }
        }
        drop(stands);
        while get_running_loop().all_tasks().len() > 1 {
            corio_runtime::sleep(Duration::from_millis(1)).await;
        }
        goes_on
    };
    let ended = event_loop.run_until_complete(timeout(LIMIT, main)).unwrap();
    let goes_on = ended.unwrap_or_else(|_| panic!("{about}: nobody is woken"));
    assert_eq!(nodes_alive(), 0, "{about}: nodes are left");
    let reactor = event_loop.reactor().clone();
    assert!(reactor.is_empty(), "{about}: sources are left: {reactor:?}");
    assert!(event_loop.close().is_clean(), "{about}");
    // A thread lets go of a waker after it has woken it, while this goes on.
    let wakers = wakers_left();
    assert!(
        wakers == 0 || LOOK_UPS.contains(&name),
        "{about}: wakers are left"
    );
    goes_on
}

#[test]
fn a_future_of_a_socket_goes_on_where_it_has_moved_to_and_leaves_nothing() {
    let manners = [Manner::Ends, Manner::Dropped, Manner::Stands];
    // Each pair of places meets some of the programs.
    let mut number = 0;
    for case in CASES {
        let mut moved = 0;
        for polls in [1, 2, 3, 5, 8] {
            let mut play = |second: &Place, then| {
                let first = &PLACES[number % PLACES.len()];
                let manner = manners[number / PLACES.len() % manners.len()];
                number += 1;
                moved += usize::from(play(case, first, polls, manner, second, then));
            };
            for second in PLACES {
                play(second, Then::Completes);
            }
            for (at, how) in [How::Drop, How::Cancel].into_iter().enumerate() {
                play(
                    &PLACES[(polls as usize + at) % PLACES.len()],
                    Then::GivenUp(how),
                );
            }
        }
        assert!(moved > 0, "{} has to suspend", case.0);
    }
}

//! Two tasks that wake each other.

use std::rc::Rc;

use crate::runtime::{Handle, Signal};
use crate::workload::Workload;

/// Two tasks, of which one is always waiting for the other. One operation is a round trip.
#[derive(Debug)]
pub struct PingPong;

impl Workload for PingPong {
    const NAME: &'static str = "ping_pong";

    async fn run<H: Handle>(handle: &H, iterations: u64) {
        ping_pong::<H, H::Signal>(handle, iterations).await;
    }
}

/// The same with a signal that is not the runtime's first choice.
pub async fn ping_pong<H: Handle, S: Signal>(handle: &H, rounds: u64) {
    let signals = Rc::new((S::new(), S::new()));
    let ponging = handle.spawn(pong(signals.clone(), rounds));
    // Its first wait comes before the first ping, since not every signal keeps what nobody waits for.
    H::yield_now().await;
    let pinging = handle.spawn(ping(signals, rounds));
    H::output(H::join(pinging).await);
    H::output(H::join(ponging).await);
}

async fn ping<S: Signal>(signals: Rc<(S, S)>, rounds: u64) {
    let (ping, pong) = &*signals;
    for _ in 0..rounds {
        S::exchange(pong, ping).await;
        pong.heard();
    }
}

async fn pong<S: Signal>(signals: Rc<(S, S)>, rounds: u64) {
    let (ping, pong) = &*signals;
    ping.wait().await;
    ping.heard();
    for _ in 1..rounds {
        S::exchange(ping, pong).await;
        ping.heard();
    }
    pong.notify();
}

//! What is measured: small operations, each alone.

pub mod gather;
pub mod ping_pong;

mod spawn_join;
mod timeout;
mod yields;

pub use gather::Gather;
pub use ping_pong::PingPong;
pub use spawn_join::{SpawnJoinBatch, SpawnJoinSingle};
pub use timeout::{TimeoutNever, TimeoutReady};
pub use yields::Yields;

use crate::workload::WorkloadVisitor;

/// Shows the visitor all workloads but the largest, which only repeats another in its size.
pub fn each(visitor: &mut impl WorkloadVisitor) {
    visitor.visit::<SpawnJoinBatch>();
    visitor.visit::<SpawnJoinSingle>();
    visitor.visit::<Yields>();
    visitor.visit::<PingPong>();
    visitor.visit::<TimeoutNever>();
    visitor.visit::<TimeoutReady>();
    visitor.visit::<Gather<1_000>>();
}

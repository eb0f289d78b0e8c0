//! How each runtime does what is asked of it.

mod corio;
mod smol;
mod tokio;

pub use corio::{Corio, CorioHandle, PromiseSignal};
pub use smol::{Smol, SmolHandle};
pub use tokio::{TokioHandle, TokioLocalRuntime, TokioLocalSet};

use crate::runtime::Visitor;

/// Shows the visitor all runtimes, corio first.
pub fn each(visitor: &mut impl Visitor) {
    visitor.visit::<Corio>();
    visitor.visit::<TokioLocalSet>();
    visitor.visit::<TokioLocalRuntime>();
    visitor.visit::<Smol>();
}

//! Cancellation that is delivered: the tree of scopes, and the requests that travel in it.
//!
//! Every task has a *root*, made when it is first needed. Futures that can hear of a cancellation ([`Node`]) stand below the
//! node they are polled in. A *request* enters at one node, its origin, and goes down to the innermost nodes below that may
//! take it; what they cannot take comes up again. Nothing here polls anything: a request marks nodes and wakes tasks, and the
//! nodes look at their marks when they are polled.
//!
//! | kind | takes a request | and then |
//! | --- | --- | --- |
//! | root | that no node of the task took | the task's future is dropped, the task ends cancelled |
//! | [`Catch`](Kind::Catch) | every one | its inner future is dropped unpolled, the code around goes on |
//! | [`Deadline`](Kind::Deadline) | its own, unless an outer one came with it | its inner future is dropped, the owner reports |
//! | [`Wait`](Kind::Wait) | every one | hands it on to the tasks it owns, and stays pending until they have ended |
//!
//! # One request, step by step
//!
//! 1. `request`: while the task takes a step the tree is in flux, so the request is *queued* at its
//!    origin; otherwise it is *distributed*: the innermost takers below the origin get a *mark* (a wait forwards at once) and are
//!    woken. They are *in flight* until they have looked.
//! 2. The task is stepped. `before_poll`: a mark at the root ends it there. Otherwise the poll reaches marked nodes, outermost
//!    first; each *takes*: drops its inner future, and collects what bounces from the nodes and the `Cancelled`s dropped with it.
//! 3. `after_poll`: a node in flight that this poll did not reach does not answer wakes. It is *passed over*: the request rises
//!    to the next taker above it. Queued requests are distributed.
//! 4. What comes up (`propagate`, a finished clean-up, an owned wait whose tasks ended cancelled) *rises* to the next catcher,
//!    the origin, or the root, and waits there for branches below that are still *at work* on the same request.
//!
//! A node that is dropped, or moves to another task, hands what it had to the node that was above it, so a request is never
//! lost; a deadline's or a scope's request ends with that scope.
//!
//! All of this is one thread's data, in a slab per thread. No foreign code runs while it is borrowed.

mod actions;
mod cancelled;
mod down;
mod entry;
mod judge;
pub(crate) mod light;
mod node;
mod nodes;
mod place;
mod quiet;
mod request;
mod taken;
mod task;
mod tree;
mod trouble;
mod up;

pub use cancelled::{Cancelled, Never, OrPropagate, Propagate};
pub use entry::ScopeEntry;
pub use node::{Kind, Members, Node};
pub use nodes::Limit;
pub(crate) use place::outside;
pub use taken::Taken;
pub(crate) use task::{after_poll, before_poll, cancel_task, collect, task_ended, withdraw};
pub use task::{deadline_here, nodes_alive, outstanding, tree_number};

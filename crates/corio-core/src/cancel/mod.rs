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
//! ```text
//!            request                       take, unpolled                    propagate, end of a clean-up
//!   origin ───────────▶ innermost takers ─────────────────▶ code that cleans up ─────────────────────────▶ next taker above
//!                        (marked, woken)                     (at work)                                     (waits for others at work)
//! ```
//!
//! 1. *Down.* While the task takes a step the tree is in flux, so a request is *queued* at its origin; otherwise it is
//!    *distributed*: the innermost takers below the origin get a *mark* (a wait asks its tasks at once) and are woken. They are *in
//!    flight* until they have looked. A node that *covers* what is below it (a clean-up after a value) takes in its place.
//! 2. *The step.* Before it, a mark at the root ends the task. Otherwise the poll reaches marked nodes, outermost first; each
//!    *takes*: drops its inner future, and collects what bounces from the nodes and the `Cancelled`s dropped with it.
//! 3. *The judgement.* After a step that was pending, a node in flight that was marked before the step and not reached by it does
//!    not answer wakes. It is *passed over*: the request rises to the next taker above it. A step that has woken its task again
//!    puts this off, a bounded number of times. Then queued requests are distributed.
//! 4. *Up.* What comes up (`propagate`, a finished clean-up, an owned wait whose tasks ended cancelled) *rises* to the next catcher,
//!    the origin, or the root, and waits there for branches below that are still *at work* on the same request, and for those that
//!    have yet to look at it. Who is at work is asked once, by a wake, whether it answers; one that does not is not waited for.
//!
//! A request is never above its origin, and ends with it: a deadline's or a scope's does not outlive that scope. A node that
//! is dropped, or moves elsewhere, hands what entered further out to the node that was above it, so such a request is never lost.
//! What goes from task to task is a work list; a wait that would close a ring keeps the request and passes it up.
//!
//! The counter of a task (`cancelling`) is a view: the requests at its root that were not taken back, and those of the scopes that
//! have not ended.
//!
//! # Where to find what
//!
//! | file | what |
//! | --- | --- |
//! | `node`, `taken`, `entry`, `cancelled` | the four handles: of the owner, of what it took, of who asks, of who caught |
//! | `nodes`, `trouble` | the slab of nodes, and what requests leave there |
//! | `down`, `up`, `judge`, `held_up` | the ways of a request, and who does not answer it |
//! | `request`, `actions` | what travels, and what remains to be done when the borrow has ended |
//! | `task` | the tree from the side of tasks |
//! | `tree`, `place` | what a thread has, and where the code that runs stands in it |
//! | `late`, `light`, `light_limit`, `quiet` | the usual cases without any request |
//!
//! All of this is one thread's data, in a slab per thread. No foreign code runs while it is borrowed.

mod actions;
mod cancelled;
mod down;
mod entry;
mod held_up;
mod judge;
mod late;
pub(crate) mod light;
mod light_limit;
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
pub use late::Links;
pub use node::{Kind, Members, Node};
pub use nodes::Limit;
pub(crate) use place::outside;
pub use taken::Taken;
pub(crate) use task::{after_poll, before_poll, cancel_task, collect, task_ended, told, withdraw};
pub use task::{deadline_here, nodes_alive, poll_after_passing_on, tree_number};

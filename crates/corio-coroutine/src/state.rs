//! The states that a coroutine goes through.

/// Where a coroutine stands between its creation and its end.
///
/// ```text
/// Created ──next──▶ Running ──yield──▶ Suspended
///    │              ▲     │                │ │
///    │              └─────┼─next/send/throw┘ │
///    │                    │ return, panic    │ close, throw not caught
///    └──throw/close───────┴──▶ Closed ◀──────┘
/// ```
#[doc(alias = "getgeneratorstate")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoroutineState {
    /// The body has not run yet.
    Created,
    /// The body is on the stack right now; seen only from code that the body calls.
    Running,
    /// The body waits at a yield, or at an `.await` of something that was not ready.
    Suspended,
    /// The body is gone: it returned, was closed, panicked, or let an error out.
    Closed,
}

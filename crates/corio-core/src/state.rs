//! The state word of a cell: every bit, every transition, and what the caller must do next.
//!
//! A cell belongs to one thread, so the word is a plain `Cell`. What a transition returns is an order to its caller, which is
//! why each result is `#[must_use]`.
//!
//! ```text
//!                    (1) wake                 (2) begin
//!   Pending ─────────────────▶ Pending+QUEUED ─────────▶ Running ──(3) suspend──▶ Pending
//!      │                             │                    │  ▲
//!      │ (4) relay                   │                    │  └─ (1) wake while running sets QUEUED: it runs again
//!      ▼                             │                    │
//!   Pending+RELAYED ──(2) begin──▶ (1)                    │ (5) finish
//!                                                         ▼
//!                    Done │ Done+PANICKED │ Done+FAILED │ Done+CANCELLED
//!                                                         │ (6) take / release the value, when `callbacks` is 0
//!                                                         ▼
//!                                                 the same, without OUTPUT
//! ```
//!
//! | edge | made by | condition |
//! | --- | --- | --- |
//! | 1 | a waker, `cancel`, `abort`, the creation | not QUEUED, not DONE |
//! | 2 | the scheduler, which took the cell out of the ready queue | |
//! | 3 | the scheduler, after a poll that gave `Pending` | RUNNING |
//! | 4 | a timer: the wake goes through the queue once, as a timer callback of asyncio does | not QUEUED, not RELAYED, not DONE |
//! | 5 | the scheduler, after the last poll or the drop of the future; `close` | not DONE |
//! | 6 | the owner of the value, or whoever ran the last done callback after the owner had gone | DONE, OUTPUT |

use std::cell::Cell;

/// In the ready queue, for a step.
const QUEUED: u32 = 1 << 0;
/// Its future is being polled or dropped, further down on this thread's stack.
const RUNNING: u32 = 1 << 1;
/// It has an outcome. Never cleared; no future is in the cell any more.
const DONE: u32 = 1 << 2;
/// The outcome is a cancellation. Only with DONE.
const CANCELLED: u32 = 1 << 3;
/// The outcome is a panic. Only with DONE.
const PANICKED: u32 = 1 << 4;
/// The outcome was an error that moved into a group. Only with DONE.
const FAILED: u32 = 1 << 5;
/// The stage of the cell holds the future (or the callback that was not called yet).
const FUTURE: u32 = 1 << 6;
/// The stage holds the value. Only with DONE, and with none of CANCELLED, PANICKED, FAILED.
const OUTPUT: u32 = 1 << 7;
/// The owning handle `Task<T>` exists: the value is kept for it.
const OWNED: u32 = 1 << 8;
/// Somebody has looked at the outcome: a panic is not reported any more.
const SEEN: u32 = 1 << 9;
/// In the ready queue, to be queued once more.
const RELAYED: u32 = 1 << 10;
/// The cancellation tree holds something for this task: ask it before and after a poll.
const ATTENTION: u32 = 1 << 11;
/// The forced end was asked for: drop the future at the next turn.
const ABORT: u32 = 1 << 12;
/// The cell is a callback, not a task.
const CALLBACK: u32 = 1 << 13;
/// The task has context variables of its own, which are put in place for its steps.
const CONTEXT: u32 = 1 << 14;
/// The future lives elsewhere, and the stage holds its proxy. A step of the proxy is no step of the task.
const LENT: u32 = 1 << 15;
/// The holder of a lent future was told that there is a step to take, and has not taken it yet. Only with LENT and without DONE,
/// where the bit would say FAILED.
const TOLD: u32 = FAILED;

/// The upper half counts the requests to cancel that were not taken back.
const REQUEST: u32 = 1 << 16;

/// What keeps a step from being nothing but a poll.
const UNUSUAL: u32 = RELAYED | DONE | ATTENTION | ABORT | CALLBACK | RUNNING | CONTEXT | LENT;

/// What to do with a cell that was taken out of the ready queue.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Nothing: it ended while it waited in the queue.
    Skip,
    /// Queue it once more (edge 4 leads to edge 1).
    Relay,
    /// Call the callback.
    Call,
    /// Poll the future.
    Poll,
    /// Put the task's context in place, and ask the cancellation tree if it needs attention; then perhaps poll.
    Attend,
    /// Poll the proxy, while holding the cell: the future's holder may end the task meanwhile.
    PollProxy,
    /// Drop the future without a poll.
    Abort,
}

/// How a task ended: as the bit that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Outcome {
    Value = OUTPUT,
    Cancelled = CANCELLED,
    Panicked = PANICKED,
    Failed = FAILED,
}

/// What the stage of a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Future,
    Output,
    Panic,
    Cancelled,
    Empty,
}

/// The bits, in a word of 32: processors hand a word of that size from a store to the load that follows it at once, and a smaller one
/// only after some time.
pub(crate) struct State(Cell<u32>);

impl State {
    /// A new task, which is in the ready queue and has an owning handle.
    #[inline]
    pub(crate) fn queued_task() -> State {
        State(Cell::new(FUTURE | OWNED | QUEUED))
    }

    pub(crate) fn callback() -> State {
        State(Cell::new(FUTURE | CALLBACK))
    }

    fn has(&self, bits: u32) -> bool {
        self.0.get() & bits != 0
    }

    fn set(&self, bits: u32) {
        self.0.set(self.0.get() | bits);
    }

    fn clear(&self, bits: u32) {
        self.0.set(self.0.get() & !bits);
    }

    /// Edge 1. True: put the cell into the ready queue.
    #[must_use]
    #[inline]
    pub(crate) fn wake(&self) -> bool {
        let bits = self.0.get();
        if bits & (QUEUED | DONE) != 0 {
            return false;
        }
        self.0.set(bits | QUEUED);
        true
    }

    /// Edge 4. True: put the cell into the ready queue.
    #[must_use]
    #[inline]
    pub(crate) fn relay(&self) -> bool {
        let bits = self.0.get();
        if bits & (QUEUED | RELAYED | DONE) != 0 {
            return false;
        }
        self.0.set(bits | RELAYED);
        true
    }

    /// Edge 2.
    #[inline]
    pub(crate) fn begin(&self) -> Begin {
        let bits = self.0.get();
        if bits & UNUSUAL == 0 {
            self.0.set(bits & !QUEUED | RUNNING);
            return Begin::Poll;
        }
        self.begin_rare(bits)
    }

    #[cold]
    fn begin_rare(&self, bits: u32) -> Begin {
        if bits & RELAYED != 0 {
            self.0.set(bits & !RELAYED);
            return if bits & DONE == 0 {
                Begin::Relay
            } else {
                Begin::Skip
            };
        }
        if bits & (DONE | RUNNING) != 0 {
            self.0.set(bits & !QUEUED);
            return Begin::Skip;
        }
        if bits & CALLBACK != 0 {
            self.0.set(bits & !QUEUED);
            return Begin::Call;
        }
        self.0.set(bits & !QUEUED | RUNNING);
        if bits & ABORT != 0 {
            Begin::Abort
        } else if bits & LENT != 0 {
            Begin::PollProxy
        } else {
            Begin::Attend
        }
    }

    /// How often the cell is in the ready queue.
    pub(crate) fn places(&self) -> u32 {
        (self.0.get() & (QUEUED | RELAYED)).count_ones()
    }

    /// It is in the ready queue.
    #[inline]
    pub(crate) fn is_placed(&self) -> bool {
        self.has(QUEUED | RELAYED)
    }

    /// An unfinished task was taken out of one of its places, and not for a step.
    pub(crate) fn leave_place(&self) {
        let relayed = self.has(RELAYED);
        self.clear(if relayed { RELAYED } else { QUEUED });
    }

    /// Its places in the ready queue own references to it, because no table does.
    pub(crate) fn owns_its_places(&self) -> bool {
        self.has(DONE | CALLBACK)
    }

    /// Edge 3.
    #[inline]
    pub(crate) fn suspend(&self) {
        debug_assert!(self.has(RUNNING));
        self.clear(RUNNING);
    }

    /// Edge 5. The stage holds the outcome, or nothing, before this is called.
    #[inline]
    pub(crate) fn finish(&self, outcome: Outcome) {
        debug_assert!(!self.has(DONE));
        let bits = self.0.get() & !(RUNNING | FUTURE | ATTENTION | TOLD);
        self.0.set(bits | DONE | outcome as u32);
    }

    /// The outcome is taken back before anybody has been told, because another one takes its place. True: the value is there; the
    /// caller now drops it, and meanwhile the task counts as running.
    #[must_use]
    pub(crate) fn unfinish(&self) -> bool {
        let there = self.has(OUTPUT);
        self.clear(DONE | OUTPUT | FAILED);
        self.set(RUNNING);
        there
    }

    /// A callback is not to be called. True: it was still there.
    pub(crate) fn cancel_callback(&self) -> bool {
        self.set(CANCELLED);
        self.has(FUTURE)
    }

    pub(crate) fn callback_cancelled(&self) -> bool {
        self.has(CANCELLED)
    }

    /// The future leaves the stage; while its destructor runs the task counts as running.
    pub(crate) fn future_left(&self) {
        self.0.set(self.0.get() & !FUTURE | RUNNING);
    }

    /// A callback is taken out of its cell, to be called or dropped. False: it was gone already.
    #[must_use]
    pub(crate) fn take_callback(&self) -> bool {
        let there = self.has(FUTURE);
        self.0.set(self.0.get() & !FUTURE | DONE);
        there
    }

    /// Edge 6. True: the value was there; the caller now takes or drops it.
    #[must_use]
    #[inline]
    pub(crate) fn output_left(&self) -> bool {
        let there = self.has(OUTPUT);
        self.clear(OUTPUT);
        there
    }

    /// The outcome, once there is one.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let bits = self.0.get();
        if bits & DONE == 0 {
            None
        } else if bits & CANCELLED != 0 {
            Some(Outcome::Cancelled)
        } else if bits & PANICKED != 0 {
            Some(Outcome::Panicked)
        } else if bits & FAILED != 0 {
            Some(Outcome::Failed)
        } else {
            Some(Outcome::Value)
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        let bits = self.0.get();
        if bits & FUTURE != 0 {
            Stage::Future
        } else if bits & CALLBACK != 0 {
            // A callback leaves nothing behind; CANCELLED only says that it was taken back.
            Stage::Empty
        } else if bits & OUTPUT != 0 {
            Stage::Output
        } else if bits & PANICKED != 0 {
            Stage::Panic
        } else if bits & CANCELLED != 0 {
            Stage::Cancelled
        } else {
            Stage::Empty
        }
    }

    /// The stage is empty, or a callback was cancelled before it was taken out of it.
    #[inline]
    pub(crate) fn is_spent(&self) -> bool {
        !self.has(FUTURE | OUTPUT | PANICKED | CANCELLED)
    }

    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.has(DONE)
    }

    /// It is neither done nor being polled: whoever waits for it may have to wait, and is not the task itself.
    #[inline]
    pub(crate) fn is_resting(&self) -> bool {
        !self.has(DONE | RUNNING)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.has(RUNNING)
    }

    pub(crate) fn is_queued(&self) -> bool {
        self.has(QUEUED)
    }

    /// The future is still in its place, so that it can be polled or asked to end.
    pub(crate) fn has_future(&self) -> bool {
        self.has(FUTURE)
    }

    pub(crate) fn is_owned(&self) -> bool {
        self.has(OWNED)
    }

    /// The stage holds the value.
    #[inline]
    pub(crate) fn has_output(&self) -> bool {
        self.has(OUTPUT)
    }

    /// The owning handle goes.
    pub(crate) fn disown(&self) {
        self.clear(OWNED);
    }

    /// The handle was only lent, and its owner is still there.
    pub(crate) fn own(&self) {
        self.set(OWNED);
    }

    pub(crate) fn is_seen(&self) -> bool {
        self.has(SEEN)
    }

    pub(crate) fn see(&self) {
        self.set(SEEN);
    }

    pub(crate) fn attend(&self) {
        self.set(ATTENTION);
    }

    #[inline]
    pub(crate) fn needs_attention(&self) -> bool {
        self.has(ATTENTION)
    }

    /// A step of it ends with more than the suspension.
    #[inline]
    pub(crate) fn is_attended(&self) -> bool {
        self.has(ATTENTION | CONTEXT)
    }

    pub(crate) fn at_ease(&self) {
        self.clear(ATTENTION);
    }

    pub(crate) fn abort(&self) {
        self.set(ABORT);
    }

    /// How many requests to cancel were made and not taken back.
    pub(crate) fn cancelling(&self) -> u16 {
        (self.0.get() / REQUEST) as u16
    }

    /// One more request to cancel. The count stops at its end.
    pub(crate) fn add_request(&self) {
        let count = self.cancelling().saturating_add(1);
        self.0.set((u32::from(count) * REQUEST) | self.bits());
    }

    /// So many requests less.
    pub(crate) fn take_requests(&self, count: u16) {
        let left = self.cancelling().saturating_sub(count);
        self.0.set((u32::from(left) * REQUEST) | self.bits());
    }

    fn bits(&self) -> u32 {
        self.0.get() & (REQUEST - 1)
    }

    pub(crate) fn has_context(&self) -> bool {
        self.has(CONTEXT)
    }

    pub(crate) fn set_context(&self, there: bool) {
        if there {
            self.set(CONTEXT);
        } else {
            self.clear(CONTEXT);
        }
    }
}

mod lent;

#[cfg(test)]
mod tests;

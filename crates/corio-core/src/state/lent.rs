//! The bits of a task whose future lives elsewhere, see [`lent`](crate::lent).

use super::{DONE, LENT, RUNNING, State, TOLD};

impl State {
    /// The future lives elsewhere.
    pub(crate) fn lend(&self) {
        self.set(LENT);
    }

    pub(crate) fn is_lent(&self) -> bool {
        self.has(LENT)
    }

    /// The holder is about to be told that there is a step to take.
    pub(crate) fn tell(&self) {
        self.set(TOLD);
    }

    /// The holder was told, and the step is still to come.
    pub(crate) fn is_told(&self) -> bool {
        self.0.get() & (LENT | TOLD | DONE) == LENT | TOLD
    }

    /// Edge 2 for a future that lives elsewhere: its holder polls it. False: it is being polled.
    pub(crate) fn begin_lent(&self) -> bool {
        let free = !self.has(RUNNING);
        self.0.set(self.0.get() & !TOLD | RUNNING);
        free
    }
}

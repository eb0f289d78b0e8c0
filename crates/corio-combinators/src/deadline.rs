//! `deadline`: how long the code that runs now has.

use std::time::Instant;

use corio_core::cancel;
use corio_core::time::Moment;

/// The time at which the code that runs now is going to be cancelled, if it does not end before: the nearest limit of the
/// timeouts and scopes around it in its task. `None`: there is none.
///
/// It is a promise to cancel, not a forecast: a scope may still be rescheduled.
///
/// ```
/// # use std::time::Duration;
/// use corio_combinators::deadline;
///
/// assert_eq!(deadline(), None);
/// ```
#[doc(alias = "current_effective_deadline")]
pub fn deadline() -> Option<Instant> {
    cancel::deadline_here().map(Moment::instant)
}

//! `run`: a program from its main future to its orderly end.

use std::future::IntoFuture;

use crate::interrupt;
use crate::run_error::RunError;
use crate::runner::{Runner, RunnerBuilder};

/// Runs a future as the main task of a new loop, ends everything in order, and gives its output. The future may borrow.
///
/// Ctrl-C asks the main task to cancel; a second one drops it. When the main task ends cancelled because of it, the process ends
/// by the signal's default action after everything else has been ended in order.
///
/// # Panics
///
/// When a loop is running on this thread already; when the main task was cancelled or the loop stopped by something else than
/// Ctrl-C (a [`Runner`] reports that as an error); when the system gives no descriptors for the reactor. A panic of the future
/// is resumed, after the orderly end.
///
/// ```
/// # use corio_runtime as corio;
/// let words = vec!["to", "be"];
/// let count = corio::run(async { words.len() });
/// assert_eq!(count, 2);
/// ```
#[doc(alias = "block_on")]
#[track_caller]
pub fn run<M: IntoFuture>(main: M) -> M::Output {
    run_built(Runner::builder(), main)
}

/// The same, with the options of a runner.
#[doc(hidden)]
#[track_caller]
pub fn run_built<M: IntoFuture>(builder: RunnerBuilder, main: M) -> M::Output {
    let mut runner = match builder.build() {
        Ok(runner) => runner,
        Err(error) => panic!("the event loop cannot be made: {error}"),
    };
    let result = runner.run(main);
    runner.close();
    match result {
        Ok(value) => value,
        Err(RunError::Interrupted) => interrupt::die(),
        Err(error) => panic!("the main task gave no value: {error}"),
    }
}

//! `gather!`: a few tasks of different types.

use crate::gather::Gather;
use crate::set::TaskSet;

/// As [`gather`](crate::gather()), for up to twelve futures and tasks of different types: the future of a tuple.
///
/// ```
/// # let scheduler = corio_core::Scheduler::new(|| {});
/// # let main = scheduler.create_task(async {
/// use corio_combinators::gather;
///
/// let (number, text) = gather!(async { 6 * 7 }, async { "forty-two" }).await?;
/// assert_eq!((number, text), (42, "forty-two"));
/// # Ok::<(), corio_core::TaskError>(())
/// # });
/// # while scheduler.ready() > 0 { scheduler.run(scheduler.ready()); }
/// # main.into_result().unwrap().unwrap();
/// # scheduler.close();
/// ```
///
/// # Cancel safety
///
/// As [`Gather`].
#[doc(alias = "join")]
#[doc(alias = "try_join")]
#[macro_export]
macro_rules! gather {
    () => {
        $crate::gather_nothing()
    };
    ($($task:expr),+ $(,)?) => {
        $crate::gather_set(($($task,)+))
    };
}

/// What [`gather!`](macro@crate::gather) calls without arguments.
#[doc(hidden)]
#[track_caller]
pub fn gather_nothing() -> Gather<()> {
    Gather::of_nothing()
}

/// What [`gather!`](macro@crate::gather) calls.
#[doc(hidden)]
#[track_caller]
pub fn gather_set<S: TaskSet>(set: S) -> Gather<S> {
    Gather::of_set(set)
}

//! What every runtime is asked to do.

use std::future::Future;
use std::time::Duration;

/// A runtime on the current thread. It lives through all samples of a benchmark, so that what is measured is its steady state.
pub trait Runtime: Sized + 'static {
    /// As it is called in the results.
    const NAME: &'static str;
    /// The way to it from inside.
    type Handle: Handle;

    /// A new one.
    fn new() -> Self;

    /// The way to it from inside.
    fn handle(&self) -> Self::Handle;

    /// Runs a future to its end, together with the tasks that it spawns.
    fn block_on<F: Future>(&mut self, future: F) -> F::Output;
}

/// A runtime, seen from inside. What is awaited is the runtime's own future, and what it gives is unpacked after the await, as a
/// program would: a wrapper around the future would be measured too.
pub trait Handle: 'static {
    /// A spawned future. Dropping it may cancel the future; see [`detach`](Handle::detach).
    type Task<T: 'static>;
    /// How a task tells its output.
    type Joined<T: 'static>;
    /// How a limit tells the output, if there was one.
    type Limited<T>;
    /// How two tasks wake each other.
    type Signal: Signal;

    /// Runs a future as a task.
    fn spawn<F: Future<Output: 'static> + 'static>(&self, future: F) -> Self::Task<F::Output>;

    /// Waits for the output of a task.
    fn join<T: 'static>(task: Self::Task<T>) -> impl Future<Output = Self::Joined<T>>;

    /// The output of a task that has not failed.
    fn output<T: 'static>(joined: Self::Joined<T>) -> T;

    /// Lets go of a task, which runs on.
    fn detach<T: 'static>(task: Self::Task<T>);

    /// Gives way to the other tasks.
    fn yield_now() -> impl Future<Output = ()> + 'static;

    /// Waits for a duration.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static;

    /// Waits for the output of the future, unless it takes longer.
    fn timeout<F: Future>(
        limit: Duration,
        future: F,
    ) -> impl Future<Output = Self::Limited<F::Output>>;

    /// The output that came in time.
    fn in_time<T>(limited: Self::Limited<T>) -> Option<T>;

    /// Runs futures as tasks and gives their outputs in order: unless the runtime brings something of its own for it, by
    /// awaiting them one after the other, which is the fastest way.
    fn gather<F>(&self, futures: impl Iterator<Item = F>) -> impl Future<Output = Vec<F::Output>>
    where
        F: Future<Output: 'static> + 'static,
    {
        crate::workloads::gather::in_order(self, futures)
    }
}

/// A one-place signal between two tasks.
pub trait Signal: 'static {
    /// One that is not set.
    fn new() -> Self;

    /// Wakes who waits.
    fn notify(&self);

    /// Waits until it is notified. What came before may be missed.
    fn wait(&self) -> impl Future<Output = ()>;

    /// To be called after each wait, before the next one.
    fn heard(&self) {}

    /// Notifies `other`, then waits for `own`, and misses nothing in between.
    fn exchange(own: &Self, other: &Self) -> impl Future<Output = ()>;
}

/// What is to be done with each runtime.
pub trait Visitor {
    /// Does it.
    fn visit<R: Runtime>(&mut self);
}

//! corio: a `Runner`, so that one loop serves all samples.

use std::cell::RefCell;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::time::Duration;

use ::corio::sync::Event;
use ::corio::{Promise, Runner, Task, TaskError, TimeoutError};

use crate::runtime::{Handle, Runtime, Signal};

/// corio's event loop.
#[derive(Debug)]
pub struct Corio {
    runner: Runner,
}

/// The loop is found through the thread.
#[derive(Debug)]
pub struct CorioHandle;

impl Runtime for Corio {
    const NAME: &'static str = "corio";
    type Handle = CorioHandle;

    fn new() -> Self {
        Corio {
            runner: Runner::new().expect("the system gives descriptors"),
        }
    }

    fn handle(&self) -> CorioHandle {
        CorioHandle
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.runner
            .run(future)
            .expect("nothing cancels the main task")
    }
}

impl Handle for CorioHandle {
    type Task<T: 'static> = Task<T>;
    type Joined<T: 'static> = Result<T, TaskError>;
    type Limited<T> = Result<T, TimeoutError>;
    type Signal = Event;

    #[inline]
    fn spawn<F: Future<Output: 'static> + 'static>(&self, future: F) -> Task<F::Output> {
        ::corio::create_task(future)
    }

    #[inline]
    fn join<T: 'static>(task: Task<T>) -> impl Future<Output = Result<T, TaskError>> {
        task.into_future()
    }

    #[inline]
    fn output<T: 'static>(joined: Result<T, TaskError>) -> T {
        joined.expect("no task fails")
    }

    #[inline]
    fn detach<T: 'static>(task: Task<T>) {
        drop(task);
    }

    #[inline]
    fn yield_now() -> impl Future<Output = ()> + 'static {
        ::corio::yield_now()
    }

    #[inline]
    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        ::corio::sleep(duration)
    }

    #[inline]
    fn timeout<F: Future>(
        limit: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, TimeoutError>> {
        ::corio::timeout(limit, future)
    }

    #[inline]
    fn in_time<T>(limited: Result<T, TimeoutError>) -> Option<T> {
        limited.ok()
    }

    #[inline]
    async fn gather<F>(&self, futures: impl Iterator<Item = F>) -> Vec<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        ::corio::gather(futures).await.expect("no task fails")
    }
}

impl Signal for Event {
    fn new() -> Self {
        Event::new()
    }

    #[inline]
    fn notify(&self) {
        self.set();
    }

    #[inline]
    fn wait(&self) -> impl Future<Output = ()> {
        Event::wait(self)
    }

    #[inline]
    fn heard(&self) {
        self.clear();
    }

    #[inline]
    fn exchange(own: &Self, other: &Self) -> impl Future<Output = ()> {
        other.set();
        Signal::wait(own)
    }
}

/// A signal that is a new promise for every wait.
pub struct PromiseSignal {
    waited_for: RefCell<Option<Promise<()>>>,
}

impl PromiseSignal {
    fn promise(&self) -> Promise<()> {
        let promise = ::corio::get_running_loop().create_promise();
        *self.waited_for.borrow_mut() = Some(promise.clone());
        promise
    }
}

impl Signal for PromiseSignal {
    fn new() -> Self {
        PromiseSignal {
            waited_for: RefCell::new(None),
        }
    }

    #[inline]
    fn notify(&self) {
        let promise = self.waited_for.take();
        let promise = promise.expect("the other task waits already");
        promise.set_result(()).expect("it is set once");
    }

    #[inline]
    async fn wait(&self) {
        self.promise().await.expect("nobody cancels it");
    }

    #[inline]
    async fn exchange(own: &Self, other: &Self) {
        let promise = own.promise();
        other.notify();
        promise.await.expect("nobody cancels it");
    }
}

impl fmt::Debug for PromiseSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waited_for = self.waited_for.borrow().is_some();
        f.debug_struct("PromiseSignal")
            .field("waited_for", &waited_for)
            .finish()
    }
}

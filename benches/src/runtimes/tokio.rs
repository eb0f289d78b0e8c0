//! tokio on one thread, in its two forms for futures that are not `Send`.

use std::future::Future;
use std::time::Duration;

use ::tokio::runtime::{Builder, LocalRuntime};
use ::tokio::sync::Notify;
use ::tokio::task::{JoinError, JoinHandle, LocalSet, spawn_local};
use ::tokio::time::error::Elapsed;

use crate::runtime::{Handle, Runtime, Signal};

/// The current-thread runtime with a `LocalSet`.
#[derive(Debug)]
pub struct TokioLocalSet {
    runtime: ::tokio::runtime::Runtime,
    tasks: LocalSet,
}

/// The `LocalRuntime`.
#[derive(Debug)]
pub struct TokioLocalRuntime {
    runtime: LocalRuntime,
}

/// The runtime is found through the thread.
#[derive(Debug)]
pub struct TokioHandle;

impl Runtime for TokioLocalSet {
    const NAME: &'static str = "tokio LocalSet";
    type Handle = TokioHandle;

    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build();
        TokioLocalSet {
            runtime: runtime.expect("the system gives descriptors"),
            tasks: LocalSet::new(),
        }
    }

    fn handle(&self) -> TokioHandle {
        TokioHandle
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.tasks.block_on(&self.runtime, future)
    }
}

impl Runtime for TokioLocalRuntime {
    const NAME: &'static str = "tokio LocalRuntime";
    type Handle = TokioHandle;

    fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .build_local(Default::default());
        TokioLocalRuntime {
            runtime: runtime.expect("the system gives descriptors"),
        }
    }

    fn handle(&self) -> TokioHandle {
        TokioHandle
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

impl Handle for TokioHandle {
    type Task<T: 'static> = JoinHandle<T>;
    type Joined<T: 'static> = Result<T, JoinError>;
    type Limited<T> = Result<T, Elapsed>;
    type Signal = Notify;

    #[inline]
    fn spawn<F: Future<Output: 'static> + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        spawn_local(future)
    }

    #[inline]
    fn join<T: 'static>(task: JoinHandle<T>) -> impl Future<Output = Result<T, JoinError>> {
        task
    }

    #[inline]
    fn output<T: 'static>(joined: Result<T, JoinError>) -> T {
        joined.expect("no task fails")
    }

    #[inline]
    fn detach<T: 'static>(task: JoinHandle<T>) {
        drop(task);
    }

    #[inline]
    fn yield_now() -> impl Future<Output = ()> + 'static {
        ::tokio::task::yield_now()
    }

    #[inline]
    fn sleep(duration: Duration) -> impl Future<Output = ()> + 'static {
        ::tokio::time::sleep(duration)
    }

    #[inline]
    fn timeout<F: Future>(
        limit: Duration,
        future: F,
    ) -> impl Future<Output = Result<F::Output, Elapsed>> {
        ::tokio::time::timeout(limit, future)
    }

    #[inline]
    fn in_time<T>(limited: Result<T, Elapsed>) -> Option<T> {
        limited.ok()
    }
}

impl Signal for Notify {
    fn new() -> Self {
        Notify::new()
    }

    #[inline]
    fn notify(&self) {
        self.notify_one();
    }

    #[inline]
    fn wait(&self) -> impl Future<Output = ()> {
        self.notified()
    }

    #[inline]
    fn exchange(own: &Self, other: &Self) -> impl Future<Output = ()> {
        other.notify_one();
        own.notified()
    }
}

//! smol: its `LocalExecutor`, its reactor, and the other crates that its programs are made of.

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use async_executor::{LocalExecutor, Task};
use async_io::Timer;
use event_listener::{Event, listener};
use futures_lite::future;

use crate::runtime::{Handle, Runtime, Signal};

/// A `LocalExecutor`, driven together with the reactor.
#[derive(Debug)]
pub struct Smol {
    executor: Rc<LocalExecutor<'static>>,
}

/// The executor is passed along.
#[derive(Debug)]
pub struct SmolHandle {
    executor: Rc<LocalExecutor<'static>>,
}

impl Runtime for Smol {
    const NAME: &'static str = "smol LocalExecutor";
    type Handle = SmolHandle;

    fn new() -> Self {
        Smol {
            executor: Rc::new(LocalExecutor::new()),
        }
    }

    fn handle(&self) -> SmolHandle {
        SmolHandle {
            executor: self.executor.clone(),
        }
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        async_io::block_on(self.executor.run(future))
    }
}

impl Handle for SmolHandle {
    type Task<T: 'static> = Task<T>;
    type Joined<T: 'static> = T;
    type Limited<T> = Option<T>;
    type Signal = Event;

    #[inline]
    fn spawn<F: Future<Output: 'static> + 'static>(&self, future: F) -> Task<F::Output> {
        self.executor.spawn(future)
    }

    #[inline]
    fn join<T: 'static>(task: Task<T>) -> impl Future<Output = T> {
        task
    }

    #[inline]
    fn output<T: 'static>(joined: T) -> T {
        joined
    }

    #[inline]
    fn detach<T: 'static>(task: Task<T>) {
        task.detach();
    }

    #[inline]
    fn yield_now() -> impl Future<Output = ()> + 'static {
        future::yield_now()
    }

    #[inline]
    async fn sleep(duration: Duration) {
        Timer::after(duration).await;
    }

    #[inline]
    async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        let late = async {
            Timer::after(limit).await;
            None
        };
        future::or(async { Some(future.await) }, late).await
    }

    #[inline]
    fn in_time<T>(limited: Option<T>) -> Option<T> {
        limited
    }
}

impl Signal for Event {
    fn new() -> Self {
        Event::new()
    }

    #[inline]
    fn notify(&self) {
        Event::notify(self, 1);
    }

    #[inline]
    async fn wait(&self) {
        listener!(self => notified);
        notified.await;
    }

    #[inline]
    async fn exchange(own: &Self, other: &Self) {
        listener!(own => notified);
        Signal::notify(other);
        notified.await;
    }
}

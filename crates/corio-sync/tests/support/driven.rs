//! A future polled by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::{Count, leak};

/// A boxed future with a waker that counts, for models that decide when anybody runs.
pub struct Driven<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    woken: Arc<Count>,
    waker: Waker,
}

impl<T> Driven<T> {
    pub fn new(future: impl Future<Output = T> + 'static) -> Self {
        let (woken, waker) = Count::new();
        Driven {
            future: Box::pin(future),
            woken,
            waker,
        }
    }

    pub fn poll(&mut self) -> Option<T> {
        match self
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&self.waker))
        {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    /// Takes a new waker with the next poll, as a future does that has moved to another task.
    pub fn forget_wakes(&mut self) {
        (self.woken, self.waker) = Count::new();
    }

    /// How often it was woken.
    pub fn woken(&self) -> usize {
        self.woken.get()
    }

    pub fn leak(self) {
        leak(self);
    }
}

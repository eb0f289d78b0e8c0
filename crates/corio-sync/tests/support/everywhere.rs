//! The roughest executor: one waker for all, everybody polled whenever anybody is woken, under
//! futures-lite's `block_on`.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::{BoxFuture, Executor};

/// Shows that the primitives stand polls nobody asked for and wakers that are shared.
#[derive(Clone)]
pub struct PollAll(Rc<RefCell<Vec<BoxFuture<'static>>>>);

/// Wakes `block_on`, and knows whether anybody did since the last pass.
struct AnyOfThem {
    woken: AtomicBool,
    outer: Waker,
}

impl Executor for PollAll {
    fn new() -> Self {
        PollAll(Rc::default())
    }

    fn run_boxed(&self, mut main: BoxFuture<'_>) {
        let mut running: Vec<BoxFuture<'static>> = Vec::new();
        let mut any: Option<Arc<AnyOfThem>> = None;
        futures_lite::future::block_on(poll_fn(|cx| {
            let any = any.get_or_insert_with(|| {
                let outer = cx.waker().clone();
                Arc::new(AnyOfThem {
                    woken: AtomicBool::new(false),
                    outer,
                })
            });
            any.woken.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(any));
            let mut cx = Context::from_waker(&waker);
            if main.as_mut().poll(&mut cx).is_ready() {
                return Poll::Ready(());
            }
            loop {
                running.retain_mut(|future| future.as_mut().poll(&mut cx).is_pending());
                let started = self.0.take();
                if started.is_empty() {
                    break;
                }
                running.extend(started);
            }
            assert!(
                any.woken.load(Ordering::Relaxed),
                "deadlock: nobody was woken"
            );
            Poll::Pending
        }));
    }

    fn start_boxed(&self, future: BoxFuture<'static>) {
        self.0.borrow_mut().push(future);
    }
}

impl Wake for AnyOfThem {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        self.outer.wake_by_ref();
    }
}

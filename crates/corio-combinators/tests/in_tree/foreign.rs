//! What code does with futures that knows nothing of cancellation.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

pub type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Polls every branch each time, with the waker of the task.
pub async fn join(branches: Vec<Work>) {
    let mut branches: Vec<Option<Work>> = branches.into_iter().map(Some).collect();
    poll_fn(move |cx| {
        for branch in &mut branches {
            if branch
                .as_mut()
                .is_some_and(|b| b.as_mut().poll(cx).is_ready())
            {
                *branch = None;
            }
        }
        if branches.iter().all(Option::is_none) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Polls the branches that were woken, until so many have ended.
pub async fn until_ended(branches: Vec<Work>, enough: usize) {
    let mut branches: Vec<(Option<Work>, Arc<Woken>)> = branches
        .into_iter()
        .map(|branch| (Some(branch), Arc::default()))
        .collect();
    let mut ended = 0;
    poll_fn(move |cx| {
        for (branch, woken) in &mut branches {
            *woken.outer.lock().unwrap() = Some(cx.waker().clone());
            let Some(work) = branch else { continue };
            if woken.resting.swap(true, Ordering::Relaxed) {
                continue;
            }
            let waker = Waker::from(woken.clone());
            if work
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready()
            {
                *branch = None;
                ended += 1;
            }
            if ended == enough {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    })
    .await;
}

#[derive(Default)]
struct Woken {
    resting: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.resting.store(false, Ordering::Relaxed);
        let outer = self.outer.lock().unwrap().clone();
        if let Some(outer) = outer {
            outer.wake();
        }
    }
}

/// Polls so many times, once each time it is polled. False: the work has ended.
pub async fn poll_times(work: &mut Work, times: u8) -> bool {
    let mut left = times;
    poll_fn(|cx| {
        if work.as_mut().poll(cx).is_ready() {
            return Poll::Ready(false);
        }
        left -= 1;
        if left == 0 {
            Poll::Ready(true)
        } else {
            Poll::Pending
        }
    })
    .await
}

//! One signal on one loop, with all who listen for it there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::signal::{Hook, SignalKind};

/// It lives as long as somebody listens. Listeners may be moved to other threads, so it is shared with them by `Arc`.
pub(crate) struct Line {
    pub(crate) kind: SignalKind,
    /// Set by the handler.
    flag: Arc<AtomicBool>,
    /// Absent when the loop is closed.
    hook: Mutex<Option<Hook>>,
    heard: Mutex<Heard>,
}

struct Heard {
    /// How often the loop has found the flag set.
    times: u64,
    next_listener: u64,
    /// Who waits for the next time, by their numbers.
    waiting: Vec<(u64, Waker)>,
}

/// A listener's place: who it is, and what it has heard of.
#[derive(Debug)]
pub(crate) struct Ear {
    number: u64,
    times: u64,
}

impl Line {
    pub(crate) fn new(kind: SignalKind, flag: Arc<AtomicBool>, hook: Hook) -> Arc<Line> {
        Arc::new(Line {
            kind,
            flag,
            hook: Mutex::new(Some(hook)),
            heard: Mutex::new(Heard {
                times: 0,
                next_listener: 0,
                waiting: Vec::new(),
            }),
        })
    }

    /// A new listener, which hears of what comes from now on.
    pub(crate) fn listen(&self) -> Ear {
        let mut heard = self.heard.lock();
        let number = heard.next_listener;
        heard.next_listener += 1;
        let times = heard.times;
        Ear { number, times }
    }

    pub(crate) fn poll(&self, ear: &mut Ear, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut heard = self.heard.lock();
        if heard.times > ear.times {
            ear.times = heard.times;
            return Poll::Ready(());
        }
        let known = heard.waiting.iter_mut().find(|(of, _)| *of == ear.number);
        let before = match known {
            Some((_, kept)) => Some(std::mem::replace(kept, waker)),
            None => {
                heard.waiting.push((ear.number, waker));
                None
            }
        };
        drop(heard);
        drop(before);
        Poll::Pending
    }

    /// The listener does not wait any more.
    pub(crate) fn forget(&self, ear: &Ear) {
        let mut heard = self.heard.lock();
        let place = heard.waiting.iter().position(|(of, _)| *of == ear.number);
        let waker = place.map(|place| heard.waiting.swap_remove(place));
        drop(heard);
        drop(waker);
    }

    /// Looks at the flag, and tells who waits. True: the signal has come.
    pub(crate) fn look(&self) -> bool {
        if !self.flag.swap(false, Ordering::SeqCst) {
            return false;
        }
        let waiting = {
            let mut heard = self.heard.lock();
            heard.times += 1;
            std::mem::take(&mut heard.waiting)
        };
        for (_, waker) in waiting {
            waker.wake();
        }
        true
    }

    /// The loop is closed: nothing comes any more.
    pub(crate) fn close(&self) {
        let hook = self.hook.lock().take();
        drop(hook);
    }
}

//! Waking the reactor's thread from another one.

use std::fmt;
use std::sync::{Arc, Weak};

use polling::Poller;

use crate::sleep::SleepFlag;

/// Makes the wait of a [`Reactor`](crate::Reactor) return, from any thread.
///
/// Notifications are counted by nobody: many of them between two waits end one wait and cost at most one system call,
/// and none at all while the reactor's thread is awake. Each one is seen, whenever it comes: before the wait, during
/// it, or on the way into it. After the reactor is gone they do nothing.
///
/// ```
/// use corio_reactor::Reactor;
///
/// let reactor = Reactor::new()?;
/// let notifier = reactor.notifier();
/// std::thread::spawn(move || notifier.notify());
/// // Returns although there is neither a source nor a timeout.
/// reactor.wait(None, || true)?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Notifier {
    shared: Arc<Shared>,
}

struct Shared {
    sleep: SleepFlag,
    alarm: Alarm,
}

/// How a sleeping wait is ended.
pub(crate) enum Alarm {
    /// An eventfd that the poller watches edge-triggered: each write is an edge, so nobody ever has to read it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    EventFd(rustix::fd::OwnedFd),
    /// The poller's own way. Weak, so that a forgotten notifier does not keep the poller of a dropped reactor.
    Poller(Weak<Poller>),
}

impl Notifier {
    pub(crate) fn new(alarm: Alarm) -> Notifier {
        Notifier {
            shared: Arc::new(Shared {
                sleep: SleepFlag::new(),
                alarm,
            }),
        }
    }

    /// Ends the current wait, or keeps the next one from sleeping.
    ///
    /// What the caller wrote before is visible to the reactor's thread when its wait returns.
    #[doc(alias = "wake")]
    #[doc(alias = "unpark")]
    pub fn notify(&self) {
        if self.shared.sleep.notify() {
            self.shared.alarm.ring();
        }
    }

    pub(crate) fn sleep(&self) -> &SleepFlag {
        &self.shared.sleep
    }
}

impl Alarm {
    /// There is nobody to tell of an error, and none to expect: the descriptor is open and non-blocking, and its
    /// counter would need 2^64 - 1 wake-ups to be full, at which point it is readable anyway.
    pub(crate) fn ring(&self) {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Alarm::EventFd(fd) => {
                let _ = rustix::io::write(fd, &1_u64.to_ne_bytes());
            }
            Alarm::Poller(poller) => {
                if let Some(poller) = poller.upgrade() {
                    let _ = poller.notify();
                }
            }
        }
    }
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier")
            .field("sleep", &self.shared.sleep)
            .finish_non_exhaustive()
    }
}

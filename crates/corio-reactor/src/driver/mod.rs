//! The ways to wait. Each takes a timeout and leaves the events for its `for_each`, which hands them out.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll;
mod portable;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use polling::Poller;

use crate::backend::Backend;
use crate::notifier::Alarm;
use crate::readiness::Tidings;
use crate::sys::Mode;

/// The way that a reactor waits.
#[derive(Debug)]
pub(crate) enum Driver {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Epoll(epoll::Epoll),
    Portable(portable::Portable),
}

/// Everything that has to be known before the first wait.
pub(crate) struct Setup {
    pub(crate) driver: Driver,
    pub(crate) alarm: Alarm,
    pub(crate) mode: Mode,
}

impl Driver {
    /// Finds the best way that was asked for and that works here.
    pub(crate) fn set_up(poller: &Arc<Poller>, backend: Backend) -> Setup {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if backend == Backend::Fastest {
            if let Ok((epoll, alarm)) = epoll::Epoll::new(poller) {
                return Setup {
                    driver: Driver::Epoll(epoll),
                    alarm,
                    mode: Mode::EpollEdge,
                };
            }
        }
        let edge = backend != Backend::OneShot && poller.supports_edge();
        Setup {
            driver: Driver::Portable(portable::Portable::new()),
            alarm: Alarm::Poller(Arc::downgrade(poller)),
            mode: if edge { Mode::Edge } else { Mode::OneShot },
        }
    }

    /// Waits for events, a notification, the timeout, or a moment of its own choosing before that.
    pub(crate) fn wait(&self, poller: &Poller, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Driver::Epoll(epoll) => epoll.wait(poller, timeout),
            Driver::Portable(portable) => portable.wait(poller, timeout),
        }
    }

    /// What has to be reckoned with when a source has not reported anything yet. With edges, registering is followed by
    /// a report of what is there by then.
    pub(crate) fn first_tidings(&self) -> Tidings {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Driver::Epoll(_) => Tidings::BytesOnly,
            Driver::Portable(_) => Tidings::MaybeMore,
        }
    }
}

/// How many events one wait takes at most. What is left over is first in line at the next.
const BATCH: usize = 1024;

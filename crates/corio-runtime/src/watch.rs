//! `add_reader` and `add_writer`: callbacks for handles of the operating system that are ready.
//!
//! The promise is level-triggered, the reactor below is edge-triggered. So a watch goes back and forth between two states:
//!
//! ```text
//!             the reactor rings
//!   asleep ──────────────────────▶ awake: a step per turn, which asks poll(2) whether the handle is ready now
//!      ▲                             │ it is: call back, and look again in the next turn
//!      └─────────────────────────────┘ it is not: forget the edge, leave a waker
//! ```
//!
//! An edge that comes between the question and the forgetting is with the operating system still, and rings at the next wait.
//! Each direction of a handle has a duplicate of its own. So a number that is used again for another handle confuses nothing.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use corio_core::{LoopClosed, Report, Scheduler};
use corio_reactor::{Direction, Reactor, SourceKey};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::event_loop::{EventLoop, Loop};
use crate::recurring::Recurring;

#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, OwnedFd as Owned};
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, AsSocket as AsFd, OwnedSocket as Owned};

/// The number of the program's handle, and the direction.
type Place = (u64, Direction);

impl EventLoop {
    /// Calls `callback` in every turn in which the handle is readable: as long as there is something to read, or the end. The
    /// handle has one such callback; a new one takes its place.
    ///
    /// The loop watches a duplicate, so the handle may be moved or closed meanwhile, and stays open below until the callback is
    /// taken back with [`remove_reader`](EventLoop::remove_reader), which finds it by the number of the handle. A callback that
    /// panics is reported, and stays. Its context variables are those of this call; what it sets is there when it is called
    /// again.
    ///
    /// # Errors
    ///
    /// When the loop is closed; for regular files and directories, which are always ready
    /// ([`InvalidInput`](io::ErrorKind::InvalidInput)); when the operating system cannot watch the handle, or has no descriptor
    /// left.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// use std::io::{Read, Write};
    /// use std::os::unix::net::UnixStream;
    /// # use corio_runtime as corio;
    ///
    /// let event_loop = corio::EventLoop::new()?;
    /// let (mut receiver, mut sender) = UnixStream::pair()?;
    /// sender.write_all(b"hello")?;
    /// let said = event_loop.create_promise();
    /// event_loop.add_reader(receiver.try_clone()?, {
    ///     let said = said.clone();
    ///     move || {
    ///         let mut buffer = [0; 16];
    ///         let length = receiver.read(&mut buffer).unwrap_or(0);
    ///         said.set_result(buffer[..length].to_vec()).ok();
    ///         corio::get_running_loop().stop();
    ///     }
    /// })?;
    /// event_loop.run_forever()?;
    /// assert_eq!(said.result()?, b"hello");
    /// event_loop.close();
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn add_reader(
        &self,
        handle: impl AsFd,
        callback: impl FnMut() + 'static,
    ) -> io::Result<()> {
        let recurring = Recurring::new(callback, Location::caller());
        self.watch(&handle, Direction::Read, recurring)
    }

    /// As [`add_reader`](EventLoop::add_reader), for a handle that can be written to.
    ///
    /// # Errors
    ///
    /// As [`add_reader`](EventLoop::add_reader).
    #[track_caller]
    pub fn add_writer(
        &self,
        handle: impl AsFd,
        callback: impl FnMut() + 'static,
    ) -> io::Result<()> {
        let recurring = Recurring::new(callback, Location::caller());
        self.watch(&handle, Direction::Write, recurring)
    }

    /// Takes the callback of [`add_reader`](EventLoop::add_reader) back. False: there was none, or the loop is closed.
    pub fn remove_reader(&self, handle: impl AsFd) -> bool {
        self.unwatch((number(&handle), Direction::Read))
    }

    /// Takes the callback of [`add_writer`](EventLoop::add_writer) back. False: there was none, or the loop is closed.
    pub fn remove_writer(&self, handle: impl AsFd) -> bool {
        self.unwatch((number(&handle), Direction::Write))
    }

    fn watch(
        &self,
        handle: &impl AsFd,
        direction: Direction,
        recurring: Recurring,
    ) -> io::Result<()> {
        let inner = &self.inner;
        if inner.scheduler.is_closed() {
            return Err(io::Error::other(LoopClosed));
        }
        let place = (number(handle), direction);
        let handle = duplicate(handle)?;
        let key = inner.reactor.register(&handle)?;
        let bell = Arc::new(Bell {
            of_loop: inner.scheduler.number(),
            place,
            key,
        });
        let watch = Rc::new(Watch {
            handle,
            key,
            direction,
            recurring,
            waker: Waker::from(bell),
            queued: Cell::new(false),
            event_loop: Rc::downgrade(inner),
        });
        let before = inner
            .watches
            .table
            .borrow_mut()
            .insert(place, watch.clone());
        if let Some(before) = before {
            before.end(&inner.reactor);
        }
        watch.queue(&inner.scheduler);
        Ok(())
    }

    fn unwatch(&self, place: Place) -> bool {
        let watch = self.inner.watches.table.borrow_mut().remove(&place);
        let there = watch.is_some();
        if let Some(watch) = watch {
            watch.end(&self.inner.reactor);
        }
        there
    }
}

/// What a loop watches for callbacks.
#[derive(Default)]
pub(crate) struct Watches {
    table: RefCell<HashMap<Place, Rc<Watch>>>,
}

impl Watches {
    /// Ends all of them, because the loop is closed.
    pub(crate) fn clear(&self, reactor: &Reactor) {
        let watches = self.table.take();
        for watch in watches.into_values() {
            watch.end(reactor);
        }
    }

    fn find(&self, place: Place, key: SourceKey) -> Option<Rc<Watch>> {
        let table = self.table.borrow();
        let watch = table.get(&place)?;
        (watch.key == key).then(|| watch.clone())
    }
}

struct Watch {
    handle: Owned,
    key: SourceKey,
    direction: Direction,
    recurring: Recurring,
    waker: Waker,
    /// Its step is in the ready queue.
    queued: Cell<bool>,
    event_loop: Weak<Loop>,
}

impl Watch {
    fn queue(self: Rc<Self>, scheduler: &Scheduler) {
        if !self.queued.replace(true) {
            let site = self.recurring.site;
            scheduler.call_soon_at(move || self.look(), site);
        }
    }

    /// A step: calls back if the handle is ready now, and falls asleep otherwise.
    fn look(self: Rc<Self>) {
        self.queued.set(false);
        let Some(event_loop) = self.event_loop.upgrade() else {
            return;
        };
        if self.recurring.has_ended() {
            return;
        }
        match self.is_due(&event_loop.reactor) {
            Ok(true) => {
                self.recurring.call(&event_loop.scheduler);
                if !self.recurring.has_ended() {
                    self.queue(&event_loop.scheduler);
                }
            }
            Ok(false) => {}
            Err(error) => {
                let message = format!("a handle cannot be watched any more: {error}");
                let report = Report::new(message).at(self.recurring.site);
                event_loop.scheduler.report(&report);
            }
        }
    }

    /// False: it is not, and the waker rings when it is.
    fn is_due(&self, reactor: &Reactor) -> io::Result<bool> {
        let mut cx = Context::from_waker(&self.waker);
        while let Poll::Ready(ticket) = reactor.poll_ready(self.key, self.direction, &mut cx) {
            let ticket = ticket?;
            if is_ready_now(&self.handle, self.direction)? {
                return Ok(true);
            }
            reactor.clear_ready(self.key, self.direction, ticket);
        }
        Ok(false)
    }

    fn end(&self, reactor: &Reactor) {
        // The waker that is woken by this finds the watch gone. A reactor that cannot deregister has lost the source already.
        let _ = reactor.deregister(self.key, &self.handle);
        self.recurring.end();
    }
}

/// What the reactor wakes, on the loop's thread: it queues the step of the watch.
struct Bell {
    of_loop: u64,
    place: Place,
    key: SourceKey,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Scheduler::with_current(|scheduler| {
            let scheduler = scheduler.filter(|scheduler| scheduler.number() == self.of_loop)?;
            let event_loop = EventLoop::of(scheduler)?;
            let watch = event_loop.inner.watches.find(self.place, self.key)?;
            watch.queue(scheduler);
            Some(())
        });
    }
}

/// Asks the operating system, without waiting. An error or the end of the other side is something to be told of.
fn is_ready_now(handle: &Owned, direction: Direction) -> io::Result<bool> {
    let flags = match direction {
        Direction::Read => PollFlags::IN,
        Direction::Write => PollFlags::OUT,
    };
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    loop {
        match poll(&mut [PollFd::new(handle, flags)], Some(&now)) {
            Err(rustix::io::Errno::INTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

#[cfg(unix)]
fn number(handle: &impl AsFd) -> u64 {
    u64::from(handle.as_fd().as_raw_fd().unsigned_abs())
}

#[cfg(windows)]
#[allow(clippy::unnecessary_cast, reason = "its size is that of an address")]
fn number(handle: &impl AsFd) -> u64 {
    handle.as_socket().as_raw_socket() as u64
}

#[cfg(unix)]
fn duplicate(handle: &impl AsFd) -> io::Result<Owned> {
    let file = std::fs::File::from(handle.as_fd().try_clone_to_owned()?);
    let kind = file.metadata()?.file_type();
    if kind.is_file() || kind.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a regular file or directory is always ready and cannot be watched: use `to_thread` for its blocking operations",
        ));
    }
    Ok(file.into())
}

#[cfg(windows)]
fn duplicate(handle: &impl AsFd) -> io::Result<Owned> {
    handle.as_socket().try_clone_to_owned()
}

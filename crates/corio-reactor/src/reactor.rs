//! The reactor itself.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use polling::Poller;

use crate::backend::Backend;
use crate::detacher::Detacher;
use crate::direction::Directions;
use crate::driver::{Driver, Setup};
use crate::error::NotRegistered;
use crate::key::{SourceKey, Token};
use crate::notifier::Notifier;
use crate::readiness::Tidings;
use crate::slots::Slots;
use crate::source::{self, AsSource, Source};
use crate::sys::{self, Mode};
use crate::waiters::ANONYMOUS;
use crate::wake_batch::wake_all;

/// Knows which sources are ready and wakes those who wait for them.
///
/// One thread owns a reactor and waits on it. Everything works through `&self`, so an event loop can share it by
/// `Rc`, and every method may be called from a waker that the reactor wakes, clones or drops. Other threads only get
/// a [`Notifier`].
///
/// ```
/// use corio_reactor::{Direction, Reactor};
/// use std::io::{Read, Write};
/// use std::net::{TcpListener, TcpStream};
/// use std::task::{Context, Poll, Waker};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let mut client = TcpStream::connect(listener.local_addr()?)?;
/// let (mut server, _) = listener.accept()?;
/// server.set_nonblocking(true)?;
///
/// let reactor = Reactor::new()?;
/// let key = reactor.register(&server)?;
/// let mut cx = Context::from_waker(Waker::noop()); // an executor brings a real one
/// let mut buffer = [0; 8];
/// let mut read = || reactor.try_io(key, Direction::Read, || server.read(&mut buffer), &mut cx);
///
/// assert!(read().is_pending());
/// client.write_all(b"hello")?;
/// let length = loop {
///     reactor.wait(None, || true)?;
///     if let Poll::Ready(result) = read() {
///         break result?;
///     }
/// };
/// assert_eq!(&buffer[..length], b"hello");
/// reactor.deregister(key, &server)?;
/// # std::io::Result::Ok(())
/// ```
#[doc(alias = "poller")]
#[doc(alias = "selector")]
pub struct Reactor {
    pub(crate) slots: RefCell<Slots>,
    /// Empty memory for wakers on their way from the table to being woken.
    spare: Cell<Vec<Waker>>,
    pub(crate) next_wait_id: Cell<u64>,
    mode: Mode,
    driver: Driver,
    poller: Arc<Poller>,
    /// After the poller, so that the poller goes before the descriptor that it watches.
    notifier: Notifier,
}

impl Reactor {
    /// A reactor without sources, with the fastest way to wait that this system has.
    ///
    /// # Errors
    ///
    /// When the operating system has no descriptor left, or refuses the poller.
    pub fn new() -> io::Result<Reactor> {
        Reactor::with_backend(Backend::default())
    }

    /// A reactor that waits in a way of the caller's choice.
    ///
    /// # Errors
    ///
    /// As [`new`](Reactor::new).
    pub fn with_backend(backend: Backend) -> io::Result<Reactor> {
        let poller = Arc::new(Poller::new()?);
        let Setup {
            driver,
            alarm,
            mode,
        } = Driver::set_up(&poller, backend);
        Ok(Reactor {
            slots: RefCell::default(),
            spare: Cell::default(),
            next_wait_id: Cell::new(ANONYMOUS + 1),
            mode,
            driver,
            poller,
            notifier: Notifier::new(alarm),
        })
    }

    /// The way to wait that was found to work: the one that was asked for, or the next best.
    pub fn backend(&self) -> Backend {
        match (&self.driver, self.mode) {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            (Driver::Epoll(_), _) => Backend::Fastest,
            (Driver::Portable(_), Mode::OneShot) => Backend::OneShot,
            (Driver::Portable(_), _) => Backend::Portable,
        }
    }

    /// The means to end this reactor's wait from any thread.
    pub fn notifier(&self) -> Notifier {
        self.notifier.clone()
    }

    /// How many sources are registered.
    pub fn len(&self) -> usize {
        self.slots.borrow().len()
    }

    /// Whether no source is registered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Starts watching a source, for both directions at once. It counts as ready until an attempt shows otherwise.
    ///
    /// The source stays the caller's. Its owner puts it into non-blocking mode, and calls
    /// [`deregister`](Reactor::deregister) before closing it. A source that is closed without that is safe but wrong:
    /// its entry stays, those who wait are not told, and some platforms refuse the next source with the same number.
    ///
    /// # Errors
    ///
    /// When the operating system cannot watch this kind of source (a regular file), when the source is already
    /// registered here, or when some limit is reached. Nothing is left behind then.
    #[doc(alias = "add_reader")]
    #[doc(alias = "add_writer")]
    pub fn register(&self, source: impl AsSource) -> io::Result<SourceKey> {
        let raw = source::raw(&source);
        let mut slots = self.slots.borrow_mut();
        let key = slots.next_key()?;
        sys::add(&self.poller, raw, Token::of(key), self.mode)?;
        slots.insert(key, raw, self.driver.first_tidings());
        Ok(key)
    }

    /// Stops watching a source. All who wait for it are woken, and find that it is [`NotRegistered`].
    ///
    /// # Errors
    ///
    /// [`NotRegistered`] for a stale key, and [`io::ErrorKind::InvalidInput`] if `source` is not the one that was
    /// registered under `key`; nothing has changed then. An error of the operating system is returned as well, but
    /// the source is gone from the reactor all the same.
    ///
    /// # Panics
    ///
    /// When a waker that it wakes panics, after all others have been woken.
    #[doc(alias = "remove_reader")]
    #[doc(alias = "remove_writer")]
    pub fn deregister(&self, key: SourceKey, source: impl AsSource) -> io::Result<()> {
        let raw = source::raw(&source);
        let (result, wakers) = {
            let mut slots = self.slots.borrow_mut();
            let known = slots.get_mut(key).ok_or(NotRegistered)?;
            if known.raw != raw {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let mut wakers = self.spare.take();
            // The operating system first: once the place is free its next source may have the same number.
            let result = sys::delete(&self.poller, raw);
            slots.remove(key, &mut wakers);
            (result, wakers)
        };
        self.wake(wakers);
        result
    }

    /// The means to end the watch of a source from any thread.
    pub fn detacher(&self) -> Detacher {
        Detacher::new(&self.poller, self.mode)
    }

    /// Forgets a source that was [detached](Detacher::detach) on another thread and may be closed by now. All who wait
    /// for it are woken, and find that it is [`NotRegistered`]. Returns whether the key was good.
    ///
    /// # Panics
    ///
    /// When a waker that it wakes panics, after all others have been woken.
    pub fn forget(&self, key: SourceKey) -> bool {
        let mut wakers = self.spare.take();
        let known = self.slots.borrow_mut().remove(key, &mut wakers);
        self.wake(wakers);
        known
    }

    /// Waits for events and wakes those who wait for them. Returns how many sources had an event.
    ///
    /// Before it sleeps it asks `may_sleep`, at a moment from which on every [`notify`](Notifier::notify) ends the
    /// sleep. So a loop that collects work from other threads looks there once more and answers `false` if something
    /// is there; nothing can slip in between. A `false`, a notification since the last wait, or a timeout of zero
    /// make it look for events without sleeping.
    ///
    /// It returns when there are events, after a notification, at the timeout, or **earlier**: after a signal, or to
    /// aim anew at a distant deadline, a few times at most however distant. It never returns early because of
    /// rounding, and late only by what the operating system takes. The caller compares with its clock and asks again
    /// for what remains. `None` is for ever; a timeout too long for the operating system is cut.
    ///
    /// Wakers run in the order of the events, readers of a source before its writers.
    ///
    /// # Errors
    ///
    /// What the operating system says when the wait fails; no event is lost by that. A signal is not an error.
    ///
    /// # Panics
    ///
    /// When `may_sleep` or a waker panics; the other wakers have been woken by then.
    #[doc(alias = "select")]
    #[doc(alias = "park")]
    #[doc(alias = "turn")]
    pub fn wait(
        &self,
        timeout: Option<Duration>,
        may_sleep: impl FnOnce() -> bool,
    ) -> io::Result<usize> {
        let result = {
            let awake_again = Awake(&self.notifier);
            let sleep =
                timeout != Some(Duration::ZERO) && awake_again.0.sleep().begin() && may_sleep();
            self.driver.wait(
                &self.poller,
                if sleep { timeout } else { Some(Duration::ZERO) },
            )
        };
        match result {
            Ok(()) => Ok(self.dispatch()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Notes the events of the last wait and wakes those they are for. Returns how many there were.
    fn dispatch(&self) -> usize {
        let mut wakers = self.spare.take();
        let mut count = 0;
        {
            let slots = &mut *self.slots.borrow_mut();
            // Once for each driver, so that it is compiled into either.
            match &self.driver {
                #[cfg(any(target_os = "linux", target_os = "android"))]
                Driver::Epoll(epoll) => epoll.for_each(|token, ready, tidings| {
                    count += self.note(slots, token, ready, tidings, &mut wakers);
                }),
                Driver::Portable(portable) => portable.for_each(|token, ready, tidings| {
                    count += self.note(slots, token, ready, tidings, &mut wakers);
                }),
            }
        }
        self.wake(wakers);
        count
    }

    /// Notes one event; those it is for go to `wakers`. Returns how many sources it concerns: one, or none any more.
    #[inline(always)]
    fn note(
        &self,
        slots: &mut Slots,
        token: Token,
        ready: Directions,
        tidings: Tidings,
        wakers: &mut Vec<Waker>,
    ) -> usize {
        let Some((key, source)) = slots.get_by_token(token) else {
            return 0;
        };
        source.armed = Directions::NONE;
        // An event without a direction says that the source is broken: whoever tries will see how.
        let ready = if ready == Directions::NONE {
            Directions::BOTH
        } else {
            ready
        };
        source.event(ready, tidings, wakers);
        if self.mode == Mode::OneShot {
            self.arm_again(key, source, wakers);
        }
        1
    }

    /// Whoever waits for the other direction must not be forgotten, nor left waiting if asking again fails.
    #[cold]
    fn arm_again(&self, key: SourceKey, source: &mut Source, wakers: &mut Vec<Waker>) {
        if let Err(error) = self.arm(key, source, source.wanted()) {
            source.fail(&error, wakers);
        }
    }

    /// In one-shot mode, makes the operating system report the directions that are wanted. Otherwise it does anyway.
    #[inline]
    pub(crate) fn arm(
        &self,
        key: SourceKey,
        source: &mut Source,
        wanted: Directions,
    ) -> io::Result<()> {
        if self.mode == Mode::OneShot && !source.armed.covers(wanted) {
            sys::rearm(&self.poller, source.raw, Token::of(key), wanted)?;
            source.armed = wanted;
        }
        Ok(())
    }

    /// Wakes all, with nothing borrowed, and keeps the memory for the next time.
    fn wake(&self, mut wakers: Vec<Waker>) {
        let panic = wake_all(&mut wakers);
        self.spare.set(wakers);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.slots.borrow();
        f.debug_struct("Reactor")
            .field("backend", &self.backend())
            .field("sources", &slots.len())
            .field("waiting", &slots.iter().map(Source::waiting).sum::<usize>())
            .finish_non_exhaustive()
    }
}

/// Says that the thread is awake again, however the wait ends.
struct Awake<'a>(&'a Notifier);

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        self.0.sleep().end();
    }
}

//! What reaches a loop from other threads: a locked list, and one notification per batch.
//!
//! A sender puts its message into the list under the lock. The one that found the list empty notifies the loop; the others
//! rely on it, for the loop empties the list as a whole. The loop looks at the list after it has announced that it will sleep
//! (the notifier's part), so a message is either seen by that look or followed by a notification.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::key::{MAX_LOOPS, TaskKey};
use crate::primitive::{AtomicBool, AtomicUsize, Mutex, Ordering};

/// How a loop is woken from another thread.
///
/// Wakers outlive what they wake, so it borrows nothing:
///
/// ```compile_fail,E0597
/// # use std::sync::atomic::{AtomicBool, Ordering};
/// let local = AtomicBool::new(false);
/// let woken = &local;
/// let scheduler = corio_core::Scheduler::new(move || woken.store(true, Ordering::Relaxed));
/// ```
pub trait Notify: Send + Sync {
    /// Makes the loop's wait return, or its next one if it is not waiting. Called once per batch of messages, and when the last
    /// [`Remote`](crate::Remote) goes, with no lock held.
    fn notify(&self);
}

impl<F: Fn() + Send + Sync> Notify for F {
    fn notify(&self) {
        self();
    }
}

/// The loop is closed: what was sent has been given back or dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopClosed;

impl fmt::Display for LoopClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the event loop is closed")
    }
}

impl Error for LoopClosed {}

pub(crate) type Call = Box<dyn FnOnce() + Send>;

pub(crate) enum Message {
    Wake(TaskKey),
    Call(Call),
}

/// The way into a loop from any thread.
pub(crate) struct Inbox {
    /// The number of the scheduler that reads it.
    number: u64,
    mail: AtomicBool,
    /// How many remote handles there are. While there is one, another thread may want something.
    handles: AtomicUsize,
    list: Mutex<List>,
    notify: Box<dyn Notify>,
}

struct List {
    open: bool,
    messages: Vec<Message>,
    /// Above this many messages, repeated wakes are thrown out before the list grows further.
    tidy_above: usize,
}

const TIDY_ABOVE: usize = 1024;

impl Inbox {
    pub(crate) fn new(number: u64, notify: Box<dyn Notify>) -> Inbox {
        Inbox {
            number,
            mail: AtomicBool::new(false),
            handles: AtomicUsize::new(0),
            list: Mutex::new(List {
                open: true,
                messages: Vec::new(),
                tidy_above: TIDY_ABOVE,
            }),
            notify,
        }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Sends a message. A message that comes too late is given back.
    pub(crate) fn send(&self, message: Message) -> Result<(), Message> {
        {
            let mut list = self.list.lock();
            if !list.open {
                return Err(message);
            }
            list.messages.push(message);
            if list.messages.len() > 1 {
                if list.messages.len() > list.tidy_above {
                    list.tidy();
                }
                return Ok(());
            }
            // Written under the lock, so that the reader's "no mail" cannot overtake a message that was sent later.
            self.mail.store(true, Ordering::Release);
        }
        self.notify.notify();
        Ok(())
    }

    /// Something may be in the list. Cheap, for the loop to ask in every turn.
    #[inline]
    pub(crate) fn has_mail(&self) -> bool {
        self.mail.load(Ordering::Acquire)
    }

    pub(crate) fn handles(&self) -> usize {
        self.handles.load(Ordering::Acquire)
    }

    pub(crate) fn handle_made(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// A loop that waits for those who have handles has to learn that there are none any more.
    pub(crate) fn handle_gone(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.notify.notify();
        }
    }

    /// Takes the whole list; `spare` (empty) becomes the next one, so that no memory is allocated in the steady state.
    pub(crate) fn take(&self, spare: Vec<Message>) -> Vec<Message> {
        debug_assert!(spare.is_empty());
        let mut list = self.list.lock();
        self.mail.store(false, Ordering::Release);
        list.tidy_above = TIDY_ABOVE;
        std::mem::replace(&mut list.messages, spare)
    }

    /// Refuses what comes from now on, and gives what is there.
    pub(crate) fn close(&self) -> Vec<Message> {
        let mut list = self.list.lock();
        list.open = false;
        self.mail.store(false, Ordering::Release);
        std::mem::take(&mut list.messages)
    }
}

impl List {
    fn tidy(&mut self) {
        let mut seen = std::collections::HashSet::new();
        self.messages.retain(|message| match message {
            Message::Wake(key) => seen.insert(*key),
            Message::Call(_) => true,
        });
        self.tidy_above = TIDY_ABOVE.max(self.messages.len() * 2);
    }
}

/// The loops of the process by their numbers, for wakers on foreign threads.
struct Registry {
    loops: Vec<Option<Arc<Inbox>>>,
    free: Vec<u32>,
}

static LOOPS: parking_lot::RwLock<Registry> = parking_lot::const_rwlock(Registry {
    loops: Vec::new(),
    free: Vec::new(),
});

/// Gives a loop its number.
///
/// # Panics
///
/// When more than a million loops are alive.
pub(crate) fn register(inbox: Arc<Inbox>) -> u32 {
    let mut registry = LOOPS.write();
    if let Some(id) = registry.free.pop() {
        registry.loops[id as usize] = Some(inbox);
        return id;
    }
    let id = registry.loops.len();
    assert!(
        id < MAX_LOOPS,
        "more than {MAX_LOOPS} event loops are alive"
    );
    registry.loops.push(Some(inbox));
    id as u32
}

pub(crate) fn unregister(id: u32) {
    let inbox = {
        let mut registry = LOOPS.write();
        registry.free.push(id);
        registry.loops[id as usize].take()
    };
    // Dropped outside of the lock: the notifier is foreign code.
    drop(inbox);
}

/// Wakes a task of a loop that is not this thread's.
#[cold]
pub(crate) fn wake(key: TaskKey) {
    let inbox = LOOPS
        .read()
        .loops
        .get(key.loop_id() as usize)
        .and_then(Clone::clone);
    if let Some(inbox) = inbox {
        // A loop that has closed has no task to wake.
        let _ = inbox.send(Message::Wake(key));
    }
}

/// The inbox of the scheduler with this number, if it is alive.
pub(crate) fn inbox_of(number: u64) -> Option<Arc<Inbox>> {
    let registry = LOOPS.read();
    registry
        .loops
        .iter()
        .flatten()
        .find(|inbox| inbox.number == number)
        .cloned()
}

//! Who is to be told when a task ends.
//!
//! Most tasks are awaited by one task of the same loop, or are one member of a `gather`, and both fit into the one word of the
//! header. Everything else is a list in a table of the scheduler, whose memory is used again.
//!
//! | low bits | the word is |
//! | --- | --- |
//! | `00` | 0: nobody |
//! | `01` | the key of one waiting task |
//! | `10` | the index of a list |
//! | `11` | one member of an observer |

use std::num::NonZeroU64;
use std::panic::Location;
use std::task::Waker;

use crate::caught::caught;
use crate::cell::CellRef;
use crate::current;
use crate::key::TaskKey;
use crate::waker;

const KEY: u64 = 1;
const LIST: u64 = 2;
const MEMBER: u64 = 3;

/// Numbers of observers that fit into the word of a header.
const INLINE_OBSERVERS: u32 = 1 << 30;

/// One entry of a list.
pub(crate) struct Entry {
    id: u64,
    what: What,
}

enum What {
    Wake(Waker),
    Call(CellRef),
    Member(u32, u32),
    /// The run with this number drives the task and ends one batch after it: the scheduler is to pause then.
    Pause(u64),
}

/// Names a waker that waits at a task, so that it can be replaced and taken back. The number is laid out as the word of the header
/// is: it has the key of the waiting task, or the number of an entry in the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Registration(NonZeroU64);

enum Registered {
    Inline(TaskKey),
    Listed(u64),
}

impl Registration {
    #[inline]
    pub(crate) fn inline(key: TaskKey) -> Registration {
        Registration(NonZeroU64::MIN | key.to_bits())
    }

    /// It stands in the word of the header, with the key of this task.
    #[inline]
    pub(crate) fn is_of(self, task: &CellRef) -> bool {
        // The number of a list's entry has other low bits than any key.
        self.0.get() == task.key.get().to_bits()
    }

    fn listed(id: u64) -> Registration {
        Registration(NonZeroU64::new((id << 2) | LIST).unwrap_or(NonZeroU64::MAX))
    }

    #[inline]
    fn get(self) -> Registered {
        match self.0.get() {
            word if word & 3 == KEY => Registered::Inline(TaskKey::from_bits(word)),
            word => Registered::Listed(word >> 2),
        }
    }

    /// The key of the waiting task, if it stands in the word of the header.
    #[inline]
    pub(crate) fn key(self) -> Option<TaskKey> {
        match self.get() {
            Registered::Inline(key) => Some(key),
            Registered::Listed(_) => None,
        }
    }
}

/// The id that the inline waker gets when its word becomes a list.
const INLINE: u64 = 0;

impl CellRef {
    /// Wakes `waker` at the end of this task. `old` is what an earlier call gave, and keeps its place in the order.
    ///
    /// A task that has ended has told everybody once, and tells those who came after that when its last done callback has run.
    /// They are always listed, so that an inline registration of before names nobody any more.
    pub(crate) fn wait(&self, waker: &Waker, old: Option<Registration>) -> Registration {
        let told = self.state.is_done();
        let old = old
            .map(Registration::get)
            .filter(|old| !told || matches!(old, Registered::Listed(_)));
        match (&old, waker::key_of(waker)) {
            (Some(Registered::Inline(old)), Some(key)) if *old == key => {
                return Registration::inline(key);
            }
            (None, Some(key)) if self.waiters.get() == 0 && !told => {
                self.waiters.set(key.to_bits());
                return Registration::inline(key);
            }
            _ => {}
        }
        let id = match old {
            Some(Registered::Inline(_)) => INLINE,
            Some(Registered::Listed(id)) => id,
            None => self.scheduler.next_entry(),
        };
        let listed = if id == INLINE {
            self.scheduler.next_entry()
        } else {
            id
        };
        let waker = waker.clone();
        let replaced = self.with_list(|list| {
            // Who is new need not be looked for: that would make many waits for one task quadratic.
            let place = old
                .as_ref()
                .and_then(|_| list.iter_mut().find(|entry| entry.id == id));
            if let Some(entry) = place {
                entry.id = listed;
                return Some(std::mem::replace(&mut entry.what, What::Wake(waker)));
            }
            list.push(Entry {
                id: listed,
                what: What::Wake(waker),
            });
            None
        });
        drop(replaced);
        Registration::listed(listed)
    }

    /// Takes a waker back.
    pub(crate) fn forget_wait(&self, registration: Registration) {
        let id = match registration.get() {
            Registered::Inline(key) if self.waiters.get() == key.to_bits() => {
                self.waiters.set(0);
                return;
            }
            Registered::Inline(_) => INLINE,
            Registered::Listed(id) => id,
        };
        drop(self.remove_entry(id));
    }

    /// Calls the callback in `cell` one turn after the end of this task.
    pub(crate) fn wait_call(&self, cell: CellRef) -> u64 {
        let id = self.scheduler.next_entry();
        let what = What::Call(cell);
        self.with_list(|list| list.push(Entry { id, what }));
        id
    }

    /// Takes a callback back.
    pub(crate) fn forget_call(&self, id: u64) -> Option<CellRef> {
        // The number of a callback that came after the end is that of an inline waker.
        if id == INLINE {
            return None;
        }
        match self.remove_entry(id)?.what {
            What::Call(cell) => Some(cell),
            _ => None,
        }
    }

    /// Where the callbacks that wait for the end were created.
    pub(crate) fn callback_sites(&self) -> Vec<&'static Location<'static>> {
        let word = self.waiters.get();
        if word & 3 != LIST {
            return Vec::new();
        }
        let lists = self.scheduler.lists().borrow();
        let list = lists
            .table
            .get((word >> 2) as usize)
            .map_or(&[][..], |list| &list[..]);
        let sites = list.iter().filter_map(|entry| match &entry.what {
            What::Call(cell) => Some(cell.site),
            _ => None,
        });
        sites.collect()
    }

    /// Pauses the scheduler one batch after the end of this task, for the run with this number.
    pub(crate) fn wait_pause(&self, run: u64) {
        let id = self.scheduler.next_entry();
        self.with_list(|list| {
            list.push(Entry {
                id,
                what: What::Pause(run),
            })
        });
    }

    #[inline]
    pub(crate) fn wait_member(&self, observer: u32, index: u32) {
        if self.waiters.get() == 0 && observer < INLINE_OBSERVERS {
            let word = (u64::from(observer) << 34) | (u64::from(index) << 2) | MEMBER;
            self.waiters.set(word);
        } else {
            self.list_member(observer, index);
        }
    }

    #[inline(never)]
    fn list_member(&self, observer: u32, index: u32) {
        let id = self.scheduler.next_entry();
        let what = What::Member(observer, index);
        self.with_list(|list| list.push(Entry { id, what }));
    }

    /// Says how many members this task was.
    pub(crate) fn forget_members(&self, observer: u32) -> usize {
        let word = self.waiters.get();
        match word & 3 {
            MEMBER if word >> 34 == u64::from(observer) => {
                self.waiters.set(0);
                1
            }
            LIST => {
                let members = self.with_list(|list| {
                    let before = list.len();
                    list.retain(|entry| !matches!(entry.what, What::Member(o, _) if o == observer));
                    before - list.len()
                });
                self.end_empty_list();
                members
            }
            _ => 0,
        }
    }

    fn remove_entry(&self, id: u64) -> Option<Entry> {
        if self.waiters.get() & 3 != LIST {
            return None;
        }
        let removed = self.with_list(|list| {
            let place = list.iter().position(|entry| entry.id == id)?;
            Some(list.remove(place))
        });
        self.end_empty_list();
        removed
    }

    /// Nobody waits any more, and whoever comes next finds the word free.
    fn end_empty_list(&self) {
        let mut lists = self.scheduler.lists().borrow_mut();
        let index = (self.waiters.get() >> 2) as u32;
        if lists.table.get(index as usize).is_some_and(Vec::is_empty) {
            self.waiters.set(0);
            if let Some(list) = lists.table.remove(index) {
                lists.keep(list);
            }
        }
    }

    /// Runs `edit` on the list, which is made of what the word holds if it was none. Nothing foreign may run in `edit`.
    fn with_list<R>(&self, edit: impl FnOnce(&mut Vec<Entry>) -> R) -> R {
        let word = self.waiters.get();
        let mut lists = self.scheduler.lists().borrow_mut();
        let index = if word & 3 == LIST {
            (word >> 2) as u32
        } else {
            let mut list = lists.spare.pop().unwrap_or_default();
            match word & 3 {
                KEY => {
                    let what = What::Wake(waker::owned(TaskKey::from_bits(word)));
                    list.push(Entry { id: INLINE, what });
                }
                MEMBER => {
                    let what = What::Member((word >> 34) as u32, (word >> 2) as u32);
                    list.push(Entry {
                        id: self.scheduler.next_entry(),
                        what,
                    });
                }
                _ => {}
            }
            let index = lists.table.insert(list);
            self.waiters.set((u64::from(index) << 2) | LIST);
            index
        };
        edit(
            lists
                .table
                .get_mut(index as usize)
                .expect("the word names a list that is there"),
        )
    }

    /// Tells everybody, in the order in which they came. The task has ended.
    #[inline(always)]
    pub(crate) fn tell_waiters(&self) {
        let word = self.waiters.get();
        if word & 3 == KEY {
            self.waiters.set(0);
            let waiter = TaskKey::from_bits(word);
            if !self.scheduler.0.wake(waiter) {
                self.wake_elsewhere(waiter);
            }
        } else if word != 0 {
            self.tell_others(word);
        }
    }

    /// The waiting task is of another loop, and what notifies that loop is foreign code, or it has gone.
    #[cold]
    #[inline(never)]
    fn wake_elsewhere(&self, waiter: TaskKey) {
        if let Err(panic) = caught(|| current::wake(waiter)) {
            self.scheduler.report_waker(self, panic);
        }
    }

    #[inline(never)]
    fn tell_others(&self, word: u64) {
        self.waiters.set(0);
        if word & 3 == MEMBER {
            let (observer, index) = ((word >> 34) as u32, (word >> 2) as u32);
            let with_value = self.state.has_output();
            self.scheduler.member_done(observer, index, with_value);
        } else {
            self.tell_list((word >> 2) as u32);
        }
    }

    #[inline(never)]
    fn tell_list(&self, index: u32) {
        let Some(mut list) = self.scheduler.lists().borrow_mut().table.remove(index) else {
            return;
        };
        // Before anything foreign runs, since a callback counts from the end of the task until it is gone, in whatever way.
        let is_call = |entry: &&Entry| matches!(entry.what, What::Call(_));
        for _ in list.iter().filter(is_call) {
            self.callback_queued();
        }
        for entry in list.drain(..) {
            match entry.what {
                What::Wake(waker) => {
                    if let Err(panic) = caught(|| waker.wake()) {
                        self.scheduler.report_waker(self, panic);
                    }
                }
                What::Call(cell) => self.scheduler.queue_callback(cell),
                What::Member(observer, index) => {
                    let with_value = self.state.has_output();
                    self.scheduler.member_done(observer, index, with_value);
                }
                What::Pause(run) => {
                    let scheduler = self.scheduler.clone();
                    self.scheduler.call_soon(move || {
                        scheduler.0.target_ended.set(run);
                        scheduler.pause();
                    });
                }
            }
        }
        self.scheduler.lists().borrow_mut().keep(list);
    }
}

/// The lists of one scheduler.
pub(crate) struct Lists {
    table: crate::slab::Slab<Vec<Entry>>,
    spare: Vec<Vec<Entry>>,
}

impl Lists {
    pub(crate) fn new() -> Lists {
        Lists {
            table: crate::slab::Slab::new(),
            spare: Vec::new(),
        }
    }

    fn keep(&mut self, list: Vec<Entry>) {
        if list.capacity() <= 64 && self.spare.len() < 256 {
            self.spare.push(list);
        }
    }
}

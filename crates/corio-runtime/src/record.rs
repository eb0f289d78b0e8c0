//! What the locks and queues tell about waits goes into the record of the task.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use corio_core::Scheduler;
use corio_core::waiting::{self, Detail, WaitKind};
use corio_sync::observe::{self, Observer, Waiting};

struct Record;

/// Places of the cache below.
const CACHED: usize = 16;

thread_local! {
    /// The kinds that were asked for last, by the address of their names.
    static CACHE: [Cell<Option<(&'static str, &'static WaitKind)>>; CACHED] = const { [const { Cell::new(None) }; CACHED] };
    /// The kinds that have been met on this thread. There are as many as corio-sync has operations, and they are kept for good.
    static KINDS: RefCell<BTreeMap<&'static str, &'static WaitKind>> = const { RefCell::new(BTreeMap::new()) };
}

/// Has the waits of this thread recorded, unless somebody else observes them.
pub(crate) fn install() {
    if let Some(other) = observe::set_observer(Some(&Record)) {
        observe::set_observer(Some(other));
    }
}

fn kind_of(name: &'static str) -> &'static WaitKind {
    let place = (name.as_ptr().addr() / 8 + name.len()) % CACHED;
    CACHE.with(|cache| match cache[place].get() {
        Some((cached, kind)) if std::ptr::eq(cached, name) => kind,
        _ => {
            let kind = find_kind(name);
            cache[place].set(Some((name, kind)));
            kind
        }
    })
}

#[cold]
fn find_kind(name: &'static str) -> &'static WaitKind {
    KINDS.with_borrow_mut(|kinds| {
        *kinds
            .entry(name)
            .or_insert_with(|| Box::leak(Box::new(WaitKind::new(name))))
    })
}

impl Observer for Record {
    fn current_task(&self) -> Option<u64> {
        Scheduler::with_current(|scheduler| Some(scheduler?.current_task_id()?.get()))
    }

    fn task_waits(&self, waiting: &Waiting<'_>) {
        let kind = kind_of(waiting.kind);
        if waiting.name.is_none() && waiting.holder.is_none() {
            return waiting::note(kind, waiting.location);
        }
        let detail = Detail {
            name: waiting.name.cloned(),
            holder: waiting.holder.and_then(|holder| holder.task),
            held_since: waiting.holder.map(|holder| holder.location),
        };
        waiting::note_detail(kind, waiting.location, detail);
    }
}

//! What the locks and queues tell about waits goes into the record of the task.

use corio_core::Scheduler;
use corio_core::waiting::{self, Detail, WaitKind, WaitNumber};
use corio_sync::observe::{self, Kind, Observer, Waiting};
use std::panic::Location;

struct Record;

/// Has the waits of this thread recorded, unless somebody else observes them.
pub(crate) fn install() {
    if let Some(other) = observe::set_observer(Some(&Record)) {
        observe::set_observer(Some(other));
    }
}

/// The number under which the core knows this kind. Whoever meets a kind first numbers it; if two threads do so at a time, one of
/// two numbers with the same name is kept.
#[inline]
fn number_of(kind: &'static Kind) -> WaitNumber {
    WaitNumber::from_bits(kind.number()).unwrap_or_else(|| give_number(kind))
}

#[cold]
fn give_number(kind: &'static Kind) -> WaitNumber {
    // There are as many as corio-sync has operations, and they are kept for good.
    let known: &'static WaitKind = Box::leak(Box::new(WaitKind::new(kind.name())));
    let number = known.number();
    kind.set_number(number.to_bits());
    number
}

impl Observer for Record {
    fn current_task(&self) -> Option<u64> {
        Scheduler::with_current(|scheduler| Some(scheduler?.current_task_id()?.get()))
    }

    fn task_waits(&self, waiting: &Waiting<'_>) {
        let detail = Detail {
            name: waiting.name.cloned(),
            holder: waiting.holder.and_then(|holder| holder.task),
            held_since: waiting.holder.map(|holder| holder.location),
        };
        waiting::note_detail(number_of(waiting.kind), waiting.location, detail);
    }

    fn task_waits_at(&self, kind: &'static Kind, location: &'static Location<'static>) {
        match WaitNumber::from_bits(kind.number()) {
            Some(number) => waiting::note_number(number, location),
            None => note_first(kind, location),
        }
    }
}

/// Of a kind that nobody has met before.
#[cold]
fn note_first(kind: &'static Kind, location: &'static Location<'static>) {
    waiting::note_number(number_of(kind), location);
}

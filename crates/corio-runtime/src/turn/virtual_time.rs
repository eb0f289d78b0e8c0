//! The visit by the loop's own clock: when it jumps, when it stands still, and what it says when that lasts.

use std::time::Duration;

use corio_core::Report;

use super::Run;
use crate::event_loop::Loop;

/// Without anything to jump to, other threads get this long before it is said that nothing can ever run again.
const LAST_CHANCE: Duration = Duration::from_millis(1000);

/// Timers may wait for other threads this long before that is said.
const STILL: Duration = Duration::from_millis(2000);

impl Run<'_> {
    /// Reactor and timers by the loop's own clock.
    pub(super) fn visit_virtual(&self, wait: bool) {
        let Loop {
            scheduler,
            timers,
            reactor,
            ..
        } = self.event_loop;
        let io = reactor.len() > self.event_loop.own_sources.get();
        // Asked before the mail is taken: whoever lets go of the last handle may have sent something before.
        let outstanding = io || scheduler.remotes() > 0;
        if io {
            self.wait(Some(Duration::ZERO));
        }
        scheduler.take_mail();
        timers.fire(scheduler, timers.clock.now());
        if !wait || scheduler.ready() > 0 {
            return;
        }
        if outstanding {
            return self.wait_for_others(io);
        }
        match timers.next_wake() {
            Some(next) => {
                timers.clock.advance_to(next);
                timers.fire(scheduler, next);
            }
            None => self.last_chance(),
        }
    }

    /// Something may come from elsewhere. If timers wait for nothing but remote handles, that is said after a while: a handle that
    /// the loop's own thread keeps lets it wait for ever.
    fn wait_for_others(&self, io: bool) {
        let Loop {
            scheduler, timers, ..
        } = self.event_loop;
        if io || timers.is_empty() || self.told_still.get() {
            self.wait(None);
        } else if self.wait(Some(STILL)) == 0 && !scheduler.has_mail() && !self.signal_is_pending()
        {
            let handles = scheduler.remotes();
            if handles > 0 {
                self.told_still.set(true);
                let message = format!(
                    "the virtual clock stands still: {handles} `Remote` or `RemoteTask` handles exist, through which other \
                     threads may send something; drop them where they are not needed any more, and before a thread blocks in \
                     `RemoteTask::wait`"
                );
                scheduler.enter(|| scheduler.report(&Report::new(message)));
            }
        }
        scheduler.take_mail();
    }

    /// Nothing is ready, no timer is set, and nothing outstanding is known: only a foreign thread with a waker could help.
    fn last_chance(&self) {
        let scheduler = &self.event_loop.scheduler;
        self.wait(Some(LAST_CHANCE));
        scheduler.take_mail();
        if scheduler.ready() > 0 || self.signal_is_pending() {
            return;
        }
        let mut message = String::from(
            "deadlock: nothing is ready, no timer is set, and nothing can ever run again",
        );
        for task in scheduler.all_tasks() {
            message.push_str(&format!("\n  {task:?}"));
        }
        panic!("{message}");
    }
}

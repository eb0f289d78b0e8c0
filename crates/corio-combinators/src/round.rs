//! One look at several tasks: their ends are counted as they happen, and the waiter is told one turn after the end that
//! mattered.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

use corio_core::cancel::Members;
use corio_core::{AnyTask, Observer, ObserverId, Scheduler};

use crate::member::{Member, Owned};

/// What a round waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Until {
    /// Any end.
    FirstEnd,
    /// An end without a value, or with one that is an `Err`; else all ends.
    FirstFailure,
    /// The same, but a cancelled task does not count.
    FirstException,
    /// All ends.
    All,
    /// The ends of the owned ones: they have been asked to cancel. Of those in the last turn the first without a value gives the
    /// place in the order, as asyncio's `gather` goes on with the first member that was cancelled or failed; else the last one.
    AllOwned,
    /// The same, but the last one gives the place.
    LastOwned,
}

impl Until {
    fn is_all(self) -> bool {
        matches!(self, Until::All | Until::AllOwned | Until::LastOwned)
    }
}

/// ```text
/// Open ── the end that mattered, turn k ──▶ Enough ── fire, turn k + 1 ──▶ Over
///   ▲                                         │
///   └──── meanwhile more is waited for ───────┘
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Open,
    Enough,
    Over,
}

pub(crate) struct Round {
    scheduler: Scheduler,
    members: Vec<Member>,
    owned: Owned,
    until: Cell<Until>,
    phase: Cell<Phase>,
    /// Told only of failures and of the last end: what follows is not kept up to date.
    patient: Cell<bool>,
    /// How many members have not ended, and how many of those are owned.
    open: Cell<usize>,
    open_owned: Cell<usize>,
    /// The first member that failed.
    culprit: Cell<Option<usize>>,
    /// The batch of the last end, and that of the last one which is told.
    last_end: Cell<u64>,
    told: Cell<u64>,
    observer: Cell<Option<ObserverId>>,
    waker: Cell<Option<Waker>>,
    /// Somebody counts on the wake.
    owes_wake: Cell<bool>,
}

impl Round {
    /// Looks at the members from now on.
    ///
    /// # Panics
    ///
    /// When an unfinished member belongs to another loop.
    pub(crate) fn begin(
        scheduler: &Scheduler,
        members: Vec<Member>,
        owned: Owned,
        until: Until,
    ) -> Rc<Round> {
        let open_owned = match owned {
            Owned::All => members.len(),
            Owned::Nothing => 0,
            Owned::These(_) => (0..members.len()).filter(|&index| owned.has(index)).count(),
        };
        let round = Rc::new(Round {
            scheduler: scheduler.clone(),
            owned,
            until: Cell::new(until),
            phase: Cell::new(Phase::Open),
            patient: Cell::new(false),
            open: Cell::new(members.len()),
            open_owned: Cell::new(open_owned),
            culprit: Cell::new(None),
            last_end: Cell::new(0),
            told: Cell::new(0),
            observer: Cell::new(None),
            waker: Cell::new(None),
            owes_wake: Cell::new(false),
            members,
        });
        let id = scheduler.add_observer(round.clone());
        let tasks = round.members.iter().map(Member::task);
        if scheduler.observe_all(tasks.clone(), &id) {
            round.begin_patiently(&id);
        } else {
            if let Some(task) = foreign_task(scheduler, tasks.clone()) {
                scheduler.forget_observer(id);
                refuse(task);
            }
            for (index, task) in tasks.enumerate() {
                if !task.done() {
                    scheduler.observe(task, &id, index as u32);
                }
            }
            round.count_ended();
        }
        round.observer.set(Some(id));
        round
    }

    /// As long as nothing but a failure or the last end can matter, no other end has to be told.
    fn begin_patiently(&self, id: &ObserverId) {
        let alike = matches!(self.owned, Owned::All | Owned::Nothing);
        let is_plain = |member: &Member| matches!(member, Member::Any(_));
        let until = self.until.get();
        let ends_apart = matches!(
            until,
            Until::FirstFailure | Until::FirstException | Until::All
        );
        if alike && ends_apart && self.members.iter().all(is_plain) {
            self.patient.set(true);
            self.scheduler.observe_patiently(id);
        }
    }

    /// From now on the ends are counted one by one.
    fn look_closely(&self) {
        if !self.patient.replace(false) {
            return;
        }
        let Some(id) = self.observer.take() else {
            return;
        };
        let open = self.scheduler.observe_closely(&id);
        self.observer.set(Some(id));
        self.open.set(open);
        self.open_owned.set(if self.owns() { open } else { 0 });
    }

    /// Counts what had ended before the round began.
    fn count_ended(&self) {
        let mut enough = self.members.is_empty();
        for (index, member) in self.members.iter().enumerate() {
            if member.task().done() {
                enough |= self.count(index, member);
            }
        }
        if enough {
            self.phase.set(Phase::Enough);
        }
    }

    /// What mattered had happened before the round began: it is over without a turn.
    pub(crate) fn skip_turn(&self) {
        if self.phase.get() == Phase::Enough {
            self.phase.set(Phase::Over);
        }
    }

    /// The same, but the round takes the turn that a done callback of a finished task takes.
    pub(crate) fn take_turn(self: &Rc<Self>) {
        if self.phase.get() == Phase::Enough {
            let round = self.clone();
            self.scheduler.call_soon(move || round.fire());
        }
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn is_owned(&self, index: usize) -> bool {
        self.owned.has(index)
    }

    pub(crate) fn owns(&self) -> bool {
        self.owned != Owned::Nothing
    }

    /// What was waited for has happened, and the waiter has had its wake.
    pub(crate) fn is_over(&self) -> bool {
        self.phase.get() == Phase::Over
    }

    /// The first member that failed.
    pub(crate) fn culprit(&self) -> Option<usize> {
        self.culprit.get()
    }

    /// Waits for all ends, whatever they are.
    pub(crate) fn wait_for_all(&self) {
        match self.until.get() {
            Until::AllOwned | Until::LastOwned => {}
            _ => self.until.set(Until::All),
        }
        // A round that is over was told of an end, and is not patient any more.
        if self.phase.get() == Phase::Over && self.is_short() {
            self.phase.set(Phase::Open);
        }
    }

    /// Asks every member to cancel and waits for all of them. False: the round is over, or nothing was left to cancel.
    pub(crate) fn cancel_all(&self) -> bool {
        if self.is_over() {
            return false;
        }
        self.wait_for_all();
        let mut asked = false;
        for member in &self.members {
            asked |= member.task().cancel();
        }
        asked
    }

    /// Asks the owned members to cancel, and waits for nobody.
    pub(crate) fn cancel_owned(&self) {
        for (index, member) in self.members.iter().enumerate() {
            if self.owned.has(index) {
                member.task().cancel();
            }
        }
    }

    /// Failures that are still to come have been dealt with.
    pub(crate) fn mark_seen(&self) {
        for member in &self.members {
            member.task().mark_seen();
        }
    }

    /// Whom to wake at the end.
    pub(crate) fn set_waker(&self, waker: &Waker) {
        let waker = match self.waker.take() {
            Some(old) if old.will_wake(waker) => old,
            old => {
                self.pay_wake(old);
                waker.clone()
            }
        };
        self.waker.set(Some(waker));
    }

    /// Whoever polled the wait before does so no more.
    fn pay_wake(&self, old: Option<Waker>) {
        if self.owes_wake.take() {
            if let Some(old) = old {
                old.wake();
            }
        }
    }

    /// Looks away: nobody will be told any more.
    pub(crate) fn forget(&self) {
        self.look_closely();
        let Some(id) = self.observer.take() else {
            return;
        };
        if self.open.get() > 0 {
            for member in &self.members {
                if !member.task().done() {
                    self.scheduler.unobserve(member.task(), &id);
                }
            }
        }
        self.scheduler.forget_observer(id);
        self.pay_wake(self.waker.take());
    }

    /// Counts an end. True: it is the one that was waited for.
    fn count(&self, index: usize, member: &Member) -> bool {
        self.open.set(self.open.get() - 1);
        if self.owned.has(index) {
            self.open_owned.set(self.open_owned.get() - 1);
        }
        let task = member.task();
        let failed = !task.ended_with_value() || member.is_err();
        if failed && self.culprit.get().is_none() {
            self.culprit.set(Some(index));
        }
        let until = self.until.get();
        if matches!(until, Until::AllOwned | Until::LastOwned) && !self.owned.has(index) {
            return false;
        }
        if until.is_all() {
            self.last_end.set(self.scheduler.batch());
        }
        match until {
            Until::FirstEnd => true,
            Until::FirstFailure => failed || self.open.get() == 0,
            Until::FirstException => failed && !task.cancelled() || self.open.get() == 0,
            Until::All | Until::LastOwned => !self.is_short(),
            Until::AllOwned => {
                let told = self.told.get() == self.last_end.get();
                !told && (failed || !self.is_short())
            }
        }
    }

    fn is_short(&self) -> bool {
        match self.until.get() {
            Until::All => self.open.get() > 0,
            Until::AllOwned | Until::LastOwned => self.open_owned.get() > 0,
            _ => false,
        }
    }
}

impl Observer for Round {
    fn member_done(&self, index: u32) -> bool {
        let index = index as usize;
        let Some(member) = self.members.get(index) else {
            return false;
        };
        if self.patient.get() {
            self.look_closely();
            // This one has been taken off before it was told.
            self.open.set(self.open.get() + 1);
            self.open_owned
                .set(self.open_owned.get() + usize::from(self.owns()));
        }
        let counts = self.count(index, member);
        let tell = match self.phase.get() {
            Phase::Open => counts,
            // One is told already. With ends in several turns, the one that is told last decides.
            Phase::Enough => counts && self.until.get().is_all(),
            Phase::Over => false,
        };
        if tell {
            self.phase.set(Phase::Enough);
            self.told.set(self.scheduler.batch());
        }
        tell
    }

    fn fire(&self) {
        if self.is_short() {
            self.phase.set(Phase::Open);
            return;
        }
        if self.until.get().is_all() && self.last_end.get() == self.scheduler.batch() {
            // An end in this turn is told in the next one.
            return;
        }
        self.phase.set(Phase::Over);
        self.owes_wake.set(false);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Members for Round {
    /// A request is handed on: it ends the wait only when those that it goes to have ended. When the round is over, what still
    /// runs is nobody's any more.
    fn tasks(&self) -> Vec<AnyTask> {
        if self.is_over() {
            return Vec::new();
        }
        self.look_closely();
        let until = match self.until.get() {
            Until::All | Until::LastOwned => Until::LastOwned,
            _ => Until::AllOwned,
        };
        self.until.set(until);
        let members = self.members.iter().enumerate();
        let owned = members.filter(|(index, _)| self.owned.has(*index));
        owned.map(|(_, member)| member.task().clone()).collect()
    }

    fn wakes_soon(&self) -> bool {
        let waker = self.waker.take();
        let wakes =
            waker.is_some() && self.phase.get() == Phase::Enough && self.open_owned.get() == 0;
        self.waker.set(waker);
        self.owes_wake.set(wakes);
        wakes
    }
}

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = self.members.iter().map(Member::task);
        f.debug_list().entries(tasks).finish()
    }
}

/// A wait for a task that cannot run while this loop does would not end.
pub(crate) fn check_loop<'a>(scheduler: &Scheduler, tasks: impl Iterator<Item = &'a AnyTask>) {
    if let Some(task) = foreign_task(scheduler, tasks) {
        refuse(task);
    }
}

fn foreign_task<'a>(
    scheduler: &Scheduler,
    mut tasks: impl Iterator<Item = &'a AnyTask>,
) -> Option<&'a AnyTask> {
    tasks.find(|task| !task.is_of(scheduler) && !task.done())
}

fn refuse(task: &AnyTask) -> ! {
    panic!(
        "task '{}' belongs to another event loop, which does not run while this one does: \
         use the `Remote` of that loop, or wait for the task there",
        task.name()
    )
}

/// The loop that runs on this thread.
///
/// # Panics
///
/// When there is none.
#[track_caller]
pub(crate) fn running_loop(what: &str) -> Scheduler {
    match Scheduler::current() {
        Some(scheduler) => scheduler,
        None => panic!(
            "{what} was polled on a thread where no event loop runs: await it in a task, or give it to `run`"
        ),
    }
}

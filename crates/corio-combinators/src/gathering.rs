//! What the members of the gather family have in common: a set of tasks, a round, and a place in the cancellation tree.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll};

use corio_core::cancel::{self, Kind, Node};
use corio_core::combine::IntoTask;
use corio_core::waiting::{self, WaitKind};
use corio_core::{AnyTask, Scheduler};

use crate::member::Member;
use crate::round::{Round, Until, running_loop};
use crate::set::{HandleSet, Lineup, TaskSet};
use crate::settle::Settle;

static GATHER: WaitKind = WaitKind::new("gather");

pub(crate) struct Gathering<S: TaskSet> {
    stage: Stage<S>,
    round: Option<Rc<Round>>,
    /// How the members are seen: whether a value may be an error.
    lineup: fn(&S::Handles) -> Lineup,
    /// Every outcome is wanted, so no failure ends it.
    whole: bool,
    /// Asked to cancel before the futures were tasks.
    cancelled: Cell<bool>,
    polled: bool,
    settle: Settle,
    site: &'static Location<'static>,
    node: Node,
}

enum Stage<S: TaskSet> {
    /// No loop was running at the call.
    Given(S),
    Running(S::Handles),
    Over,
}

impl<C: IntoTask> Gathering<Vec<C>> {
    /// Makes the tasks now if a loop runs here, else at the first poll.
    #[track_caller]
    pub(crate) fn of_iter(
        tasks: impl IntoIterator<Item = C>,
        lineup: fn(&Vec<C::Handle>) -> Lineup,
    ) -> Self {
        let tasks = tasks.into_iter();
        let Some(scheduler) = Scheduler::current() else {
            let tasks: Vec<C> = tasks.collect();
            let nothing = tasks.is_empty();
            let stage = if nothing {
                Stage::Running(Vec::new())
            } else {
                Stage::Given(tasks)
            };
            return Gathering::new(stage, lineup);
        };
        let site = Location::caller();
        let handles: Vec<_> = tasks.map(|task| task.into_task(&scheduler, site)).collect();
        let nothing = handles.is_empty();
        let mut gathering = Gathering::new(Stage::Running(handles), lineup);
        if !nothing {
            gathering.look(&scheduler);
        }
        gathering
    }
}

impl Gathering<()> {
    /// Needs no loop: there is nothing to run.
    #[track_caller]
    pub(crate) fn of_nothing() -> Self {
        Gathering::new(Stage::Running(()), HandleSet::lineup)
    }
}

impl<S: TaskSet> Gathering<S> {
    #[track_caller]
    fn new(stage: Stage<S>, lineup: fn(&S::Handles) -> Lineup) -> Self {
        Gathering {
            stage,
            round: None,
            lineup,
            whole: false,
            cancelled: Cell::new(false),
            polled: false,
            settle: Settle::default(),
            site: Location::caller(),
            node: Node::new(Kind::Wait),
        }
    }

    /// The same for a set that is there already.
    #[track_caller]
    pub(crate) fn of_set(set: S) -> Self {
        let scheduler = Scheduler::current();
        let mut gathering = Gathering::new(Stage::Given(set), S::Handles::lineup);
        if let Some(scheduler) = scheduler {
            gathering.start(&scheduler);
        }
        gathering
    }

    fn start(&mut self, scheduler: &Scheduler) {
        if let Stage::Given(set) = std::mem::replace(&mut self.stage, Stage::Over) {
            self.stage = Stage::Running(set.start(scheduler, self.site));
            self.look(scheduler);
        }
    }

    fn look(&mut self, scheduler: &Scheduler) {
        let Stage::Running(handles) = &self.stage else {
            return;
        };
        let Lineup { tasks, owned } = (self.lineup)(handles);
        let until = if self.whole {
            Until::All
        } else {
            Until::FirstFailure
        };
        let round = Round::begin(scheduler, tasks, owned, until);
        round.skip_turn();
        if self.cancelled.get() {
            round.cancel_all();
        }
        self.round = Some(round);
    }

    /// From now on only all ends together end the round.
    pub(crate) fn wait_for_all(&mut self) {
        self.whole = true;
        if let Some(round) = &self.round {
            round.wait_for_all();
        }
    }

    /// Asks all members to cancel. False when it is over, or nothing is left to cancel.
    pub(crate) fn cancel(&self) -> bool {
        match (&self.stage, &self.round) {
            (Stage::Given(_), _) => {
                self.cancelled.set(true);
                true
            }
            (Stage::Running(_), Some(round)) => round.cancel_all(),
            _ => false,
        }
    }

    /// Ready when the round is over and the values may leave. A request that went to the members goes up instead.
    pub(crate) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.node.is_passing_on() {
            return Poll::Pending;
        }
        if matches!(self.stage, Stage::Given(_)) {
            let scheduler = running_loop("a gather");
            self.start(&scheduler);
        }
        let Some(round) = &self.round else {
            return Poll::Ready(());
        };
        if !self.polled && round.is_over() && leaving(round, self.whole).all(AnyTask::is_settled) {
            return Poll::Ready(());
        }
        self.polled = true;
        if round.owns() {
            let members: Rc<dyn cancel::Members> = round.clone();
            if self.node.enter_members(cx, &members) {
                // Nothing that it owns is left to be asked, so the request goes up, and the values go.
                let taken = self.node.take(|| ());
                self.node.pass_on_taken(taken);
                return Poll::Pending;
            }
        }
        if !round.is_over() {
            round.set_waker(cx.waker());
            waiting::note(&GATHER, self.site);
            return Poll::Pending;
        }
        if self.node.is_working() {
            self.node.pass_on();
            return Poll::Pending;
        }
        if self
            .settle
            .poll(cx, leaving(round, self.whole))
            .is_pending()
        {
            waiting::note(&GATHER, self.site);
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// The handles, and the round if there was anything to wait for. To be called once, when it is over.
    pub(crate) fn finish(&mut self) -> (S::Handles, Option<Rc<Round>>) {
        self.node.leave();
        let round = self.round.take();
        if let Some(round) = &round {
            round.forget();
        }
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Running(handles) => (handles, round),
            _ => panic!("a gather that has finished was polled again"),
        }
    }
}

/// The tasks whose values are about to leave: none when an error is the result, but for a value that is the error.
fn leaving(round: &Round, whole: bool) -> impl Iterator<Item = &AnyTask> + Clone {
    let culprit = if whole { None } else { round.culprit() };
    let members = round.members().iter().enumerate();
    let leaving = members.filter(move |(index, _)| {
        round.is_owned(*index) && culprit.is_none_or(|culprit| culprit == *index)
    });
    leaving.map(|(_, member)| member.task())
}

impl<S: TaskSet> Drop for Gathering<S> {
    fn drop(&mut self) {
        let Some(round) = self.round.take() else {
            return;
        };
        let asked = self.node.has_passed_on() || self.node.is_working();
        let abandoned = self.polled && !round.is_over() && !asked;
        round.forget();
        if abandoned {
            round.cancel_owned();
        }
    }
}

impl<S: TaskSet> Unpin for Gathering<S> {}

impl<S: TaskSet> fmt::Debug for Gathering<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.stage, &self.round) {
            (Stage::Given(_), _) => f.write_str("(not started)"),
            (Stage::Running(_), Some(round)) => fmt::Debug::fmt(round, f),
            (Stage::Running(_), None) => f.write_str("[]"),
            (Stage::Over, _) => f.write_str("(finished)"),
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.task(), f)
    }
}

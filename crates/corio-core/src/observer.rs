//! Observers: waits for several tasks at once, which their tasks name by a number.

use std::rc::Rc;

use crate::caught::caught;
use crate::report::Report;
use crate::scheduler::Scheduler;
use crate::task::AnyTask;

/// A wait that looks at several tasks and wants to know of each end as it happens.
pub trait Observer {
    /// Member `index` has ended. This runs inside the step that ended it: count, do not call foreign code. True asks for one
    /// call of [`fire`](Observer::fire) in the next turn, at the place where a done callback would run.
    fn member_done(&self, index: u32) -> bool;
    /// The turn after the end that mattered.
    fn fire(&self);
}

/// An observer within its scheduler, until it is given to [`forget_observer`](Scheduler::forget_observer).
///
/// Numbers of observers are used again, so this one cannot be copied: after the observer has gone, nothing names it.
///
/// ```compile_fail,E0382
/// # fn show(scheduler: corio_core::Scheduler, task: corio_core::AnyTask, id: corio_core::ObserverId) {
/// scheduler.forget_observer(id);
/// scheduler.observe(&task, &id, 0);
/// # }
/// ```
#[must_use = "an observer stays until it is given to `forget_observer`"]
#[derive(Debug, PartialEq, Eq)]
pub struct ObserverId {
    scheduler: u64,
    place: u32,
}

/// An observer in the table of its scheduler. Its place is used again when neither an id nor a member names it any more.
pub(crate) struct Observed {
    /// None once the id has come back.
    observer: Option<Rc<dyn Observer>>,
    members: usize,
    /// It wants to be told of an end with a value only if that is the last end.
    patient: bool,
}

impl Scheduler {
    /// Makes an observer known. It is taken out again by [`forget_observer`](Scheduler::forget_observer).
    pub fn add_observer(&self, observer: Rc<dyn Observer>) -> ObserverId {
        let observed = Observed {
            observer: Some(observer),
            members: 0,
            patient: false,
        };
        ObserverId {
            scheduler: self.number(),
            place: self.observers().borrow_mut().insert(observed),
        }
    }

    /// Takes an observer out. Its members should have ended or been taken back with [`unobserve`](Scheduler::unobserve); the
    /// ends of those that are left are told to nobody.
    ///
    /// # Panics
    ///
    /// When the observer is one of another scheduler.
    pub fn forget_observer(&self, id: ObserverId) {
        let place = self.place_of(&id);
        let observer = self.edit_observed(place, |observed| observed.observer.take());
        drop(observer);
    }

    /// Tells the observer of the end of `task`, as its member `index`. The task has not ended.
    ///
    /// # Panics
    ///
    /// When the task or the observer is one of another scheduler.
    pub fn observe(&self, task: &AnyTask, id: &ObserverId, index: u32) {
        let place = self.place_of(id);
        assert!(
            task.cell().scheduler.same(self),
            "a task of another event loop cannot be observed"
        );
        self.edit_observed(place, |observed| observed.members += 1);
        task.cell().wait_member(place, index);
    }

    /// Tells the observer of the ends of all these tasks, see [`observe`](Scheduler::observe). False: there are none, or one of
    /// them has ended or is of another scheduler, and none is observed.
    ///
    /// # Panics
    ///
    /// When the observer is one of another scheduler.
    pub fn observe_all<'a>(
        &self,
        tasks: impl ExactSizeIterator<Item = &'a AnyTask> + Clone,
        id: &ObserverId,
    ) -> bool {
        let place = self.place_of(id);
        let count = tasks.len();
        let is_open_here = |task: &AnyTask| task.cell().scheduler.same(self) && !task.done();
        if count == 0 || !tasks.clone().all(is_open_here) {
            return false;
        }
        self.edit_observed(place, |observed| observed.members += count);
        for (index, task) in tasks.enumerate() {
            task.cell().wait_member(place, index as u32);
        }
        true
    }

    /// From now on an end with a value is told only if it is the last end. All others are told as they happen.
    pub fn observe_patiently(&self, id: &ObserverId) {
        let place = self.place_of(id);
        self.edit_observed(place, |observed| observed.patient = true);
    }

    /// From now on every end is told. Returns how many members have not ended.
    pub fn observe_closely(&self, id: &ObserverId) -> usize {
        let place = self.place_of(id);
        self.edit_observed(place, |observed| {
            observed.patient = false;
            observed.members
        })
    }

    /// Takes a task back: as a member, or as several.
    ///
    /// # Panics
    ///
    /// When the observer is one of another scheduler.
    pub fn unobserve(&self, task: &AnyTask, id: &ObserverId) {
        let place = self.place_of(id);
        if task.cell().scheduler.same(self) {
            let members = task.cell().forget_members(place);
            self.edit_observed(place, |observed| observed.members -= members);
        }
    }

    fn place_of(&self, id: &ObserverId) -> u32 {
        assert!(
            id.scheduler == self.number(),
            "an observer of another event loop"
        );
        id.place
    }

    /// Runs `edit`, and frees the place if nothing names it any more. Nothing foreign may run in `edit`.
    fn edit_observed<R>(&self, place: u32, edit: impl FnOnce(&mut Observed) -> R) -> R {
        let mut observers = self.observers().borrow_mut();
        let observed = observers
            .get_mut(place as usize)
            .expect("an id or a member keeps its place");
        let result = edit(observed);
        if observed.observer.is_none() && observed.members == 0 {
            observers.remove(place);
        }
        result
    }

    /// A member has ended.
    #[inline]
    pub(crate) fn member_done(&self, place: u32, index: u32, with_value: bool) {
        if with_value {
            let mut observers = self.observers().borrow_mut();
            if let Some(observed) = observers.get_mut(place as usize) {
                if observed.patient && observed.members > 1 {
                    observed.members -= 1;
                    return;
                }
            }
        }
        self.tell_member_done(place, index);
    }

    #[inline(never)]
    fn tell_member_done(&self, place: u32, index: u32) {
        let observer = self.edit_observed(place, |observed| {
            observed.members -= 1;
            observed.observer.clone()
        });
        let Some(observer) = observer else { return };
        // Whoever implements it, the others are told, and the task goes on to end.
        let told = caught(|| {
            if observer.member_done(index) {
                self.queue_fire(observer);
            }
        });
        if let Err(panic) = told {
            self.report(&Report::new("exception in an observer").with_panic(panic));
        }
    }
}

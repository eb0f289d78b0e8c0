//! `TaskGroup`: the handle by which the body and the children add children.

use std::fmt;
use std::future::IntoFuture;
use std::panic::Location;
use std::rc::Rc;

use corio_core::{Cancelled, Task};

use super::child::{Child, ChildOutput};
use super::start::{Readiness, Start};
use super::state::State;

/// The handle of a task group, see [`task_group`](crate::task_group()). Clones are the same group, so that children can add
/// siblings.
#[doc(alias = "Nursery")]
#[doc(alias = "JoinSet")]
pub struct TaskGroup<E> {
    state: Rc<State<E>>,
}

impl<E: 'static> TaskGroup<E> {
    pub(super) fn new(state: Rc<State<E>>) -> TaskGroup<E> {
        TaskGroup { state }
    }

    /// Adds a child, a task like any other: it takes its first step in the next turn.
    ///
    /// It may give a `Result` with the group's error, or nothing, or never end. An `Err` moves into the group, and the child's own
    /// handle then gives [`TaskError::Failed`](corio_core::TaskError::Failed).
    ///
    /// A group that is over, or whose children were asked to end, takes no more: the result is a task that is already
    /// cancelled, and the future is dropped without having run.
    #[doc(alias = "spawn")]
    #[doc(alias = "start_soon")]
    #[track_caller]
    pub fn create_task<F>(&self, work: F) -> Task<<F::Output as ChildOutput<E>>::Value>
    where
        F: IntoFuture,
        F::IntoFuture: 'static,
        F::Output: ChildOutput<E>,
    {
        self.create_task_at(work, Location::caller())
    }

    /// The same, for a task that was created at `site`.
    #[track_caller]
    pub(crate) fn create_task_at<F>(
        &self,
        work: F,
        site: &'static Location<'static>,
    ) -> Task<<F::Output as ChildOutput<E>>::Value>
    where
        F: IntoFuture,
        F::IntoFuture: 'static,
        F::Output: ChildOutput<E>,
    {
        let place = self.state.next_place();
        let refused = self.state.is_refusing();
        let child = Child::new(work.into_future(), place, site, self.state.clone());
        let scheduler = self.state.scheduler();
        let task = scheduler.create_fallible_task_at::<F::IntoFuture, _, _>(child, site);
        if refused {
            let why = "the task group takes no more children";
            task.any().end_now(Cancelled::because(why));
        } else if !task.done() {
            self.state.add(place, task.any());
        }
        task
    }

    /// Adds a child, and waits until it says that it is ready.
    ///
    /// ```
    /// # use corio_combinators::{Readiness, TaskGroup, task_group};
    /// # let scheduler = corio_core::Scheduler::new(|| {});
    /// # let main = scheduler.create_task(async {
    /// task_group(async |group: TaskGroup<std::io::Error>| {
    ///     let server = async |readiness: Readiness<u16>| {
    ///         readiness.ready(8080); // bound, and serving from now on
    ///         std::future::pending::<()>().await
    ///     };
    ///     let (port, server) = group.start(server).await?;
    ///     assert_eq!(port, 8080);
    ///     server.cancel();
    ///     Ok(())
    /// }).await
    /// # });
    /// # while scheduler.ready() > 0 { scheduler.run(1); }
    /// # main.result().unwrap().as_ref().unwrap();
    /// # scheduler.close();
    /// ```
    ///
    /// # Errors
    ///
    /// The future gives how the child ended, when it was cancelled, panicked or failed before it was ready.
    ///
    /// # Panics
    ///
    /// The future panics when the child returns without having said that it is ready.
    ///
    /// # Cancel safety
    ///
    /// Until the child is ready the wait owns it: cancelling the wait cancels the child and waits for its end; dropping it asks
    /// the child to cancel.
    #[track_caller]
    pub fn start<T, C, O>(&self, child: C) -> Start<T, O::Value>
    where
        T: 'static,
        C: AsyncFnOnce(Readiness<T>) -> O + 'static,
        O: ChildOutput<E> + 'static,
    {
        let (readiness, wait) = Readiness::new();
        let task = self.create_task(run_child(child, readiness));
        Start::new(wait, task)
    }

    /// Ends the group early: children and body are cancelled, and what is added from now on is refused. Without a failure the
    /// group then gives `Ok` if the body had ended, else [`GroupError::Stopped`](crate::GroupError::Stopped).
    ///
    /// False: the group is over, or was ending already.
    pub fn cancel(&self) -> bool {
        if self.state.is_closed() || self.state.is_aborting() {
            return false;
        }
        self.state.abort_all();
        true
    }

    /// The name that was given with [`GroupScope::named`](crate::GroupScope::named).
    pub fn name(&self) -> Option<String> {
        self.state.name()
    }
}

async fn run_child<T, C, O>(child: C, readiness: Readiness<T>) -> O
where
    C: AsyncFnOnce(Readiness<T>) -> O,
{
    child(readiness).await
}

impl<E> Clone for TaskGroup<E> {
    fn clone(&self) -> TaskGroup<E> {
        TaskGroup {
            state: self.state.clone(),
        }
    }
}

impl<E> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskGroup").field(&self.state).finish()
    }
}

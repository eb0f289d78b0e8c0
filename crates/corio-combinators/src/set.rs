//! What a gather is given: many of one kind, or a few of different kinds.

use std::panic::Location;

use corio_core::combine::{AsTask, IntoTask};
use corio_core::{Scheduler, TaskError};

use crate::member::{Member, Owned};

/// Futures and tasks, before they are all tasks.
pub trait TaskSet {
    /// The handles that they become.
    type Handles: HandleSet;

    /// Makes tasks of the futures, in order.
    fn start(self, scheduler: &Scheduler, site: &'static Location<'static>) -> Self::Handles;
}

/// Handles of tasks.
pub trait HandleSet {
    /// The values of the tasks.
    type Values;
    /// How each of them ended.
    type Outcomes;

    /// The tasks, in order.
    #[doc(hidden)]
    fn lineup(&self) -> Lineup;

    /// The outcome of all of them, which are settled; the first error, if one has no value.
    ///
    /// # Errors
    ///
    /// As for a task.
    fn values(self) -> Result<Self::Values, TaskError>;

    /// The outcome of each of them, which are settled.
    fn outcomes(self) -> Self::Outcomes;
}

/// The tasks of a set, and which of them are owned.
#[derive(Debug)]
pub struct Lineup {
    pub(crate) tasks: Vec<Member>,
    pub(crate) owned: Owned,
}

impl<C: IntoTask> TaskSet for Vec<C> {
    type Handles = Vec<C::Handle>;

    fn start(self, scheduler: &Scheduler, site: &'static Location<'static>) -> Vec<C::Handle> {
        self.into_iter()
            .map(|task| task.into_task(scheduler, site))
            .collect()
    }
}

impl<H: AsTask> HandleSet for Vec<H> {
    type Values = Vec<H::Output>;
    type Outcomes = Vec<Result<H::Output, TaskError>>;

    fn lineup(&self) -> Lineup {
        Lineup::of(self, |handle| Member::Any(handle.as_any()))
    }

    fn values(self) -> Result<Vec<H::Output>, TaskError> {
        self.into_iter().map(H::outcome).collect()
    }

    fn outcomes(self) -> Self::Outcomes {
        self.into_iter().map(H::outcome).collect()
    }
}

impl Lineup {
    /// The members behind handles of one kind, which own their tasks or do not, all alike.
    pub(crate) fn of<H: AsTask>(handles: &[H], member: impl Fn(&H) -> Member) -> Lineup {
        let owned = match handles.first() {
            Some(handle) if handle.owns() => Owned::All,
            _ => Owned::Nothing,
        };
        Lineup {
            tasks: handles.iter().map(member).collect(),
            owned,
        }
    }
}

/// Of nothing.
impl TaskSet for () {
    type Handles = ();

    fn start(self, _: &Scheduler, _: &'static Location<'static>) {}
}

impl HandleSet for () {
    type Values = ();
    type Outcomes = ();

    fn lineup(&self) -> Lineup {
        Lineup {
            tasks: Vec::new(),
            owned: Owned::Nothing,
        }
    }

    fn values(self) -> Result<(), TaskError> {
        Ok(())
    }

    fn outcomes(self) {}
}

macro_rules! tuples {
    ($($kind:ident $place:tt),+) => {
        impl<$($kind: IntoTask),+> TaskSet for ($($kind,)+) {
            type Handles = ($($kind::Handle,)+);

            fn start(
                self,
                scheduler: &Scheduler,
                site: &'static Location<'static>,
            ) -> Self::Handles {
                ($(self.$place.into_task(scheduler, site),)+)
            }
        }

        impl<$($kind: AsTask),+> HandleSet for ($($kind,)+) {
            type Values = ($($kind::Output,)+);
            type Outcomes = ($(Result<$kind::Output, TaskError>,)+);

            fn lineup(&self) -> Lineup {
                let mut owned = 0;
                $(owned |= u16::from(self.$place.owns()) << $place;)+
                Lineup {
                    tasks: vec![$(Member::Any(self.$place.as_any()),)+],
                    owned: if owned == 0 { Owned::Nothing } else { Owned::These(owned) },
                }
            }

            fn values(self) -> Result<Self::Values, TaskError> {
                Ok(($(self.$place.outcome()?,)+))
            }

            fn outcomes(self) -> Self::Outcomes {
                ($(self.$place.outcome(),)+)
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0, B 1);
tuples!(A 0, B 1, C 2);
tuples!(A 0, B 1, C 2, D 3);
tuples!(A 0, B 1, C 2, D 3, E 4);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

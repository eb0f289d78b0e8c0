//! The future of a group's child, and what such a future may give.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::state::State;

mod sealed {
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
    impl Sealed for () {}
    impl Sealed for super::Never {}

    /// Names the output of a function type. Only a trait of this crate will do: for all the compiler knows, another one may yet
    /// say that the type is a `Result`.
    pub trait Returns {
        type Output;
    }
    impl<T> Returns for fn() -> T {
        type Output = T;
    }
}

/// The type `!`.
type Never = <fn() -> ! as sealed::Returns>::Output;

/// What the child of a group may give: a `Result` whose error moves into the group, or nothing, or it never ends by itself.
#[diagnostic::on_unimplemented(
    message = "a child of a `TaskGroup<{E}>` cannot give `{Self}`",
    note = "it gives a `Result<T, {E}>`, so a value is given as `Ok(value)`, or nothing"
)]
pub trait ChildOutput<E>: sealed::Sealed {
    /// What the child's own handle gives.
    type Value: 'static;

    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Value, E>;
}

impl<T: 'static, E> ChildOutput<E> for Result<T, E> {
    type Value = T;

    fn into_result(self) -> Result<T, E> {
        self
    }
}

impl<E> ChildOutput<E> for () {
    type Value = ();

    fn into_result(self) -> Result<(), E> {
        Ok(())
    }
}

impl<E> ChildOutput<E> for Never {
    type Value = Never;

    fn into_result(self) -> Result<Never, E> {
        self
    }
}

pin_project! {
    /// Ready with `None` when the error has moved into the group.
    pub(super) struct Child<F, E> {
        #[pin]
        work: Option<F>,
        place: u32,
        site: &'static Location<'static>,
        group: Rc<State<E>>,
    }
}

impl<F, E> Child<F, E> {
    pub(super) fn new(
        work: F,
        place: u32,
        site: &'static Location<'static>,
        group: Rc<State<E>>,
    ) -> Child<F, E> {
        Child {
            work: Some(work),
            place,
            site,
            group,
        }
    }
}

impl<F, E> Future for Child<F, E>
where
    E: 'static,
    F: Future,
    F::Output: ChildOutput<E>,
{
    type Output = Option<<F::Output as ChildOutput<E>>::Value>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(work) = this.work.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        let Poll::Ready(output) = work.poll(cx) else {
            return Poll::Pending;
        };
        this.work.set(None);
        let error = match output.into_result() {
            Ok(value) => return Poll::Ready(Some(value)),
            Err(error) => error,
        };
        // With a request outstanding the task ends cancelled, but the error is somebody's all the same: it may be that of an
        // inner group, which had the request from outside and failures, and left the request to the next await.
        this.group.put_error(*this.place, error, this.site);
        Poll::Ready(None)
    }
}

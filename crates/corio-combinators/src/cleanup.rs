//! The two halves of `finally` and `with`: work that may be cancelled, and the clean-up that follows it in any case.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_core::cancel::{Kind, Node, Taken, poll_after_passing_on};
use pin_project_lite::pin_project;

use crate::part::is_there;

/// How the work ended, and the node that stays in its place for the clean-up.
pub(crate) struct Attempted<T> {
    /// `None`: it was cancelled.
    value: Option<T>,
    taken: Option<Taken>,
    node: Node,
}

pin_project! {
    /// The work.
    pub(crate) struct Attempt<F> {
        #[pin]
        work: Option<F>,
        // After the work, so that what is inside leaves first.
        node: Option<Node>,
    }
}

impl<F> Attempt<F> {
    pub(crate) const fn new(work: F) -> Attempt<F> {
        Attempt {
            work: Some(work),
            node: Some(Node::new(Kind::Catch)),
        }
    }
}

impl<F: Future> Future for Attempt<F> {
    type Output = Attempted<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let gone = "a finished future was polled again";
        let node = this.node.as_mut().expect(gone);
        let mut value = None;
        if !node.enter(cx) {
            let work = this.work.as_mut().as_pin_mut().expect(gone);
            match node.inside(|| work.poll(cx)) {
                Poll::Ready(output) => value = Some(output),
                Poll::Pending if !node.look() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        let taken = if value.is_some() {
            this.work.set(None);
            None
        } else {
            let taken = node.take(|| this.work.set(None));
            node.work_on(&taken);
            Some(taken)
        };
        let node = this.node.take().expect(gone);
        Poll::Ready(Attempted { value, taken, node })
    }
}

pin_project! {
    /// The clean-up: ready with the value of the work, or the request goes on.
    pub(crate) struct Cleanup<C, T> {
        #[pin]
        cleanup: Option<C>,
        value: Option<T>,
        // What goes on when the clean-up has ended.
        taken: Option<Taken>,
        node: Node,
    }
}

impl<C, T> Cleanup<C, T> {
    pub(crate) fn new(attempted: Attempted<T>, cleanup: C) -> Cleanup<C, T> {
        Cleanup {
            cleanup: Some(cleanup),
            value: attempted.value,
            taken: attempted.taken,
            node: attempted.node,
        }
    }
}

impl<C: Future<Output = ()>, T> Future for Cleanup<C, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut this = self.project();
        if !is_there(this.cleanup.as_mut()) {
            return poll_after_passing_on();
        }
        let mut take = this.node.enter(cx);
        // The first request that comes after a value does not go into the clean-up.
        this.node.set_covers(this.taken.is_none());
        loop {
            if take {
                // It lets the clean-up end, any other one interrupts it. So does what comes out of the clean-up itself.
                let spares = this.taken.is_none() && !this.node.has_risen();
                let taken = if spares {
                    this.node.take(|| ())
                } else {
                    this.node.take(|| this.cleanup.set(None))
                };
                this.node.set_covers(false);
                this.node.work_on(&taken);
                match this.taken {
                    Some(first) => first.merge(taken),
                    None => *this.taken = Some(taken),
                }
            }
            let Some(cleanup) = this.cleanup.as_mut().as_pin_mut() else {
                break;
            };
            if this.node.inside(|| cleanup.poll(cx)).is_ready() {
                this.cleanup.set(None);
                break;
            }
            take = this.node.look();
            if !take {
                return Poll::Pending;
            }
        }
        if let Some(taken) = this.taken.take() {
            this.node.pass_on_taken(taken);
            this.node.leave();
            return Poll::Pending;
        }
        this.node.leave();
        match this.value.take() {
            Some(value) => Poll::Ready(value),
            None => Poll::Pending,
        }
    }
}

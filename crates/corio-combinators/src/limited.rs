//! A future with a time limit: what the timeouts have in common.

use std::future::Future;
use std::mem::{self, ManuallyDrop};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use corio_core::Scheduler;
use corio_core::cancel::{Kind, Limit, Links, Node, poll_after_passing_on};
use corio_core::time::{Alarm, Moment, Nanos, nanos};
use pin_project_lite::pin_project;

use crate::timer::Timer;
use crate::turns::Turns;

pin_project! {
    #[project = LimitedProject]
    /// Ready with `None` when the time was up and the work has ended its clean-up.
    pub(crate) struct Limited<F> {
        #[pin]
        work: Option<F>,
        phase: Phase,
        // How long, while it is `For`.
        length: Nanos,
        // It has no destructor in its place, so that nothing is left to do once it has ended.
        wait: ManuallyDrop<Option<Wait>>,
    }

    impl<F> PinnedDrop for Limited<F> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if this.wait.is_some() {
                end_early(this);
            }
        }
    }
}

/// It is dropped while it waits: first what is inside, then the limit.
#[cold]
fn end_early<F>(this: Pin<&mut Limited<F>>) {
    let mut this = this.project();
    this.work.set(None);
    drop(this.wait.take());
}

/// What is needed when the work has to be waited for. Until then it is not there: a future is moved a few times before its first
/// poll, and has less to carry without it.
struct Wait {
    /// `NEVER` is none.
    deadline: Moment,
    timer: Timer,
    turns: Option<Turns>,
    node: Node,
}

/// How much time there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Counted from the first poll.
    For,
    Until,
    Unlimited,
    /// None at all. What is finished may say so at the first poll.
    JustALook,
    /// None at all: the work is never polled.
    Nothing,
    /// The same, and the work has been dropped.
    Turns,
    /// The request went on, and whoever takes it drops this.
    Passed,
}

const GONE: &str = "a finished timeout was polled again";

impl<F> Limited<F> {
    /// `is_started`: the work goes on by itself, and the future only waits for it.
    #[inline]
    pub(crate) fn for_duration(
        work: F,
        duration: Duration,
        is_started: fn() -> bool,
    ) -> Limited<F> {
        let phase = match duration {
            Duration::MAX => Phase::Unlimited,
            Duration::ZERO if is_started() => Phase::JustALook,
            Duration::ZERO => Phase::Nothing,
            _ => Phase::For,
        };
        Limited {
            work: Some(work),
            phase,
            length: nanos(duration),
            wait: ManuallyDrop::new(None),
        }
    }

    pub(crate) fn until(work: F, deadline: Instant) -> Limited<F> {
        let node = Node::new(Kind::Deadline);
        Limited {
            work: Some(work),
            phase: Phase::Until,
            length: 0,
            wait: ManuallyDrop::new(Some(Wait::new(node, Moment::from(deadline)))),
        }
    }

    /// The work has not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.work.is_some()
    }
}

impl<F: Future> Future for Limited<F> {
    type Output = Option<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let mut this = self.project();
        if *this.phase != Phase::For {
            return this.poll_on(cx);
        }
        let limit = Limit::After(*this.length);
        let work = this.work.as_mut().as_pin_mut().expect(GONE);
        let Some((polled, links)) = Node::poll_before(limit, || work.poll(cx)) else {
            return this.poll_alone(cx, limit);
        };
        if let Poll::Ready(output) = polled {
            this.work.set(None);
            return Poll::Ready(Some(output));
        }
        *this.phase = Phase::Until;
        if Wait::begin_late(this.wait, cx, *this.length, links) {
            return this.take();
        }
        Poll::Pending
    }
}

impl<F: Future> LimitedProject<'_, F> {
    /// The first poll outside of any task.
    #[cold]
    fn poll_alone(&mut self, cx: &mut Context<'_>, limit: Limit) -> Poll<Option<F::Output>> {
        let node = Node::new(Kind::Deadline);
        let wait = self.wait.insert(Wait::new(node, Moment::NEVER));
        wait.node.enter(cx);
        wait.node.set_limit(limit);
        let work = self.work.as_mut().as_pin_mut().expect(GONE);
        if let Poll::Ready(output) = wait.node.inside(|| work.poll(cx)) {
            self.work.set(None);
            wait.node.leave();
            return Poll::Ready(Some(output));
        }
        *self.phase = Phase::Until;
        if wait.begin_after(*self.length) {
            return self.take();
        }
        Poll::Pending
    }

    /// Every poll but the usual first one.
    fn poll_on(&mut self, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let wait = self
            .wait
            .get_or_insert_with(|| Wait::new(Node::new(Kind::Deadline), Moment::NEVER));
        match self.phase {
            Phase::Nothing => {
                self.work.set(None);
                *self.phase = Phase::Turns;
                wait.turns = Some(Turns::begin());
                return wait.poll_turns(cx);
            }
            Phase::Turns => return wait.poll_turns(cx),
            Phase::Passed => return poll_after_passing_on(),
            _ => {}
        }
        if wait.node.is_light() {
            let work = self.work.as_mut().as_pin_mut().expect(GONE);
            let limit = Limit::At(wait.deadline);
            match wait.node.poll_again(cx, limit, |cx| work.poll(cx)) {
                Some(Poll::Ready(output)) => {
                    wait.timer.disarm();
                    self.work.set(None);
                    // It has no timer and no place any more, and turns are for those who have no time.
                    mem::forget(self.wait.take());
                    return Poll::Ready(Some(output));
                }
                Some(Poll::Pending) => {
                    return if wait.go_on() {
                        self.take()
                    } else {
                        Poll::Pending
                    };
                }
                // The task has got something else meanwhile, or it is another task.
                None => {}
            }
        }
        let by_number = wait.node.goes_by_number();
        let take = wait.node.enter(cx);
        if by_number && !wait.node.goes_by_number() {
            // Its timer names the place that it has left, and may have rung there in vain.
            wait.timer.disarm();
        }
        if take {
            return self.take();
        }
        wait.begin();
        let work = self.work.as_mut().as_pin_mut().expect(GONE);
        if let Poll::Ready(output) = wait.node.inside(|| work.poll(cx)) {
            wait.timer.disarm();
            self.work.set(None);
            wait.node.leave();
            return Poll::Ready(Some(output));
        }
        if *self.phase == Phase::JustALook {
            *self.phase = Phase::Until;
            if let Some(entry) = wait.node.entry() {
                entry.request(None);
            }
        }
        if wait.go_on() {
            return self.take();
        }
        Poll::Pending
    }

    /// A request has come. One from further out goes on.
    #[cold]
    fn take(&mut self) -> Poll<Option<F::Output>> {
        let Some(wait) = &mut **self.wait else {
            return Poll::Pending;
        };
        let taken = wait.node.take(|| self.work.set(None));
        wait.timer.disarm();
        let own = wait.node.is_own(&taken);
        if !own {
            *self.phase = Phase::Passed;
            wait.node.pass_on_taken(taken);
        }
        wait.node.leave();
        if own {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }
}

impl Wait {
    fn new(node: Node, deadline: Moment) -> Wait {
        Wait {
            deadline,
            timer: Timer::new(),
            turns: None,
            node,
        }
    }

    /// The same for a limit that has no place yet, after a poll in which so many links were made.
    #[inline(never)]
    fn begin_late(place: &mut Option<Wait>, cx: &Context<'_>, length: Nanos, links: Links) -> bool {
        let wait = Wait::new(Node::new(Kind::Deadline), Moment::NEVER);
        // Nothing was there: forgetting it spares the test.
        mem::forget(place.replace(wait));
        let Some(wait) = place else { return false };
        wait.node.join_late(cx, Limit::After(length), links);
        wait.begin_after(length)
    }

    /// The work is pending after its first poll: from now on there is something to limit. Nested limits that begin in one step read
    /// the same clock once. True: take.
    #[inline(always)]
    fn begin_after(&mut self, length: Nanos) -> bool {
        if let Some(entry) = self.node.entry() {
            self.deadline = self.timer.limit(length, entry);
        }
        self.node.look()
    }

    /// Before the work is polled. A time that has come is told now, as with asyncio: the work ends at its first wait.
    fn begin(&mut self) {
        let deadline = self.deadline;
        if deadline == Moment::NEVER {
            return;
        }
        self.node.set_limit(Limit::At(deadline));
        if self.timer.is_armed_here() {
            return;
        }
        let due = Scheduler::with_current(|scheduler| {
            let timers = scheduler.and_then(Scheduler::timers);
            timers.is_some_and(|timers| deadline <= timers.step_now())
        });
        if let Some(entry) = self.node.entry().filter(|_| due) {
            self.timer.ring_soon(Alarm::Cancel(entry));
        }
    }

    /// The work is pending: from now on there is something to limit. True: take.
    fn go_on(&mut self) -> bool {
        if self.deadline != Moment::NEVER && !self.timer.is_armed_here() {
            if let Some(entry) = self.node.entry() {
                self.timer.arm(self.deadline, Alarm::Cancel(entry));
            }
        }
        self.node.look()
    }

    fn poll_turns<T>(&self, cx: &Context<'_>) -> Poll<Option<T>> {
        match &self.turns {
            Some(turns) if turns.are_over(cx.waker()) => Poll::Ready(None),
            _ => Poll::Pending,
        }
    }
}

//! A future with a time limit: what the timeouts have in common.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use corio_core::Scheduler;
use corio_core::cancel::{Kind, Limit, Node};
use corio_core::time::Alarm;
use pin_project_lite::pin_project;

use crate::timer::{Timer, with_timers};

pin_project! {
    /// Ready with `None` when the time was up and the work has ended its clean-up.
    pub(crate) struct Limited<F> {
        #[pin]
        work: Option<F>,
        time: Time,
        timer: Timer,
        // Last, so that what is inside leaves first.
        node: Node,
    }
}

/// How much time there is.
#[derive(Debug)]
enum Time {
    /// Counted from the first poll.
    For(Duration),
    Until(Instant),
    Unlimited,
    /// None at all. What is finished may say so at the first poll.
    JustALook,
    /// None at all: the work is never polled.
    Nothing,
    /// The same, and the work has been dropped. The result comes when this says so.
    Turns(Arc<AtomicBool>),
    /// The request went on, and whoever takes it drops this.
    Passed,
}

impl<F> Limited<F> {
    /// `is_started`: the work goes on by itself, and the future only waits for it.
    pub(crate) fn for_duration(work: F, duration: Duration, is_started: bool) -> Limited<F> {
        let time = match duration {
            Duration::MAX => Time::Unlimited,
            Duration::ZERO if is_started => Time::JustALook,
            Duration::ZERO => Time::Nothing,
            duration => Time::For(duration),
        };
        Limited::new(work, time)
    }

    pub(crate) fn until(work: F, deadline: Instant) -> Limited<F> {
        Limited::new(work, Time::Until(deadline))
    }

    fn new(work: F, time: Time) -> Limited<F> {
        Limited {
            work: Some(work),
            time,
            timer: Timer::new(),
            node: Node::new(Kind::Deadline),
        }
    }

    /// The work has not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.work.is_some()
    }
}

impl<F: Future> Future for Limited<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let mut this = self.project();
        if matches!(this.time, Time::Nothing) {
            this.work.set(None);
            *this.time = Time::Turns(take_turns(cx.waker().clone()));
        }
        match this.time {
            Time::Turns(over) if over.load(Ordering::Relaxed) => return Poll::Ready(None),
            Time::Turns(_) | Time::Passed => return Poll::Pending,
            _ => {}
        }
        if !this.node.enter(cx) {
            this.node.set_limit(this.time.limit());
            if let &mut Time::Until(deadline) = this.time {
                begin_at(deadline, this.timer, this.node);
            }
            let work = this.work.as_mut().as_pin_mut();
            let work = work.expect("a finished timeout was polled again");
            if let Poll::Ready(output) = this.node.inside(|| work.poll(cx)) {
                this.timer.disarm();
                this.work.set(None);
                this.node.leave();
                return Poll::Ready(Some(output));
            }
            begin(this.time, this.timer, this.node);
            if !this.node.look() {
                return Poll::Pending;
            }
        }
        let taken = this.node.take(|| this.work.set(None));
        this.timer.disarm();
        if this.node.is_own(&taken) {
            this.node.leave();
            return Poll::Ready(None);
        }
        *this.time = Time::Passed;
        this.node.pass_on_taken(taken);
        this.node.leave();
        Poll::Pending
    }
}

/// A time that has come is told before the work does anything, as with asyncio: the work ends at its first wait.
fn begin_at(deadline: Instant, timer: &mut Timer, node: &Node) {
    let Some(entry) = node.entry().filter(|_| !timer.is_armed_here()) else {
        return;
    };
    let due = Scheduler::with_current(|scheduler| {
        let timers = scheduler.and_then(Scheduler::timers);
        timers.is_some_and(|timers| deadline <= timers.step_now())
    });
    if due {
        timer.ring_soon(Alarm::Cancel(entry));
    }
}

/// asyncio makes a task of what gets no time, cancels it before it begins, and listens for its end. That takes the turn of the
/// task, that of the done callback, and that of the waiter.
fn take_turns(waker: Waker) -> Arc<AtomicBool> {
    let over = Arc::new(AtomicBool::new(false));
    let ended = over.clone();
    let listen = move || {
        ended.store(true, Ordering::Relaxed);
        waker.wake();
    };
    let listening = Scheduler::with_current(|scheduler| {
        let scheduler = scheduler?.clone();
        let next = scheduler.clone();
        Some(scheduler.call_soon(move || drop(next.call_soon(listen))))
    });
    if listening.is_none() {
        // Another executor's turns are not ours to count.
        over.store(true, Ordering::Relaxed);
    }
    over
}

/// The work is pending: from now on there is something to limit.
fn begin(time: &mut Time, timer: &mut Timer, node: &Node) {
    let Some(entry) = node.entry() else { return };
    match time {
        Time::JustALook => {
            *time = Time::Unlimited;
            entry.request(None);
        }
        &mut Time::For(duration) => {
            // Nested limits that begin in one step read the same clock once.
            let now = with_timers(|_, timers| timers.step_now());
            *time = now
                .checked_add(duration)
                .map_or(Time::Unlimited, Time::Until);
            begin(time, timer, node);
        }
        &mut Time::Until(deadline) if !timer.is_armed_here() => {
            timer.arm(deadline, Alarm::Cancel(entry));
        }
        _ => {}
    }
}

impl Time {
    fn limit(&self) -> Limit {
        match *self {
            Time::For(duration) => Limit::After(duration),
            Time::Until(deadline) => Limit::At(deadline),
            _ => Limit::None,
        }
    }
}

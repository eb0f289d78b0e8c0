//! An executor that counts its turns as asyncio's loop does, with a clock that jumps.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use super::{BoxFuture, Executor, Job, yield_now};

/// A turn runs what is ready at its beginning, in order. If nothing is, the clock jumps to the next
/// sleeper first; a sleeper that is due is woken during that turn and runs on the next.
#[derive(Clone)]
pub struct Turns(Rc<State>);

struct State {
    ready: Arc<Mutex<VecDeque<Entry>>>,
    tasks: RefCell<Vec<Option<BoxFuture<'static>>>>,
    sleepers: RefCell<Vec<(u64, Waker)>>,
    turn: Cell<u64>,
    now: Cell<u64>,
    /// The lines of the log with the turn of each.
    log: RefCell<Vec<(u64, String)>>,
}

enum Entry {
    Run(Arc<TaskWaker>),
    Sleeper(Waker),
}

/// Puts its task on the list, once until that is polled.
struct TaskWaker {
    /// `None` is the main future.
    task: Option<usize>,
    queued: AtomicBool,
    ready: Arc<Mutex<VecDeque<Entry>>>,
}

impl Turns {
    /// Sleeps for some units of the clock that jumps.
    pub async fn sleep(&self, units: u64) {
        let until = self.0.now.get() + units;
        let mut registered = false;
        poll_fn(|cx| {
            if registered {
                return if self.0.now.get() >= until {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                };
            }
            registered = true;
            self.0
                .sleepers
                .borrow_mut()
                .push((until, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Waits for all as asyncio's `gather` does: heard of one turn after the last has ended, told on the
    /// next.
    pub async fn gather(&self, jobs: impl IntoIterator<Item = Job>) {
        for job in jobs {
            job.join().await;
        }
        yield_now().await;
    }

    pub fn log(&self, line: impl Into<String>) {
        self.0
            .log
            .borrow_mut()
            .push((self.0.turn.get(), line.into()));
    }

    /// The log as `traces-3.14.txt` has it: the turn counted from the first line.
    pub fn trace(&self) -> Vec<String> {
        let log = self.0.log.take();
        let first = log.first().map_or(0, |(turn, _)| *turn);
        log.into_iter()
            .map(|(turn, line)| format!("k+{} {line}", turn - first))
            .collect()
    }

    fn waker(&self, task: Option<usize>) -> Waker {
        let ready = Arc::clone(&self.0.ready);
        Waker::from(Arc::new(TaskWaker {
            task,
            queued: AtomicBool::new(false),
            ready,
        }))
    }

    /// Wakes the earliest sleepers; false if there is none.
    fn jump(&self) -> bool {
        let mut sleepers = self.0.sleepers.borrow_mut();
        let Some(next) = sleepers.iter().map(|(until, _)| *until).min() else {
            return false;
        };
        self.0.now.set(next);
        let (due, later): (Vec<_>, Vec<_>) =
            sleepers.drain(..).partition(|(until, _)| *until <= next);
        *sleepers = later;
        self.0
            .ready
            .lock()
            .unwrap()
            .extend(due.into_iter().map(|(_, waker)| Entry::Sleeper(waker)));
        true
    }

    /// Polls a task; true if it was the main one and is done.
    fn run_task(&self, task: &Arc<TaskWaker>, main: &mut BoxFuture<'_>) -> bool {
        let waker = Waker::from(Arc::clone(task));
        let mut cx = Context::from_waker(&waker);
        let Some(task) = task.task else {
            return main.as_mut().poll(&mut cx).is_ready();
        };
        // Polled outside of the borrow: a job may start jobs.
        let future = self.0.tasks.borrow_mut()[task].take();
        if let Some(mut future) = future {
            if future.as_mut().poll(&mut cx).is_pending() {
                self.0.tasks.borrow_mut()[task] = Some(future);
            }
        }
        false
    }
}

impl Executor for Turns {
    fn new() -> Self {
        Turns(Rc::new(State {
            ready: Arc::default(),
            tasks: RefCell::default(),
            sleepers: RefCell::default(),
            turn: Cell::new(0),
            now: Cell::new(0),
            log: RefCell::default(),
        }))
    }

    fn run_boxed(&self, mut main: BoxFuture<'_>) {
        self.waker(None).wake();
        loop {
            self.0.turn.set(self.0.turn.get() + 1);
            let nothing = self.0.ready.lock().unwrap().is_empty();
            assert!(
                !nothing || self.jump(),
                "deadlock: nothing is ready and nobody sleeps"
            );
            let count = self.0.ready.lock().unwrap().len();
            for _ in 0..count {
                let entry = self.0.ready.lock().unwrap().pop_front().expect("counted");
                match entry {
                    Entry::Sleeper(waker) => waker.wake(),
                    Entry::Run(task) => {
                        task.queued.store(false, Ordering::Relaxed);
                        if self.run_task(&task, &mut main) {
                            // Jobs may hold the executor, which holds them: part the two.
                            drop(self.0.tasks.take());
                            // So do entries, whose wakers hold the queue.
                            let left = std::mem::take(&mut *self.0.ready.lock().unwrap());
                            drop(left);
                            return;
                        }
                    }
                }
            }
        }
    }

    fn start_boxed(&self, future: BoxFuture<'static>) {
        let task = self.0.tasks.borrow().len();
        self.0.tasks.borrow_mut().push(Some(future));
        self.waker(Some(task)).wake();
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::Relaxed) {
            return;
        }
        self.ready
            .lock()
            .unwrap()
            .push_back(Entry::Run(Arc::clone(self)));
    }
}

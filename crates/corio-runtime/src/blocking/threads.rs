//! The line of jobs, and what a thread of the pool does.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::blocking::job::Work;
use crate::clock::WaitLimit;

/// What the handles and the threads of a pool share.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) max_threads: usize,
    pub(crate) idle_timeout: Duration,
    line: Mutex<Line>,
    /// There is a job for one of the free threads, or nothing to wait for any more.
    work: Condvar,
    /// Nothing is queued and nothing runs.
    quiet: Condvar,
    /// Asked before each thread, in the place of the system: tests have one that refuses.
    #[cfg(test)]
    pub(crate) permit: Box<dyn Fn() -> io::Result<()> + Send + Sync>,
}

struct Line {
    /// By their numbers, which ascend.
    queue: VecDeque<Queued>,
    running: Vec<Running>,
    threads: usize,
    /// Threads that wait for a job, or are about to look for one.
    free: usize,
    next_job: u64,
    next_thread: u64,
    closed: bool,
}

struct Queued {
    number: u64,
    site: &'static Location<'static>,
    work: Box<dyn Work>,
}

/// A job that a thread is running.
#[derive(Clone)]
pub(crate) struct Running {
    number: u64,
    pub(crate) site: &'static Location<'static>,
    pub(crate) thread: Arc<str>,
}

/// How much there is of everything.
pub(crate) struct Counts {
    pub(crate) threads: usize,
    pub(crate) queued: usize,
}

impl Shared {
    pub(crate) fn new(name: String, max_threads: usize, idle_timeout: Duration) -> Shared {
        Shared {
            name,
            max_threads,
            idle_timeout,
            line: Mutex::new(Line {
                queue: VecDeque::new(),
                running: Vec::new(),
                threads: 0,
                free: 0,
                next_job: 0,
                next_thread: 1,
                closed: false,
            }),
            work: Condvar::new(),
            quiet: Condvar::new(),
            #[cfg(test)]
            permit: Box::new(|| Ok(())),
        }
    }

    /// Puts a job at the end of the line, and starts a thread if none is free. A pool that is shut down drops the job.
    pub(crate) fn submit(
        self: &Arc<Self>,
        work: Box<dyn Work>,
        site: &'static Location<'static>,
    ) -> u64 {
        let mut line = self.line.lock();
        let number = line.next_job;
        line.next_job += 1;
        if line.closed {
            drop(line);
            drop(work);
            return number;
        }
        line.queue.push_back(Queued { number, site, work });
        if line.queue.len() > line.free && line.threads < self.max_threads {
            let thread = line.next_thread;
            line.next_thread += 1;
            line.threads += 1;
            line.free += 1;
            drop(line);
            self.start_thread(thread);
        } else {
            drop(line);
            self.work.notify_one();
        }
        number
    }

    /// Takes a job out that has not begun. It is dropped by the caller.
    pub(crate) fn take_out(&self, number: u64) -> Option<impl Sized> {
        let mut line = self.line.lock();
        let place = line.queue.binary_search_by_key(&number, |job| job.number);
        let job = line.queue.remove(place.ok()?);
        self.tell_if_quiet(&line);
        job.map(|job| job.work)
    }

    pub(crate) fn counts(&self) -> Counts {
        let line = self.line.lock();
        Counts {
            threads: line.threads,
            queued: line.queue.len(),
        }
    }

    pub(crate) fn running(&self) -> Vec<Running> {
        self.line.lock().running.clone()
    }

    /// Nothing is queued and nothing runs.
    pub(crate) fn is_quiet(&self) -> bool {
        self.line.lock().is_quiet()
    }

    /// Takes no job any more. Threads end when the line is empty.
    pub(crate) fn shut_down(&self) {
        self.line.lock().closed = true;
        self.work.notify_all();
    }

    /// Shuts down and waits, no longer than this, until the jobs have ended. What is queued after that is dropped; what runs is
    /// left to run, and returned.
    pub(crate) fn close(&self, limit: Duration) -> Vec<Running> {
        self.shut_down();
        let limit = WaitLimit::new(limit);
        let mut line = self.line.lock();
        while !line.is_quiet() && limit.wait(&self.quiet, &mut line) {}
        let late = std::mem::take(&mut line.queue);
        let running = line.running.clone();
        drop(line);
        for job in late {
            unwound(|| drop(job));
        }
        running
    }

    fn tell_if_quiet(&self, line: &MutexGuard<'_, Line>) {
        if line.is_quiet() {
            self.quiet.notify_all();
        }
    }

    /// Starts a thread. When the system has none to give, the jobs wait for one of the others; if there is no other, they fail. All
    /// of them: a job may have come while this thread was thought to be on its way.
    fn start_thread(self: &Arc<Self>, number: u64) {
        let Err(error) = self.try_start(number) else {
            return;
        };
        let mut line = self.line.lock();
        line.threads -= 1;
        line.free -= 1;
        if line.threads > 0 {
            return;
        }
        let jobs = std::mem::take(&mut line.queue);
        self.tell_if_quiet(&line);
        drop(line);
        for job in jobs {
            let why = format!("no thread can be started for the job: {error}");
            unwound(|| job.work.fail(why));
        }
    }

    fn try_start(self: &Arc<Self>, number: u64) -> io::Result<()> {
        #[cfg(test)]
        (self.permit)()?;
        let name: Arc<str> = format!("{}-{number}", self.name).into();
        let shared = self.clone();
        let thread = thread::Builder::new().name(name.to_string());
        thread.spawn(move || shared.run_jobs(&name)).map(drop)
    }

    /// The life of a thread.
    fn run_jobs(&self, name: &Arc<str>) {
        while let Some(mut job) = self.next_job(name) {
            unwound(|| job.work.run());
            // Not later: who gets the outcome may close the pool, and find nothing running.
            self.ended(job.number);
            unwound(|| drop(job.work));
        }
    }

    /// Waits for a job. `None`: this thread has been idle for long, or the pool is shut down.
    fn next_job(&self, name: &Arc<str>) -> Option<Queued> {
        let mut line = self.line.lock();
        let mut limit = None;
        loop {
            if let Some(job) = line.queue.pop_front() {
                line.free -= 1;
                line.running.push(Running {
                    number: job.number,
                    site: job.site,
                    thread: name.clone(),
                });
                return Some(job);
            }
            let limit = limit.get_or_insert_with(|| WaitLimit::new(self.idle_timeout));
            if line.closed || !limit.wait(&self.work, &mut line) && line.queue.is_empty() {
                line.free -= 1;
                line.threads -= 1;
                return None;
            }
        }
    }

    fn ended(&self, number: u64) {
        let mut line = self.line.lock();
        line.running.retain(|job| job.number != number);
        line.free += 1;
        self.tell_if_quiet(&line);
    }
}

impl Line {
    fn is_quiet(&self) -> bool {
        self.queue.is_empty() && self.running.is_empty()
    }
}

/// Runs foreign code that must not take the thread with it: destructors and wakers. The panic hook has told of its panic.
fn unwound(code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
        // A payload may panic in its destructor, with a payload that does the same.
        if let Err(next) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(next);
        }
    }
}

#[cfg(test)]
mod tests;

//! Locks, reader-writer locks, semaphores and limiters: guards, owned guards, permits.

mod support;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;

use corio_sync::{
    BoundedSemaphore, CapacityLimiter, Condition, Lock, LockGuard, OwnedLockGuard, OwnedPermit,
    ReleasedTooOften, RwLock, Semaphore, rwlock,
};
use support::poll_once;

/// The value of a future that must not wait.
fn now<F: Future + Unpin>(mut future: F) -> F::Output {
    match poll_once(&mut future) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("waits"),
    }
}

#[test]
fn an_owned_guard_outlives_every_borrow_of_its_lock() {
    let guard: OwnedLockGuard<String> = {
        let lock = Rc::new(Lock::new(String::from("a")));
        now(lock.acquire_owned())
    };
    assert_eq!(*guard, "a");
    let permit: OwnedPermit = now(Rc::new(Semaphore::new(1)).acquire_owned());
    assert_eq!(permit.count(), 1);
    let text = String::from("borrowed");
    let borrowing = Rc::new(Lock::new(text.as_str()));
    assert_eq!(*now(borrowing.acquire_owned()), "borrowed");
}

#[test]
fn a_lock_may_hold_what_has_no_size() {
    let lock: Lock<[i32]> = Lock::from_box(Box::new([1, 2, 3]));
    now(lock.acquire())[1] = 5;
    assert_eq!(&*now(lock.acquire()), &[1, 5, 3]);
    let mut lock = Lock::from(4);
    assert_eq!(lock.get_mut(), Some(&mut 4));
    assert_eq!(lock.into_inner(), Some(4));
}

#[test]
fn a_panic_under_the_lock_releases_it() {
    let lock = Lock::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut guard = now(lock.acquire());
        *guard = 2;
        panic!("under the lock");
    }));
    assert!(panicked.is_err());
    assert_eq!(*lock.try_acquire().unwrap(), 2);
}

/// A wait that is dropped while another task has the lock.
fn losing_guard<'a>(lock: &'a Lock<i32>) -> (LockGuard<'a, i32>, LockGuard<'a, i32>) {
    let condition = Condition::new();
    let mut guard = lock.try_acquire().unwrap();
    let mut wait = condition.wait(&mut guard);
    assert!(poll_once(&mut wait).is_pending());
    let other = lock.try_acquire().unwrap();
    drop(wait);
    (guard, other)
}

#[test]
fn a_guard_that_lost_its_lock_says_so_and_can_get_it_back() {
    let lock = Lock::new(1);
    let (mut guard, other) = losing_guard(&lock);
    assert!(!LockGuard::is_held(&guard));
    assert_eq!(format!("{guard:?}"), "LockGuard(not held)");
    let message = catch_unwind(AssertUnwindSafe(|| *guard)).unwrap_err();
    let message = message.downcast_ref::<&str>().expect("a text");
    assert!(message.starts_with("this guard lost its lock"));
    let mut reacquire = LockGuard::reacquire(&mut guard);
    assert!(poll_once(&mut reacquire).is_pending());
    drop(other);
    assert!(poll_once(&mut reacquire).is_ready());
    drop(reacquire);
    *guard += 1;
    drop(guard);
    assert_eq!(lock.into_inner(), Some(2));
}

#[test]
#[should_panic(expected = "waiting for a condition needs the lock")]
fn a_guard_that_lost_its_lock_cannot_wait() {
    let lock = Lock::new(1);
    let (mut guard, _other) = losing_guard(&lock);
    drop(Condition::new().wait(&mut guard));
}

#[test]
fn a_guard_that_lost_its_lock_releases_nobody_elses() {
    let lock = Lock::new(1);
    let (guard, other) = losing_guard(&lock);
    drop(guard);
    assert!(lock.try_acquire().is_none());
    drop(other);
    assert!(lock.try_acquire().is_some());
}

#[test]
fn wait_for_gives_what_the_predicate_found_and_does_not_suspend_for_it() {
    let (lock, condition) = (Rc::new(Lock::new(vec![1, 2])), Condition::new());
    let mut jobs = now(lock.acquire());
    assert_eq!(now(condition.wait_for(&mut jobs, |jobs| jobs.pop())), 2);
    assert!(now(condition.wait_for(&mut jobs, |jobs| jobs.len() == 1)));
    drop(jobs);
    let mut jobs = now(lock.acquire_owned());
    let mut waiting = condition.wait_for(&mut jobs, |jobs| jobs.iter().position(|&job| job == 9));
    assert!(poll_once(&mut waiting).is_pending());
    now(lock.acquire()).push(8);
    condition.notify(1);
    assert!(poll_once(&mut waiting).is_pending(), "not what is wanted");
    now(lock.acquire()).push(9);
    condition.notify(1);
    assert_eq!(poll_once(&mut waiting), Poll::Ready(2));
}

#[test]
fn a_writer_goes_before_readers_that_come_later() {
    let table = RwLock::new(0);
    let first = now(table.read());
    let mut writing = table.write();
    let mut reading = table.read();
    assert!(poll_once(&mut writing).is_pending());
    assert!(poll_once(&mut reading).is_pending());
    assert!(table.try_read().is_none());
    drop(first);
    assert!(poll_once(&mut reading).is_pending());
    let mut writer = match poll_once(&mut writing) {
        Poll::Ready(writer) => writer,
        Poll::Pending => panic!("its turn"),
    };
    *writer = 7;
    let downgraded = rwlock::WriteGuard::downgrade(writer);
    let second = match poll_once(&mut reading) {
        Poll::Ready(reader) => reader,
        Poll::Pending => panic!("beside the other reader"),
    };
    assert_eq!((*downgraded, *second), (7, 7));
    assert_eq!(table.statistics().readers, 2);
    drop((downgraded, second, writing, reading));
    assert_eq!(table.into_inner(), Some(7));
}

#[test]
fn a_writer_that_gives_up_lets_the_readers_behind_it_go() {
    let table = RwLock::new(0);
    let _reader = now(table.read());
    let mut writing = table.write();
    let mut reading = table.read();
    assert!(poll_once(&mut writing).is_pending());
    assert!(poll_once(&mut reading).is_pending());
    drop(writing);
    assert!(poll_once(&mut reading).is_ready());
}

#[test]
fn permits_can_be_split_forgotten_withdrawn_and_released() {
    let semaphore = Semaphore::new(5);
    let mut permits = now(semaphore.acquire_many(4));
    let one = permits.split(1);
    assert_eq!(
        (permits.count(), one.count(), semaphore.available()),
        (3, 1, 1)
    );
    one.forget();
    drop(permits);
    assert_eq!(semaphore.available(), 4);
    assert_eq!(semaphore.withdraw(9), 4);
    assert!(semaphore.locked());
    semaphore.release(2);
    assert!(!semaphore.locked());
    assert!(semaphore.try_acquire_many(3).is_none());
    assert!(semaphore.try_acquire_many(usize::MAX).is_none());
    assert_eq!(now(semaphore.acquire_many(0)).count(), 0);
}

#[test]
fn a_big_request_is_not_overtaken_and_a_gap_behind_it_does_not_stop_the_line() {
    let semaphore = Semaphore::new(0);
    let mut small = semaphore.acquire();
    let mut big = semaphore.acquire_many(3);
    let mut last = semaphore.acquire();
    for future in [&mut small, &mut big, &mut last] {
        assert!(poll_once(future).is_pending());
    }
    semaphore.release(1);
    assert!(poll_once(&mut last).is_pending());
    drop(big);
    // The permits of the first go round; nobody is in front of the last any more.
    let first = now(small);
    semaphore.release(1);
    drop((first, now(last)));
    assert_eq!(semaphore.available(), 2);

    let mut line = [1, 3, 1].map(|count| semaphore.acquire_many(count + 2));
    for future in &mut line {
        assert!(poll_once(future).is_pending());
    }
    let [first, gone, last] = line;
    drop(gone);
    semaphore.release(4);
    drop((now(first), now(last)));
}

#[test]
fn a_bounded_semaphore_takes_back_only_what_was_forgotten() {
    let semaphore = BoundedSemaphore::new(2);
    assert_eq!(semaphore.release(), Err(ReleasedTooOften));
    let permit = now(semaphore.acquire());
    assert_eq!(
        semaphore.release(),
        Err(ReleasedTooOften),
        "the permit gives itself back"
    );
    permit.forget();
    assert_eq!(semaphore.release(), Ok(()));
    assert_eq!((semaphore.available(), semaphore.bound()), (2, 2));
    let named = BoundedSemaphore::new(1).named("one");
    assert_eq!(named.name(), Some("one"));
    assert_eq!(now(named.acquire_many(1)).count(), 1);
}

#[test]
fn a_limiter_knows_its_borrowers_and_a_lower_limit_waits_for_them() {
    let limiter = CapacityLimiter::new(2);
    let (a, b) = (now(limiter.acquire()), now(limiter.acquire()));
    let statistics = limiter.statistics();
    assert_eq!(
        (statistics.total, statistics.borrowed, statistics.waiting),
        (2, 2, 0)
    );
    assert!(
        statistics
            .borrowers
            .iter()
            .all(|one| one.location.file() == file!())
    );
    limiter.set_total_tokens(1);
    drop(a);
    assert_eq!(
        (limiter.borrowed_tokens(), limiter.available_tokens()),
        (1, 0)
    );
    let mut waiting = limiter.acquire();
    assert!(poll_once(&mut waiting).is_pending());
    limiter.set_total_tokens(usize::MAX);
    assert!(poll_once(&mut waiting).is_ready());
    drop(b);
}

#[test]
fn what_a_lock_holds_is_dropped_once() {
    let alive = Rc::new(Cell::new(0));
    let lock = Rc::new(Lock::new(support::Tracked::new(1, &alive)));
    let guard = now(lock.acquire_owned());
    drop(lock);
    assert_eq!(alive.get(), 1);
    drop(guard);
    assert_eq!(alive.get(), 0);
}

#[test]
fn debug_output_shows_name_and_state() {
    let lock = Lock::new(0).named("db");
    let _guard = lock.try_acquire();
    assert_eq!(
        format!("{lock:?}"),
        "Lock { name: Some(\"db\"), locked: true, waiting: 0 }"
    );
    let semaphore = Semaphore::new(2);
    assert_eq!(
        format!("{semaphore:?}"),
        "Semaphore { name: None, available: 2, waiting: 0 }"
    );
}

#[test]
fn a_reacquire_that_is_given_up_leaves_no_place_in_the_line() {
    let lock = Lock::new(1);
    let (mut guard, other) = losing_guard(&lock);
    let mut reacquire = LockGuard::reacquire(&mut guard);
    assert!(poll_once(&mut reacquire).is_pending());
    drop(reacquire);
    assert_eq!(lock.statistics().waiting, 0);
    drop(other);
    assert!(lock.try_acquire().is_some());
}

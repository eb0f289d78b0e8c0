//! Wakers are foreign code: cloning, waking and dropping one may call back into the very object that is
//! being used. Nothing is borrowed then, and what the call-back changes is seen.

mod support;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use corio_sync::{
    Barrier, CapacityLimiter, Closed, Condition, Event, Lock, Queue, RwLock, Semaphore, broadcast,
    oneshot, unbounded_channel, watch,
};
use support::{leak, poll_once};

type Hook = Rc<dyn Fn(&'static str)>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    /// The numbers of the wakers that were woken.
    static WOKEN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

fn call(what: &'static str) {
    let hook = HOOK.with_borrow(Clone::clone);
    if let Some(hook) = hook {
        hook(what);
    }
}

fn woken(number: *const ()) {
    WOKEN.with_borrow_mut(|woken| woken.push(number.addr()));
    call("wake");
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |number| {
        call("clone");
        RawWaker::new(number, &VTABLE)
    },
    |number| {
        woken(number);
        call("drop");
    },
    woken,
    |_| call("drop"),
);

/// A waker that calls the hook; the number tells two apart.
fn waker(number: usize) -> Waker {
    let raw = RawWaker::new(std::ptr::without_provenance(number), &VTABLE);
    // SAFETY: the data is a number and owns nothing, so every function of the table may be called on it
    // any number of times; the waker stays on this thread.
    unsafe { Waker::from_raw(raw) }
}

fn poll<F: Future + Unpin>(future: &mut F, number: usize) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(&waker(number)))
}

/// Takes two futures that must wait through everything a waker sees: put in, replaced, given up, woken.
/// `check` uses the object at each of those moments.
fn torment<F: Future + Unpin>(check: impl Fn() + 'static, start: impl Fn() -> F, wake: impl Fn()) {
    let calls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&calls);
    HOOK.set(Some(Rc::new(move |_| {
        counted.set(counted.get() + 1);
        check();
    })));
    let (mut first, mut second) = (start(), start());
    assert!(poll(&mut first, 1).is_pending());
    assert!(poll(&mut second, 2).is_pending());
    assert!(poll(&mut first, 3).is_pending());
    drop(second);
    let mut third = start();
    assert!(poll(&mut third, 4).is_pending());
    wake();
    drop((first, third));
    HOOK.take();
    // Three clones for the first polls and one for the change, each of them dropped or woken in the end.
    assert!(calls.get() >= 8, "{} calls", calls.get());
}

#[test]
fn an_object_may_be_used_whenever_its_waiters_wakers_are() {
    let lock = Rc::new(Lock::new(0));
    let (held, used) = (RefCell::new(lock.try_acquire_owned()), Rc::clone(&lock));
    let check = move || {
        used.statistics();
        drop(used.try_acquire());
        assert!(poll_once(&mut used.acquire()).is_pending() || !used.locked());
    };
    torment(check, || lock.acquire_owned(), || drop(held.take()));

    let semaphore = Rc::new(Semaphore::new(0));
    let used = Rc::clone(&semaphore);
    let check = move || {
        used.statistics();
        drop(used.try_acquire());
        drop(poll_once(&mut used.acquire_many(2)));
    };
    torment(check, || semaphore.acquire_owned(), || semaphore.release(2));

    let limiter = Rc::new(CapacityLimiter::new(0));
    let used = Rc::clone(&limiter);
    let check = move || {
        used.statistics();
        drop(poll_once(&mut used.acquire()));
    };
    torment(
        check,
        || limiter.acquire_owned(),
        || limiter.set_total_tokens(2),
    );

    let table = Rc::new(RwLock::new(0));
    let (held, used) = (RefCell::new(table.try_write_owned()), Rc::clone(&table));
    let check = move || {
        used.statistics();
        drop(used.try_read());
        drop(poll_once(&mut used.write()));
    };
    torment(check, || table.read_owned(), || drop(held.take()));

    let event = Rc::new(Event::new());
    let used = Rc::clone(&event);
    let check = move || {
        used.statistics();
        let _ = poll_once(&mut used.wait());
    };
    torment(check, || event.wait_owned(), || event.set());

    let barrier = Rc::new(Barrier::new(9));
    let used = Rc::clone(&barrier);
    let check = move || {
        used.statistics();
        let _ = poll_once(&mut used.wait());
    };
    torment(check, || barrier.wait_owned(), || barrier.abort());
}

#[test]
fn a_queue_may_be_used_whenever_its_waiters_wakers_are() {
    let queue = Rc::new(Queue::<u8>::bounded(3));
    let used = Rc::clone(&queue);
    let check = move || {
        used.statistics();
        let _ = poll_once(&mut used.get());
        let _ = poll_once(&mut used.join());
    };
    torment(check, || queue.get_owned(), || queue.shutdown(false));

    let queue = Rc::new(Queue::bounded(1));
    queue.put_nowait(0).unwrap();
    let used = Rc::clone(&queue);
    let check = move || {
        used.statistics();
        let _ = used.put_nowait(7);
        let _ = poll_once(&mut used.put(8));
    };
    torment(
        check,
        || queue.put_owned(1),
        || {
            queue.get_nowait().unwrap();
        },
    );

    let (sender, receiver) = watch::channel(0);
    let used = sender.clone();
    let check = move || {
        used.statistics();
        let _ = poll_once(&mut used.subscribe().changed());
    };
    // A receiver a future, kept alive beside it.
    let receivers: &'static RefCell<Vec<_>> = leak(RefCell::new(Vec::new()));
    receivers
        .borrow_mut()
        .extend((0..3).map(|_| leak(receiver.clone())));
    let start = || receivers.borrow_mut().pop().expect("three").changed();
    torment(check, start, || sender.send(1).unwrap());

    let (sender, _receiver) = broadcast::channel(4);
    let used = sender.clone();
    let check = move || {
        used.statistics();
        let _ = poll_once(&mut used.subscribe().recv());
    };
    let start = || leak(sender.subscribe()).recv();
    torment(check, start, || {
        sender.send(1).unwrap();
    });
}

/// A condition's wait gives its lock away and comes back for it.
#[test]
fn a_condition_and_its_lock_may_be_used_whenever_its_waiters_wakers_are() {
    let shared = Rc::new((Lock::new(0), Condition::new()));
    let used = Rc::clone(&shared);
    HOOK.set(Some(Rc::new(move |_| {
        used.1.statistics();
        used.1.notify(0);
        drop(used.0.try_acquire());
    })));
    let mut guard = shared.0.try_acquire().unwrap();
    let mut wait = shared.1.wait(&mut guard);
    assert!(poll(&mut wait, 1).is_pending());
    assert!(poll(&mut wait, 2).is_pending());
    let other = shared.0.try_acquire().unwrap();
    shared.1.notify(1);
    assert!(poll(&mut wait, 3).is_pending());
    drop(other);
    assert!(poll(&mut wait, 3).is_ready());
    drop(wait);
    *guard += 1;
    HOOK.take();
}

/// What the clone of a waker brings about is not slept through.
#[test]
fn a_turn_that_comes_while_the_waker_is_cloned_is_not_missed() {
    let lock = Rc::new(Lock::new(()));
    let held = Rc::new(RefCell::new(lock.try_acquire_owned()));
    let release = Rc::clone(&held);
    HOOK.set(Some(Rc::new(move |_| drop(release.take()))));
    assert!(poll(&mut lock.acquire(), 1).is_ready());

    let event = Rc::new(Event::new());
    let set = Rc::clone(&event);
    HOOK.set(Some(Rc::new(move |_| set.set())));
    assert!(poll(&mut event.wait(), 1).is_ready());

    let queue = Rc::new(Queue::unbounded());
    let put = Rc::clone(&queue);
    HOOK.set(Some(Rc::new(move |_| put.put_nowait(1).unwrap())));
    assert_eq!(poll(&mut queue.get(), 1), Poll::Ready(Ok(1)));

    for channel in support::oneshots() {
        let (sender, mut receiver) = channel();
        let sender = Cell::new(Some(sender));
        let alive = Rc::new(Cell::new(1));
        let counted = Rc::clone(&alive);
        HOOK.set(Some(Rc::new(move |what| match what {
            "clone" => {
                counted.set(counted.get() + 1);
                if let Some(sender) = sender.take() {
                    sender.send(5).unwrap();
                }
            }
            "drop" => counted.set(counted.get() - 1),
            _ => {}
        })));
        assert_eq!(poll(&mut receiver, 1), Poll::Ready(Ok(5)));
        drop(receiver);
        assert_eq!(alive.get(), 0, "a waker that came too late is not kept");
    }

    // The same for a waker that takes the place of another one.
    let lock = Rc::new(Lock::new(()));
    let held = Rc::new(RefCell::new(lock.try_acquire_owned()));
    HOOK.take();
    let mut waiting = lock.acquire();
    assert!(poll(&mut waiting, 1).is_pending());
    let release = Rc::clone(&held);
    HOOK.set(Some(Rc::new(move |what| {
        if what == "clone" {
            drop(release.take());
        }
    })));
    assert!(poll(&mut waiting, 2).is_ready());
    HOOK.take();
}

/// An executor may poll within the wake.
#[test]
fn a_task_may_run_inside_of_its_own_wake() {
    let (sender, receiver) = unbounded_channel();
    let got = Rc::new(RefCell::new(Vec::new()));
    let task = {
        let got = Rc::clone(&got);
        async move {
            while let Some(number) = receiver.recv().await {
                got.borrow_mut().push(number);
            }
        }
    };
    let task: Rc<RefCell<Pin<Box<dyn Future<Output = ()>>>>> =
        Rc::new(RefCell::new(Box::pin(task)));
    let polled = Rc::clone(&task);
    HOOK.set(Some(Rc::new(move |what| {
        if what == "wake" {
            let _ = poll(&mut *polled.borrow_mut(), 1);
        }
    })));
    assert!(poll(&mut *task.borrow_mut(), 1).is_pending());
    for number in 0..3 {
        sender.send_nowait(number).unwrap();
        assert_eq!(got.borrow().len(), number + 1);
    }
    HOOK.take();
}

/// Who was chosen, and goes while another is being woken, is not woken any more.
#[test]
fn a_waiter_that_goes_before_its_wake_is_not_woken() {
    let event = Rc::new(Event::new());
    let (count, counting) = support::Count::new();
    let mut first = event.wait_owned();
    let mut second = event.wait_owned();
    assert!(poll(&mut first, 1).is_pending());
    let mut cx = Context::from_waker(&counting);
    assert!(Pin::new(&mut second).poll(&mut cx).is_pending());
    let second = RefCell::new(Some(second));
    HOOK.set(Some(Rc::new(move |_| drop(second.take()))));
    event.set();
    HOOK.take();
    assert_eq!(count.get(), 0);
    assert!(poll(&mut first, 1).is_ready());
}

/// A writer that runs inside of the last reader's release has the value to itself.
#[test]
fn a_writer_may_run_inside_of_the_release_that_lets_it_in() {
    let table = Rc::new(RwLock::new(1));
    let reader = table.try_read_owned().unwrap();
    let writing = Rc::new(RefCell::new(table.write_owned()));
    assert!(poll(&mut *writing.borrow_mut(), 1).is_pending());
    let written = Rc::new(Cell::new(false));
    let (task, done) = (Rc::clone(&writing), Rc::clone(&written));
    HOOK.set(Some(Rc::new(move |what| {
        if what == "wake" {
            match poll(&mut *task.borrow_mut(), 1) {
                Poll::Ready(mut guard) => *guard += 1,
                Poll::Pending => panic!("it was let in"),
            }
            done.set(true);
        }
    })));
    drop(reader);
    HOOK.take();
    assert!(written.get());
    assert_eq!(*table.try_read().unwrap(), 2);
}

/// The receiver takes its value and goes, or just goes, within the wake of the send.
#[test]
fn a_oneshot_may_end_inside_of_its_own_wake() {
    for takes in [true, false] {
        let (pool, busy) = (oneshot::Pool::new(), oneshot::Pool::new());
        let open = busy.channel();
        for pool in [&pool, &busy] {
            let (sender, mut receiver) = pool.channel();
            assert!(poll(&mut receiver, 1).is_pending());
            let receiver = Cell::new(Some(receiver));
            HOOK.set(Some(Rc::new(move |what| {
                if let Some(mut receiver) = receiver.take().filter(|_| what == "wake") {
                    if takes {
                        assert_eq!(receiver.recv_nowait(), Ok(5));
                    }
                }
            })));
            sender.send(5).unwrap();
            HOOK.take();
            assert_eq!(pool.statistics().idle, 1);
            let (sender, mut receiver) = pool.channel();
            assert!(poll(&mut receiver, 1).is_pending());
            drop(sender);
            assert_eq!(poll(&mut receiver, 1), Poll::Ready(Err(Closed)));
        }
        drop(open);
        assert_eq!(busy.statistics().idle, 2);
    }
}

/// A waker that panics keeps none of those behind it from being woken.
#[test]
fn those_behind_a_waker_that_panics_are_woken_all_the_same() {
    let event = Event::new();
    let mut waits = [1, 2, 3].map(|number| (number, event.wait()));
    for (number, wait) in &mut waits {
        assert!(poll(wait, *number).is_pending());
    }
    HOOK.set(Some(Rc::new(|what| {
        if what == "wake" {
            HOOK.take();
            panic!("a waker's own");
        }
    })));
    WOKEN.take();
    let set = catch_unwind(AssertUnwindSafe(|| event.set()));
    assert!(set.is_err());
    assert_eq!(WOKEN.take(), [1, 2, 3]);
    let mut late = event.wait();
    event.clear();
    assert!(poll(&mut late, 4).is_pending());
    event.set();
    assert_eq!(WOKEN.take(), [4]);
    for (number, wait) in &mut waits {
        assert!(poll(wait, *number).is_ready());
    }
}

/// Also if one comes, and is chosen, while others are still being woken.
#[test]
fn all_who_are_chosen_are_woken_in_the_order_of_their_coming() {
    let event = Rc::new(Event::new());
    let mut waits = [1, 2, 3].map(|number| (number, event.wait_owned()));
    for (number, wait) in &mut waits {
        assert!(poll(wait, *number).is_pending());
    }
    let fourth = Rc::new(RefCell::new(event.wait_owned()));
    let (again, late) = (Rc::clone(&event), Rc::clone(&fourth));
    HOOK.set(Some(Rc::new(move |what| {
        if what == "wake" {
            HOOK.take();
            again.clear();
            assert!(poll(&mut *late.borrow_mut(), 4).is_pending());
            again.set();
        }
    })));
    WOKEN.take();
    event.set();
    assert_eq!(WOKEN.take(), [1, 2, 3, 4]);
    assert!(poll(&mut *fourth.borrow_mut(), 4).is_ready());
}

#[test]
fn a_receiver_that_goes_while_its_sender_wakes_it_leaves_the_slot_to_the_pool() {
    let pool = Rc::new(oneshot::Pool::new());
    let waiting = Rc::new(Cell::new(None::<oneshot::Receiver<u8>>));
    let (used, taken) = (Rc::clone(&pool), Rc::clone(&waiting));
    HOOK.set(Some(Rc::new(move |what| {
        let receiver = taken.take();
        if what != "wake" {
            return taken.set(receiver);
        }
        // As an executor that polls at once: the value is received, and the next channel opened.
        let mut receiver = receiver.expect("a receiver is woken once");
        assert_eq!(receiver.recv_nowait(), Ok(1));
        drop(receiver);
        let (sender, mut receiver) = used.channel();
        assert_eq!(sender.send(2), Ok(()));
        assert_eq!(receiver.recv_nowait(), Ok(2));
    })));
    for _ in 0..3 {
        let (sender, mut receiver) = pool.channel();
        assert!(poll(&mut receiver, 1).is_pending());
        waiting.set(Some(receiver));
        assert_eq!(sender.send(1), Ok(()));
        assert!(waiting.take().is_none());
        assert_eq!(
            pool.statistics().idle,
            2,
            "as many as were in use at a time"
        );
    }
    HOOK.take();
}

//! The operations that are compared, under every library.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use super::run;

/// How often a contender does its operation when it is called.
pub(crate) const OPERATIONS: u64 = 1000;

/// One that does an operation, and its name.
pub(crate) type Contender<'a> = (&'static str, &'a mut dyn FnMut());

/// What is done with an operation, known by its name, and with all who do it.
pub(crate) type Compare<'a> = &'a mut dyn FnMut(&'static str, &mut [Contender<'_>]);

/// Every operation in turn.
pub(crate) fn each(compare: Compare<'_>) {
    free_lock(compare);
    contended_lock(compare);
    queue(compare);
    oneshot(compare);
    oneshots(compare);
}

/// Takes a free lock and gives it back.
macro_rules! uncontended {
    ($lock:expr, $acquire:ident) => {{
        let lock = $lock;
        move || {
            let task = pin!(async {
                for _ in 0..OPERATIONS {
                    *black_box(&lock).$acquire().await += 1;
                }
            });
            run([task]);
        }
    }};
}

fn free_lock(compare: Compare<'_>) {
    compare(
        "uncontended lock",
        &mut [
            (
                "corio",
                &mut uncontended!(corio_sync::Lock::new(0), acquire),
            ),
            ("tokio", &mut uncontended!(tokio::sync::Mutex::new(0), lock)),
            (
                "async-lock",
                &mut uncontended!(async_lock::Mutex::new(0), lock),
            ),
        ],
    );
}

/// Two tasks that hand a lock to each other: each gives it up while the other waits, and waits again.
macro_rules! hand_over {
    ($lock:expr, $acquire:ident) => {{
        let lock = $lock;
        move || {
            let worker = async || {
                for _ in 0..OPERATIONS / 2 {
                    *black_box(&lock).$acquire().await += 1;
                }
            };
            let (first, second) = (pin!(worker()), pin!(worker()));
            let starter = pin!(async {
                // Held until both wait, so that from then on somebody always does.
                let guard = lock.$acquire().await;
                futures_lite::future::yield_now().await;
                drop(guard);
            });
            run([starter, first, second]);
        }
    }};
}

/// async-lock lets a task that releases take the lock again at once, so its hand-over is none.
fn contended_lock(compare: Compare<'_>) {
    compare(
        "contended hand-over",
        &mut [
            ("corio", &mut hand_over!(corio_sync::Lock::new(0), acquire)),
            ("tokio", &mut hand_over!(tokio::sync::Mutex::new(0), lock)),
            (
                "async-lock",
                &mut hand_over!(async_lock::Mutex::new(0), lock),
            ),
        ],
    );
}

/// Puts an item and takes it, with room.
macro_rules! put_get {
    ($put:expr, $get:expr) => {
        || {
            let task = pin!(async {
                for number in 0..OPERATIONS {
                    $put(black_box(number)).await.unwrap();
                    black_box($get().await.unwrap());
                }
            });
            run([task]);
        }
    };
}

fn queue(compare: Compare<'_>) {
    let queue = corio_sync::Queue::bounded(64);
    let (sender, receiver) = corio_sync::channel(64);
    let (tokio_sender, mut tokio_receiver) = tokio::sync::mpsc::channel(64);
    let mut corio_queue = put_get!(|number: u64| queue.put(number), || queue.get());
    let mut corio_channel = put_get!(|number: u64| sender.send(number), || receiver.recv());
    let mut tokio_channel = put_get!(|number: u64| tokio_sender.send(number), async || {
        tokio_receiver.recv().await
    });
    compare(
        "queue put and get",
        &mut [
            ("corio", &mut corio_queue),
            ("corio channel", &mut corio_channel),
            ("tokio", &mut tokio_channel),
        ],
    );
}

/// Opens a channel, waits for its value, sends it, receives it.
macro_rules! oneshot {
    ($channel:expr) => {
        || {
            let mut cx = Context::from_waker(Waker::noop());
            for number in 0..OPERATIONS {
                let (sender, receiver) = black_box($channel);
                let mut receiver = pin!(receiver);
                assert!(receiver.as_mut().poll(&mut cx).is_pending());
                sender.send(black_box(number)).unwrap();
                assert!(black_box(receiver.poll(&mut cx)).is_ready());
            }
        }
    };
}

fn oneshot(compare: Compare<'_>) {
    let mut slot = corio_sync::oneshot::Slot::new();
    let pool = corio_sync::oneshot::Pool::new();
    let used = corio_sync::oneshot::Pool::new();
    let _open = used.channel();
    compare(
        "oneshot",
        &mut [
            ("corio, in a slot", &mut oneshot!(slot.open())),
            ("corio, of a pool", &mut oneshot!(pool.channel())),
            ("corio, of a pool in use", &mut oneshot!(used.channel())),
            (
                "corio, allocated",
                &mut oneshot!(corio_sync::oneshot::channel()),
            ),
            ("tokio", &mut oneshot!(tokio::sync::oneshot::channel())),
            ("only the allocation", &mut || {
                for number in 0..OPERATIONS {
                    black_box(Rc::new([black_box(number); 8]));
                }
            }),
        ],
    );
}

/// The same with four channels that are open together.
macro_rules! oneshots {
    ($channel:expr) => {
        || {
            let mut cx = Context::from_waker(Waker::noop());
            for number in 0..OPERATIONS / 4 {
                let ends = [(); 4].map(|()| black_box($channel));
                let waiting = ends.map(|(sender, mut receiver)| {
                    assert!(pin!(&mut receiver).poll(&mut cx).is_pending());
                    (sender, receiver)
                });
                for (sender, receiver) in waiting {
                    sender.send(black_box(number)).unwrap();
                    assert!(black_box(pin!(receiver).poll(&mut cx)).is_ready());
                }
            }
        }
    };
}

fn oneshots(compare: Compare<'_>) {
    let pool = corio_sync::oneshot::Pool::new();
    compare(
        "four oneshots at a time",
        &mut [
            ("corio, of a pool", &mut oneshots!(pool.channel())),
            (
                "corio, allocated",
                &mut oneshots!(corio_sync::oneshot::channel()),
            ),
            ("tokio", &mut oneshots!(tokio::sync::oneshot::channel())),
        ],
    );
}

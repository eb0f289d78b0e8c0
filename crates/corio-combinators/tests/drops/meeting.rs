//! What tasks meet at.

use std::cell::Cell;
use std::rc::Rc;

use corio_combinators::timeout;
use corio_core::Task;
use corio_sync::{
    Barrier, BoundedSemaphore, CapacityLimiter, Condition, Event, Guard, Lock, Queue, RwLock,
    Semaphore, broadcast, channel, oneshot, watch,
};

use super::{Case, Running, case};
use crate::support::{create_task, seconds, sleep, yield_now};

pub fn locked() -> Case {
    let lock = Rc::new(Lock::new(0));
    let (holder, work, owned) = (lock.clone(), lock.clone(), lock.clone());
    let holder = create_task(async move {
        let _guard = holder.acquire().await;
        sleep(1.0).await;
    });
    let work = async move {
        yield_now().await;
        *work.acquire().await += 1;
        let guard = owned.acquire_owned().await;
        sleep(1.0).await;
        drop(guard);
    };
    case(work, async move {
        holder.await.unwrap();
        drop(lock.acquire().await);
        assert!(!lock.locked());
        assert_eq!(lock.statistics().waiting, 0);
    })
}

pub struct Changing {
    lock: Lock<u32>,
    condition: Condition,
}

/// A condition that is notified once for each of two, while somebody wants the lock too.
pub fn changing_twice() -> (Rc<Changing>, Task<()>, Task<()>) {
    let changing = Rc::new(Changing {
        lock: Lock::new(0),
        condition: Condition::new(),
    });
    let notifier = changing.clone();
    let notifier = create_task(async move {
        for _ in 0..2 {
            sleep(1.0).await;
            let mut value = notifier.lock.acquire().await;
            *value += 1;
            notifier.condition.notify_all();
            sleep(1.0).await;
        }
    });
    let other = changing.clone();
    let other = create_task(async move {
        let mut guard = other.lock.acquire().await;
        while *guard == 0 {
            other.condition.wait(&mut guard).await;
        }
    });
    (changing, notifier, other)
}

pub fn after_changing(changing: Rc<Changing>, notifier: Task<()>, other: Task<()>) -> Running {
    Box::pin(async move {
        notifier.await.unwrap();
        other.await.unwrap();
        assert_eq!(*changing.lock.acquire().await, 2);
        assert_eq!(changing.condition.statistics().waiting, 0);
    })
}

pub fn conditioned() -> Case {
    let (changing, notifier, other) = changing_twice();
    let mine = changing.clone();
    let work = async move {
        let mut guard = mine.lock.acquire().await;
        if timeout(seconds(1.0), mine.condition.wait(&mut guard))
            .await
            .is_err()
        {
            Guard::reacquire(&mut guard).await;
        }
        mine.condition.wait(&mut guard).await;
    };
    case(work, after_changing(changing, notifier, other))
}

pub fn conditioned_until() -> Case {
    let (changing, notifier, other) = changing_twice();
    let mine = changing.clone();
    let work = async move {
        let mut guard = mine.lock.acquire().await;
        let enough = |value: &mut u32| *value == 2;
        mine.condition.wait_for(&mut guard, enough).await;
    };
    case(work, after_changing(changing, notifier, other))
}

pub fn permitted() -> Case {
    let semaphore = Rc::new(Semaphore::new(3));
    let (holder, work) = (semaphore.clone(), semaphore.clone());
    let holder = create_task(async move {
        let _permit = holder.acquire_many(2).await;
        sleep(1.0).await;
    });
    let work = async move {
        yield_now().await;
        let permit = work.acquire_many(2).await;
        sleep(1.0).await;
        drop(permit);
    };
    case(work, async move {
        holder.await.unwrap();
        drop(semaphore.acquire_many(3).await);
        assert_eq!(semaphore.available(), 3);
    })
}

pub fn bounded() -> Case {
    let semaphore = Rc::new(BoundedSemaphore::new(1));
    let (holder, work) = (semaphore.clone(), semaphore.clone());
    let holder = create_task(async move {
        let _permit = holder.acquire().await;
        sleep(1.0).await;
    });
    let work = async move {
        yield_now().await;
        let _permit = work.acquire_owned().await;
        sleep(1.0).await;
    };
    case(work, async move {
        holder.await.unwrap();
        drop(semaphore.acquire().await);
        assert_eq!(semaphore.available(), 1);
    })
}

pub fn limiter() -> Case {
    let limiter = Rc::new(CapacityLimiter::new(1));
    let (holder, work) = (limiter.clone(), limiter.clone());
    let holder = create_task(async move {
        let _token = holder.acquire().await;
        sleep(1.0).await;
    });
    let work = async move {
        yield_now().await;
        let _token = work.acquire().await;
        sleep(1.0).await;
    };
    case(work, async move {
        holder.await.unwrap();
        drop(limiter.acquire().await);
        assert_eq!(limiter.borrowed_tokens(), 0);
    })
}

pub fn reading() -> Case {
    let lock = Rc::new(RwLock::new(0));
    let (holder, work) = (lock.clone(), lock.clone());
    let holder = create_task(async move {
        let _guard = holder.write().await;
        sleep(1.0).await;
    });
    let work = async move {
        yield_now().await;
        let _guard = work.read().await;
        sleep(1.0).await;
    };
    case(work, async move {
        holder.await.unwrap();
        drop(lock.write().await);
    })
}

pub fn writing() -> Case {
    let lock = Rc::new(RwLock::new(0));
    let (holder, reader, work) = (lock.clone(), lock.clone(), lock.clone());
    let holder = create_task(async move {
        let _guard = holder.read().await;
        sleep(1.0).await;
    });
    // It stands behind the writer.
    let reader = create_task(async move {
        yield_now().await;
        yield_now().await;
        drop(reader.read().await);
    });
    let work = async move {
        yield_now().await;
        let mut guard = work.write().await;
        *guard += 1;
        sleep(1.0).await;
    };
    case(work, async move {
        holder.await.unwrap();
        reader.await.unwrap();
        drop(lock.write().await);
    })
}

pub fn evented() -> Case {
    let event = Rc::new(Event::new());
    let (setter, work) = (event.clone(), event.clone());
    let setter = create_task(async move {
        sleep(1.0).await;
        setter.set();
    });
    case(async move { work.wait().await }, async move {
        setter.await.unwrap();
        event.wait().await;
        assert_eq!(event.statistics().waiting, 0);
    })
}

pub fn barred() -> Case {
    let barrier = Rc::new(Barrier::new(2));
    let (other, work) = (barrier.clone(), barrier.clone());
    let other = create_task(async move {
        sleep(1.0).await;
        other.wait().await.unwrap();
    });
    let work = async move {
        work.wait().await.unwrap();
    };
    case(work, async move {
        // Whoever was left alone is joined.
        sleep(2.0).await;
        if !other.done() {
            barrier.wait().await.unwrap();
        }
        other.await.unwrap();
        assert_eq!(barrier.n_waiting(), 0);
    })
}

/// A full queue that gets room after a while: every item is taken once, in order, and none appears twice.
pub fn full() -> (Rc<Queue<u8>>, Task<Vec<u8>>) {
    let queue = Rc::new(Queue::bounded(1));
    queue.put_nowait(1).unwrap();
    let taker = queue.clone();
    let taker = create_task(async move {
        let mut taken = Vec::new();
        sleep(1.0).await;
        while let Ok(Ok(item)) = timeout(seconds(3.0), taker.get()).await {
            taken.push(item);
            taker.task_done();
        }
        taken
    });
    (queue, taker)
}

pub fn after_full(queue: Rc<Queue<u8>>, taker: Task<Vec<u8>>) -> Running {
    Box::pin(async move {
        let taken = taker.await.unwrap();
        assert!(taken == [1] || taken == [1, 2], "{taken:?}");
        queue.join().await;
        queue.put(3).await.unwrap();
        assert_eq!(queue.get().await.unwrap(), 3);
    })
}

pub fn putting() -> Case {
    let (queue, taker) = full();
    let work = queue.clone();
    let work = async move { work.put(2).await.unwrap() };
    case(work, after_full(queue, taker))
}

pub fn putting_from() -> Case {
    let (queue, taker) = full();
    let work = queue.clone();
    let work = async move {
        let mut slot = Some(2);
        work.put_from(&mut slot).await.unwrap();
        assert_eq!(slot, None);
    };
    case(work, after_full(queue, taker))
}

/// Whatever was not taken by who gave up is still there.
pub fn empty(work: fn(Rc<Queue<u8>>, Rc<Cell<u8>>) -> Running) -> Case {
    let queue = Rc::new(Queue::unbounded());
    let putter = queue.clone();
    let putter = create_task(async move {
        sleep(1.0).await;
        putter.put(1).await.unwrap();
        putter.put(2).await.unwrap();
    });
    let taken = Rc::new(Cell::new(0));
    case(work(queue.clone(), taken.clone()), async move {
        putter.await.unwrap();
        while let Ok(item) = queue.get_nowait() {
            taken.set(taken.get() + item);
        }
        assert_eq!(taken.get(), 3);
        assert_eq!(queue.statistics().getters, 0);
    })
}

pub fn getting() -> Case {
    empty(|queue, taken| Box::pin(async move { taken.set(queue.get().await.unwrap()) }))
}

pub fn iterating() -> Case {
    empty(|queue, taken| Box::pin(async move { taken.set(queue.items().next().await.unwrap()) }))
}

pub fn joining() -> Case {
    let queue = Rc::new(Queue::unbounded());
    queue.put_nowait(1).unwrap();
    let (worker, work) = (queue.clone(), queue.clone());
    let worker = create_task(async move {
        worker.get().await.unwrap();
        sleep(1.0).await;
        worker.task_done();
    });
    case(async move { work.join().await }, async move {
        worker.await.unwrap();
        queue.join().await;
    })
}

pub fn sending() -> Case {
    let (sender, receiver) = channel(1);
    sender.send_nowait(1).unwrap();
    let work = async move { sender.send(2).await.unwrap() };
    case(work, received(receiver))
}

pub fn sending_from() -> Case {
    let (sender, receiver) = channel(1);
    sender.send_nowait(1).unwrap();
    let work = async move {
        let mut slot = Some(2);
        sender.send_from(&mut slot).await.unwrap();
    };
    case(work, received(receiver))
}

/// What the channel holds; who takes the first item while another sends is started at once.
pub fn received(receiver: channel::Receiver<u8>) -> Running {
    let taker = create_task(async move {
        sleep(1.0).await;
        let mut taken = Vec::new();
        while let Some(item) = receiver.recv().await {
            taken.push(item);
        }
        taken
    });
    Box::pin(async move {
        let taken = taker.await.unwrap();
        assert!(taken == [1] || taken == [1, 2], "{taken:?}");
    })
}

pub fn receiving() -> Case {
    let (sender, receiver) = channel(4);
    let receiver = Rc::new(receiver);
    let sending = create_task(async move {
        sleep(1.0).await;
        sender.send(1).await.unwrap();
        sender.send(2).await.unwrap();
    });
    let taken = Rc::new(Cell::new(0));
    let (mine, noted) = (receiver.clone(), taken.clone());
    let work = async move { noted.set(mine.recv().await.unwrap()) };
    case(work, async move {
        sending.await.unwrap();
        while let Some(item) = receiver.recv().await {
            taken.set(taken.get() + item);
        }
        assert_eq!(taken.get(), 3);
    })
}

pub fn broadcasted() -> Case {
    let (sender, mut receiver) = broadcast::channel(4);
    let mut other = sender.subscribe();
    let sending = create_task(async move {
        sleep(1.0).await;
        let _ = sender.send(1);
    });
    let work = async move { assert_eq!(receiver.recv().await, Ok(1)) };
    case(work, async move {
        sending.await.unwrap();
        assert_eq!(other.recv().await, Ok(1));
    })
}

pub fn one() -> Case {
    one_of(oneshot::channel())
}

pub fn one_pooled() -> Case {
    let pool = oneshot::Pool::new();
    let (_first, second) = (pool.channel(), pool.channel());
    one_of(second)
}

fn one_of((sender, receiver): (oneshot::Sender<i32>, oneshot::Receiver<i32>)) -> Case {
    let sending = create_task(async move {
        sleep(1.0).await;
        sender.send(1)
    });
    let got = Rc::new(Cell::new(false));
    let noted = got.clone();
    let work = async move {
        assert_eq!(receiver.await, Ok(1));
        noted.set(true);
    };
    case(work, async move {
        // What nobody got is given back, or went with a receiver that was woken for it.
        let sent = sending.await.unwrap();
        assert!(sent.is_err() || got.get() || sent == Ok(()));
    })
}

pub fn one_closed() -> Case {
    let (mut sender, receiver) = oneshot::channel::<u8>();
    let closing = create_task(async move {
        sleep(1.0).await;
        drop(receiver);
    });
    let work = async move {
        sender.closed().await;
        assert!(sender.is_closed());
    };
    case(work, async move { closing.await.unwrap() })
}

pub fn changing() -> Case {
    watching(|mut receiver| Box::pin(async move { receiver.changed().await.unwrap() }))
}

pub fn changing_until() -> Case {
    watching(|mut receiver| {
        Box::pin(async move {
            receiver.wait_for(|value| *value == 2).await.unwrap();
        })
    })
}

pub fn watching(work: fn(watch::Receiver<u8>) -> Running) -> Case {
    let (sender, receiver) = watch::channel(0);
    let mut other = receiver.clone();
    let sending = create_task(async move {
        for value in 1..3 {
            sleep(1.0).await;
            sender.send(value).unwrap();
        }
    });
    case(work(receiver), async move {
        other.wait_for(|value| *value == 2).await.unwrap();
        sending.await.unwrap();
    })
}

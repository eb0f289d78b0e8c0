//! Wakers are foreign code: they may call the reactor, and they may panic.

mod common;

use common::{BACKENDS, PATIENCE, Probe, look, on_every_backend, tcp_pair, wait_until};
use corio_reactor::{Direction, Reactor, SourceKey, WaitToken};
use std::cell::RefCell;
use std::io::Write;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::time::Duration;

fn wait_for(reactor: &Reactor, key: SourceKey, waker: &Waker) {
    let mut cx = Context::from_waker(waker);
    look(reactor);
    while let Poll::Ready(ticket) = reactor.poll_ready(key, Direction::Read, &mut cx) {
        reactor.clear_ready(key, Direction::Read, ticket.expect("a live source"));
    }
}

struct Panicking;

impl Wake for Panicking {
    fn wake(self: Arc<Self>) {
        panic!("as planned");
    }
}

#[test]
fn a_panicking_waker_keeps_nobody_from_being_woken_and_its_panic_goes_on() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let (first, first_waker) = Probe::new();
        let (last, last_waker) = Probe::new();
        wait_for(reactor, key, &first_waker);
        wait_for(reactor, key, &Waker::from(Arc::new(Panicking)));
        wait_for(reactor, key, &Waker::from(Arc::new(Panicking)));
        wait_for(reactor, key, &last_waker);
        peer.write_all(b"x").expect("sent");
        let panic = catch_unwind(AssertUnwindSafe(|| {
            wait_until(reactor, || last.wakes() > 0)
        }));
        let payload = panic.expect_err("the panic goes on");
        assert_eq!(payload.downcast_ref(), Some(&"as planned"));
        assert_eq!((first.wakes(), last.wakes()), (1, 1));

        // And the same for those who are told that the source is gone.
        let mut cx = Context::from_waker(&first_waker);
        let mut buffer = [0; 8];
        let mut read = || std::io::Read::read(&mut &ours, &mut buffer);
        while reactor
            .try_io(key, Direction::Read, &mut read, &mut cx)
            .is_ready()
        {}
        wait_for(reactor, key, &Waker::from(Arc::new(Panicking)));
        wait_for(reactor, key, &last_waker);
        catch_unwind(AssertUnwindSafe(|| reactor.deregister(key, &ours)))
            .expect_err("the panic goes on");
        assert_eq!((first.wakes(), last.wakes()), (2, 2));
        assert!(reactor.is_empty());
    });
}

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// What a meddling waker may lay its hands on.
#[derive(Clone)]
struct Stage {
    reactor: Rc<Reactor>,
    key: SourceKey,
    spare: Rc<TcpStream>,
}

/// Calls everything that the reactor has, wherever it is called itself.
fn meddle() {
    let Some(Stage {
        reactor,
        key,
        spare,
    }) = STAGE.with_borrow(Clone::clone)
    else {
        return;
    };
    assert!(format!("{reactor:?}").starts_with("Reactor"));
    let spare_key = reactor.register(&*spare).expect("registered");
    let mut token = WaitToken::new();
    let mut cx = Context::from_waker(Waker::noop());
    if let Poll::Ready(Ok(ticket)) = reactor.poll_ready(spare_key, Direction::Read, &mut cx) {
        reactor.clear_ready(spare_key, Direction::Read, ticket);
    }
    assert!(
        reactor
            .poll_ready_as(spare_key, Direction::Read, &mut token, &mut cx)
            .is_pending()
    );
    assert!(
        reactor
            .poll_ready(spare_key, Direction::Read, &mut cx)
            .is_pending()
    );
    let _ = reactor.poll_ready(key, Direction::Write, &mut cx);
    reactor.stop_waiting(spare_key, Direction::Read, &mut token);
    reactor
        .deregister(spare_key, &*spare)
        .expect("deregistered");
    reactor.notifier().notify();
    reactor
        .wait(Some(Duration::ZERO), || true)
        .expect("a wait within a wait");
}

/// Meddles when it is cloned, woken and dropped; counts how often each happens, or panics instead.
#[derive(Default)]
struct Meddler {
    clones: AtomicUsize,
    wakes: AtomicUsize,
    drops: AtomicUsize,
    clone_panics: std::sync::atomic::AtomicBool,
}

impl Meddler {
    const TABLE: RawWakerVTable =
        RawWakerVTable::new(Self::clone, Self::wake, Self::wake_by_ref, Self::drop);

    fn waker(this: &Arc<Meddler>) -> Waker {
        let data = Arc::into_raw(this.clone()).cast();
        // SAFETY: the table's functions treat the pointer as what it is, an `Arc<Meddler>` that is `Send` and `Sync`,
        // and give up exactly one count for each count taken.
        unsafe { Waker::from_raw(RawWaker::new(data, &Self::TABLE)) }
    }

    fn borrow<'a>(data: *const ()) -> &'a Meddler {
        // SAFETY: the waker that is being called holds a count.
        unsafe { &*data.cast::<Meddler>() }
    }

    fn clone(data: *const ()) -> RawWaker {
        let this = Self::borrow(data);
        assert!(!this.clone_panics.load(Ordering::SeqCst), "as planned");
        this.clones.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the pointer came from `Arc::into_raw`, and the waker that is cloned holds a count.
        unsafe { Arc::increment_strong_count(data.cast::<Meddler>()) };
        meddle();
        RawWaker::new(data, &Self::TABLE)
    }

    fn wake(data: *const ()) {
        Self::wake_by_ref(data);
        Self::drop(data);
    }

    fn wake_by_ref(data: *const ()) {
        Self::borrow(data).wakes.fetch_add(1, Ordering::SeqCst);
        meddle();
    }

    fn drop(data: *const ()) {
        Self::borrow(data).drops.fetch_add(1, Ordering::SeqCst);
        meddle();
        // SAFETY: this count belongs to the waker that is being dropped.
        drop(unsafe { Arc::from_raw(data.cast::<Meddler>()) });
    }
}

fn stage(reactor: Reactor) -> (Stage, TcpStream, TcpStream, TcpStream) {
    let (ours, peer) = tcp_pair();
    let (spare, spare_peer) = tcp_pair();
    let key = reactor.register(&ours).expect("registered");
    let stage = Stage {
        reactor: Rc::new(reactor),
        key,
        spare: Rc::new(spare),
    };
    STAGE.set(Some(stage.clone()));
    (stage, ours, peer, spare_peer)
}

/// R106
#[test]
fn a_waker_may_call_the_reactor_when_it_is_cloned_woken_and_dropped() {
    for backend in BACKENDS {
        let (Stage { reactor, key, .. }, ours, mut peer, _spare_peer) =
            stage(Reactor::with_backend(backend).expect("a reactor"));
        let first = Arc::new(Meddler::default());
        let second = Arc::new(Meddler::default());
        let mut token = WaitToken::new();
        wait_for(&reactor, key, &Meddler::waker(&first));
        // Replaced by the second, then taken back.
        for waker in [&first, &second] {
            let waker = Meddler::waker(waker);
            let mut cx = Context::from_waker(&waker);
            assert!(
                reactor
                    .poll_ready_as(key, Direction::Read, &mut token, &mut cx)
                    .is_pending()
            );
        }
        reactor.stop_waiting(key, Direction::Read, &mut token);

        peer.write_all(b"x").expect("sent");
        wait_until(&reactor, || first.wakes.load(Ordering::SeqCst) > 0);
        assert_eq!(second.wakes.load(Ordering::SeqCst), 0);
        let mut buffer = [0; 8];
        assert_eq!(
            std::io::Read::read(&mut &ours, &mut buffer).expect("data"),
            1
        );
        wait_for(&reactor, key, &Meddler::waker(&second));
        reactor.deregister(key, &ours).expect("deregistered");
        assert_eq!(second.wakes.load(Ordering::SeqCst), 1);
        STAGE.set(None);
        for meddler in [first, second] {
            assert_eq!(Arc::strong_count(&meddler), 1, "every clone was given back");
            assert!(meddler.clones.load(Ordering::SeqCst) >= 2);
        }
    }
}

/// R015
#[test]
fn a_clone_that_panics_reaches_the_poller_and_the_source_stays_usable() {
    for backend in BACKENDS {
        let (Stage { reactor, key, .. }, _ours, mut peer, _spare_peer) =
            stage(Reactor::with_backend(backend).expect("a reactor"));
        let (before, before_waker) = Probe::new();
        wait_for(&reactor, key, &before_waker);
        let meddler = Arc::new(Meddler::default());
        meddler.clone_panics.store(true, Ordering::SeqCst);
        let waker = Meddler::waker(&meddler);
        let poll = || reactor.poll_ready(key, Direction::Read, &mut Context::from_waker(&waker));
        assert!(catch_unwind(AssertUnwindSafe(poll)).is_err());
        meddler.clone_panics.store(false, Ordering::SeqCst);
        assert!(poll().is_pending());
        peer.write_all(b"x").expect("sent");
        wait_until(&reactor, || {
            before.wakes() > 0 && meddler.wakes.load(Ordering::SeqCst) > 0
        });
        STAGE.set(None);
    }
}

/// A waker that makes its own source ready while it is being cloned: the poll must notice, or wait for ever.
#[test]
fn readiness_that_comes_while_the_waker_is_cloned_is_noticed() {
    for backend in BACKENDS {
        let (Stage { reactor, key, .. }, _ours, mut peer, _spare_peer) =
            stage(Reactor::with_backend(backend).expect("a reactor"));
        let (early, early_waker) = Probe::new();
        wait_for(&reactor, key, &early_waker);
        peer.write_all(b"x").expect("sent");
        let meddler = Arc::new(Meddler::default());
        let waker = Meddler::waker(&meddler);
        // The clone meddles, which collects events. Depending on whether the data has arrived, the poll is ready now
        // or the waker is woken later; both are right, silence is not.
        let poll = reactor.poll_ready(key, Direction::Read, &mut Context::from_waker(&waker));
        let told =
            || early.wakes() > 0 && (poll.is_ready() || meddler.wakes.load(Ordering::SeqCst) > 0);
        for _ in 0..100 {
            if told() {
                break;
            }
            reactor.wait(Some(PATIENCE), || true).expect("a wait");
        }
        assert!(told());
        STAGE.set(None);
    }
}

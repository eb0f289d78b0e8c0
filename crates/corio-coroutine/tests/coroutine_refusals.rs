//! A resume that cannot be is refused with a typed error, runs nothing and changes nothing (R089).

use std::cell::Cell;
use std::rc::{Rc, Weak};

use corio_coroutine::{CloseError, Coroutine, CoroutineState, ResumeError};

#[test]
fn send_to_a_fresh_one_leaves_it_fresh() {
    let it = Coroutine::new(async |co| {
        let sent = co.yield_(1).await;
        assert_eq!(sent, Some("second"));
    });
    assert!(matches!(it.send("first"), Err(ResumeError::NotAtYield)));
    assert_eq!(it.state(), CoroutineState::Created);
    assert_eq!(it.next().unwrap(), 1);
    assert!(matches!(it.send("second"), Err(ResumeError::Returned(()))));
}

#[test]
fn resume_after_the_end_is_exhausted_each_time() {
    let it: Coroutine<i32, i32> = Coroutine::new(async |_co| {});
    assert!(matches!(it.next(), Err(ResumeError::Returned(()))));
    for _ in 0..3 {
        assert!(matches!(it.next(), Err(ResumeError::Exhausted)));
        assert!(matches!(it.send(1), Err(ResumeError::Exhausted)));
        assert_eq!(it.close().unwrap(), None);
        assert_eq!(it.state(), CoroutineState::Closed);
    }
}

#[test]
fn every_resume_from_inside_is_refused_and_the_body_goes_on() {
    let refused = Rc::new(Cell::new(0));
    let count = refused.clone();
    let it = Rc::new_cyclic(|me: &Weak<Coroutine<i32, i32>>| {
        let me = me.clone();
        Coroutine::new(async move |co| {
            let inside = || {
                let me = me.upgrade().unwrap();
                assert!(matches!(me.next(), Err(ResumeError::Running)));
                assert!(matches!(me.send(1), Err(ResumeError::Running)));
                assert!(matches!(me.throw("e"), Err(ResumeError::Running)));
                assert!(matches!(me.close(), Err(CloseError::Running)));
                assert_eq!(me.state(), CoroutineState::Running);
                count.set(count.get() + 1);
            };
            inside();
            assert_eq!(co.yield_(1).await, Some(5));
            inside();
            assert_eq!(co.yield_(2).await, None);
        })
    });
    assert_eq!(it.next().unwrap(), 1);
    assert_eq!(it.send(5).unwrap(), 2);
    assert!(matches!(it.next(), Err(ResumeError::Returned(()))));
    assert_eq!(refused.get(), 2);
}

#[test]
fn resume_from_a_destructor_of_the_body_is_refused() {
    struct Resumes(Weak<Coroutine<i32>>, Rc<Cell<u32>>);
    impl Drop for Resumes {
        fn drop(&mut self) {
            let me = self.0.upgrade().unwrap();
            assert_eq!(me.state(), CoroutineState::Running);
            assert!(matches!(me.next(), Err(ResumeError::Running)));
            assert!(matches!(me.close(), Err(CloseError::Running)));
            self.1.set(self.1.get() + 1);
        }
    }
    let refused = Rc::new(Cell::new(0));
    let make = || {
        Rc::new_cyclic(|me: &Weak<Coroutine<i32>>| {
            let resumes = Resumes(me.clone(), refused.clone());
            Coroutine::new(async move |co| {
                let _resumes = resumes;
                co.yield_(1).await;
            })
        })
    };
    let closed = make();
    closed.next().unwrap();
    assert_eq!(closed.close().unwrap(), None);
    let thrown = make();
    thrown.next().unwrap();
    assert!(matches!(thrown.throw("e"), Err(ResumeError::Thrown(_))));
    let returned = make();
    assert_eq!((&*returned).count(), 1);
    let fresh = make();
    assert_eq!(fresh.close().unwrap(), None);
    assert_eq!(refused.get(), 4);
}

#[test]
#[should_panic(expected = "already running")]
fn iterating_over_itself_panics() {
    let it = Rc::new_cyclic(|me: &Weak<Coroutine<i32>>| {
        let me = me.clone();
        Coroutine::new(async move |co| {
            let first = me.upgrade().unwrap().take(1).next();
            co.yield_(first.unwrap_or(0)).await;
        })
    });
    let _ = it.next();
}

#[test]
fn errors_say_what_happened() {
    let error: ResumeError = ResumeError::NotAtYield;
    assert_eq!(
        error.to_string(),
        "a value was sent to a coroutine that does not wait at a yield"
    );
    assert_eq!(
        CloseError::Yielded.to_string(),
        "the coroutine yielded while it was being closed"
    );
    let it: Coroutine<i32> = Coroutine::new(async |co| {
        co.yield_(1).await;
    });
    let error = it.throw("paper jam").unwrap_err();
    assert_eq!(error.to_string(), "an error left the coroutine: paper jam");
}

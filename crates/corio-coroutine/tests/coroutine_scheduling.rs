//! Coroutines as tasks of a scheduler: a bare yield gives up one turn and resumes with nothing (trace T91).
//!
//! "Yielding anything else is a RuntimeError" has no counterpart: the queue's type says what may be yielded.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use corio_coroutine::Generator;

fn run(mut ready: VecDeque<Generator<()>>) {
    while let Some(task) = ready.pop_front() {
        if task.next().is_ok() {
            ready.push_back(task);
        }
    }
}

#[test]
fn bare_yield_gives_up_one_turn() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let task = |name: &'static str| {
        let log = log.clone();
        Generator::new(async move |co| {
            log.borrow_mut().push(format!("{name} before bare yield"));
            let received = co.yield_(()).await;
            log.borrow_mut()
                .push(format!("{name} after bare yield, received {received:?}"));
        })
    };
    run(["A", "B"].map(task).into());
    let expected = [
        "A before bare yield",
        "B before bare yield",
        "A after bare yield, received None",
        "B after bare yield, received None",
    ];
    assert_eq!(*log.borrow(), expected);
}

//! What each word of a program does that gives the loop something to call.

use std::rc::Rc;
use std::time::Duration;

use corio_core::Handle;

use super::op::{Op, parse};
use super::world::{World, current};
use crate::support::{Timer, call_at, call_later, here};

/// A call that may be taken back.
pub enum Call {
    Soon(Handle),
    Timer(Timer),
}

impl Call {
    fn cancel(&self) {
        match self {
            Call::Soon(handle) => handle.cancel(),
            Call::Timer(timer) => timer.cancel(),
        }
    }

    fn cancelled(&self) -> bool {
        match self {
            Call::Soon(handle) => handle.cancelled(),
            Call::Timer(timer) => timer.cancelled(),
        }
    }
}

/// The tasks that callbacks create.
const BEGUN: [&str; 6] = [
    "(sleep 0)",
    "(sleep 1)",
    "(seq (now set 0) (event 1))",
    "(cancel 0)",
    "(fail E)",
    "(now stop 0)",
];

/// False: the word is another one.
pub fn step_calls(world: &Rc<World>, kind: &str, args: &[Op]) -> bool {
    let what = match kind {
        "later" | "at" => &args[1..],
        _ => args,
    };
    let (told, kind, name, what) = (
        world.clone(),
        kind.to_owned(),
        current().name(),
        what.to_vec(),
    );
    let calls = kind.clone();
    let calls = move || {
        let word = format!("{calls} {}", call(&told, &name, &what));
        told.note(name, word);
    };
    let call = match kind.as_str() {
        "now" => {
            calls();
            return true;
        }
        "soon" => Call::Soon(here().scheduler.call_soon(calls)),
        "later" => Call::Timer(call_later(args[0].number(), calls)),
        "at" => Call::Timer(call_at(Duration::from_secs_f64(args[0].number()), calls)),
        _ => return false,
    };
    world.handles.borrow_mut().push(Rc::new(call));
    true
}

/// What may be done without awaiting anything.
fn call(world: &Rc<World>, name: &str, args: &[Op]) -> String {
    let (what, number) = (args[0].word(), args[1].index());
    match what {
        "set" => world.events[number].set(),
        "clear" => world.events[number].clear(),
        "flip" => {
            world.events[number].set();
            world.events[number].clear();
        }
        "resolve" => drop(world.promise(number).set_result(())),
        "reject" => drop(world.promise(number).cancel()),
        "renew" => world.promises.borrow_mut()[number] = here().scheduler.create_promise(),
        "shutdown" => world.queues[number].shutdown(false),
        "discard" => world.queues[number].shutdown(true),
        "done" => {
            if world.queues[number].statistics().unfinished == 0 {
                return "done too often".into();
            }
            world.queues[number].task_done();
        }
        "offer" => {
            if world.queues[number].put_nowait("offer".into()).is_err() {
                return "refused".into();
            }
        }
        "admit" => world.semaphore.release(1),
        "begin" => drop(world.create_for(name, &parse(BEGUN[number]))),
        "stop" => {
            let handles = world.handles.borrow();
            if handles.is_empty() {
                return "nothing to stop".into();
            }
            let handle = handles[number % handles.len()].clone();
            drop(handles);
            let before = truth(handle.cancelled());
            handle.cancel();
            return format!("stop {before} {}", truth(handle.cancelled()));
        }
        "ask" => {
            let asked = world.task(&args[1]).cancel();
            return format!("ask {}", truth(asked));
        }
        other => panic!("{other}?"),
    }
    what.into()
}

/// As it is written in Python.
pub fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

//! Random programs end as they do under asyncio: task by task the same log at the same time.
//!
//! The file with the programs was written by `asyncio/programs.py`. `CORIO_ASYNCIO_PROGRAMS` names another one to be played.

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use corio_combinators::{
    CancelScope, GroupError, ReturnWhen, TaskGroup, catch_cancel, finally, shield, task_group,
    timeout, try_gather, wait,
};
use corio_core::{AnyTask, Task, TaskError};
use support::{TestLoop, create_task, here, seconds, sleep, yield_now};

/// A word, or words in parentheses.
#[derive(Clone, Debug)]
enum Op {
    Word(String),
    List(Vec<Op>),
}

fn parse(text: &str) -> Op {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let mut open: Vec<Vec<Op>> = vec![Vec::new()];
    for word in spaced.split_whitespace() {
        match word {
            "(" => open.push(Vec::new()),
            ")" => {
                let list = open.pop().expect("a matching parenthesis");
                open.last_mut().expect("one above").push(Op::List(list));
            }
            word => open
                .last_mut()
                .expect("one at least")
                .push(Op::Word(word.into())),
        }
    }
    open.remove(0).remove(0)
}

impl Op {
    fn list(&self) -> &[Op] {
        match self {
            Op::List(list) => list,
            Op::Word(word) => panic!("{word} is no list"),
        }
    }

    fn word(&self) -> &str {
        match self {
            Op::Word(word) => word,
            Op::List(_) => panic!("a list is no word"),
        }
    }

    fn number(&self) -> f64 {
        self.word().parse().expect("a number")
    }
}

#[derive(Debug)]
enum Fail {
    Error(String),
    Task(TaskError),
}

impl From<TaskError> for Fail {
    fn from(error: TaskError) -> Fail {
        Fail::Task(error)
    }
}

impl Fail {
    fn show(&self) -> String {
        match self {
            Fail::Error(text) => text.clone(),
            Fail::Task(error) => error.to_string(),
        }
    }
}

fn show(error: &GroupError<Fail>) -> String {
    let failures = error.iter().map(|(_, failure)| match failure.error() {
        Some(fail) => fail.show(),
        None => "panic".into(),
    });
    format!("[{}]", failures.collect::<Vec<_>>().join(" "))
}

type Done = Result<(), Fail>;
type Running = Pin<Box<dyn Future<Output = Done>>>;

/// What the tasks of one program share.
#[derive(Default)]
struct World {
    logs: RefCell<BTreeMap<String, Vec<(f64, String)>>>,
    tasks: RefCell<Vec<AnyTask>>,
    counts: RefCell<BTreeMap<String, usize>>,
    errors: RefCell<BTreeMap<String, String>>,
}

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

impl World {
    fn log(&self, event: impl Into<String>) {
        self.note(current().name(), event);
    }

    fn note(&self, name: String, event: impl Into<String>) {
        let time = here().time().as_secs_f64();
        let mut logs = self.logs.borrow_mut();
        logs.entry(name).or_default().push((time, event.into()));
    }

    /// Names a new task, and listens for its end.
    fn list(self: &Rc<Self>, name: String, task: &AnyTask) {
        task.set_name(name.clone());
        self.tasks.borrow_mut().push(task.clone());
        let world = self.clone();
        task.add_done_callback(move |task| {
            let error = world.errors.borrow().get(&name).cloned();
            let ending = match error {
                _ if task.cancelled() => "cancelled".into(),
                Some(error) => format!("error {error}"),
                None => "ok".into(),
            };
            world.note(name, format!("done {ending}"));
        });
    }

    fn next_name(&self) -> String {
        let parent = current().name();
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(parent.clone()).or_default();
        *count += 1;
        format!("{parent}.{count}")
    }

    /// The future of a task with this name.
    async fn whole(self: Rc<Self>, name: String, op: Op) -> Done {
        let done = run(&self, &op).await;
        if let Err(fail) = &done {
            self.errors.borrow_mut().insert(name, fail.show());
        }
        done
    }

    fn create(self: &Rc<Self>, op: &Op) -> Task<Done> {
        let name = self.next_name();
        let task = create_task(self.clone().whole(name.clone(), op.clone()));
        self.list(name, &task.any());
        task
    }

    fn create_in(self: &Rc<Self>, group: &TaskGroup<Fail>, op: &Op) {
        let name = self.next_name();
        let task = group.create_task(self.clone().whole(name.clone(), op.clone()));
        self.list(name, &task.any());
    }

    /// What a wait for a task gave, when the waiter itself was not cancelled.
    fn alone(&self, outcome: Result<Done, TaskError>) -> Done {
        match outcome {
            Ok(done) => done,
            Err(error) if error.is_cancelled() => {
                self.log("child cancelled");
                Ok(())
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn run(world: &Rc<World>, op: &Op) -> Running {
    let world = world.clone();
    let op = op.clone();
    Box::pin(async move {
        let (kind, args) = op.list().split_first().expect("a kind");
        step(&world, kind.word(), args).await
    })
}

async fn step(world: &Rc<World>, kind: &str, args: &[Op]) -> Done {
    match kind {
        "sleep" => {
            let time = args[0].number();
            if time == 0.0 {
                yield_now().await;
            } else {
                sleep(time).await;
            }
            world.log(format!("slept {time}"));
        }
        "seq" => {
            for op in args {
                run(world, op).await?;
            }
        }
        "fail" => {
            world.log(format!("fails {}", args[0].word()));
            return Err(Fail::Error(args[0].word().into()));
        }
        "counter" => world.log(format!("cancelling {}", current().cancelling())),
        "cancel" => {
            let tasks = world.tasks.borrow();
            let task = tasks[args[0].number() as usize % tasks.len()].clone();
            drop(tasks);
            let asked = if task.cancel() { "True" } else { "False" };
            world.log(format!("cancels {} {asked}", task.name()));
        }
        "catch" => match catch_cancel(run(world, &args[0])).await {
            Ok(done) => return done,
            Err(cancelled) => {
                world.log("caught");
                run(world, &args[1]).await?;
                world.log("propagates");
                cancelled.propagate().await
            }
        },
        "swallow" => match catch_cancel(run(world, &args[0])).await {
            Ok(done) => return done,
            Err(_) => world.log(format!("swallows {}", current().uncancel())),
        },
        "finally" => return step_finally(world, args).await,
        "timeout" | "waitfor" => return step_timeout(world, kind, args).await,
        "await" => {
            world.alone(world.create(&args[0]).await)?;
            world.log("awaited");
        }
        "spawn" => drop(world.create(&args[0])),
        "shield" => {
            world.alone(shield(world.create(&args[0])).await)?;
            world.log("shielded");
        }
        "gather" => {
            let tasks: Vec<_> = args.iter().map(|op| world.create(op)).collect();
            match try_gather(tasks).await {
                Ok(_) => {}
                Err(Fail::Task(error)) => world.alone(Err(error))?,
                Err(fail) => return Err(fail),
            }
            world.log("gathered");
        }
        "wait" => {
            let tasks: Vec<_> = args[2..].iter().map(|op| world.create(op)).collect();
            let when = match args[1].word() {
                "first" => ReturnWhen::FirstCompleted,
                _ => ReturnWhen::AllCompleted,
            };
            let wait = wait(&tasks).timeout(seconds(args[0].number()));
            let (done, pending) = wait.return_when(when).await;
            world.log(format!("waited {} {}", done.len(), pending.len()));
        }
        "group" | "regroup" => return step_group(world, kind, args).await,
        other => panic!("{other}?"),
    }
    Ok(())
}

async fn step_finally(world: &Rc<World>, args: &[Op]) -> Done {
    let after = RefCell::new("cancel");
    let work = async {
        let done = run(world, &args[0]).await;
        *after.borrow_mut() = "value";
        done
    };
    let cleanup = async || {
        world.log(format!("cleanup after {}", after.borrow()));
        run(world, &args[1]).await.expect("clean-ups do not fail");
        world.log("cleaned up");
    };
    finally(work, cleanup).await
}

async fn step_timeout(world: &Rc<World>, kind: &str, args: &[Op]) -> Done {
    let (time, work) = (seconds(args[0].number()), run(world, &args[1]));
    let ended = if kind == "timeout" && time.is_zero() {
        CancelScope::with_timeout(time).run(work).await.ok()
    } else {
        timeout(time, work).await.ok()
    };
    match ended {
        Some(done) => {
            done?;
            world.log("in time");
        }
        None => world.log("timed out"),
    }
    Ok(())
}

async fn step_group(world: &Rc<World>, kind: &str, args: &[Op]) -> Done {
    let ended = task_group(async |group: TaskGroup<Fail>| {
        for op in &args[1..] {
            world.create_in(&group, op);
        }
        run(world, &args[0]).await
    });
    match ended.await {
        Ok(()) => world.log("group ok"),
        Err(error) if kind == "group" => {
            world.log(format!("group {}", show(&error)));
        }
        Err(error) => return Err(Fail::Error(show(&error))),
    }
    Ok(())
}

/// The log of a program in the form of the file.
fn play(program: &str) -> String {
    let test = TestLoop::new();
    let world: Rc<World> = Rc::default();
    let op = parse(program);
    let whole = world.clone().whole("0".into(), op);
    let main = test.scheduler.create_task(whole);
    world.list("0".into(), &main.any());
    drop(main);
    while test.scheduler.task_count() > 0 && test.turn() {}
    let waiting = test.scheduler.all_tasks();
    assert!(waiting.is_empty(), "waits for ever: {waiting:?}\n{program}");
    test.settle();
    let mut log = String::new();
    for (name, events) in &*world.logs.borrow() {
        for (time, event) in events {
            writeln!(log, "  {name} {time} {event}").expect("a string takes all");
        }
    }
    log
}

/// Programs with what they are to log.
fn programs(file: &str) -> Vec<(&str, String)> {
    let mut programs: Vec<(&str, String)> = Vec::new();
    for line in file.lines().filter(|line| !line.is_empty()) {
        match programs.last_mut() {
            Some((_, log)) if line.starts_with(' ') => {
                log.push_str(line);
                log.push('\n');
            }
            _ => programs.push((line, String::new())),
        }
    }
    programs
}

#[test]
fn random_programs_log_task_by_task_what_they_log_under_asyncio() {
    let file = match std::env::var("CORIO_ASYNCIO_PROGRAMS") {
        Ok(path) => std::fs::read_to_string(path).expect("a file of programs"),
        Err(_) => include_str!("asyncio/programs.txt").to_owned(),
    };
    let programs = programs(&file);
    let played = programs.len();
    let mut different = Vec::new();
    for (program, expected) in programs {
        let logged = play(program);
        if logged != expected {
            different.push((program, expected, logged));
        }
    }
    different.sort_by_key(|(program, ..)| program.len());
    if let Some((program, expected, logged)) = different.first() {
        panic!(
            "{} of {played} programs differ. The shortest:\n{program}\nasyncio:\n{expected}\nhere:\n{logged}",
            different.len()
        );
    }
    assert!(played >= 100);
}

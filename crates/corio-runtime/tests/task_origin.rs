//! A task names the line of the program that created it and the future that it was made of, in whichever way it was created.

use corio_runtime::{
    EventLoop, Runner, all_tasks, create_task, current_task, get_running_loop, run, yield_now,
};

#[test]
fn create_task_names_the_line_of_its_caller() {
    run(async {
        let task = create_task(async {});
        assert_eq!(task.site().file(), file!());
        assert_eq!(task.site().line(), line!() - 2);
    });
}

#[test]
fn a_task_made_before_the_loop_runs_names_the_line_of_its_caller() {
    let event_loop = EventLoop::new().unwrap();
    let task = event_loop.create_task(async {});
    assert_eq!(task.site().file(), file!());
    assert_eq!(task.site().line(), line!() - 2);
}

#[test]
fn create_task_without_a_loop_panics_at_the_line_of_its_caller() {
    let (send, receive) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("loopless".into());
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let location = info.location().map(|location| location.file().to_owned());
        if std::thread::current().name() == Some("loopless") {
            send.send(location).unwrap();
        } else {
            hook(info);
        }
    }));
    let made = thread.spawn(|| drop(create_task(async {}))).unwrap().join();
    assert!(made.is_err());
    assert_eq!(receive.recv().unwrap().as_deref(), Some(file!()));
}

#[test]
fn the_main_task_is_named_after_the_future_of_the_program() {
    async fn serve() -> String {
        let main = current_task().unwrap();
        main.type_name().to_owned()
    }
    assert!(run(serve()).ends_with("::serve"));
    let mut runner = Runner::builder().sigint(false).build().unwrap();
    let name = runner.run(serve()).unwrap();
    assert!(name.ends_with("::serve"), "{name}");
}

/// A task that is asked for from elsewhere is one task, as any other.
#[test]
fn a_remote_task_names_the_line_and_the_future_of_its_caller() {
    async fn work() -> Vec<(String, String, u32)> {
        yield_now().await;
        let tasks = all_tasks().into_iter().skip(1);
        tasks
            .map(|task| (task.name(), task.type_name().to_owned(), task.site().line()))
            .collect()
    }
    let seen = run(async {
        let remote = get_running_loop().remote();
        remote.create_task(work).await.unwrap()
    });
    assert_eq!(seen.len(), 1, "{seen:?}");
    let (name, future, line) = &seen[0];
    assert_eq!((name.as_str(), *line), ("Task-2", line!() - 4));
    assert!(future.ends_with("::work"), "{future}");
}

//! A task names the line of the program that created it, whichever of the two ways it was created in.

use corio_runtime::{EventLoop, create_task, run};

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

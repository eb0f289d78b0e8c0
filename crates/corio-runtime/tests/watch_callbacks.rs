//! add_reader and add_writer: called as long as the handle is ready, once per turn, until they are taken back.
#![cfg(unix)]

mod support;

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use corio_runtime::{EventLoop, context, get_running_loop, yield_now};
use support::{collect_reports, raise, run};

context! {
    static VARIABLE: u32 = 0;
}

fn pair() -> (UnixStream, UnixStream) {
    let (one, two) = UnixStream::pair().unwrap();
    one.set_nonblocking(true).unwrap();
    two.set_nonblocking(true).unwrap();
    (one, two)
}

/// Lets so many turns go by.
async fn turns(count: usize) {
    for _ in 0..count {
        yield_now().await;
    }
}

/// A callback that counts its calls.
fn counter() -> (Rc<Cell<usize>>, impl FnMut() + 'static) {
    let count = Rc::new(Cell::new(0));
    let calls = count.clone();
    (count, move || calls.set(calls.get() + 1))
}

#[test]
fn a_reader_is_called_in_every_turn_while_there_is_data() {
    run(async {
        let event_loop = get_running_loop();
        let (receiver, mut sender) = pair();
        let (calls, callback) = counter();
        event_loop.add_reader(&receiver, callback).unwrap();
        turns(10).await;
        assert_eq!(calls.get(), 0, "there is nothing to read");
        sender.write_all(b"abc").unwrap();
        while calls.get() == 0 {
            turns(1).await;
        }
        calls.set(0);
        turns(10).await;
        assert_eq!(calls.get(), 10, "once per turn, as it does not read");
        (&receiver).read_exact(&mut [0; 3]).unwrap();
        calls.set(0);
        turns(10).await;
        assert_eq!(calls.get(), 0);
        sender.write_all(b"d").unwrap();
        while calls.get() == 0 {
            turns(1).await;
        }
        assert!(event_loop.remove_reader(&receiver));
        calls.set(0);
        turns(10).await;
        assert_eq!(calls.get(), 0);
        assert!(!event_loop.remove_reader(&receiver));
    });
}

#[test]
fn data_that_was_there_before_is_found() {
    let event_loop = EventLoop::new().unwrap();
    let (mut receiver, mut sender) = pair();
    sender.write_all(b"early").unwrap();
    let said = Rc::new(RefCell::new(Vec::new()));
    event_loop
        .add_reader(receiver.try_clone().unwrap(), {
            let said = said.clone();
            move || {
                let mut buffer = [0; 2];
                match receiver.read(&mut buffer) {
                    Ok(0) => get_running_loop().stop(),
                    Ok(length) => said.borrow_mut().push(buffer[..length].to_vec()),
                    Err(error) => panic!("{error}"),
                }
            }
        })
        .unwrap();
    drop(sender);
    event_loop.run_forever().unwrap();
    assert_eq!(said.take(), [b"ea".to_vec(), b"rl".to_vec(), b"y".to_vec()]);
}

#[test]
fn a_sleeping_loop_is_woken_for_a_reader() {
    let event_loop = EventLoop::new().unwrap();
    let (mut receiver, sender) = pair();
    let sum = Rc::new(Cell::new(0_usize));
    event_loop
        .add_reader(receiver.try_clone().unwrap(), {
            let sum = sum.clone();
            move || {
                let mut buffer = [0; 16];
                match receiver.read(&mut buffer) {
                    Ok(0) => get_running_loop().stop(),
                    Ok(length) => sum.set(sum.get() + length),
                    Err(error) => panic!("{error}"),
                }
            }
        })
        .unwrap();
    let writer = thread::spawn(move || {
        let mut sender = sender;
        for _ in 0..200 {
            sender.write_all(b"x").unwrap();
            thread::yield_now();
        }
    });
    event_loop.run_forever().unwrap();
    writer.join().unwrap();
    assert_eq!(sum.get(), 200);
}

#[test]
fn a_writer_is_called_while_there_is_room_and_again_when_there_is() {
    run(async {
        let event_loop = get_running_loop();
        let (mut receiver, sender) = pair();
        let (calls, callback) = counter();
        event_loop.add_writer(&sender, callback).unwrap();
        turns(10).await;
        assert_eq!(calls.get(), 10);
        let mut sent = 0;
        loop {
            match (&sender).write(&[0; 4096]) {
                Ok(length) => sent += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        calls.set(0);
        turns(10).await;
        assert_eq!(calls.get(), 0, "it is full");
        let mut received = 0;
        let mut buffer = vec![0; 1 << 16];
        while received < sent {
            received += receiver.read(&mut buffer).unwrap();
        }
        while calls.get() == 0 {
            turns(1).await;
        }
        assert!(event_loop.remove_writer(&sender));
    });
}

#[test]
fn the_two_directions_are_apart() {
    run(async {
        let event_loop = get_running_loop();
        let (one, _two) = pair();
        let (reads, reader) = counter();
        let (writes, writer) = counter();
        event_loop.add_reader(&one, reader).unwrap();
        event_loop.add_writer(&one, writer).unwrap();
        turns(5).await;
        assert_eq!((reads.get(), writes.get()), (0, 5));
        assert!(event_loop.remove_writer(&one));
        assert!(!event_loop.remove_writer(&one));
        turns(5).await;
        assert_eq!(writes.get(), 5);
        assert!(event_loop.remove_reader(&one));
    });
}

#[test]
fn a_new_callback_takes_the_place_of_the_old_one() {
    run(async {
        let event_loop = get_running_loop();
        let (one, _two) = pair();
        let (first, callback) = counter();
        let kept = Rc::new(());
        let held = kept.clone();
        let mut callback = callback;
        event_loop
            .add_writer(&one, move || {
                let _held = &held;
                callback();
            })
            .unwrap();
        turns(3).await;
        let (second, callback) = counter();
        event_loop.add_writer(&one, callback).unwrap();
        assert_eq!(Rc::strong_count(&kept), 1, "the old one is dropped at once");
        turns(3).await;
        assert_eq!((first.get(), second.get()), (3, 3));
        assert!(event_loop.remove_writer(&one));
        assert!(!event_loop.remove_writer(&one));
    });
}

#[test]
fn a_callback_may_take_itself_back_replace_itself_and_close_its_handle() {
    run(async {
        let event_loop = get_running_loop();
        let (one, _two) = pair();
        let one = Rc::new(one);
        let calls = Rc::new(RefCell::new(Vec::new()));
        event_loop
            .add_writer(&*one, {
                let (handle, calls) = (one.clone(), calls.clone());
                move || {
                    calls.borrow_mut().push("first");
                    let event_loop = get_running_loop();
                    let (again, more) = (handle.clone(), calls.clone());
                    let next = move || {
                        more.borrow_mut().push("second");
                        assert!(get_running_loop().remove_writer(&*again));
                    };
                    event_loop.add_writer(&*handle, next).unwrap();
                }
            })
            .unwrap();
        turns(5).await;
        assert_eq!(calls.take(), ["first", "second"]);
        assert_eq!(Rc::strong_count(&one), 1, "both callbacks are gone");
    });
}

#[test]
fn a_panic_is_reported_and_the_callback_stays() {
    run(async {
        let event_loop = get_running_loop();
        let reports = collect_reports(&event_loop);
        let (one, _two) = pair();
        let calls = Rc::new(Cell::new(0));
        let counted = calls.clone();
        let line = line!() + 2;
        event_loop
            .add_writer(&one, move || {
                counted.set(counted.get() + 1);
                raise("in the writer")
            })
            .unwrap();
        turns(3).await;
        assert_eq!(calls.get(), 3);
        let reports = reports.take();
        assert_eq!(reports.len(), 3);
        assert!(
            reports[0].starts_with("exception in callback, created at "),
            "{reports:?}"
        );
        assert!(
            reports[0].ends_with(&format!("watch_callbacks.rs:{line}: in the writer")),
            "{reports:?}"
        );
        assert!(event_loop.remove_writer(&one));
    });
}

#[test]
fn a_callback_has_the_context_of_its_registration_and_keeps_what_it_sets() {
    run(async {
        let event_loop = get_running_loop();
        let (one, _two) = pair();
        let seen = Rc::new(RefCell::new(Vec::new()));
        VARIABLE.set(10);
        event_loop
            .add_writer(&one, {
                let seen = seen.clone();
                move || {
                    seen.borrow_mut().push(VARIABLE.get());
                    VARIABLE.set(VARIABLE.get() + 1);
                }
            })
            .unwrap();
        VARIABLE.set(99);
        turns(3).await;
        assert_eq!(seen.take(), [10, 11, 12]);
        assert_eq!(VARIABLE.get(), 99);
        assert!(event_loop.remove_writer(&one));
    });
}

/// The loop has a duplicate: a handle that is closed without a word harms nobody, and its number may be used again.
#[test]
fn a_handle_may_be_closed_and_its_number_used_again() {
    run(async {
        let event_loop = get_running_loop();
        let (one, mut two) = pair();
        let (old, callback) = counter();
        event_loop.add_reader(&one, callback).unwrap();
        let (other, mut sender) = pair();
        // Closes what the number stood for, and makes it stand for the other pair.
        let mut again = OwnedFd::from(one);
        rustix::io::dup2(&other, &mut again).unwrap();
        let (new, callback) = counter();
        event_loop.add_reader(&again, callback).unwrap();
        sender.write_all(b"x").unwrap();
        // Whether anybody is left to hear it is not the point here.
        let _ = two.write_all(b"x");
        while new.get() == 0 {
            turns(1).await;
        }
        assert_eq!(old.get(), 0);
        assert!(event_loop.remove_reader(&again));
    });
}

#[test]
fn regular_files_and_directories_are_refused() {
    let event_loop = EventLoop::new().unwrap();
    let path = std::env::current_exe().unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let directory = std::fs::File::open(path.parent().unwrap()).unwrap();
    for handle in [file, directory] {
        let error = event_loop.add_reader(&handle, || ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("cannot be watched"), "{error}");
        assert!(!event_loop.remove_reader(&handle));
    }
}

#[test]
fn a_closed_loop_takes_no_callback_and_has_dropped_all() {
    let event_loop = EventLoop::new().unwrap();
    let (one, _two) = pair();
    let kept = Rc::new(());
    let held = kept.clone();
    event_loop
        .add_writer(&one, move || drop(held.clone()))
        .unwrap();
    event_loop.close();
    assert_eq!(Rc::strong_count(&kept), 1);
    assert!(!event_loop.remove_writer(&one));
    let error = event_loop.add_writer(&one, || ()).unwrap_err();
    assert_eq!(error.to_string(), "the event loop is closed");
    assert_eq!(Rc::strong_count(&kept), 1);
}

/// Who destroys everything at once: callbacks that hold the loop and each other's handles.
#[test]
fn destructors_of_callbacks_may_call_the_loop() {
    struct Calls(EventLoop, UnixStream);
    impl Drop for Calls {
        fn drop(&mut self) {
            self.0.remove_reader(&self.1);
            assert!(self.0.add_reader(&self.1, || ()).is_err());
        }
    }
    let event_loop = EventLoop::new().unwrap();
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (one, two) = pair();
        let calls = Calls(event_loop.clone(), one.try_clone().unwrap());
        let callback = move || drop(calls.0.name());
        event_loop.add_reader(&one, callback).unwrap();
        ends.push((one, two));
    }
    event_loop.close();
}

#[test]
fn the_end_of_the_other_side_is_something_to_read() {
    let event_loop = EventLoop::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    event_loop
        .add_reader(&client, || get_running_loop().stop())
        .unwrap();
    event_loop.call_later(Duration::from_millis(1), move || drop(server));
    event_loop.run_forever().unwrap();
    assert!(event_loop.remove_reader(&client));
}

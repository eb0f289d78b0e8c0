//! A resolver that hangs holds up nobody: not the loop, not other look-ups, not the end.

mod support;

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::Duration;

use corio_combinators::timeout;
use corio_net::{Lookup, TcpListener, TcpStream, resolve};
use corio_runtime::{Runner, create_task, sleep};
use support::LIMIT;

/// A look-up that hangs until it is let go.
struct Hanging {
    begun: Receiver<()>,
    let_go: Sender<()>,
    /// By the test, or because it was held up for so long that the look-up gave up.
    was_let_go: Receiver<bool>,
}

impl Hanging {
    fn new() -> (Lookup, Hanging) {
        let (begin, begun) = mpsc::channel();
        let (let_go, wait) = mpsc::channel::<()>();
        let (say, was_let_go) = mpsc::channel();
        let lookup = Lookup::blocking(move || {
            begin.send(()).unwrap();
            let outcome = wait.recv_timeout(LIMIT);
            say.send(outcome != Err(RecvTimeoutError::Timeout)).ok();
            Err(io::ErrorKind::TimedOut.into())
        });
        let hanging = Hanging {
            begun,
            let_go,
            was_let_go,
        };
        (lookup, hanging)
    }

    async fn has_begun(&self) {
        while let Err(error) = self.begun.try_recv() {
            assert_eq!(error, TryRecvError::Empty, "it never began");
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets it go, after what was not to wait for it.
    fn has_held_up_nobody(self) {
        drop(self.let_go);
        assert_eq!(self.was_let_go.recv(), Ok(true), "something has waited");
    }
}

/// A run whose end waits for ever for what it waits for.
fn run_patiently(test: impl Future<Output = io::Result<()>>) {
    let mut runner = Runner::builder().grace(Duration::MAX).build().unwrap();
    runner.run(test).unwrap().unwrap();
    let report = runner.close();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn it_holds_up_neither_a_timeout_nor_the_end() {
    let (lookup, hanging) = Hanging::new();
    run_patiently(async {
        let connect = create_task(TcpStream::connect(lookup));
        hanging.has_begun().await;
        let limited = timeout(Duration::from_millis(10), connect).await;
        assert!(limited.is_err());
        Ok(())
    });
    hanging.has_held_up_nobody();
}

#[test]
fn the_end_does_not_wait_for_a_task_in_a_look_up() {
    let (lookup, hanging) = Hanging::new();
    run_patiently(async {
        create_task(lookup);
        hanging.has_begun().await;
        Ok(())
    });
    hanging.has_held_up_nobody();
}

#[test]
fn it_holds_up_no_other_look_up() {
    let (lookup, hanging) = Hanging::new();
    run_patiently(async {
        let waiting = create_task(lookup);
        hanging.has_begun().await;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        TcpStream::connect(Lookup::blocking(move || Ok(vec![addr]))).await?;
        let system = resolve("localhost", 80).await?;
        assert!(!system.is_empty() && !waiting.done());
        hanging.has_held_up_nobody();
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        Ok(())
    });
}

#[test]
fn its_addresses_are_used_and_its_errors_told() {
    run_patiently(async {
        let none = Lookup::blocking(|| Ok(Vec::new())).await;
        assert_eq!(none.unwrap_err().kind(), io::ErrorKind::NotFound);
        let refused = Lookup::blocking(|| Err(io::ErrorKind::PermissionDenied.into())).await;
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        let panics = Lookup::blocking(|| panic!("no resolver here")).await;
        assert!(panics.unwrap_err().to_string().contains("did not end"));
        Ok(())
    });
}

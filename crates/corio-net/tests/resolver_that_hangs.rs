//! A resolver that hangs holds up nobody: not the loop, not other look-ups, not the end.

mod support;

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use corio_combinators::timeout;
use corio_net::{Lookup, TcpListener, TcpStream, resolve};
use corio_runtime::{Runner, create_task};
use support::LIMIT;

/// Hangs until it is let go. Then it says whether the test did that, or the test was held up for so long that it gave up.
fn hanging() -> (Lookup, Sender<()>, mpsc::Receiver<bool>) {
    let (let_go, wait) = mpsc::channel();
    let (say, was_let_go) = mpsc::channel();
    let lookup = Lookup::blocking(move || {
        let outcome = wait.recv_timeout(LIMIT);
        say.send(outcome != Err(RecvTimeoutError::Timeout)).ok();
        Err(io::ErrorKind::TimedOut.into())
    });
    (lookup, let_go, was_let_go)
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
    let (lookup, let_go, was_let_go) = hanging();
    run_patiently(async {
        let connect = timeout(Duration::from_millis(10), TcpStream::connect(lookup));
        assert!(connect.await.is_err());
        Ok(())
    });
    drop(let_go);
    assert_eq!(was_let_go.recv(), Ok(true), "the end has waited");
}

#[test]
fn the_end_does_not_wait_for_a_task_in_a_look_up() {
    let (lookup, let_go, was_let_go) = hanging();
    run_patiently(async {
        create_task(lookup);
        // It has begun before this one answers.
        let others = resolve("localhost", 80).await?;
        assert!(!others.is_empty());
        Ok(())
    });
    drop(let_go);
    assert_eq!(was_let_go.recv(), Ok(true), "the end has waited");
}

#[test]
fn it_holds_up_no_other_look_up() {
    let (lookup, let_go, was_let_go) = hanging();
    run_patiently(async {
        let hanging = create_task(lookup);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr: SocketAddr = listener.local_addr()?;
        TcpStream::connect(Lookup::blocking(move || Ok(vec![addr]))).await?;
        assert!(!hanging.done());
        drop(let_go);
        assert_eq!(
            hanging.await.unwrap().unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        Ok(())
    });
    assert_eq!(was_let_go.recv(), Ok(true));
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

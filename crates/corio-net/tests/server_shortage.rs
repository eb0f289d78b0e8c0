//! R097 and R098: whatever `accept` fails with, a server goes on, and does not spin.

mod support;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use corio_net::{Acceptor, ServeOptions};
use corio_runtime::{Runner, get_running_loop, run_built, sleep};

type Script = Rc<RefCell<VecDeque<io::Result<u32>>>>;

/// Accepts what a script says, and then nothing more.
struct Scripted(Script);

impl Acceptor for Scripted {
    type Connection = u32;
    type Peer = &'static str;

    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<io::Result<(u32, &'static str)>> {
        match self.0.borrow_mut().pop_front() {
            Some(result) => Poll::Ready(result.map(|number| (number, "somebody"))),
            None => Poll::Pending,
        }
    }
}

/// Serves a script on a virtual clock: what was accepted and when, in milliseconds, and what was reported.
fn serve_script(script: Vec<io::Result<u32>>) -> (Vec<(u32, u128)>, Vec<String>) {
    run_built(Runner::builder().virtual_clock(), async {
        let event_loop = get_running_loop();
        let start = event_loop.time();
        let reports = Rc::new(RefCell::new(Vec::new()));
        let log = reports.clone();
        event_loop.set_exception_handler(move |report| log.borrow_mut().push(report.to_string()));
        let script = Rc::new(RefCell::new(VecDeque::from(script)));
        let accepted = Rc::new(RefCell::new(Vec::new()));
        let seen = accepted.clone();
        let options = ServeOptions::new().named("test");
        let server = options.serve(Scripted(script.clone()), async move |number, _| {
            let time = get_running_loop().time().duration_since(start);
            seen.borrow_mut().push((number, time.as_millis()));
        });
        sleep(Duration::from_secs(60)).await;
        assert!(script.borrow().is_empty() && server.is_serving());
        server.close();
        server.wait_closed().await;
        (accepted.take(), reports.take())
    })
}

#[cfg(unix)]
fn errno(errno: rustix::io::Errno) -> io::Result<u32> {
    Err(io::Error::from_raw_os_error(errno.raw_os_error()))
}

#[test]
#[cfg(unix)]
fn r097_without_descriptors_the_server_pauses_for_a_second_and_says_so_once() {
    use rustix::io::Errno;

    for shortage in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
        let script = vec![
            Ok(1),
            errno(shortage),
            errno(shortage),
            Ok(2),
            errno(shortage),
            Ok(3),
        ];
        let (accepted, reports) = serve_script(script);
        assert_eq!(accepted, [(1, 0), (2, 2000), (3, 3000)]);
        assert_eq!(reports.len(), 2, "{reports:?}");
        assert!(
            reports[0].starts_with("test cannot accept connections"),
            "{reports:?}"
        );
    }
}

#[test]
#[cfg(unix)]
fn r098_what_concerns_one_connection_stops_nobody() {
    use rustix::io::Errno;

    let errors = [
        Errno::CONNABORTED,
        Errno::PROTO,
        Errno::INTR,
        Errno::CONNRESET,
        Errno::NETDOWN,
        Errno::NETUNREACH,
        Errno::HOSTUNREACH,
        Errno::HOSTDOWN,
        Errno::NOPROTOOPT,
    ];
    let mut script: Vec<_> = errors.into_iter().map(errno).collect();
    script.push(Ok(1));
    let (accepted, reports) = serve_script(script);
    assert_eq!(accepted, [(1, 0)]);
    assert!(reports.is_empty(), "{reports:?}");
}

#[test]
fn an_error_that_lasts_does_not_spin() {
    let script = (0..10)
        .map(|_| Err(io::Error::other("broken")))
        .chain([Ok(1)]);
    let (accepted, reports) = serve_script(script.collect());
    assert_eq!(accepted, [(1, 10_000)]);
    assert_eq!(reports.len(), 1);
}

#[test]
fn a_flood_of_connections_leaves_others_their_turns() {
    let turns = Rc::new(RefCell::new(0));
    let (accepted, _) = {
        let turns = turns.clone();
        run_built(Runner::builder().virtual_clock(), async move {
            let script: VecDeque<_> = (0..1000).map(Ok).collect();
            let script = Rc::new(RefCell::new(script));
            let of_handler = Rc::new(RefCell::new(0));
            let count = of_handler.clone();
            let server = ServeOptions::new().serve(Scripted(script.clone()), async move |_, _| {
                *count.borrow_mut() += 1;
            });
            while !script.borrow().is_empty() {
                corio_runtime::yield_now().await;
                *turns.borrow_mut() += 1;
            }
            server.close();
            server.wait_closed().await;
            (of_handler.take(), ())
        })
    };
    assert_eq!(accepted, 1000);
    assert!(*turns.borrow() >= 1000 / 32, "{turns:?}");
}

/// Descriptors run out for real, in a process of its own, and come back.
#[test]
#[cfg(target_os = "linux")]
fn r097_a_server_survives_a_real_shortage_of_descriptors() {
    use corio_net::{TcpStream, start_server};
    use rustix::process::{Resource, Rlimit, setrlimit};

    const IN_CHILD: &str = "CORIO_TEST_SHORTAGE";
    if std::env::var_os(IN_CHILD).is_none() {
        let me = std::env::current_exe().unwrap();
        let name = "r097_a_server_survives_a_real_shortage_of_descriptors";
        let child = std::process::Command::new(me)
            .args([name, "--exact", "--nocapture"])
            .env(IN_CHILD, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{child:?}"
        );
        return;
    }
    support::run(async {
        let reports = Rc::new(RefCell::new(Vec::new()));
        let log = reports.clone();
        get_running_loop().set_exception_handler(move |report| {
            log.borrow_mut().push(report.to_string());
        });
        let server = start_server(async |_, writer| writer.write(b"x"), "127.0.0.1:0")
            .retry_delay(Duration::from_millis(2))
            .await?;
        let addr = server.local_addrs()[0];
        let before = Rlimit {
            current: Some(64),
            maximum: Some(64),
        };
        setrlimit(Resource::Nofile, before)?;
        // One descriptor is left for the client, and none for the server.
        let spare = std::fs::File::open("/dev/null")?;
        let mut hoard = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            hoard.push(file);
        }
        drop(spare);
        let client = TcpStream::connect(addr).await?;
        while reports.borrow().is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
        assert!(reports.borrow()[0].contains("cannot accept"), "{reports:?}");
        drop(hoard);
        assert_eq!(client.read(&mut [0; 8]).await?, 1);
        assert_eq!(reports.borrow().len(), 1, "{reports:?}");
        Ok(())
    });
}

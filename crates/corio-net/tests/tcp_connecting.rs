//! Connecting: to one address, to several, by name, with options.

mod support;

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

#[cfg(target_os = "linux")]
use corio_combinators::timeout;
use corio_net::{
    BindOptions, ConnectErrors, Lookup, TcpConnector, TcpListener, TcpStream, ToSocketAddrs,
    resolve,
};
#[cfg(target_os = "linux")]
use support::reactor;
use support::{Reserved, run};

/// An address that does not answer: the backlog of its listener is full. Keep what it returns.
#[cfg(target_os = "linux")]
fn silent() -> (SocketAddr, impl Sized) {
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let addr = listener.local_addr().unwrap().as_socket().unwrap();
    // There is one place more than asked for.
    let filler = std::net::TcpStream::connect(addr).unwrap();
    while waiting_to_be_accepted(addr) == 0 {
        std::thread::yield_now();
    }
    (addr, (listener, filler))
}

/// How many connections wait at a listener, by the system's table: there it is the length of what was received. A table that changes
/// while it is read may have left the listener out.
#[cfg(target_os = "linux")]
fn waiting_to_be_accepted(addr: SocketAddr) -> u64 {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let fields = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let port = format!(":{:04X}", addr.port());
    // Number, local address, address of the peer, state, lengths of what is sent and received.
    let mut listeners = fields.filter(|fields| fields[1].ends_with(&port) && fields[3] == "0A");
    listeners.next().map_or(0, |listener| {
        let (_, received) = listener[4].split_once(':').unwrap();
        u64::from_str_radix(received, 16).unwrap()
    })
}

#[test]
fn a_refused_connection_is_the_error_of_the_system() {
    run(async {
        let error = TcpStream::connect(Reserved::new().addr).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(error.raw_os_error().is_some(), "{error:?}");
        Ok(())
    });
}

#[test]
fn an_address_that_fails_gives_way_to_the_next() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let live = listener.local_addr()?;
        let stream = TcpStream::connect([Reserved::new().addr, Reserved::new().addr, live]).await?;
        assert_eq!(stream.peer_addr()?, live);
        // And without attempts beside each other.
        let one_by_one = TcpConnector::new().happy_eyeballs_delay(None);
        let stream = one_by_one.connect([Reserved::new().addr, live]).await?;
        assert_eq!(stream.peer_addr()?, live);
        Ok(())
    });
}

#[test]
fn several_failures_are_all_in_the_error() {
    run(async {
        let nobody = [Reserved::new(), Reserved::new()];
        let addresses = nobody.each_ref().map(|nobody| nobody.addr);
        let error = TcpStream::connect(addresses).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let all = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<ConnectErrors>())
            .expect("several");
        assert_eq!(
            all.iter().map(|(addr, _)| *addr).collect::<Vec<_>>(),
            addresses
        );
        let text = error.to_string();
        assert!(
            addresses
                .iter()
                .all(|addr| text.contains(&addr.to_string()))
        );
        assert!(all.source().is_some());
        Ok(())
    });
}

/// Who gave a name does not know which address that was.
#[test]
fn the_failure_of_the_only_address_of_a_name_says_which_it_was() {
    run(async {
        let nobody = Reserved::new();
        let addr = nobody.addr;
        let name = Lookup::blocking(move || Ok(vec![addr]));
        let error = TcpStream::connect(name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let all = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<ConnectErrors>())
            .expect("what became of the address");
        let (tried, of_system) = all.iter().next().expect("one");
        assert_eq!(*tried, addr);
        assert!(of_system.raw_os_error().is_some(), "{of_system:?}");
        let text = format!("no address answered: {addr}: {of_system}");
        assert_eq!(error.to_string(), text);
        Ok(())
    });
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_does_not_answer_is_overtaken_and_its_attempt_given_up() {
    let (dead, _keep) = silent();
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let live = listener.local_addr()?;
        let hurried = TcpConnector::new().happy_eyeballs_delay(Some(Duration::from_millis(5)));
        let stream = hurried.connect([dead, live]).await?;
        assert_eq!(stream.peer_addr()?, live);
        // What is left are the listener, if it waits, and the stream.
        assert!(reactor().contains("waiting: 0"), "{}", reactor());

        // Without a second attempt beside it the first is waited for.
        let patient = TcpConnector::new().happy_eyeballs_delay(None);
        let waited = timeout(Duration::from_millis(20), patient.connect([dead, live])).await;
        assert!(waited.is_err(), "{waited:?}");
        assert!(reactor().contains("waiting: 0"), "{}", reactor());
        Ok(())
    });
}

/// An attempt that fails before it is under way has no head start, and takes away none.
#[cfg(target_os = "linux")]
#[test]
fn an_address_that_fails_at_once_beside_a_silent_one_does_not_stop_the_race() {
    let (dead, _keep) = silent();
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let live = listener.local_addr()?;
        let of_four = TcpConnector::new()
            .happy_eyeballs_delay(Some(Duration::from_millis(5)))
            .local_addr(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let at_once = "[::1]:9".parse().unwrap();
        let stream = of_four.connect([dead, at_once, live]).await?;
        assert_eq!(stream.peer_addr()?, live);
        Ok(())
    });
}

#[test]
fn no_address_at_all_is_an_error() {
    run(async {
        let error = TcpStream::connect(Lookup::known([])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = TcpListener::bind(Lookup::known([])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        Ok(())
    });
}

#[test]
fn options_are_set_before_the_connection() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let stream = TcpConnector::new()
            .local_addr(local)
            .nodelay(false)
            .reuse_address(true)
            .keepalive(Some(Duration::from_secs(77)))
            .receive_buffer_size(1 << 16)
            .send_buffer_size(1 << 16)
            .connect(addr)
            .await?;
        assert!(!stream.nodelay()?);
        assert!(stream.keepalive()?);
        let socket = socket2::SockRef::from(&stream);
        assert!(socket.recv_buffer_size()? >= 1 << 16);
        assert!(socket.send_buffer_size()? >= 1 << 16);

        let wrong = TcpConnector::new().local_addr("[::1]:0".parse().unwrap());
        let error = wrong.connect(addr).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
        Ok(())
    });
}

#[test]
fn an_address_in_use_is_refused_and_shared_only_on_request() {
    run(async {
        let first = TcpListener::bind("127.0.0.1:0").await?;
        let addr = first.local_addr()?;
        let error = TcpListener::bind(addr).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        if cfg!(target_os = "linux") {
            let shared = BindOptions::new().reuse_port(true);
            let first = TcpListener::bind_with("127.0.0.1:0", &shared).await?;
            let second = TcpListener::bind_with(first.local_addr()?, &shared).await?;
            assert_eq!(first.local_addr()?, second.local_addr()?);
        }
        Ok(())
    });
}

#[test]
fn of_several_addresses_the_first_free_one_is_bound() {
    run(async {
        let taken = TcpListener::bind("127.0.0.1:0").await?;
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let second = TcpListener::bind([taken.local_addr()?, any]).await?;
        assert_ne!(second.local_addr()?, taken.local_addr()?);
        Ok(())
    });
}

#[test]
fn a_listener_may_be_bound_again_while_its_connections_are_in_their_last_phase() {
    run(async {
        for tries_left in (0..10).rev() {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let addr = listener.local_addr()?;
            let client = TcpStream::connect(addr).await?;
            let (server, _) = listener.accept().await?;
            // The end that closes first keeps the address for a while.
            drop(server);
            assert_eq!(client.read(&mut [0; 8]).await?, 0);
            drop((client, listener));
            match TcpListener::bind(addr).await {
                // Somebody else may just have been given this port.
                Err(error) if error.kind() == ErrorKind::AddrInUse && tries_left > 0 => {}
                again => {
                    again?;
                    break;
                }
            }
        }
        Ok(())
    });
}

#[test]
fn all_forms_of_addresses_are_understood() {
    let digits: SocketAddr = "127.0.0.1:7".parse().unwrap();
    let six: SocketAddr = "[::1]:7".parse().unwrap();
    let SocketAddr::V4(four) = digits else {
        unreachable!()
    };
    run(async move {
        assert_eq!("127.0.0.1:7".lookup().await?, [digits]);
        assert_eq!(String::from("[::1]:7").lookup().await?, [six]);
        assert_eq!((&String::from("[::1]:7")).lookup().await?, [six]);
        assert_eq!(("127.0.0.1", 7).lookup().await?, [digits]);
        assert_eq!(("::1".to_owned(), 7).lookup().await?, [six]);
        assert_eq!(("[::1]", 7).lookup().await?, [six]);
        assert_eq!((digits.ip(), 7).lookup().await?, [digits]);
        assert_eq!((Ipv4Addr::LOCALHOST, 7).lookup().await?, [digits]);
        assert_eq!(four.lookup().await?, [digits]);
        assert_eq!((&digits).lookup().await?, [digits]);
        assert_eq!([digits, six].lookup().await?, [digits, six]);
        assert_eq!((&[digits, six]).lookup().await?, [digits, six]);
        assert_eq!((&[digits, six][..]).lookup().await?, [digits, six]);
        assert_eq!(vec![six, digits].lookup().await?, [six, digits]);
        Ok(())
    });
}

#[test]
fn names_are_looked_up_and_what_is_no_address_says_so() {
    run(async {
        let found = resolve("localhost", 80).await?;
        assert!(
            found
                .iter()
                .all(|addr| addr.ip().is_loopback() && addr.port() == 80)
        );
        let listener = TcpListener::bind("localhost:0").await?;
        let stream = TcpStream::connect(("localhost", listener.local_addr()?.port())).await?;
        assert!(stream.peer_addr()?.ip().is_loopback());

        for nonsense in [
            "",
            "localhost",
            "localhost:",
            ":x",
            "localhost:65536",
            "a:b:c",
        ] {
            let error = TcpStream::connect(nonsense).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{nonsense:?}");
            assert!(error.to_string().contains("host:port"), "{error}");
        }
        Ok(())
    });
}

#[test]
fn a_look_up_that_is_given_up_leaves_nobody_waiting() {
    run(async {
        let mut lookup = resolve("localhost", 1);
        let _ = futures_lite::future::poll_once(&mut lookup).await;
        drop(lookup);
        io::Result::Ok(())
    });
}

/// The system may give a connection to a free port the very port that it goes to.
#[cfg(target_os = "linux")]
#[test]
fn nobody_connects_to_itself() {
    run(async {
        let port = Reserved::new();
        let connector = TcpConnector::new()
            .local_addr(port.addr)
            .reuse_address(true);
        let error = connector.connect(port.addr).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        Ok(())
    });
}

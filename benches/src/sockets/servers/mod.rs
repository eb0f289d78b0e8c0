//! The contenders.
//!
//! Each serves a listener for ever, in the way in which its users would write it: a task for every connection, a buffer that stays,
//! a read, and a write of what was read.

mod corio;
mod raw;
mod smol;
mod tokio;

use std::convert::Infallible;
use std::net::TcpListener;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};

use super::cores::{Core, settle};
use super::plan::Service;

/// A runtime, or none.
#[derive(Debug)]
pub struct Contender {
    /// As it is called in the results.
    pub name: &'static str,
    echo: fn(TcpListener, usize),
    /// Absent where it would be the same as that of another contender.
    hello: Option<fn(TcpListener)>,
}

/// All of them; the first is the one that others are compared with.
pub const CONTENDERS: [Contender; 7] = [
    Contender {
        name: "raw epoll",
        echo: raw::echo,
        hello: Some(raw::hello),
    },
    Contender {
        name: "corio",
        echo: corio::echo,
        hello: Some(corio::hello),
    },
    Contender {
        name: "corio streams",
        echo: corio::echo_streams,
        hello: None,
    },
    Contender {
        name: "corio, busy polling",
        echo: corio::echo_busy,
        hello: None,
    },
    Contender {
        name: "tokio",
        echo: tokio::echo,
        hello: Some(tokio::hello),
    },
    Contender {
        name: "tokio LocalSet",
        echo: tokio::echo_local,
        hello: Some(tokio::hello_local),
    },
    Contender {
        name: "smol",
        echo: smol::echo,
        hello: Some(smol::hello),
    },
];

impl Contender {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Contender> {
        CONTENDERS.iter().find(|contender| contender.name == name)
    }

    /// Whether it has this service.
    pub fn offers(&self, service: Service) -> bool {
        service == Service::Echo || self.hello.is_some()
    }

    /// The life of a server's process: prints the port, and serves until it is killed.
    pub fn serve(&self, service: Service, buffer: usize) {
        settle(Core::Server);
        let listener = listener();
        let addr = listener.local_addr().expect("it is bound");
        println!("{}", addr.port());
        match service {
            Service::Echo => (self.echo)(listener, buffer),
            Service::Hello => (self.hello.expect("it was asked what it offers"))(listener),
        }
    }
}

/// A listener that does not block, on every address of this machine, whose connections send at once and which refuses nobody.
fn listener() -> TcpListener {
    use socket2::{Domain, SockAddr, Socket, Type};

    let make = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SockAddr::from(std::net::SocketAddrV4::new(
            std::net::Ipv4Addr::UNSPECIFIED,
            0,
        )))?;
        socket.listen(4096)?;
        Ok::<_, std::io::Error>(socket.into())
    };
    make().expect("there is a port")
}

/// What every contender answers over HTTP.
async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(
        b"Hello, world!",
    ))))
}

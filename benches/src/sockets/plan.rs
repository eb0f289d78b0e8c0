//! Which loads there are.

use std::fmt;

/// What a server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// What was sent comes back.
    Echo,
    /// A short page over HTTP/1.1.
    Hello,
}

/// What the program that asks does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Each connection sends, waits for all of its answer, and sends again.
    Echo,
    /// Each connection is made for one request, and closed after its answer.
    Churn,
    /// As `Echo`, with requests of HTTP over connections that are kept.
    Hello,
}

/// One load: what, over how many connections at a time, of how many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// What is done.
    pub kind: Kind,
    /// How many connections there are at any time.
    pub connections: usize,
    /// Bytes of a request.
    pub bytes: usize,
}

/// All of them.
pub const LOADS: [Load; 7] = [
    echo(1, 64),
    echo(50, 64),
    echo(1_000, 64),
    echo(5_000, 64),
    echo(50, 16 * 1024),
    Load {
        kind: Kind::Churn,
        connections: 16,
        bytes: 64,
    },
    Load {
        kind: Kind::Hello,
        connections: 50,
        bytes: 0,
    },
];

const fn echo(connections: usize, bytes: usize) -> Load {
    Load {
        kind: Kind::Echo,
        connections,
        bytes,
    }
}

impl Load {
    /// What has to be served for it.
    pub fn service(&self) -> Service {
        match self.kind {
            Kind::Echo | Kind::Churn => Service::Echo,
            Kind::Hello => Service::Hello,
        }
    }

    /// The size of a server's buffer: several requests fit, so no read fills it.
    pub fn buffer(&self) -> usize {
        (4 * self.bytes).max(4096)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Load {
            connections, bytes, ..
        } = self;
        match self.kind {
            Kind::Echo => write!(f, "echo, {connections} x {bytes} B"),
            Kind::Churn => write!(f, "connect, echo {bytes} B, close, {connections} at a time"),
            Kind::Hello => write!(f, "HTTP hello, {connections} connections"),
        }
    }
}

macro_rules! words {
    ($type:ty: $($word:literal = $variant:expr),+) => {
        impl $type {
            /// As it is passed to another process.
            pub fn word(self) -> &'static str {
                match self {
                    $(value if value == $variant => $word,)+
                    _ => unreachable!("all have a word"),
                }
            }

            /// From what was passed.
            pub fn of_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some($variant),)+
                    _ => None,
                }
            }
        }
    };
}

words!(Service: "echo" = Service::Echo, "hello" = Service::Hello);
words!(Kind: "echo" = Kind::Echo, "churn" = Kind::Churn, "hello" = Kind::Hello);

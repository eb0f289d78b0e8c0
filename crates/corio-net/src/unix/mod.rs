//! Sockets of the Unix domain: streams, listeners and datagrams, at a path, at an abstract name, or at none.

mod address;
mod connect;
mod datagram;
mod listener;
mod stream;

pub use self::connect::UnixConnect;
pub(crate) use self::connect::is_listened_at;
pub use self::datagram::UnixDatagram;
pub use self::listener::UnixListener;
pub use self::stream::UnixStream;

//! TCP.

mod connect;
mod connector;
mod listener;
mod race;
mod stream;

pub use self::connect::Connect;
pub use self::connector::TcpConnector;
pub use self::listener::TcpListener;
pub(crate) use self::listener::bind_now;
pub use self::race::ConnectErrors;
pub use self::stream::TcpStream;

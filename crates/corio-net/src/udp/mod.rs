//! UDP.

mod connect;
mod multicast;
mod socket;

pub use self::connect::UdpConnect;
pub use self::socket::UdpSocket;

//! Groups of UDP sockets, and how far packets to them go.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use socket2::SockRef;

use super::UdpSocket;

impl UdpSocket {
    /// Joins a group, by the interface with this address; `0.0.0.0` is the system's choice.
    ///
    /// # Errors
    ///
    /// What the operating system says: the address is not that of a group, or there is no such interface.
    #[doc(alias = "IP_ADD_MEMBERSHIP")]
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.source.get_ref().join_multicast_v4(&group, &interface)
    }

    /// Leaves a group that was joined by this interface.
    ///
    /// # Errors
    ///
    /// What the operating system says: it was not joined.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.source.get_ref().leave_multicast_v4(&group, &interface)
    }

    /// Joins a group, by the interface with this number; 0 is the system's choice.
    ///
    /// # Errors
    ///
    /// As [`join_multicast_v4`](UdpSocket::join_multicast_v4).
    #[doc(alias = "IPV6_ADD_MEMBERSHIP")]
    pub fn join_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        self.source.get_ref().join_multicast_v6(&group, interface)
    }

    /// Leaves a group that was joined by this interface.
    ///
    /// # Errors
    ///
    /// As [`leave_multicast_v4`](UdpSocket::leave_multicast_v4).
    pub fn leave_multicast_v6(&self, group: Ipv6Addr, interface: u32) -> io::Result<()> {
        self.source.get_ref().leave_multicast_v6(&group, interface)
    }

    /// Whether members on this machine get what is sent to a group from here.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.source.get_ref().multicast_loop_v4()
    }

    /// Sets whether members on this machine get what is sent to a group from here.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_multicast_loop_v4(&self, enabled: bool) -> io::Result<()> {
        self.source.get_ref().set_multicast_loop_v4(enabled)
    }

    /// Whether members on this machine get what is sent to a group from here.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.source.get_ref().multicast_loop_v6()
    }

    /// Sets whether members on this machine get what is sent to a group from here.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_multicast_loop_v6(&self, enabled: bool) -> io::Result<()> {
        self.source.get_ref().set_multicast_loop_v6(enabled)
    }

    /// How many routers a packet to a group may pass. 1, unless told otherwise.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.source.get_ref().multicast_ttl_v4()
    }

    /// Sets how many routers a packet to a group may pass.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.source.get_ref().set_multicast_ttl_v4(ttl)
    }

    /// How many routers a packet to an IPv6 group may pass. 1, unless told otherwise.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn multicast_hops_v6(&self) -> io::Result<u32> {
        SockRef::from(self.source.get_ref()).multicast_hops_v6()
    }

    /// Sets how many routers a packet to an IPv6 group may pass.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_multicast_hops_v6(&self, hops: u32) -> io::Result<()> {
        SockRef::from(self.source.get_ref()).set_multicast_hops_v6(hops)
    }
}

//! Addresses of the Unix domain, for the calls that make sockets.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use socket2::SockAddr;

/// The address for a path.
///
/// # Errors
///
/// When it is too long, or has a zero byte in it.
pub(super) fn of_path(path: &Path) -> io::Result<SockAddr> {
    // A path that begins with zero would be taken for an abstract name.
    if path.as_os_str().as_bytes().contains(&0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a path must not have a zero byte in it",
        ));
    }
    SockAddr::unix(path)
}

/// The same address in the form of another library.
///
/// # Errors
///
/// When it is the address of nothing.
pub(super) fn of_std(addr: &SocketAddr) -> io::Result<SockAddr> {
    if let Some(path) = addr.as_pathname() {
        return of_path(path);
    }
    match abstract_name(addr) {
        Some(name) => {
            let mut bytes = Vec::with_capacity(name.len() + 1);
            bytes.push(0);
            bytes.extend_from_slice(name);
            SockAddr::unix(OsStr::from_bytes(&bytes))
        }
        None => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the address has neither a path nor a name",
        )),
    }
}

#[cfg(target_os = "linux")]
fn abstract_name(addr: &SocketAddr) -> Option<&[u8]> {
    use std::os::linux::net::SocketAddrExt;
    addr.as_abstract_name()
}

#[cfg(target_os = "android")]
fn abstract_name(addr: &SocketAddr) -> Option<&[u8]> {
    use std::os::android::net::SocketAddrExt;
    addr.as_abstract_name()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_name(_: &SocketAddr) -> Option<&[u8]> {
    None
}

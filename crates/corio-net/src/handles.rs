//! What every socket type does with its handle: lending it, taking it from the standard library's type, and giving it back.

/// For a type with a field `source`, and the functions `prepare`, `of_source` and `into_std`.
macro_rules! handle_traits {
    ($socket:ty, $std:ty) => {
        #[cfg(unix)]
        impl ::std::os::fd::AsFd for $socket {
            fn as_fd(&self) -> ::std::os::fd::BorrowedFd<'_> {
                ::std::os::fd::AsFd::as_fd(self.source.lend())
            }
        }

        #[cfg(unix)]
        impl ::std::os::fd::AsRawFd for $socket {
            fn as_raw_fd(&self) -> ::std::os::fd::RawFd {
                ::std::os::fd::AsRawFd::as_raw_fd(self.source.lend())
            }
        }

        #[cfg(windows)]
        impl ::std::os::windows::io::AsSocket for $socket {
            fn as_socket(&self) -> ::std::os::windows::io::BorrowedSocket<'_> {
                ::std::os::windows::io::AsSocket::as_socket(self.source.lend())
            }
        }

        #[cfg(windows)]
        impl ::std::os::windows::io::AsRawSocket for $socket {
            fn as_raw_socket(&self) -> ::std::os::windows::io::RawSocket {
                ::std::os::windows::io::AsRawSocket::as_raw_socket(self.source.lend())
            }
        }

        /// Switches the socket to non-blocking mode. Should that fail, nothing is ever tried on it that might block: the first operation
        /// gives the error, and so does each that follows. `from_std` gives it at once.
        impl From<$std> for $socket {
            fn from(socket: $std) -> $socket {
                let outcome = <$socket>::prepare(&socket);
                <$socket>::of_source(::corio_runtime::IoSource::prepared(socket, outcome))
            }
        }

        /// The socket stays in non-blocking mode.
        impl From<$socket> for $std {
            fn from(socket: $socket) -> $std {
                socket.into_std()
            }
        }

        /// As from the standard library's type, which takes any descriptor as well. One that is something else fails in its operations.
        #[cfg(unix)]
        impl From<::std::os::fd::OwnedFd> for $socket {
            fn from(fd: ::std::os::fd::OwnedFd) -> $socket {
                <$std>::from(fd).into()
            }
        }

        /// The socket stays in non-blocking mode.
        #[cfg(unix)]
        impl From<$socket> for ::std::os::fd::OwnedFd {
            fn from(socket: $socket) -> ::std::os::fd::OwnedFd {
                socket.into_std().into()
            }
        }

        /// As from the standard library's type, which takes any socket as well. One that is something else fails in its operations.
        #[cfg(windows)]
        impl From<::std::os::windows::io::OwnedSocket> for $socket {
            fn from(socket: ::std::os::windows::io::OwnedSocket) -> $socket {
                <$std>::from(socket).into()
            }
        }

        /// The socket stays in non-blocking mode.
        #[cfg(windows)]
        impl From<$socket> for ::std::os::windows::io::OwnedSocket {
            fn from(socket: $socket) -> ::std::os::windows::io::OwnedSocket {
                socket.into_std().into()
            }
        }
    };
}
pub(crate) use handle_traits;

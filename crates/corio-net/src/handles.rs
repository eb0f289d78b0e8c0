//! What every socket type does with its handle: lending it, and coming from the standard library's type.

/// For a type with a field `source` and a function `from_std`.
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

        /// Switches the socket to non-blocking mode, which may fail.
        impl TryFrom<$std> for $socket {
            type Error = ::std::io::Error;

            fn try_from(socket: $std) -> ::std::io::Result<$socket> {
                <$socket>::from_std(socket)
            }
        }

        /// The socket stays in non-blocking mode.
        impl From<$socket> for $std {
            fn from(socket: $socket) -> $std {
                socket.into_std()
            }
        }
    };
}
pub(crate) use handle_traits;

//! The methods that streams of both kinds have. Each type has them as its own: a program needs no trait for them, and finds them where
//! it looks.

/// For a stream with a field `source`.
macro_rules! stream_methods {
    ($stream:ty, $os:ty) => {
        impl $stream {
            /// Reads what there is, up to the length of the buffer. 0 is the end of what the peer has written, or an empty buffer.
            ///
            /// # Errors
            ///
            /// Those of the connection, for instance [`ConnectionReset`](std::io::ErrorKind::ConnectionReset).
            ///
            /// # Panics
            ///
            /// When it is polled on a thread where no loop is running.
            ///
            /// # Cancel safety
            ///
            /// Dropped before it is ready, it has taken no byte.
            #[doc(alias = "recv")]
            #[track_caller]
            pub fn read<'a>(&'a self, buf: &'a mut [u8]) -> $crate::bytes::ReadSome<'a, $stream> {
                $crate::bytes::ReadSome::new(self, buf, ::std::panic::Location::caller())
            }

            /// As [`read`](Self::read), into several buffers, one after the other.
            ///
            /// # Errors
            ///
            /// As [`read`](Self::read).
            ///
            /// # Panics
            ///
            /// As [`read`](Self::read).
            ///
            /// # Cancel safety
            ///
            /// Dropped before it is ready, it has taken no byte.
            #[track_caller]
            pub fn read_vectored<'a, 'b>(
                &'a self,
                bufs: &'a mut [::std::io::IoSliceMut<'b>],
            ) -> $crate::bytes::ReadVectored<'a, 'b, $stream> {
                $crate::bytes::ReadVectored::new(self, bufs, ::std::panic::Location::caller())
            }

            /// Writes as much as there is room for, and says how much that was.
            ///
            /// That a byte was written does not mean that it has arrived.
            ///
            /// # Errors
            ///
            /// Those of the connection, for instance [`BrokenPipe`](std::io::ErrorKind::BrokenPipe) after the peer has closed it.
            ///
            /// # Panics
            ///
            /// As [`read`](Self::read).
            ///
            /// # Cancel safety
            ///
            /// Dropped before it is ready, it has written no byte.
            #[doc(alias = "send")]
            #[track_caller]
            pub fn write<'a>(&'a self, buf: &'a [u8]) -> $crate::bytes::WriteSome<'a, $stream> {
                $crate::bytes::WriteSome::new(self, buf, ::std::panic::Location::caller())
            }

            /// As [`write`](Self::write), from several buffers, one after the other.
            ///
            /// # Errors
            ///
            /// As [`write`](Self::write).
            ///
            /// # Panics
            ///
            /// As [`read`](Self::read).
            ///
            /// # Cancel safety
            ///
            /// Dropped before it is ready, it has written no byte.
            #[track_caller]
            pub fn write_vectored<'a, 'b>(
                &'a self,
                bufs: &'a [::std::io::IoSlice<'b>],
            ) -> $crate::bytes::WriteVectored<'a, 'b, $stream> {
                $crate::bytes::WriteVectored::new(self, bufs, ::std::panic::Location::caller())
            }

            /// Waits until reading may not block; see [`IoSource::readable`](corio_runtime::IoSource::readable), also for how it is used.
            ///
            /// # Errors
            ///
            /// When the connection cannot be watched.
            ///
            /// # Panics
            ///
            /// As [`read`](Self::read).
            ///
            /// # Cancel safety
            ///
            /// Safe: readiness is not consumed by waiting for it.
            #[track_caller]
            pub fn readable(&self) -> ::corio_runtime::IoReady<'_, $os> {
                self.source.readable()
            }

            /// Waits until writing may not block; see [`IoSource::writable`](corio_runtime::IoSource::writable).
            ///
            /// # Errors
            ///
            /// When the connection cannot be watched.
            ///
            /// # Panics
            ///
            /// As [`read`](Self::read).
            ///
            /// # Cancel safety
            ///
            /// Safe: readiness is not consumed by waiting for it.
            #[track_caller]
            pub fn writable(&self) -> ::corio_runtime::IoReady<'_, $os> {
                self.source.writable()
            }

            /// Reads if that does not block.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if there is nothing yet, and those of [`read`](Self::read).
            ///
            /// # Panics
            ///
            /// When no loop is running on this thread.
            #[track_caller]
            pub fn try_read(&self, buf: &mut [u8]) -> ::std::io::Result<usize> {
                self.source
                    .try_read_io(|mut stream| ::std::io::Read::read(&mut stream, buf))
            }

            /// Writes if that does not block.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](std::io::ErrorKind::WouldBlock) if there is no room, and those of [`write`](Self::write).
            ///
            /// # Panics
            ///
            /// When no loop is running on this thread.
            #[track_caller]
            pub fn try_write(&self, buf: &[u8]) -> ::std::io::Result<usize> {
                self.source
                    .try_write_io(|mut stream| ::std::io::Write::write(&mut stream, buf))
            }

            /// Two halves that borrow the connection, for two branches of one task.
            pub fn split(
                &mut self,
            ) -> (
                $crate::bytes::ReadHalf<'_, $stream>,
                $crate::bytes::WriteHalf<'_, $stream>,
            ) {
                $crate::bytes::split(self)
            }

            /// Two halves that share the connection, for two tasks. [`reunite`](crate::OwnedReadHalf::reunite) puts them together again.
            pub fn into_split(
                self,
            ) -> (
                $crate::bytes::OwnedReadHalf<$stream>,
                $crate::bytes::OwnedWriteHalf<$stream>,
            ) {
                $crate::bytes::into_split(self)
            }

            /// Ends one direction or both, at once and without waiting.
            ///
            /// `Shutdown::Write` lets the peer read to the end; `Shutdown::Read` lets reads here find the end.
            ///
            /// # Errors
            ///
            /// What the operating system says. A connection that has ended already is none.
            #[doc(alias = "write_eof")]
            pub fn shutdown(&self, how: ::std::net::Shutdown) -> ::std::io::Result<()> {
                $crate::bytes::shut_down(&self.source, how)
            }

            /// The error that the connection has met and nobody was told of, and forgets it.
            ///
            /// # Errors
            ///
            /// What the operating system says about the question.
            pub fn take_error(&self) -> ::std::io::Result<Option<::std::io::Error>> {
                self.source.get_ref().take_error()
            }
        }
    };
}
pub(crate) use stream_methods;

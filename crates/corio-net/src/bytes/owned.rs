//! Halves that share a stream.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::panic::Location;
use std::sync::Arc;

use super::{ByteStream, ReadSome, ReadVectored, WriteSome, WriteVectored, shut_down};

/// The reading half of a stream, made by `into_split`. It shares the stream with the writing half, and may be moved.
pub struct OwnedReadHalf<S: ByteStream> {
    stream: Arc<S>,
}

/// The writing half of a stream, made by `into_split`. It shares the stream with the reading half, and may be moved.
///
/// Dropping it ends what is written, so that the peer reads to its end; [`forget`](OwnedWriteHalf::forget) does not.
pub struct OwnedWriteHalf<S: ByteStream> {
    stream: Arc<S>,
    ends_on_drop: bool,
}

/// The halves that were to be reunited are of different streams. It gives them back.
#[derive(Debug)]
pub struct ReuniteError<S: ByteStream>(pub OwnedReadHalf<S>, pub OwnedWriteHalf<S>);

pub(crate) fn into_split<S: ByteStream>(stream: S) -> (OwnedReadHalf<S>, OwnedWriteHalf<S>) {
    let stream = Arc::new(stream);
    let write = OwnedWriteHalf {
        stream: stream.clone(),
        ends_on_drop: true,
    };
    (OwnedReadHalf { stream }, write)
}

impl<S: ByteStream> OwnedReadHalf<S> {
    /// Reads what there is, up to the length of the buffer. 0 is the end, or an empty buffer.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no byte.
    #[track_caller]
    pub fn read<'a>(&'a self, buf: &'a mut [u8]) -> ReadSome<'a, S> {
        ReadSome::new(&*self.stream, buf, Location::caller())
    }

    /// As [`read`](OwnedReadHalf::read), into several buffers.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no byte.
    #[track_caller]
    pub fn read_vectored<'a, 'b>(
        &'a self,
        bufs: &'a mut [IoSliceMut<'b>],
    ) -> ReadVectored<'a, 'b, S> {
        ReadVectored::new(&*self.stream, bufs, Location::caller())
    }

    /// The stream.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Puts the two halves together again.
    ///
    /// # Errors
    ///
    /// When they are of different streams; the error has them.
    pub fn reunite(self, write: OwnedWriteHalf<S>) -> Result<S, ReuniteError<S>> {
        if !Arc::ptr_eq(&self.stream, &write.stream) {
            return Err(ReuniteError(self, write));
        }
        write.forget();
        match Arc::try_unwrap(self.stream) {
            Ok(stream) => Ok(stream),
            Err(_) => unreachable!("a stream has two halves"),
        }
    }
}

impl<S: ByteStream> OwnedWriteHalf<S> {
    /// Writes as much as there is room for.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has written no byte.
    #[track_caller]
    pub fn write<'a>(&'a self, buf: &'a [u8]) -> WriteSome<'a, S> {
        WriteSome::new(&*self.stream, buf, Location::caller())
    }

    /// As [`write`](OwnedWriteHalf::write), from several buffers.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has written no byte.
    #[track_caller]
    pub fn write_vectored<'a, 'b>(&'a self, bufs: &'a [IoSlice<'b>]) -> WriteVectored<'a, 'b, S> {
        WriteVectored::new(&*self.stream, bufs, Location::caller())
    }

    /// Ends what is written: the peer reads to the end of it. Reading goes on.
    ///
    /// # Errors
    ///
    /// What the operating system says. A connection that has ended already is none.
    pub fn shutdown(&self) -> io::Result<()> {
        shut_down(self.stream.source(), Shutdown::Write)
    }

    /// Drops the half without ending what is written. The connection is closed with the other half.
    pub fn forget(mut self) {
        self.ends_on_drop = false;
    }

    /// The stream.
    pub fn stream(&self) -> &S {
        &self.stream
    }
}

impl<S: ByteStream> Drop for OwnedWriteHalf<S> {
    fn drop(&mut self) {
        if self.ends_on_drop {
            // Whoever wants to know calls `shutdown`.
            let _ = self.shutdown();
        }
    }
}

impl<S: ByteStream> fmt::Debug for OwnedReadHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnedReadHalf")
    }
}

impl<S: ByteStream> fmt::Debug for OwnedWriteHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnedWriteHalf")
    }
}

impl<S: ByteStream> fmt::Display for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves are of different streams")
    }
}

impl<S: ByteStream> Error for ReuniteError<S> {}

//! Halves that borrow a stream.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::panic::Location;

use super::sealed::Stream;
use super::{ByteStream, ReadSome, ReadVectored, WriteSome, WriteVectored, shut_down};

/// The reading half of a stream, made by `split`. It borrows the stream.
#[derive(Debug)]
pub struct ReadHalf<'a, S: ByteStream> {
    stream: &'a S,
}

/// The writing half of a stream, made by `split`. It borrows the stream.
///
/// Dropping it leaves the stream open; [`shutdown`](WriteHalf::shutdown) ends it.
#[derive(Debug)]
pub struct WriteHalf<'a, S: ByteStream> {
    stream: &'a S,
}

pub(crate) fn split<S: ByteStream>(stream: &mut S) -> (ReadHalf<'_, S>, WriteHalf<'_, S>) {
    (ReadHalf { stream }, WriteHalf { stream })
}

impl<S: ByteStream> ReadHalf<'_, S> {
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
        ReadSome::new(self.stream, buf, Location::caller())
    }

    /// As [`read`](ReadHalf::read), into several buffers.
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
        ReadVectored::new(self.stream, bufs, Location::caller())
    }

    /// The stream.
    pub fn stream(&self) -> &S {
        self.stream
    }
}

impl<S: ByteStream> WriteHalf<'_, S> {
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
        WriteSome::new(self.stream, buf, Location::caller())
    }

    /// As [`write`](WriteHalf::write), from several buffers.
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
        WriteVectored::new(self.stream, bufs, Location::caller())
    }

    /// Ends what is written: the peer reads to the end of it. Reading goes on.
    ///
    /// # Errors
    ///
    /// What the operating system says. A connection that has ended already is none.
    pub fn shutdown(&self) -> io::Result<()> {
        shut_down(Stream::source(self.stream), Shutdown::Write)
    }

    /// The stream.
    pub fn stream(&self) -> &S {
        self.stream
    }
}

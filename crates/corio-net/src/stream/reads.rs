//! The futures of a `StreamReader`.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use corio_core::waiting::WaitKind;

use super::error::{IncompleteReadError, LimitOverrunError, ReadError};
use super::reader::StreamReader;

static READ: WaitKind = WaitKind::new("StreamReader::read");
static READ_TO_END: WaitKind = WaitKind::new("StreamReader::read_to_end");
static READ_EXACTLY: WaitKind = WaitKind::new("StreamReader::readexactly");
static READ_UNTIL: WaitKind = WaitKind::new("StreamReader::readuntil");
static READ_LINE: WaitKind = WaitKind::new("StreamReader::readline");

/// Reads what there is. Made by [`StreamReader::read`].
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no byte.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Read<'a> {
    reader: &'a mut StreamReader,
    n: usize,
    site: &'static Location<'static>,
}

/// Reads to the end. Made by [`StreamReader::read_to_end`].
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no byte.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReadToEnd<'a> {
    reader: &'a mut StreamReader,
    site: &'static Location<'static>,
}

/// Reads a number of bytes. Made by [`StreamReader::readexactly`].
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no byte.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReadExactly<'a> {
    reader: &'a mut StreamReader,
    n: usize,
    site: &'static Location<'static>,
}

/// Reads up to a separator. Made by [`StreamReader::readuntil`] and [`StreamReader::readuntil_any`].
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no byte.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReadUntil<'a> {
    reader: &'a mut StreamReader,
    search: Search<'a>,
    site: &'static Location<'static>,
}

/// Reads a line. Made by [`StreamReader::readline`].
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no byte.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReadLine<'a> {
    reader: &'a mut StreamReader,
    search: Search<'static>,
    site: &'static Location<'static>,
}

/// A search under way.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    separators: Separators<'a>,
    /// No separator begins before this place.
    from: usize,
}

#[derive(Clone, Copy)]
pub(super) enum Separators<'a> {
    One(&'a [u8]),
    Any(&'a [&'a [u8]]),
}

impl<'a> Separators<'a> {
    #[track_caller]
    pub(super) fn one(separator: &'a [u8]) -> Separators<'a> {
        assert!(!separator.is_empty(), "a separator must not be empty");
        Separators::One(separator)
    }

    #[track_caller]
    pub(super) fn any(separators: &'a [&'a [u8]]) -> Separators<'a> {
        assert!(!separators.is_empty(), "there must be a separator");
        let empty = separators.iter().any(|separator| separator.is_empty());
        assert!(!empty, "a separator must not be empty");
        Separators::Any(separators)
    }

    fn longest(&self) -> usize {
        match self {
            Separators::One(separator) => separator.len(),
            Separators::Any(separators) => separators.iter().map(|s| s.len()).max().unwrap_or(1),
        }
    }

    /// Where the one that ends first begins and ends.
    fn find(&self, data: &[u8], from: usize) -> Option<(usize, usize)> {
        let find = |separator: &[u8]| {
            let start = position(&data[from..], separator)? + from;
            Some((start, start + separator.len()))
        };
        match self {
            Separators::One(separator) => find(separator),
            Separators::Any(separators) => separators
                .iter()
                .filter_map(|separator| find(separator))
                .min_by_key(|(start, end)| (*end, std::cmp::Reverse(*start))),
        }
    }
}

fn position(data: &[u8], separator: &[u8]) -> Option<usize> {
    let (&first, rest) = separator.split_first()?;
    let mut from = 0;
    loop {
        let at = from + data[from..].iter().position(|&byte| byte == first)?;
        if data[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
}

impl<'a> Search<'a> {
    pub(super) fn new(separators: Separators<'a>) -> Search<'a> {
        Search {
            separators,
            from: 0,
        }
    }

    pub(super) fn for_lines() -> Search<'static> {
        Search::new(Separators::One(b"\n"))
    }

    /// Where the separator ends, or `None` if it has not come yet.
    fn look(&mut self, data: &[u8], limit: usize) -> Result<Option<usize>, LimitOverrunError> {
        if let Some((start, end)) = self.separators.find(data, self.from) {
            return if start > limit {
                Err(LimitOverrunError {
                    consumed: start,
                    found: true,
                })
            } else {
                Ok(Some(end))
            };
        }
        // The last bytes may be the beginning of a separator.
        self.from = (data.len() + 1).saturating_sub(self.separators.longest());
        if self.from > limit {
            return Err(LimitOverrunError {
                consumed: self.from,
                found: false,
            });
        }
        Ok(None)
    }

    fn poll(
        &mut self,
        reader: &mut StreamReader,
        cx: &mut Context<'_>,
        kind: &'static WaitKind,
        site: &'static Location<'static>,
    ) -> Poll<Result<Vec<u8>, ReadError>> {
        reader.check()?;
        loop {
            match self.look(reader.incoming.data(), reader.limit) {
                Ok(Some(end)) => return Poll::Ready(Ok(reader.incoming.take(end))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(ReadError::LimitOverrun(error))),
            }
            if !ready!(reader.poll_more(cx, kind, site))? {
                let partial = reader.incoming.take_all();
                return Poll::Ready(Err(ReadError::Incomplete(IncompleteReadError {
                    partial,
                    expected: None,
                })));
            }
        }
    }

    /// Polls for a line: the end of the stream ends one too, and one that is too long goes.
    pub(super) fn poll_line(
        &mut self,
        reader: &mut StreamReader,
        cx: &mut Context<'_>,
        site: &'static Location<'static>,
    ) -> Poll<Result<Vec<u8>, ReadError>> {
        let result = match ready!(self.poll(reader, cx, &READ_LINE, site)) {
            Err(ReadError::Incomplete(error)) => Ok(error.partial),
            Err(ReadError::LimitOverrun(error)) => {
                let too_long = if error.found {
                    error.consumed + 1
                } else {
                    reader.incoming.data().len()
                };
                reader.incoming.consume(too_long);
                Err(ReadError::LimitOverrun(error))
            }
            result => result,
        };
        self.from = 0;
        Poll::Ready(result)
    }
}

impl<'a> Read<'a> {
    pub(super) fn new(
        reader: &'a mut StreamReader,
        n: usize,
        site: &'static Location<'static>,
    ) -> Read<'a> {
        Read { reader, n, site }
    }
}

impl<'a> ReadToEnd<'a> {
    pub(super) fn new(
        reader: &'a mut StreamReader,
        site: &'static Location<'static>,
    ) -> ReadToEnd<'a> {
        ReadToEnd { reader, site }
    }
}

impl<'a> ReadExactly<'a> {
    pub(super) fn new(
        reader: &'a mut StreamReader,
        n: usize,
        site: &'static Location<'static>,
    ) -> ReadExactly<'a> {
        ReadExactly { reader, n, site }
    }
}

impl<'a> ReadUntil<'a> {
    pub(super) fn new(
        reader: &'a mut StreamReader,
        separators: Separators<'a>,
        site: &'static Location<'static>,
    ) -> ReadUntil<'a> {
        let search = Search::new(separators);
        ReadUntil {
            reader,
            search,
            site,
        }
    }
}

impl<'a> ReadLine<'a> {
    pub(super) fn new(
        reader: &'a mut StreamReader,
        site: &'static Location<'static>,
    ) -> ReadLine<'a> {
        let search = Search::for_lines();
        ReadLine {
            reader,
            search,
            site,
        }
    }
}

impl Future for Read<'_> {
    type Output = io::Result<Vec<u8>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let Read { reader, n, site } = &mut *self;
        reader.check()?;
        if *n == 0 {
            return Poll::Ready(Ok(Vec::new()));
        }
        if reader.incoming.data().is_empty() {
            ready!(reader.poll_more(cx, &READ, site))?;
        }
        let count = reader.incoming.data().len().min(*n);
        Poll::Ready(Ok(reader.incoming.take(count)))
    }
}

impl Future for ReadToEnd<'_> {
    type Output = io::Result<Vec<u8>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let ReadToEnd { reader, site } = &mut *self;
        while ready!(reader.poll_more(cx, &READ_TO_END, site))? {}
        Poll::Ready(Ok(reader.incoming.take_all()))
    }
}

impl Future for ReadExactly<'_> {
    type Output = Result<Vec<u8>, ReadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ReadExactly { reader, n, site } = &mut *self;
        reader.check()?;
        while reader.incoming.data().len() < *n {
            if !ready!(reader.poll_more(cx, &READ_EXACTLY, site))? {
                let partial = reader.incoming.take_all();
                return Poll::Ready(Err(ReadError::Incomplete(IncompleteReadError {
                    partial,
                    expected: Some(*n),
                })));
            }
        }
        Poll::Ready(Ok(reader.incoming.take(*n)))
    }
}

impl Future for ReadUntil<'_> {
    type Output = Result<Vec<u8>, ReadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.search.poll(this.reader, cx, &READ_UNTIL, this.site)
    }
}

impl Future for ReadLine<'_> {
    type Output = Result<Vec<u8>, ReadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.search.poll_line(this.reader, cx, this.site)
    }
}

macro_rules! debug {
    ($($future:ident),+) => {$(
        impl fmt::Debug for $future<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($future)).field(&self.reader).finish()
            }
        }
    )+};
}

debug!(Read, ReadToEnd, ReadExactly, ReadUntil, ReadLine);

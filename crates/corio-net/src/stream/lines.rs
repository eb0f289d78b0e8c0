//! `Lines`: a reader, line by line.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::error::ReadError;
use super::reader::StreamReader;
use super::reads::Search;

/// The lines of a stream. Made by [`StreamReader::lines`].
///
/// It is a [`Stream`] as well.
#[must_use = "it reads nothing unless it is asked to"]
pub struct Lines<'a> {
    reader: &'a mut StreamReader,
    search: Search<'static>,
    site: &'static Location<'static>,
}

/// Waits for the next line. Made by [`Lines::next`].
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no byte.
#[must_use = "a future does nothing unless it is awaited"]
#[derive(Debug)]
pub struct NextLine<'l, 'a> {
    lines: &'l mut Lines<'a>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(reader: &'a mut StreamReader, site: &'static Location<'static>) -> Lines<'a> {
        let search = Search::for_lines();
        Lines {
            reader,
            search,
            site,
        }
    }

    /// The next line with its `\n`; `None` at the end of the stream.
    ///
    /// ```
    /// # use corio_runtime as corio;
    /// # corio::run(async {
    /// # let (mut reader, feeder) = corio_net::StreamReader::fed(1024);
    /// # feeder.feed_data(b"one\ntwo");
    /// # feeder.feed_eof();
    /// let mut lines = reader.lines();
    /// while let Some(line) = lines.next().await {
    ///     println!("{}", String::from_utf8_lossy(&line?));
    /// }
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`readline`](StreamReader::readline).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no byte.
    #[allow(clippy::should_implement_trait, reason = "it is the next of a stream")]
    #[track_caller]
    pub fn next(&mut self) -> NextLine<'_, 'a> {
        self.site = Location::caller();
        NextLine { lines: self }
    }
}

impl Stream for Lines<'_> {
    type Item = Result<Vec<u8>, ReadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let line = ready!(this.search.poll_line(this.reader, cx, this.site));
        let ended = matches!(&line, Ok(line) if line.is_empty());
        Poll::Ready((!ended).then_some(line))
    }
}

impl Future for NextLine<'_, '_> {
    type Output = Option<Result<Vec<u8>, ReadError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.lines).poll_next(cx)
    }
}

impl fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lines").field(&self.reader).finish()
    }
}

//! `StreamReader`: what is asked for is what comes, however the bytes arrive, and nothing is lost when a read is given up.

mod support;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use corio_combinators::gather;
use corio_net::{IncompleteReadError, ReadError, StreamFeeder, StreamOptions, StreamReader};
use corio_runtime::{create_task, yield_now};
use futures_lite::{AsyncBufReadExt, AsyncReadExt, StreamExt};
use support::{pattern, run, tcp_pair};

fn fed(limit: usize, data: &[u8]) -> (StreamReader, StreamFeeder) {
    let (reader, feeder) = StreamReader::fed(limit);
    feeder.feed_data(data);
    (reader, feeder)
}

fn limit_overrun<T: std::fmt::Debug>(result: Result<T, ReadError>) -> usize {
    match result {
        Err(ReadError::LimitOverrun(error)) => error.consumed,
        other => panic!("{other:?}"),
    }
}

fn incomplete<T: std::fmt::Debug>(result: Result<T, ReadError>) -> IncompleteReadError {
    match result {
        Err(ReadError::Incomplete(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Polls once, and gives the future up.
async fn give_up<F: Future>(future: F) {
    let mut future = pin!(future);
    let first = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await;
    assert!(first, "it did not wait");
}

#[test]
fn c133_a_line_at_the_limit_passes_and_a_longer_one_is_dropped_alone() {
    run(async {
        let (mut reader, _feeder) = fed(7, b"1234567\n12345678\nnext\n");
        assert_eq!(reader.readline().await?, b"1234567\n");
        assert_eq!(limit_overrun(reader.readline().await), 8);
        assert_eq!(reader.readline().await?, b"next\n");

        // The line that is too long arrives in pieces, and is known to be so before its end is there.
        let (mut reader, feeder) = fed(7, b"");
        let reading = create_task(async move {
            let first = limit_overrun(reader.readline().await);
            (first, reader)
        });
        for chunk in [&b"chunk1"[..], b"chunk2", b"chunk3\n"] {
            yield_now().await;
            yield_now().await;
            feeder.feed_data(chunk);
        }
        feeder.feed_eof();
        let (consumed, mut reader) = reading.await.unwrap();
        assert_eq!(consumed, 12);
        assert_eq!(reader.readline().await?, b"chunk3\n");
        assert_eq!(reader.readline().await?, b"");
        Ok(())
    });
}

#[test]
fn c134_what_is_over_the_limit_without_a_newline_is_dropped() {
    run(async {
        let (mut reader, feeder) = fed(3, b"no newline");
        assert_eq!(limit_overrun(reader.readline().await), 10);
        assert_eq!(reader.buffer(), b"");
        feeder.feed_data(b"ok\n");
        assert_eq!(reader.readline().await?, b"ok\n");
        Ok(())
    });
}

#[test]
fn c136_a_separator_beyond_the_limit_leaves_the_bytes_where_they_are() {
    run(async {
        let (mut reader, _feeder) = fed(3, b"some dataAA");
        assert_eq!(limit_overrun(reader.readuntil(b"AA").await), 9);
        assert_eq!(reader.buffer(), b"some dataAA");
        // One that is not there: all but what may be its beginning.
        assert_eq!(limit_overrun(reader.readuntil(b"AAA").await), 9);
        assert_eq!(reader.readexactly(11).await?, b"some dataAA");
        Ok(())
    });
}

#[test]
fn c137_an_end_before_the_number_gives_what_there_was() {
    run(async {
        let (mut reader, feeder) = fed(64, b"abc");
        feeder.feed_eof();
        let error = incomplete(reader.readexactly(5).await);
        assert_eq!((&error.partial[..], error.expected), (&b"abc"[..], Some(5)));
        assert!(reader.at_eof() && reader.buffer().is_empty());
        assert_eq!(reader.read_to_end().await?, b"");

        let (mut reader, feeder) = fed(64, b"no end");
        feeder.feed_eof();
        let error = incomplete(reader.readuntil(b"\r\n").await);
        assert_eq!((&error.partial[..], error.expected), (&b"no end"[..], None));
        let error = io::Error::from(ReadError::Incomplete(error));
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        Ok(())
    });
}

#[test]
fn c138_an_error_after_the_reader_was_cancelled_is_what_every_later_read_gives() {
    run(async {
        let (mut reader, feeder) = fed(64, b"");
        let task = create_task(async move { reader.readline().await });
        yield_now().await;
        task.cancel();
        assert!((&task).await.is_err());
        // Nobody is there to be told.
        feeder.set_exception(io::ErrorKind::TimedOut.into());

        let (mut reader, feeder) = fed(64, b"data");
        give_up(reader.readline()).await;
        feeder.set_exception(io::ErrorKind::TimedOut.into());
        for _ in 0..2 {
            let error = reader.read(4).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        let error = io::Error::from(reader.readline().await.unwrap_err());
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(reader.exception().is_some());
        Ok(())
    });
}

#[test]
fn read_gives_what_there_is_and_nothing_for_nothing() {
    run(async {
        let (mut reader, feeder) = fed(2, b"longer than the limit");
        assert_eq!(reader.read(0).await?, b"");
        assert_eq!(reader.read(6).await?, b"longer");
        assert_eq!(reader.read(1000).await?, b" than the limit");
        assert!(!reader.at_eof());
        feeder.feed_eof();
        assert_eq!(reader.read(1).await?, b"");
        assert_eq!(reader.read(1).await?, b"");
        assert!(reader.at_eof());
        Ok(())
    });
}

#[test]
fn of_several_separators_the_one_that_ends_first_counts() {
    run(async {
        let (mut reader, feeder) = fed(64, b"a--b-c");
        assert_eq!(reader.readuntil_any(&[b"--b", b"-"]).await?, b"a-");
        assert_eq!(reader.readuntil_any(&[b"-b-", b"-b"]).await?, b"-b");
        // One in pieces.
        let reading = create_task(async move {
            let line = reader.readuntil_any(&[b"\r\n", b"xxxx"]).await;
            (line.unwrap(), reader)
        });
        for chunk in [&b"d\r"[..], b"e\r", b"\nf"] {
            yield_now().await;
            yield_now().await;
            feeder.feed_data(chunk);
        }
        let (line, reader) = reading.await.unwrap();
        assert_eq!(line, b"-cd\re\r\n");
        assert_eq!(reader.buffer(), b"f");
        Ok(())
    });
}

#[test]
fn reads_that_are_given_up_take_nothing() {
    run(async {
        let (mut reader, feeder) = fed(64, b"ab");
        give_up(reader.readexactly(4)).await;
        give_up(reader.readline()).await;
        give_up(reader.readuntil(b"--")).await;
        give_up(reader.read_to_end()).await;
        assert_eq!(reader.buffer(), b"ab");
        feeder.feed_data(b"cd\n");
        assert_eq!(reader.readline().await?, b"abcd\n");
        give_up(StreamReader::lines(&mut reader).next()).await;
        give_up(reader.read(1)).await;
        feeder.feed_data(b"e");
        feeder.feed_eof();
        assert_eq!(reader.read_to_end().await?, b"e");
        Ok(())
    });
}

#[test]
fn a_feeder_that_goes_without_an_end_is_an_error_behind_the_data() {
    run(async {
        let (mut reader, feeder) = fed(4, b"12345678");
        assert!(!feeder.is_full());
        feeder.feed_data(b"9");
        assert!(feeder.is_full());
        drop(feeder);
        assert_eq!(reader.readexactly(9).await?, b"123456789");
        let error = reader.read(1).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        Ok(())
    });
}

#[test]
fn lines_are_a_stream_up_to_the_end() {
    run(async {
        let (mut reader, feeder) = fed(4, b"one\n\nmuch too long\ntwo");
        feeder.feed_eof();
        let lines: Vec<_> = StreamExt::collect(StreamReader::lines(&mut reader)).await;
        let lines: Vec<_> = lines.into_iter().map(Result::ok).collect();
        let line = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(lines, [line("one\n"), line("\n"), None, line("two")]);
        assert!(StreamReader::lines(&mut reader).next().await.is_none());
        Ok(())
    });
}

#[test]
fn the_traits_of_futures_io_read_from_the_same_buffer() {
    run(async {
        let (mut reader, feeder) = fed(64, b"first\nsecond\nthird");
        feeder.feed_eof();
        let mut line = String::new();
        AsyncBufReadExt::read_line(&mut reader, &mut line).await?;
        assert_eq!(line, "first\n");
        assert_eq!(reader.readline().await?, b"second\n");
        let mut rest = Vec::new();
        AsyncReadExt::read_to_end(&mut reader, &mut rest).await?;
        assert_eq!(rest, b"third");
        Ok(())
    });
}

/// Random texts in random pieces give the lines that splitting the text gives.
#[test]
fn lines_do_not_depend_on_how_the_bytes_arrive() {
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) % below
    };
    for _ in 0..200 {
        let length = random(200);
        let text: Vec<u8> = (0..length).map(|_| b"ab\r\n"[random(4) as usize]).collect();
        let mut pieces = Vec::new();
        let mut rest = &text[..];
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(1 + random(9) as usize));
            pieces.push(piece.to_vec());
            rest = more;
        }
        const CHOICES: [&[&[u8]]; 3] = [&[b"\n"], &[b"\r\n"], &[b"\r\n", b"aa"]];
        let separators = CHOICES[random(3) as usize];
        let (mut reader, feeder) = StreamReader::fed(1000);
        run(async {
            let reading = create_task(async move {
                let mut found = Vec::new();
                loop {
                    match reader.readuntil_any(separators).await {
                        Ok(line) => found.push(line),
                        Err(ReadError::Incomplete(error)) => return (found, error.partial),
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            for piece in pieces {
                feeder.feed_data(&piece);
                yield_now().await;
            }
            feeder.feed_eof();
            let found = reading.await.unwrap();
            assert_eq!(found, split(&text, separators));
            Ok(())
        });
    }
}

/// Byte by byte: as soon as what there is ends with a separator, it is a line.
fn split(text: &[u8], separators: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    for &byte in text {
        line.push(byte);
        if separators.iter().any(|separator| line.ends_with(separator)) {
            lines.push(std::mem::take(&mut line));
        }
    }
    (lines, line)
}

#[test]
fn megabytes_come_through_a_socket_whole() {
    run(async {
        let (here, there) = tcp_pair().await?;
        let (_reader, writer) = StreamOptions::new().streams(here);
        let (mut reader, _writer) = StreamOptions::new().streams(there);
        let data = pattern(3_000_000);
        let sent = data.clone();
        let sending = create_task(async move {
            for chunk in sent.chunks(100_000) {
                writer.write(chunk);
                writer.drain().await?;
            }
            io::Result::Ok(())
        });
        let mut received = reader.readexactly(1_000_000).await?;
        received.extend(reader.read(77).await?);
        received.extend(reader.read_to_end().await?);
        assert!(received == data);
        sending.await?
    });
}

#[test]
fn a_connection_that_is_closed_here_ends_a_read_that_waits() {
    run(async {
        let (here, there) = tcp_pair().await?;
        let (mut reader, writer) = StreamOptions::new().streams(here);
        let reading = create_task(async move { reader.read(1).await });
        let closing = create_task(async move { writer.close() });
        gather([closing]).await?;
        assert_eq!(reading.await??, b"");
        drop(there);
        Ok(())
    });
}

#[test]
fn a_reset_is_an_error_of_the_reader_and_of_drain() {
    run(async {
        let (here, there) = tcp_pair().await?;
        let (mut reader, writer) = StreamOptions::new().streams(here);
        there.set_linger(Some(std::time::Duration::ZERO))?;
        drop(there);
        for _ in 0..2 {
            let error = reader.read(1).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        for _ in 0..2 {
            let error = writer.drain().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        writer.close();
        let error = writer.wait_closed().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        Ok(())
    });
}

#[test]
fn a_large_read_by_futures_io_takes_what_is_buffered_first() {
    run(async {
        let (here, there) = tcp_pair().await?;
        let (_reader, writer) = StreamOptions::new().streams(here);
        let (mut reader, _writer) = StreamOptions::new().streams(there);
        let data = pattern(500_000);
        let sent = data.clone();
        let sending = create_task(async move {
            writer.write(&sent);
            writer.write_eof();
            writer.wait_closed().await
        });
        let mut received = reader.readexactly(3).await?;
        let mut buffer = vec![0; 100_000];
        loop {
            match AsyncReadExt::read(&mut reader, &mut buffer).await? {
                0 => break,
                count => received.extend(&buffer[..count]),
            }
        }
        assert!(received == data && reader.at_eof());
        assert_eq!(AsyncReadExt::read(&mut reader, &mut buffer).await?, 0);
        sending.cancel();
        Ok(())
    });
}

#[test]
fn an_error_that_lasts_keeps_what_it_is_made_of() {
    run(async {
        let (mut reader, feeder) = fed(4, b"");
        let cause = "a".parse::<u32>().unwrap_err();
        feeder.set_exception(io::Error::new(io::ErrorKind::InvalidData, cause.clone()));
        let error = reader.read(1).await.unwrap_err();
        let found = std::error::Error::source(&error).and_then(|source| source.downcast_ref());
        assert_eq!(found, Some(&cause));
        assert_eq!(error.to_string(), cause.to_string());
        Ok(())
    });
}

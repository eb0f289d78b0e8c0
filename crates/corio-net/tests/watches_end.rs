//! What is left of a stream in the operating system's watch when it goes: nothing, also where somebody has a duplicate.

#![cfg(target_os = "linux")]

mod support;
#[path = "../../corio-runtime/tests/support/watched.rs"]
mod watched;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use corio_net::{TcpStream, UnixStream};
use corio_runtime::{create_task, yield_now};
use support::{reactor, run, tcp_pair};
use watched::is_watched;

/// Uses the stream, so that it is watched, and drops it while there is a duplicate.
async fn watched_after<S: AsFd>(stream: S, duplicate: OwnedFd) -> io::Result<bool> {
    assert!(is_watched(&duplicate)?);
    drop(stream);
    is_watched(&duplicate)
}

#[test]
fn a_stream_whose_handle_was_lent_ends_its_watch() {
    run(async {
        // Accepted and connected, of both kinds.
        let (accepted, connected) = tcp_pair().await?;
        let (one, other) = UnixStream::pair()?;
        for stream in [&accepted, &connected] {
            stream.write(b"x").await?;
        }
        for stream in [accepted, connected] {
            let duplicate = stream.as_fd().try_clone_to_owned()?;
            assert!(!watched_after(stream, duplicate).await?);
        }
        for stream in [&one, &other] {
            stream.write(b"x").await?;
        }
        for stream in [one, other] {
            let duplicate = stream.as_fd().try_clone_to_owned()?;
            assert!(!watched_after(stream, duplicate).await?);
        }
        Ok(())
    });
}

#[test]
fn a_stream_of_the_standard_library_that_was_duplicated_before_ends_its_watch() {
    run(async {
        let (stream, _peer) = tcp_pair().await?;
        let stream = stream.into_std();
        let duplicate = stream.try_clone()?;
        let stream = TcpStream::from_std(stream)?;
        stream.write(b"x").await?;
        assert!(!watched_after(stream, duplicate.into()).await?);
        Ok(())
    });
}

/// Nobody has lent these, so that the close alone ends each watch; the system gives the same numbers out again and again.
#[test]
fn what_a_stream_receives_that_has_gone_does_not_reach_the_next_one() {
    run(async {
        let mut buffer = [0; 32];
        for _ in 0..8 {
            let (first, peer) = tcp_pair().await?;
            peer.write(b"read").await?;
            assert_eq!(first.read(&mut buffer).await?, 4);
            peer.write(b"never read").await?;
            drop(first);
            let (next, next_peer) = tcp_pair().await?;
            let writing = create_task(async move {
                yield_now().await;
                drop(peer);
                next_peer.write(b"for the next").await
            });
            let length = next.read(&mut buffer).await?;
            assert_eq!(&buffer[..length], b"for the next");
            writing.await.expect("neither cancelled nor panicked")?;
        }
        assert!(reactor().contains("sources: 0"), "{}", reactor());
        Ok(())
    });
}

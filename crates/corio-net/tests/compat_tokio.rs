//! The traits of tokio on our streams, under our loop.

#![cfg(feature = "tokio-io")]

mod support;

use std::io::{self, IoSlice};

use corio_net::compat::Tokio;
use corio_runtime::create_task;
use support::{pattern, run, tcp_pair};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy};

async fn there_and_back<C, S>(client: C, server: S) -> io::Result<()>
where
    C: tokio::io::AsyncRead + AsyncWrite + Unpin + 'static,
    S: tokio::io::AsyncRead + AsyncWrite + Unpin + 'static,
{
    let echo = create_task(async move {
        let (mut read, mut write) = tokio::io::split(server);
        let length = copy(&mut read, &mut write).await?;
        write.shutdown().await?;
        io::Result::Ok(length)
    });
    let bytes = pattern(500_000);
    let (mut read, mut write) = tokio::io::split(client);
    let sending = create_task({
        let bytes = bytes.clone();
        async move {
            write.write_all(&bytes).await?;
            write.shutdown().await
        }
    });
    let mut got = Vec::new();
    read.read_to_end(&mut got).await?;
    assert!(got == bytes);
    sending.await.unwrap()?;
    assert_eq!(echo.await.unwrap()?, bytes.len() as u64);
    Ok(())
}

#[test]
fn streams_go_there_and_back_through_the_traits_of_tokio() {
    run(async {
        let (client, server) = tcp_pair().await?;
        there_and_back(client, server).await
    });
}

#[cfg(unix)]
#[test]
fn unix_streams_go_there_and_back_through_the_traits_of_tokio() {
    run(async {
        let (client, server) = corio_net::UnixStream::pair()?;
        there_and_back(client, server).await
    });
}

#[test]
fn any_stream_of_futures_io_goes_there_and_back_in_a_wrapper() {
    run(async {
        let (client, server) = tcp_pair().await?;
        there_and_back(Tokio::new(client), Tokio::new(server)).await
    });
}

#[test]
fn halves_and_several_buffers_work_too() {
    run(async {
        let (mut a, b) = tcp_pair().await?;
        assert!(a.is_write_vectored());
        let (_, mut write) = a.split();
        let bufs = [IoSlice::new(b"one\n"), IoSlice::new(b"two\n")];
        assert_eq!(AsyncWriteExt::write_vectored(&mut write, &bufs).await?, 8);
        let (read, mut back) = b.into_split();
        let mut lines = BufReader::new(read).lines();
        assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
        assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
        AsyncWriteExt::write_all(&mut back, b"thanks").await?;
        drop((back, lines));
        let mut got = String::new();
        AsyncReadExt::read_to_string(&mut a, &mut got).await?;
        assert_eq!(got, "thanks");
        Ok(())
    });
}

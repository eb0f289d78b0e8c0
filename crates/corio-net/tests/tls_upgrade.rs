//! TLS on a connection that is in use: STARTTLS.

#![cfg(feature = "tls")]

mod support;
#[path = "support/tls.rs"]
mod support_tls;

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::sync::Arc;

use corio_net::tls::rustls::ServerConfig;
use corio_net::tls::{TlsStream, Upgraded};
use corio_net::{Server, StreamReader, StreamWriter, TcpStream, open_connection, start_server};
use corio_runtime::yield_now;
use support::{LIMIT, pattern, run};
use support_tls::{Identity, NAME};

const MUCH: usize = 500_000;

type Notes = Rc<RefCell<Vec<String>>>;

/// Takes lines. After `STARTTLS` it says go ahead, and then the same in private; `quiet` says nothing before.
async fn serve_lines(
    mut reader: StreamReader,
    mut writer: StreamWriter,
    config: &Arc<ServerConfig>,
    heard: &Notes,
) -> io::Result<()> {
    loop {
        let line = String::from_utf8(reader.readline().await?).map_err(io::Error::other)?;
        heard.borrow_mut().push(line.trim().to_owned());
        match line.trim() {
            "" => return Ok(()),
            command @ ("STARTTLS" | "quiet STARTTLS") => {
                if command == "STARTTLS" {
                    writer.write(b"go ahead\n");
                }
                let upgrade = writer.start_tls_as_server(reader, config.clone()).await;
                match upgrade {
                    Ok(streams) => (reader, writer) = streams,
                    Err(error) => {
                        heard.borrow_mut().push(format!("{:?}", error.kind()));
                        return Ok(());
                    }
                }
            }
            "much" => writer.write(&pattern(MUCH)),
            other => writer.write(format!("{other}?\n").as_bytes()),
        }
    }
}

async fn start(identity: &Identity) -> io::Result<(Server, Notes)> {
    let (config, heard) = (identity.server(), Notes::default());
    let notes = heard.clone();
    let handler = async move |reader, writer| serve_lines(reader, writer, &config, &notes).await;
    Ok((start_server(handler, "127.0.0.1:0").await?, heard))
}

async fn secured(
    identity: &Identity,
    reader: StreamReader,
    writer: StreamWriter,
) -> io::Result<(StreamReader, StreamWriter)> {
    let name = NAME.try_into().unwrap();
    writer.start_tls(reader, identity.client(), name).await
}

#[test]
fn a_connection_goes_on_in_private() {
    run(async {
        let identity = Identity::new();
        let (server, heard) = start(&identity).await?;
        let addr = server.local_addrs()[0];
        let (mut reader, writer) = open_connection(addr).await?;
        writer.write(b"hello\nSTARTTLS\n");
        assert_eq!(reader.readline().await?, b"hello?\n");
        assert_eq!(reader.readline().await?, b"go ahead\n");

        let (mut reader, writer) = secured(&identity, reader, writer).await?;
        assert_eq!(writer.peer_addr(), Some(addr));
        assert!(!writer.can_write_eof());
        let socket = writer.with_transport(|stream: &mut TlsStream<Upgraded>| {
            let socket = stream.get_ref().downcast_ref::<TcpStream>();
            socket.map(TcpStream::peer_addr)
        });
        assert_eq!(socket.flatten().unwrap()?, addr);
        writer.write(b"secret\nmuch\n\n");
        assert_eq!(reader.readline().await?, b"secret?\n");
        assert!(reader.read_to_end().await? == pattern(MUCH));
        writer.close();
        writer.wait_closed().await?;

        server.close();
        server.wait_closed().await;
        assert_eq!(*heard.borrow(), ["hello", "STARTTLS", "secret", "much", ""]);
        Ok(())
    });
}

#[test]
fn a_handshake_that_has_arrived_already_is_not_lost() {
    run(async {
        let identity = Identity::new();
        let (server, _) = start(&identity).await?;
        let (reader, writer) = open_connection(server.local_addrs()).await?;
        // In one go with the hello of TLS, as far as the system can tell.
        writer.write(b"quiet STARTTLS\n");
        let (mut reader, writer) = secured(&identity, reader, writer).await?;
        writer.write(b"secret\n");
        assert_eq!(reader.readline().await?, b"secret?\n");
        Ok(())
    });
}

#[test]
fn a_command_that_was_smuggled_in_before_the_handshake_is_not_heard() {
    run(async {
        let identity = Identity::new();
        let (server, heard) = start(&identity).await?;
        let (mut reader, writer) = open_connection(server.local_addrs()).await?;
        writer.write(b"STARTTLS\nsmuggled\n");
        assert_eq!(reader.readline().await?, b"go ahead\n");
        assert!(secured(&identity, reader, writer).await.is_err());
        server.close();
        server.wait_closed().await;
        assert_eq!(*heard.borrow(), ["STARTTLS", "InvalidData"]);
        Ok(())
    });
}

#[test]
fn a_server_goes_on_counting_the_connection_and_can_end_it() {
    run(async {
        let identity = Identity::new();
        let (server, _) = start(&identity).await?;
        let (reader, writer) = open_connection(server.local_addrs()).await?;
        writer.write(b"quiet STARTTLS\n");
        let (mut reader, writer) = secured(&identity, reader, writer).await?;
        writer.write(b"secret\n");
        reader.readline().await?;
        assert_eq!(server.connections(), 1);
        server.abort_clients();
        // By force, so without the goodbye of TLS.
        let error = reader.readline().await.unwrap_err();
        let error = io::Error::from(error);
        assert!(
            matches!(
                error.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
            ),
            "{error:?}"
        );
        while server.connections() > 0 {
            yield_now().await;
        }
        Ok(())
    });
}

#[test]
fn streams_that_are_closed_or_of_different_connections_are_refused() {
    run(async {
        let identity = Identity::new();
        let (server, _) = start(&identity).await?;
        let (one, first) = open_connection(server.local_addrs()).await?;
        let (_other, second) = open_connection(server.local_addrs()).await?;
        let error = secured(&identity, one, second).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        first.close();
        let (reader, writer) = open_connection(server.local_addrs()).await?;
        writer.close();
        let error = secured(&identity, reader, writer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        let report = server.shutdown(LIMIT).await;
        assert_eq!(report.forced, 0);
        Ok(())
    });
}

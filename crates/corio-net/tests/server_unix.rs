//! Servers in the Unix domain: what becomes of the file at the path.
#![cfg(unix)]

mod support;
#[cfg(feature = "tls")]
#[path = "support/tls.rs"]
mod support_tls;

use std::fs;
use std::io;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use corio_net::{open_unix_connection, start_unix_server};
use support::{Folder, LIMIT, run};

/// A path of its own for each test, in a folder that goes with it.
struct Place(
    PathBuf,
    #[allow(dead_code, reason = "it is dropped")] Folder,
);

impl Place {
    fn new(name: &str) -> Place {
        let folder = Folder::new();
        Place(folder.path().join(name), folder)
    }
}

#[test]
fn c144_the_file_goes_with_the_server() {
    let place = Place::new("goes");
    run(async {
        let server = start_unix_server(async |_, writer| writer.write(b"x"), &place.0).await?;
        assert!(server.local_addrs().is_empty() && server.is_serving());
        let (mut reader, writer) = open_unix_connection(&place.0).limit(10).await?;
        assert_eq!(reader.read_to_end().await?, b"x");
        assert_eq!(writer.peer_addr(), None);
        assert!(writer.can_write_eof());
        drop(writer);
        server.close();
        assert!(!place.0.exists());
        server.wait_closed().await;
        Ok(())
    });
}

#[test]
fn c144_a_file_that_is_gone_is_no_error() {
    let place = Place::new("gone");
    run(async {
        let server = start_unix_server(async |_, _| (), &place.0).await?;
        fs::remove_file(&place.0)?;
        server.close();
        server.wait_closed().await;
        Ok(())
    });
}

#[test]
fn c144_a_file_that_has_taken_the_place_is_kept() {
    let place = Place::new("replaced");
    run(async {
        let server = start_unix_server(async |_, _| (), &place.0).await?;
        // The new file exists before the old one goes, so that it cannot get its number.
        let other = Place::new("replacement");
        let replacement = UnixListener::bind(&other.0)?;
        fs::rename(&other.0, &place.0)?;
        server.close();
        assert!(place.0.exists());
        drop(replacement);
        Ok(())
    });
}

#[test]
fn c144_the_file_is_kept_if_that_was_asked_for() {
    let place = Place::new("kept");
    run(async {
        let server = start_unix_server(async |_, _| (), &place.0)
            .cleanup_socket(false)
            .await?;
        server.close();
        assert!(place.0.exists());
        Ok(())
    });
}

#[test]
fn a_file_that_nobody_listens_at_any_more_is_replaced() {
    let place = Place::new("stale");
    drop(UnixListener::bind(&place.0).unwrap());
    assert!(place.0.exists());
    run(async {
        let server = start_unix_server(async |_, writer| writer.write(b"x"), &place.0).await?;
        let (mut reader, _writer) = open_unix_connection(&place.0).await?;
        assert_eq!(reader.read_to_end().await?, b"x");
        let report = server.shutdown(LIMIT).await;
        assert_eq!(report.forced, 0);
        Ok(())
    });
}

#[test]
fn a_server_that_lives_and_files_of_other_kinds_are_left_alone() {
    let place = Place::new("alive");
    let _alive = UnixListener::bind(&place.0).unwrap();
    let file = Place::new("file");
    fs::write(&file.0, "mine").unwrap();
    run(async {
        for path in [&place.0, &file.0] {
            let error = start_unix_server(async |_, _| (), path).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
            assert!(path.exists());
        }
        Ok(())
    });
    assert_eq!(fs::read(&file.0).unwrap(), b"mine");
}

#[cfg(feature = "tls")]
mod tls {
    use super::{LIMIT, Place, run};
    use crate::support_tls::{Identity, NAME};
    use corio_net::tls::TlsStream;
    use corio_net::{UnixStream, open_unix_connection, start_unix_server};
    use std::io;

    #[test]
    fn bytes_go_both_ways_under_tls_and_the_name_of_the_host_is_the_one_that_was_said() {
        let place = Place::new("tls");
        run(async {
            let identity = Identity::new();
            let server = start_unix_server(
                async |mut reader, writer| {
                    let line = reader.readline().await?;
                    writer.write(&line);
                    writer.close();
                    writer.wait_closed().await
                },
                &place.0,
            )
            .tls(identity.server())
            .await?;
            let open = || open_unix_connection(&place.0).tls(identity.client());
            let (mut reader, writer) = open().server_name(NAME).await?;
            let secured = writer.with_transport(|stream: &mut TlsStream<UnixStream>| {
                stream.tls().peer_certificates().map_or(0, <[_]>::len)
            });
            assert_eq!(secured, Some(1));
            writer.write(b"hello\n");
            assert_eq!(reader.read_to_end().await?, b"hello\n");
            drop(writer);

            let error = open().server_name("elsewhere.test").await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            let report = server.shutdown(LIMIT).await;
            assert_eq!(report.forced, 0);
            Ok(())
        });
    }

    #[test]
    fn without_a_name_nothing_is_connected() {
        let place = Place::new("tls-no-name");
        run(async {
            let identity = Identity::new();
            let opening = open_unix_connection(&place.0).tls(identity.client());
            let error = opening.await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
            Ok(())
        });
    }
}

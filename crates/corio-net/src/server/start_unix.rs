//! `start_unix_server`.

use std::fmt;
use std::fs;
use std::future::{IntoFuture, Ready, ready};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::panic::Location;
use std::path::{Path, PathBuf};

use super::handle::Server;
use super::handler::HandlerOutput;
use super::serving::{Serving, serving_methods};
use crate::UnixListener;
use crate::stream::{StreamReader, StreamWriter};
use crate::unix::is_listened_at;

/// Serves connections in the Unix domain: each has a task of its own, in which `handler` gets a reader and a writer.
///
/// It is awaited as it is, or after options. A socket file that another program has left at the path is removed; one at which
/// somebody still listens is not. When the server closes, it removes its file, unless another one has taken its place.
///
/// The handler and the server are as with [`start_server`](crate::start_server).
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{open_unix_connection, start_unix_server};
///
/// let path = std::env::temp_dir().join(format!("corio-server-{}.sock", std::process::id()));
/// corio::run(async {
///     let server = start_unix_server(async |_, writer| writer.write(b"welcome\n"), &path).await?;
///     let (mut reader, _writer) = open_unix_connection(&path).await?;
///     assert_eq!(reader.readline().await?, b"welcome\n");
///     server.close();
///     assert!(!path.exists());
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
///
/// [`AddrInUse`](io::ErrorKind::AddrInUse) when somebody listens at the path, or there is a file of another kind; and what else the
/// operating system says.
///
/// # Panics
///
/// When it is awaited on a thread where no loop is running.
///
/// # Cancel safety
///
/// It never waits.
#[track_caller]
pub fn start_unix_server<H, R>(handler: H, path: impl AsRef<Path>) -> StartUnixServer<H>
where
    H: AsyncFn(StreamReader, StreamWriter) -> R + 'static,
    R: HandlerOutput + 'static,
{
    StartUnixServer {
        serving: Serving::new(handler, Location::caller()),
        path: path.as_ref().to_owned(),
        cleanup_socket: true,
    }
}

/// A server that is to be started. Made by [`start_unix_server`], and awaited.
#[must_use = "it does nothing unless it is awaited"]
pub struct StartUnixServer<H> {
    serving: Serving<H>,
    path: PathBuf,
    cleanup_socket: bool,
}

impl<H> StartUnixServer<H> {
    serving_methods!();

    /// Whether the socket file is removed when the server closes. It is, unless told otherwise.
    pub fn cleanup_socket(mut self, cleanup: bool) -> Self {
        self.cleanup_socket = cleanup;
        self
    }
}

impl<H, R> StartUnixServer<H>
where
    H: AsyncFn(StreamReader, StreamWriter) -> R + 'static,
    R: HandlerOutput + 'static,
{
    fn start(self) -> io::Result<Server> {
        remove_left_file(&self.path)?;
        let listener = UnixListener::bind(&self.path)?;
        let clean_up = if self.cleanup_socket {
            Some(removal_of(self.path)?)
        } else {
            None
        };
        Ok(self.serving.server(vec![listener], clean_up))
    }
}

impl<H, R> IntoFuture for StartUnixServer<H>
where
    H: AsyncFn(StreamReader, StreamWriter) -> R + 'static,
    R: HandlerOutput + 'static,
{
    type Output = io::Result<Server>;
    type IntoFuture = Ready<io::Result<Server>>;

    fn into_future(self) -> Self::IntoFuture {
        ready(self.start())
    }
}

/// Removes a socket file at which nobody listens.
fn remove_left_file(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() && !is_listened_at(path) => {
            fs::remove_file(path)
        }
        // If there is something else, binding says so.
        _ => Ok(()),
    }
}

/// What removes the file that is at the path now, if it is still there.
fn removal_of(path: PathBuf) -> io::Result<Box<dyn FnOnce()>> {
    let identity = |path: &Path| -> io::Result<(u64, u64)> {
        let metadata = fs::symlink_metadata(path)?;
        Ok((metadata.dev(), metadata.ino()))
    };
    let ours = identity(&path)?;
    Ok(Box::new(move || {
        if identity(&path).is_ok_and(|there| there == ours) {
            // If somebody was faster, it is gone, and that is what was wanted.
            let _ = fs::remove_file(&path);
        }
    }))
}

impl<H> fmt::Debug for StartUnixServer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartUnixServer")
            .field("path", &self.path)
            .field("serve", &self.serving.serve)
            .finish_non_exhaustive()
    }
}

//! TLS opposite other implementations: OpenSSL by its command, and asyncio.

#![cfg(feature = "tls")]

mod support;
#[path = "support/tls.rs"]
mod support_tls;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use corio_net::{StreamReader, StreamWriter, open_connection, start_server};
use corio_runtime::to_thread;
use support::{Folder, pattern, run};
use support_tls::{Identity, NAME};

const MUCH: usize = 300_000;

/// Answers as many bytes as the line says, and ends.
async fn answer(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let line = reader.readline().await?;
    let text = String::from_utf8_lossy(&line);
    let length = text.trim().parse().map_err(io::Error::other)?;
    writer.write(&pattern(length));
    writer.close();
    writer.wait_closed().await
}

/// A certificate and its key in files, as others want to have them.
fn files_of(identity: &Identity) -> Folder {
    let folder = Folder::new();
    let path = folder.path();
    std::fs::write(path.join("cert.pem"), identity.certificate_pem()).unwrap();
    std::fs::write(path.join("key.pem"), identity.key_pem()).unwrap();
    folder
}

/// Another program, which ends with the test.
struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    /// `None`: it is not here.
    fn start(name: &str, folder: &Path, arguments: &[&str]) -> Option<Program> {
        let mut command = Command::new(name);
        command.args(arguments).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        match command.stderr(Stdio::null()).spawn() {
            Ok(mut child) => {
                let stdout = BufReader::new(child.stdout.take().unwrap());
                Some(Program { child, stdout })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("skipped: there is no {name}");
                None
            }
            Err(error) => panic!("{name} does not start: {error}"),
        }
    }

    fn say(&mut self, text: &[u8]) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(text).unwrap();
        stdin.flush().unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stdout.read_to_end(&mut rest).unwrap();
        rest
    }

    fn succeeds(&mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Serves a client that is another program, and gives what that has found out.
fn serve_one<T: Send + 'static>(
    client: impl FnOnce(&Path, u16) -> Option<T> + Send + 'static,
) -> Option<T> {
    run(async {
        let identity = Identity::new();
        let server = start_server(answer, "127.0.0.1:0");
        let server = server.tls(identity.server()).await?;
        let port = server.local_addrs()[0].port();
        let files = files_of(&identity);
        let found = to_thread(move || client(files.path(), port)).await?;
        server.close();
        server.wait_closed().await;
        Ok(found)
    })
}

/// Asks a server that is another program.
fn ask_one(server: impl FnOnce(&Path) -> Option<(Program, u16)> + Send + 'static) {
    run(async {
        let identity = Identity::new();
        let files = files_of(&identity);
        let start = move || server(files.path()).map(|(program, port)| (files, program, port));
        let Some((_files, mut program, port)) = to_thread(start).await? else {
            return Ok(());
        };
        let open = open_connection(("127.0.0.1", port)).tls(identity.client());
        let (mut reader, writer) = open.server_name(NAME).await?;
        writer.write(format!("{MUCH}\n").as_bytes());
        writer.write(&pattern(MUCH));
        writer.drain().await?;
        let answer = reader.read_to_end().await?;
        assert_eq!(String::from_utf8_lossy(&answer), format!("got {MUCH}"));
        writer.close();
        writer.wait_closed().await?;
        assert!(to_thread(move || program.succeeds()).await?);
        Ok(())
    });
}

#[test]
fn a_client_of_openssl_is_served() {
    let got = serve_one(|folder, port| {
        let addr = format!("127.0.0.1:{port}");
        let arguments = [
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-CAfile",
            "cert.pem",
            "-verify_hostname",
            NAME,
            "-servername",
            NAME,
            "-connect",
            &addr,
        ];
        let mut client = Program::start("openssl", folder, &arguments)?;
        client.say(format!("{MUCH}\n").as_bytes());
        Some((client.rest(), client.succeeds()))
    });
    if let Some((got, content)) = got {
        assert!(content && got == pattern(MUCH), "{} bytes", got.len());
    }
}

/// It echoes each line backwards, and does not end by itself.
#[test]
fn a_server_of_openssl_serves() {
    run(async {
        let identity = Identity::new();
        let files = files_of(&identity);
        let start = move || {
            let arguments = [
                "s_server",
                "-rev",
                "-cert",
                "cert.pem",
                "-key",
                "key.pem",
                "-accept",
                "127.0.0.1:0",
            ];
            let mut server = Program::start("openssl", files.path(), &arguments)?;
            // ACCEPT 127.0.0.1:40000
            let port = loop {
                let line = server.line();
                if let Some((_, port)) = line.strip_prefix("ACCEPT ")?.rsplit_once(':') {
                    break port.parse().unwrap();
                }
            };
            Some((files, server, port))
        };
        let Some((_files, _server, port)) = to_thread(start).await? else {
            return Ok(());
        };
        let port: u16 = port;
        let open = open_connection(("127.0.0.1", port)).tls(identity.client());
        let (mut reader, writer) = open.server_name(NAME).await?;
        for length in [1, 1000, 16_000] {
            let line = "abcdefg".repeat(length / 7 + 1);
            writer.write(format!("{line}\n").as_bytes());
            let backwards = String::from_utf8(reader.readline().await?).unwrap();
            assert!(backwards.trim_end().chars().rev().eq(line.chars()));
        }
        // What it takes as the end of a connection.
        writer.write(b"CLOSE\n");
        assert_eq!(reader.read_to_end().await?, b"");
        writer.close();
        writer.wait_closed().await
    });
}

const CLIENT: &str = r#"
import asyncio, ssl, sys

async def main(port, length):
    context = ssl.create_default_context(cafile="cert.pem")
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    writer.write(b"%d\n" % length)
    got = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert got == bytes(at % 251 for at in range(length)), len(got)
    print("same", flush=True)

asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
"#;

#[test]
fn a_client_of_asyncio_is_served() {
    let said = serve_one(|folder, port| {
        let arguments = ["-c", CLIENT, &port.to_string(), &MUCH.to_string()];
        let mut client = Program::start("python3", folder, &arguments)?;
        Some((client.line(), client.succeeds()))
    });
    if let Some((said, content)) = said {
        assert!(content && said == "same", "{said}");
    }
}

const SERVER: &str = r#"
import asyncio, ssl

async def main():
    done = asyncio.Event()

    async def handle(reader, writer):
        got = await reader.readexactly(int(await reader.readline()))
        assert got == bytes(at % 251 for at in range(len(got)))
        writer.write(b"got %d" % len(got))
        writer.close()
        await writer.wait_closed()
        done.set()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("cert.pem", "key.pem")
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await done.wait()
    server.close()

asyncio.run(main())
"#;

#[test]
fn a_server_of_asyncio_serves() {
    ask_one(|folder| {
        let mut server = Program::start("python3", folder, &["-c", SERVER])?;
        let port = server.line().parse().unwrap();
        Some((server, port))
    });
}

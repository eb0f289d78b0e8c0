//! Streams and servers opposite asyncio itself: what one side sends, the other one gets, byte for byte.

mod support;

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use corio_net::{StreamReader, StreamWriter, open_connection, start_server};
use corio_runtime::create_task;
use support::{LIMIT, run};

/// Blocks of random lengths, each with its length before it, up to an empty one; the answer is the same bytes and a checksum.
const CLIENT: &str = r#"
import asyncio, random, sys, zlib

async def main(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    random.seed(7)
    sent = 0
    async def answers():
        got = 0
        while True:
            length = int(await reader.readline())
            if length == 0:
                return got, int((await reader.readuntil(b";;"))[:-2])
            got = zlib.crc32(await reader.readexactly(length), got)
    task = asyncio.create_task(answers())
    for _ in range(200):
        block = random.randbytes(random.choice([1, 10, 1000, 50_000]))
        sent = zlib.crc32(block, sent)
        writer.write(b"%d\n" % len(block))
        writer.write(block)
        await writer.drain()
    writer.write(b"0\n")
    got, told = await task
    writer.write_eof()
    assert await reader.read() == b"goodbye"
    writer.close()
    await writer.wait_closed()
    assert sent == got == told, (sent, got, told)
    print("same", flush=True)

asyncio.run(main(int(sys.argv[1])))
"#;

const SERVER: &str = r#"
import asyncio, sys, zlib

async def handle(reader, writer):
    checksum = 0
    while True:
        length = int(await reader.readline())
        writer.write(b"%d\n" % length)
        if length == 0:
            break
        block = await reader.readexactly(length)
        checksum = zlib.crc32(block, checksum)
        writer.write(block)
        await writer.drain()
    writer.write(b"%d;;" % checksum)
    assert await reader.read() == b""
    writer.write(b"goodbye")
    writer.close()
    await writer.wait_closed()

async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    server.close()

asyncio.run(main())
"#;

/// A Python program, which ends when its standard input does.
struct Python {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Python {
    /// `None`: there is no Python here.
    fn start(program: &str, argument: &str) -> Option<Python> {
        let mut command = Command::new("python3");
        command.args(["-c", program, argument]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("skipped: there is no python3");
                return None;
            }
            Err(error) => panic!("python3 does not start: {error}"),
        };
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Some(Python {
            child,
            stdin,
            stdout,
        })
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Lets it end, and says whether it was content.
    fn end(mut self) -> bool {
        if let Some(mut stdin) = self.stdin.take() {
            stdin.write_all(b"\n").ok();
        }
        self.child.wait().unwrap().success()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The checksum of zlib.
fn crc32(bytes: &[u8], before: u32) -> u32 {
    let mut crc = !before;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

async fn read_length(reader: &mut StreamReader) -> io::Result<usize> {
    let line = reader.readline().await?;
    let text = std::str::from_utf8(&line).map_err(io::Error::other)?;
    text.trim().parse().map_err(io::Error::other)
}

async fn serve_blocks(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let mut checksum = 0;
    loop {
        let length = read_length(&mut reader).await?;
        writer.write(format!("{length}\n").as_bytes());
        if length == 0 {
            break;
        }
        let block = reader.readexactly(length).await?;
        checksum = crc32(&block, checksum);
        writer.write(&block);
        writer.drain().await?;
    }
    writer.write(format!("{checksum};;").as_bytes());
    assert_eq!(reader.read_to_end().await?, b"");
    writer.write(b"goodbye");
    writer.close();
    writer.wait_closed().await
}

#[test]
fn a_client_of_asyncio_is_served() {
    run(async {
        let server = start_server(serve_blocks, "127.0.0.1:0").await?;
        let port = server.local_addrs()[0].port().to_string();
        let said = corio_runtime::to_thread(move || {
            let mut client = Python::start(CLIENT, &port)?;
            let said = client.line();
            Some((said, client.end()))
        });
        if let Some((said, content)) = said.await? {
            assert!(content && said == "same", "{said}");
        }
        let report = server.shutdown(LIMIT).await;
        assert_eq!(report.forced, 0);
        Ok(())
    });
}

#[test]
fn a_server_of_asyncio_serves() {
    run(async {
        let start = || {
            let mut server = Python::start(SERVER, "")?;
            let port: u16 = server.line().parse().unwrap();
            Some((server, port))
        };
        let Some((python, port)) = corio_runtime::to_thread(start).await? else {
            return Ok(());
        };
        let (mut reader, writer) = open_connection(("127.0.0.1", port)).await?;
        let answers = create_task(async move {
            let mut got = 0;
            loop {
                let length = read_length(&mut reader).await?;
                if length == 0 {
                    break;
                }
                got = crc32(&reader.readexactly(length).await?, got);
            }
            let told = reader.readuntil(b";;").await?;
            let told = String::from_utf8_lossy(&told[..told.len() - 2]).into_owned();
            io::Result::Ok((got, told, reader))
        });
        let (mut sent, mut seed) = (0, 7_u64);
        for round in 0..200 {
            let length = [1, 10, 1000, 50_000][round % 4];
            let block: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    (seed >> 40) as u8
                })
                .collect();
            sent = crc32(&block, sent);
            writer.writelines([format!("{length}\n").as_bytes(), &block]);
            writer.drain().await?;
        }
        writer.write(b"0\n");
        let (got, told, mut reader) = answers.await??;
        assert_eq!((got, told), (sent, sent.to_string()));
        writer.write_eof();
        assert_eq!(reader.read_to_end().await?, b"goodbye");
        writer.close();
        writer.wait_closed().await?;
        assert!(corio_runtime::to_thread(move || python.end()).await?);
        Ok(())
    });
}

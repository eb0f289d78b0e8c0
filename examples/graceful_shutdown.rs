//! A server that ends well: at Ctrl-C it accepts nobody any more, answers the request that it is working on, and says goodbye.
//!
//! With an address it serves until Ctrl-C; without one it has clients of its own, and interrupts itself.

use std::io;
use std::time::Duration;

use corio::net::{Server, StreamReader, StreamWriter, open_connection, start_server};
use corio::{RunError, Runner, Task, catch_cancel, create_task, finally, sleep};

async fn answer(request: String) -> String {
    println!("server: working on {request}");
    sleep(Duration::from_millis(100)).await;
    format!("{request}: done\n")
}

async fn serve(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    loop {
        let line = match catch_cancel(reader.readline()).await {
            Ok(line) => line?,
            // Asked to end while there was nothing to do.
            Err(cancelled) => {
                writer.write(b"goodbye\n");
                cancelled.propagate().await
            }
        };
        if line.is_empty() {
            return Ok(());
        }
        let request = String::from_utf8_lossy(&line).trim_end().to_owned();
        // What is begun is ended: the work is a task of its own, and only watched.
        let work = create_task(answer(request));
        let asked_to_end = catch_cancel(&work).await.err();
        writer.write((&work).await?.as_bytes());
        writer.drain().await?;
        if let Some(cancelled) = asked_to_end {
            cancelled.propagate().await
        }
    }
}

async fn client(server: Server, request: &'static str) -> io::Result<String> {
    let (mut reader, writer) = open_connection(server.local_addrs()).await?;
    writer.write(request.as_bytes());
    let answer = reader.readline().await?;
    Ok(String::from_utf8_lossy(&answer).trim_end().to_owned())
}

async fn run() -> io::Result<()> {
    let server = start_server(serve, "127.0.0.1:0").await?;
    let busy = create_task(client(server.clone(), "a report\n"));
    let idle = create_task(client(server.clone(), ""));
    create_task({
        let server = server.clone();
        async move {
            while server.connections() < 2 {
                sleep(Duration::from_millis(1)).await;
            }
            sleep(Duration::from_millis(20)).await;
            println!("Ctrl-C");
            press_ctrl_c();
        }
    });
    finally(server.serve_forever(), async || {
        tell("the idle client got", idle).await;
        tell("the busy client got", busy).await;
        println!("connections left: {}", server.connections());
    })
    .await?;
    Ok(())
}

async fn tell(what: &str, client: Task<io::Result<String>>) {
    match client.await {
        Ok(Ok(answer)) => println!("{what}: {answer}"),
        other => println!("{what} nothing: {other:?}"),
    }
}

#[cfg(unix)]
fn press_ctrl_c() {
    use rustix::process::{Signal, getpid, kill_process};

    kill_process(getpid(), Signal::INT).expect("a process may signal itself");
}

#[cfg(not(unix))]
fn press_ctrl_c() {
    let main = corio::all_tasks().swap_remove(0);
    main.cancel();
}

async fn serve_at(addr: String) -> io::Result<()> {
    let server = start_server(serve, addr).await?;
    println!("listening at {:?}", server.local_addrs());
    Ok(server.serve_forever().await?)
}

fn main() -> io::Result<()> {
    // A runner says that it was interrupted; `corio::run` would end the process by the signal.
    let mut runner = Runner::new()?;
    let ended = match std::env::args().nth(1) {
        Some(addr) => runner.run(serve_at(addr)),
        None => runner.run(run()),
    };
    match ended {
        Ok(result) => result,
        Err(RunError::Interrupted | RunError::Cancelled(_)) => {
            println!("ended in good order");
            Ok(())
        }
        Err(error) => Err(io::Error::other(error)),
    }
}

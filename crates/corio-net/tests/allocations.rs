//! Reading and writing allocate nothing. It has a process of its own, since it counts for all threads.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::rc::Rc;

use corio_net::{TcpStream, UdpSocket};
use corio_runtime::create_task;
use support::{run, tcp_pair};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

async fn echo(stream: Rc<TcpStream>) -> io::Result<()> {
    let mut buf = [0; 64];
    loop {
        match stream.read(&mut buf).await? {
            0 => return Ok(()),
            length => stream.write(&buf[..length]).await?,
        };
    }
}

#[test]
fn requests_over_tcp_and_udp_allocate_nothing() {
    run(async {
        let (a, b) = tcp_pair().await?;
        create_task(echo(Rc::new(b)));
        let c = UdpSocket::bind("127.0.0.1:0").await?;
        let at_c = c.local_addr()?;
        let mut buf = [0; 64];
        let mut before = 0;
        for round in 0..200 {
            if round == 100 {
                before = COUNT.get();
            }
            a.write(b"request").await?;
            assert_eq!(a.read(&mut buf).await?, 7);
            c.send_to(b"message", at_c).await?;
            assert_eq!(c.recv_from(&mut buf).await?, (7, at_c));
        }
        assert_eq!(COUNT.get() - before, 0);
        Ok(())
    });
}

//! The watcher: a task that notices the loss of a connection whose reader is gone.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use corio_runtime::current_task;

use super::connection::Connection;
use super::incoming::Incoming;

/// Reads what nobody will read, until the peer says that it was the last, or the connection fails or is closed.
pub(super) async fn watch(connection: Rc<Connection>) {
    if let Some(task) = current_task() {
        task.set_name("StreamWriter: watching");
    }
    poll_fn(|cx| poll_watch(&connection, cx)).await;
}

fn poll_watch(connection: &Connection, cx: &mut Context<'_>) -> Poll<()> {
    let mut unread = Incoming::default();
    match ready!(unread.fill(|buf| connection.poll_read(cx, buf))) {
        Ok(count) if count > 0 => {
            // A peer that never pauses must not keep the loop.
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        _ => Poll::Ready(()),
    }
}

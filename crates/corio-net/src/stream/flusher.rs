//! The flusher: a task that sends what was written and could not be sent at once. It lives while there is something to send.

use std::future::{Future, poll_fn};
use std::rc::Rc;

use corio_combinators::catch_cancel;
use corio_runtime::current_task;

use super::connection::Connection;

/// Sends the rest of a connection.
///
/// It is asked to end when the loop ends. As long as somebody holds the writer, who may be cleaning up and have something to say,
/// it goes on; when asked again, or when the writer is gone, it gives up.
pub(super) fn flush(connection: Rc<Connection>) -> impl Future<Output = ()> {
    let ended = Ended(connection);
    async move {
        let connection = &ended.0;
        if let Some(task) = current_task() {
            task.set_name("StreamWriter: sending");
        }
        while !connection.is_idle() {
            let sent = catch_cancel(poll_fn(|cx| connection.poll_flusher(cx))).await;
            if sent.is_err() && !connection.flusher_may_go_on() {
                connection.give_up();
            }
        }
        connection.sent();
    }
}

/// Tells the connection, also when the task was ended by force or never began.
struct Ended(Rc<Connection>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.flusher_ends();
    }
}

//! The flusher: a task that sends what was written and could not be sent at once. It lives while there is something to send.

use std::future::poll_fn;
use std::rc::Rc;

use corio_combinators::catch_cancel;
use corio_runtime::current_task;

use super::connection::Connection;

/// Sends the rest of a connection.
///
/// It is asked to end when the loop ends. As long as somebody holds the writer, who may be cleaning up and have something to say,
/// it goes on; when asked again, or when the writer is gone, it gives up.
pub(super) async fn flush(connection: Rc<Connection>) {
    let connection = Ended(connection);
    if let Some(task) = current_task() {
        task.set_name("StreamWriter: sending");
    }
    while catch_cancel(poll_fn(|cx| connection.0.poll_send(cx)))
        .await
        .is_err()
    {
        if !connection.0.is_hurried() {
            connection.0.give_up();
        }
    }
}

/// Tells the connection, also when the task was ended by force.
struct Ended(Rc<Connection>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.flusher_ends();
    }
}

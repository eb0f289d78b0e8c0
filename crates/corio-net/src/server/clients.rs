//! `Clients`: the connections of a server.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use corio_core::AnyTask;

use super::shared::Shared;
use crate::stream::{Connection, Guest};

/// The connections, in places that are used again.
#[derive(Default)]
pub(super) struct Clients {
    table: RefCell<Table>,
}

#[derive(Default)]
struct Table {
    rounds: u64,
    places: Vec<Option<Client>>,
    free: Vec<usize>,
}

#[derive(Default)]
struct Client {
    task: Option<AnyTask>,
    /// Of servers whose handlers get streams.
    connection: Weak<Connection>,
    /// The round in which it was asked to end.
    asked: Option<u64>,
}

/// Counts for one connection, as long as a clone of it is held: by the task, and by the connection while it is open.
#[derive(Clone)]
pub(super) struct Presence(Rc<Place>);

struct Place {
    shared: Rc<Shared>,
    index: usize,
}

impl Clients {
    pub(super) fn len(&self) -> usize {
        let table = self.table.borrow();
        table.places.len() - table.free.len()
    }

    /// A place for a connection.
    pub(super) fn enter(shared: &Rc<Shared>) -> Presence {
        let mut table = shared.clients.table.borrow_mut();
        let index = match table.free.pop() {
            Some(index) => index,
            None => {
                table.places.push(None);
                table.places.len() - 1
            }
        };
        table.places[index] = Some(Client::default());
        Presence(Rc::new(Place {
            shared: shared.clone(),
            index,
        }))
    }

    fn leave(&self, index: usize) -> Option<AnyTask> {
        let mut table = self.table.borrow_mut();
        let client = table.places[index].take();
        table.free.push(index);
        client.and_then(|client| client.task)
    }

    /// Asks every connection that was not asked yet to end, and gives the number of this round.
    pub(super) fn cancel(&self, reason: &'static str) -> u64 {
        let mut table = self.table.borrow_mut();
        table.rounds += 1;
        let round = table.rounds;
        let clients = table.places.iter_mut().flatten();
        let news = clients.filter(|client| client.asked.is_none());
        let mut tasks = Vec::new();
        for client in news {
            client.asked = Some(round);
            tasks.extend(client.task.clone());
        }
        drop(table);
        for task in tasks {
            task.cancel_with(reason);
        }
        round
    }

    /// Ends the connections by force that were asked in this round.
    pub(super) fn abort_asked(&self, round: u64) {
        self.abort_those(|client| client.asked == Some(round));
    }

    /// Ends every connection by force, and says how many that were.
    pub(super) fn abort(&self) -> usize {
        self.abort_those(|_| true)
    }

    fn abort_those(&self, which: impl Fn(&Client) -> bool) -> usize {
        let table = self.table.borrow();
        let clients = table.places.iter().flatten().filter(|client| which(client));
        let clients: Vec<_> = clients
            .map(|client| (client.task.clone(), client.connection.upgrade()))
            .collect();
        drop(table);
        for (task, connection) in &clients {
            if let Some(task) = task {
                task.abort();
            }
            if let Some(connection) = connection {
                connection.abort();
            }
        }
        clients.len()
    }
}

impl Presence {
    /// The task of this connection.
    pub(super) fn set_task(&self, task: AnyTask) {
        let Place { shared, index } = &*self.0;
        if let Some(client) = &mut shared.clients.table.borrow_mut().places[*index] {
            client.task = Some(task);
        }
    }

    pub(super) fn set_connection(&self, connection: &Rc<Connection>) {
        let Place { shared, index } = &*self.0;
        if let Some(client) = &mut shared.clients.table.borrow_mut().places[*index] {
            client.connection = Rc::downgrade(connection);
        }
    }
}

impl Guest for Presence {
    #[cfg(feature = "tls")]
    fn moves_to(&self, connection: &Rc<Connection>) {
        self.set_connection(connection);
    }
}

/// The presence of a connection's task, which leaves the table with its end: what it has to report is not to wait for the connection.
pub(super) struct OfTask(pub(super) Presence);

impl Drop for OfTask {
    fn drop(&mut self) {
        let Place { shared, index } = &*self.0.0;
        let mut table = shared.clients.table.borrow_mut();
        let client = table.places[*index].as_mut();
        let task = client.and_then(|client| client.task.take());
        drop(table);
        drop(task);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let task = self.shared.clients.leave(self.index);
        drop(task);
        self.shared.client_left();
    }
}

//! What the handles of a server, its accepting tasks and its connections share.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::panic::Location;
use std::rc::Rc;

use corio_core::Task;
use corio_runtime::get_running_loop;

use super::clients::Clients;
use super::options::ServeOptions;
use crate::wake_list::WakeList;

pub(super) struct Shared {
    pub(super) options: ServeOptions,
    pub(super) clients: Clients,
    /// Who waits for an end: of the server, or of its last connection.
    pub(super) waiting: WakeList,
    pub(super) forever: Cell<bool>,
    state: Cell<State>,
    seats: RefCell<Vec<Rc<dyn AnySeat>>>,
    /// What is to be done when the server closes.
    clean_up: Cell<Option<Box<dyn FnOnce()>>>,
    site: &'static Location<'static>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Bound,
    Serving,
    Closed,
}

/// An acceptor with its handler, of whatever types.
pub(super) trait AnySeat {
    /// Makes the accepting task.
    fn start(self: Rc<Self>, shared: &Rc<Shared>);
    /// Drops the acceptor, and ends the accepting task.
    fn close(&self);
    fn local_addr(&self) -> Option<SocketAddr>;
}

impl Shared {
    pub(super) fn new(
        options: ServeOptions,
        seats: Vec<Rc<dyn AnySeat>>,
        clean_up: Option<Box<dyn FnOnce()>>,
        site: &'static Location<'static>,
    ) -> Rc<Shared> {
        Rc::new(Shared {
            options,
            clients: Clients::default(),
            waiting: WakeList::default(),
            forever: Cell::new(false),
            state: Cell::new(State::Bound),
            seats: RefCell::new(seats),
            clean_up: Cell::new(clean_up),
            site,
        })
    }

    /// A task of the server, which was created where the server was made, and is shown as one of `Shown`: the line and the name
    /// that the program knows.
    pub(super) fn create_task<Shown, F>(&self, work: F) -> Task<F::Output>
    where
        F: Future<Output: 'static> + 'static,
    {
        let work = async move { Some(work.await) };
        let scheduler = get_running_loop().scheduler().clone();
        scheduler.create_fallible_task_at::<Shown, _, _>(work, self.site)
    }

    pub(super) fn state(&self) -> State {
        self.state.get()
    }

    /// It is closed, and the last connection has ended.
    pub(super) fn is_over(&self) -> bool {
        self.state.get() == State::Closed && self.clients.len() == 0
    }

    pub(super) fn start(self: &Rc<Self>) {
        if self.state.get() != State::Bound {
            return;
        }
        self.state.set(State::Serving);
        let seats = self.seats.borrow().clone();
        for seat in seats {
            seat.start(self);
        }
    }

    pub(super) fn close(&self) {
        if self.state.replace(State::Closed) == State::Closed {
            return;
        }
        let seats = self.seats.take();
        for seat in &seats {
            seat.close();
        }
        drop(seats);
        if let Some(clean_up) = self.clean_up.take() {
            clean_up();
        }
        self.waiting.wake_all();
    }

    pub(super) fn local_addrs(&self) -> Vec<SocketAddr> {
        let seats = self.seats.borrow().clone();
        seats.iter().filter_map(|seat| seat.local_addr()).collect()
    }

    /// Asks the connections to end; those that have not when the grace is over end by force.
    pub(super) fn close_clients(self: &Rc<Self>) {
        let round = self.clients.cancel(REASON);
        let shared = Rc::downgrade(self);
        get_running_loop().call_later(self.options.grace, move || {
            if let Some(shared) = shared.upgrade() {
                shared.clients.abort_asked(round);
            }
        });
    }

    pub(super) fn client_left(&self) {
        if self.clients.len() == 0 {
            self.waiting.wake_all();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Bound, and never served.
        self.close();
    }
}

/// Why connections are cancelled.
pub(super) const REASON: &str = "the server is closing its connections";

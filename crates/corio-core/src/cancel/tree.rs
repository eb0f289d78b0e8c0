//! The tree itself: a slab of nodes per thread, and what happens to them under one borrow.
//!
//! Nothing in this file wakes, drops or calls anything foreign. What is to be done outside of the borrow is collected in
//! [`Actions`].

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

use super::node::{Kind, Members};
use super::request::{Part, Request, Why};
use crate::cell::CellRef;

/// A node of this thread's tree. Generations make an old id name nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NodeId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// What a node waits on, or whom it stands for.
pub(crate) enum Subject {
    None,
    /// A root stands for this task.
    Task(CellRef),
    /// An owned wait for one task.
    Owned(CellRef),
    /// An owned wait for several.
    Members(Rc<dyn Members>),
}

pub(crate) struct Entry {
    generation: u32,
    pub(crate) kind: Option<Kind>,
    parent: u32,
    first_child: u32,
    next: u32,
    previous: u32,
    /// The poll in which it was last reached, see [`Tree::stamp`].
    stamp: u64,
    subject: Subject,
    /// Empty when it is the waker of the task itself.
    waker: Option<Waker>,
    /// Only while a request is under way.
    trouble: Option<Box<Trouble>>,
}

#[derive(Default)]
struct Trouble {
    mark: Option<Mark>,
    /// Taken, and still being worked on.
    working: Option<Request>,
    /// Asked whether it answers a wake, at this stamp.
    probed: Option<u64>,
    answers: bool,
    /// Entered here while the task was taking a step.
    queued: Option<Request>,
    /// At the top: nodes that have been marked and have not looked yet.
    in_flight: Vec<NodeId>,
    /// At the top: nodes with something queued.
    queued_at: Vec<NodeId>,
    /// At the top: turns in a row in which nodes in flight were given another chance.
    chances: u32,
}

struct Mark {
    request: Request,
    /// It came up, so it waits for others at work on the same.
    waits: bool,
}

/// How often a task that wakes itself may put off the judgement that a node does not answer.
const CHANCES: u32 = 8;

/// What remains to be done when the borrow has ended, in order.
#[derive(Default)]
pub(crate) struct Actions(Vec<Action>);

enum Action {
    Wake(Waker),
    Step(CellRef),
    Forward(CellRef, Arc<Why>),
}

impl Actions {
    #[inline]
    pub(crate) fn run(self) {
        if !self.0.is_empty() {
            self.run_all();
        }
    }

    /// Requests that are forwarded from task to task are a work list: chains may be long, and cycles are gone through once.
    #[cold]
    fn run_all(self) {
        let mut seen = HashSet::new();
        let mut stack: Vec<Action> = self.0;
        stack.reverse();
        while let Some(action) = stack.pop() {
            match action {
                Action::Wake(waker) => waker.wake(),
                Action::Step(task) => task.scheduler.wake_cell(&task),
                Action::Forward(task, why) => {
                    if seen.insert((task.scheduler.id(), task.id)) {
                        let (_, more) = super::task::enter_root(&task, why);
                        stack.extend(more.0.into_iter().rev());
                    }
                }
            }
        }
    }

    fn step(&mut self, task: Option<&CellRef>) {
        self.0.extend(task.cloned().map(Action::Step));
    }
}

pub(crate) struct Nodes {
    entries: Vec<Entry>,
    free: Vec<u32>,
    alive: usize,
}

pub(crate) struct Tree {
    number: u64,
    pub(crate) nodes: RefCell<Nodes>,
    /// The node whose inner future is being polled; 0 is none.
    pub(crate) current: Cell<u32>,
    /// Counts the polls of tasks that have requests under way. Others leave a stale number in their nodes, which is harmless:
    /// such a node gets one more turn before it is judged.
    pub(crate) stamp: Cell<u64>,
    /// What is being collected while catchers drop their inner futures, innermost last.
    collecting: RefCell<Vec<Option<Request>>>,
}

static NUMBERS: AtomicU64 = AtomicU64::new(1);
static REQUESTS: AtomicU64 = AtomicU64::new(1);
/// Nodes that were dropped on a thread that is not theirs.
static RETURNED: Mutex<Vec<(u64, NodeId)>> = Mutex::new(Vec::new());
static RETURNED_COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static TREE: Tree = Tree {
        number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        nodes: RefCell::new(Nodes::new()),
        current: const { Cell::new(0) },
        stamp: const { Cell::new(1) },
        collecting: const { RefCell::new(Vec::new()) },
    };
}

/// Uses this thread's tree; `None` while the thread is ending.
#[inline]
pub(crate) fn with<R>(body: impl FnOnce(&Tree) -> R) -> Option<R> {
    TREE.try_with(body).ok()
}

/// The number of this thread's tree, never used again.
pub(crate) fn number() -> u64 {
    with(|tree| tree.number).unwrap_or(0)
}

pub(crate) fn next_request() -> u64 {
    REQUESTS.fetch_add(1, Ordering::Relaxed)
}

/// A `Cancelled` that was neither propagated nor swallowed by a decision: if a catcher is dropping it, its request joins.
pub(super) fn collect_dropped(number: u64, why: &Arc<Why>, parts: &[Part]) {
    with(|tree| {
        if tree.number == number {
            let request = Request {
                why: why.clone(),
                parts: parts.to_vec(),
            };
            tree.collect(request);
        }
    });
}

/// A node was dropped on another thread.
pub(super) fn give_back(number: u64, id: NodeId) {
    RETURNED.lock().push((number, id));
    RETURNED_COUNT.fetch_add(1, Ordering::Release);
}

impl Tree {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Joins the innermost collection. False: nobody is collecting.
    fn collect(&self, request: Request) -> bool {
        match self.collecting.borrow_mut().last_mut() {
            Some(place) => {
                request.merge_into(place);
                true
            }
            None => false,
        }
    }

    pub(crate) fn begin_collecting(&self) {
        self.collecting.borrow_mut().push(None);
    }

    pub(crate) fn end_collecting(&self) -> Option<Request> {
        self.collecting.borrow_mut().pop().flatten()
    }

    /// Takes back what other threads have dropped.
    #[inline]
    pub(crate) fn sweep(&self) {
        if RETURNED_COUNT.load(Ordering::Acquire) != 0 {
            self.sweep_returned();
        }
    }

    #[cold]
    fn sweep_returned(&self) {
        let mut mine = Vec::new();
        {
            let mut returned = RETURNED.lock();
            returned.retain(|(number, id)| {
                if *number == self.number {
                    mine.push(*id);
                }
                *number != self.number
            });
            RETURNED_COUNT.store(returned.len() as u64, Ordering::Release);
        }
        for id in mine {
            self.leave(id);
        }
    }

    /// A node goes. What it had under way joins a collection, or rises to the node above it.
    pub(crate) fn leave(&self, id: NodeId) {
        let mut actions = Actions::default();
        let removed = {
            let mut nodes = self.nodes.borrow_mut();
            if !nodes.is_alive(id) {
                return;
            }
            if let Some(request) = nodes.give_up(id.index) {
                if !self.collect(request.clone()) {
                    nodes.rise(id.index, request, &mut actions);
                }
            }
            nodes.remove(id.index)
        };
        drop(removed);
        actions.run();
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let mut returned = RETURNED.lock();
        returned.retain(|(number, _)| *number != self.number);
        RETURNED_COUNT.store(returned.len() as u64, Ordering::Release);
    }
}

impl Nodes {
    const fn new() -> Nodes {
        Nodes {
            entries: Vec::new(),
            free: Vec::new(),
            alive: 0,
        }
    }

    pub(crate) fn alive(&self) -> usize {
        self.alive
    }

    pub(crate) fn at(&self, index: u32) -> &Entry {
        &self.entries[index as usize]
    }

    fn at_mut(&mut self, index: u32) -> &mut Entry {
        &mut self.entries[index as usize]
    }

    fn trouble(&mut self, index: u32) -> &mut Trouble {
        self.at_mut(index).trouble.get_or_insert_default()
    }

    pub(crate) fn id(&self, index: u32) -> NodeId {
        NodeId {
            index,
            generation: self.at(index).generation,
        }
    }

    #[inline]
    pub(crate) fn is_alive(&self, id: NodeId) -> bool {
        self.entries
            .get(id.index as usize)
            .is_some_and(|entry| entry.generation == id.generation && entry.kind.is_some())
    }

    /// A new node below `parent`, as its last child.
    pub(crate) fn add(&mut self, kind: Kind, parent: u32, subject: Subject) -> NodeId {
        if self.entries.is_empty() {
            self.entries.push(Entry::vacant());
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.entries.push(Entry::vacant());
                (self.entries.len() - 1) as u32
            }
        };
        self.alive += 1;
        let entry = self.at_mut(index);
        entry.kind = Some(kind);
        entry.subject = subject;
        entry.stamp = 0;
        self.link(index, parent);
        self.id(index)
    }

    fn link(&mut self, index: u32, parent: u32) {
        let first = if parent == 0 {
            0
        } else {
            self.at(parent).first_child
        };
        let entry = self.at_mut(index);
        entry.parent = parent;
        entry.previous = 0;
        entry.next = first;
        if first != 0 {
            self.at_mut(first).previous = index;
        }
        if parent != 0 {
            self.at_mut(parent).first_child = index;
        }
    }

    fn unlink(&mut self, index: u32) {
        let (parent, next, previous) = {
            let entry = self.at(index);
            (entry.parent, entry.next, entry.previous)
        };
        if previous != 0 {
            self.at_mut(previous).next = next;
        } else if parent != 0 {
            self.at_mut(parent).first_child = next;
        }
        if next != 0 {
            self.at_mut(next).previous = previous;
        }
    }

    /// Takes a node out; its children, if it has any left, stand alone until they are polled again.
    pub(crate) fn remove(&mut self, index: u32) -> (Subject, Option<Waker>) {
        self.unlink(index);
        let mut child = self.at(index).first_child;
        while child != 0 {
            let next = self.at(child).next;
            let entry = self.at_mut(child);
            (entry.parent, entry.next, entry.previous) = (0, 0, 0);
            child = next;
        }
        self.alive -= 1;
        let entry = self.at_mut(index);
        entry.generation = entry.generation.wrapping_add(1);
        entry.kind = None;
        entry.trouble = None;
        (entry.parent, entry.next, entry.previous, entry.first_child) = (0, 0, 0, 0);
        let left = (
            std::mem::replace(&mut entry.subject, Subject::None),
            entry.waker.take(),
        );
        self.free.push(index);
        left
    }

    /// Moves a node (and what is below it) to another parent.
    pub(crate) fn move_to(&mut self, index: u32, parent: u32, actions: &mut Actions) {
        if let Some(request) = self.give_up(index) {
            self.rise(index, request, actions);
        }
        self.unlink(index);
        self.link(index, parent);
    }

    #[inline]
    pub(crate) fn parent(&self, index: u32) -> u32 {
        self.at(index).parent
    }

    /// Notes that a poll has reached the node. The old waker, if it is another one now, is given back to be dropped.
    #[inline]
    pub(crate) fn reached(&mut self, index: u32, stamp: u64) {
        self.at_mut(index).stamp = stamp;
    }

    pub(crate) fn has_own_waker(&self, index: u32) -> Option<&Waker> {
        self.at(index).waker.as_ref()
    }

    pub(crate) fn set_waker(&mut self, index: u32, waker: Option<Waker>) -> Option<Waker> {
        std::mem::replace(&mut self.at_mut(index).waker, waker)
    }

    #[inline]
    pub(crate) fn in_trouble(&self, index: u32) -> bool {
        self.at(index).trouble.is_some()
    }

    fn top(&self, mut index: u32) -> u32 {
        loop {
            match self.at(index).parent {
                0 => return index,
                parent => index = parent,
            }
        }
    }

    /// The task that a root stands for.
    fn task_of(&self, index: u32) -> Option<&CellRef> {
        match &self.at(index).subject {
            Subject::Task(cell) => Some(cell),
            _ => None,
        }
    }

    /// Mark and work of a node that goes or moves. What is queued there ends with it.
    fn give_up(&mut self, index: u32) -> Option<Request> {
        let trouble = self.at_mut(index).trouble.as_mut()?;
        let mut request = trouble.mark.take().map(|mark| mark.request);
        if let Some(working) = trouble.working.take() {
            working.merge_into(&mut request);
        }
        request
    }

    /// A request enters at a node. It waits there while the task is taking a step.
    pub(crate) fn request(&mut self, origin: NodeId, why: Arc<Why>, actions: &mut Actions) {
        if !self.is_alive(origin) {
            return;
        }
        let request = Request {
            why,
            parts: vec![Part {
                origin,
                number: next_request(),
            }],
        };
        let top = self.top(origin.index);
        let in_flux = match self.task_of(top) {
            Some(cell) => cell.state.is_running(),
            None => with(|tree| self.is_on_stack(tree.current.get(), top)).unwrap_or(false),
        };
        if !in_flux {
            return self.distribute(origin.index, request, actions);
        }
        request.merge_into(&mut self.trouble(origin.index).queued);
        let queued_at = &mut self.trouble(top).queued_at;
        if !queued_at.contains(&origin) {
            queued_at.push(origin);
        }
        if let Some(cell) = self.task_of(top) {
            cell.state.attend();
        }
    }

    fn is_on_stack(&self, current: u32, top: u32) -> bool {
        current != 0 && self.top(current) == top
    }

    /// Sends a request from its origin down to the innermost takers.
    fn distribute(&mut self, origin: u32, request: Request, actions: &mut Actions) {
        let mut targets = Vec::new();
        self.innermost(origin, true, &mut targets);
        if targets.is_empty() {
            return self.mark(origin, request, false, actions);
        }
        for target in targets {
            if !self.forward(target, &request, actions) {
                self.mark(target, request.clone(), false, actions);
            }
        }
    }

    fn innermost(&self, index: u32, is_origin: bool, targets: &mut Vec<u32>) {
        let before = targets.len();
        let mut child = self.at(index).first_child;
        let mut children = Vec::new();
        while child != 0 {
            children.push(child);
            child = self.at(child).next;
        }
        // Children are linked in front; the order of requests is that of the joining.
        for child in children.into_iter().rev() {
            self.innermost(child, false, targets);
        }
        let takes = matches!(self.at(index).kind, Some(Kind::Catch | Kind::Wait));
        if targets.len() == before && takes && !is_origin {
            targets.push(index);
        }
    }

    /// An owned wait hands a request on to its unfinished tasks. False: it has none.
    fn forward(&mut self, index: u32, request: &Request, actions: &mut Actions) -> bool {
        let unfinished: Vec<CellRef> = match &self.at(index).subject {
            Subject::Owned(cell) => vec![cell.clone()],
            Subject::Members(members) => members
                .tasks()
                .into_iter()
                .map(|task| task.cell().clone())
                .collect(),
            _ => return false,
        };
        let mut any = false;
        for cell in unfinished.into_iter().filter(|cell| !cell.state.is_done()) {
            any = true;
            actions.0.push(Action::Forward(cell, request.why.clone()));
        }
        if any {
            request.clone().merge_into(&mut self.trouble(index).working);
            self.fly(index);
        }
        any
    }

    /// Leaves a request with the node that is to take it, and wakes that node.
    fn mark(&mut self, index: u32, request: Request, waits: bool, actions: &mut Actions) {
        let trouble = self.trouble(index);
        match &mut trouble.mark {
            Some(mark) => {
                mark.request.merge(request);
                mark.waits &= waits;
            }
            None => trouble.mark = Some(Mark { request, waits }),
        }
        self.fly(index);
        self.wake(index, actions);
    }

    /// Notes at the top that this node has something to look at.
    fn fly(&mut self, index: u32) {
        let id = self.id(index);
        let top = self.top(index);
        if top != index {
            let in_flight = &mut self.trouble(top).in_flight;
            if !in_flight.contains(&id) {
                in_flight.push(id);
            }
        }
        if let Some(cell) = self.task_of(top) {
            cell.state.attend();
        }
    }

    fn wake(&self, index: u32, actions: &mut Actions) {
        if let Some(waker) = &self.at(index).waker {
            actions.0.push(Action::Wake(waker.clone()));
        }
        if let Some(cell) = self.task_of(self.top(index)) {
            // While it takes a step, the look after the poll decides whether it needs another one.
            if !cell.state.is_running() {
                actions.step(Some(cell));
            }
        }
    }

    /// Entries whose origin is gone matter to nobody any more.
    fn prune(&self, request: &mut Request) {
        request.parts.retain(|part| self.is_alive(part.origin));
    }

    /// Sends a request up from a node to the next taker above it. False: it matters to nobody, or nobody could take it.
    pub(crate) fn rise(&mut self, from: u32, mut request: Request, actions: &mut Actions) -> bool {
        self.prune(&mut request);
        if request.parts.is_empty() {
            return false;
        }
        let mut index = if from == 0 { 0 } else { self.at(from).parent };
        self.rise_at(&mut index, request, actions)
    }

    /// The same, beginning with the node at `index` itself.
    pub(crate) fn rise_at(
        &mut self,
        index: &mut u32,
        mut request: Request,
        actions: &mut Actions,
    ) -> bool {
        self.prune(&mut request);
        while *index != 0 && !request.parts.is_empty() {
            let takes = match self.at(*index).kind {
                Some(Kind::Catch) => true,
                Some(Kind::Deadline) => self.is_outermost(*index, &request),
                Some(Kind::Wait) | None => false,
                Some(Kind::Root) => true,
            };
            if takes {
                self.mark(*index, request, true, actions);
                return true;
            }
            *index = self.at(*index).parent;
        }
        false
    }

    /// The request entered at this node, and no part of it further out.
    pub(crate) fn is_outermost(&self, index: u32, request: &Request) -> bool {
        let here = self.id(index);
        if !request.parts.iter().any(|part| part.origin == here) {
            return false;
        }
        let mut above = self.at(index).parent;
        while above != 0 {
            let id = self.id(above);
            if request.parts.iter().any(|part| part.origin == id) {
                return false;
            }
            above = self.at(above).parent;
        }
        true
    }

    /// A node looks at its mark. True: take it now.
    pub(crate) fn may_take(&mut self, index: u32, actions: &mut Actions) -> bool {
        let Some(mark) = self
            .at(index)
            .trouble
            .as_ref()
            .and_then(|trouble| trouble.mark.as_ref())
        else {
            return false;
        };
        if !mark.waits {
            return true;
        }
        let request = mark.request.clone();
        !self.others_at_work(index, index, &request, actions)
    }

    /// Some node below works on the same request, and answers when it is woken.
    fn others_at_work(
        &mut self,
        above: u32,
        index: u32,
        request: &Request,
        actions: &mut Actions,
    ) -> bool {
        let mut busy = false;
        if index != above {
            let stamp = self.at(index).stamp;
            let works = self.at(index).trouble.as_ref().is_some_and(|trouble| {
                trouble
                    .working
                    .as_ref()
                    .is_some_and(|working| working.overlaps(request))
            });
            if works {
                let trouble = self.trouble(index);
                match trouble.probed {
                    _ if trouble.answers => busy = true,
                    None => {
                        let now = with(|tree| tree.stamp.get()).unwrap_or(0);
                        trouble.probed = Some(now);
                        busy = true;
                        self.fly(above);
                        actions.step(self.task_of(self.top(index)));
                        self.wake(index, actions);
                    }
                    Some(probed) if stamp > probed => {
                        trouble.answers = true;
                        busy = true;
                    }
                    Some(probed) => {
                        let now = with(|tree| tree.stamp.get()).unwrap_or(0);
                        busy = now <= probed;
                    }
                }
            }
        }
        let mut child = self.at(index).first_child;
        while child != 0 {
            busy |= self.others_at_work(above, child, request, actions);
            child = self.at(child).next;
        }
        busy
    }

    /// The mark of a node, taken.
    pub(crate) fn take_mark(&mut self, index: u32) -> Option<Request> {
        let mark = self.at_mut(index).trouble.as_mut()?.mark.take()?;
        let id = self.id(index);
        let top = self.top(index);
        if let Some(trouble) = &mut self.at_mut(top).trouble {
            trouble.in_flight.retain(|other| *other != id);
        }
        Some(mark.request)
    }

    /// What a node took, after its inner future was dropped: with what bounced there, without what ended there.
    pub(crate) fn settle_taken(&self, mut request: Request, bounced: Option<Request>) -> Request {
        if let Some(bounced) = bounced {
            request.merge(bounced);
        }
        let before = request.parts.clone();
        self.prune(&mut request);
        if request.parts.is_empty() {
            request.parts = before;
        }
        request
    }

    /// Notes that the node is at work on what it took.
    pub(crate) fn set_working(&mut self, index: u32, request: Option<Request>) {
        if request.is_none() && self.at(index).trouble.is_none() {
            return;
        }
        let trouble = self.trouble(index);
        trouble.working = request;
        trouble.probed = None;
        trouble.answers = false;
    }

    pub(crate) fn working(&self, index: u32) -> Option<&Request> {
        self.at(index).trouble.as_ref()?.working.as_ref()
    }

    /// Before a step of the task (or a poll of a topmost node without one): the request that ends it now.
    pub(crate) fn before_step(&mut self, top: u32, actions: &mut Actions) -> Option<Request> {
        if self.may_take(top, actions) {
            self.take_mark(top)
        } else {
            None
        }
    }

    /// After a step that ended in `Pending`. The request, if there is one, ends the task (is to be taken by the topmost node)
    /// now. `woken`: the step has woken the task again.
    pub(crate) fn after_step(
        &mut self,
        top: u32,
        stamp: u64,
        woken: bool,
        actions: &mut Actions,
    ) -> Option<Request> {
        self.review(top, stamp, woken, actions);
        let queued_at = std::mem::take(&mut self.trouble(top).queued_at);
        let mut fresh_at_top = false;
        for id in queued_at {
            if self.is_alive(id) {
                if let Some(request) = self.trouble(id.index).queued.take() {
                    let marked = self.has_mark(top);
                    self.distribute(id.index, request, actions);
                    fresh_at_top |= !marked && self.has_mark(top);
                }
            }
        }
        let risen = !fresh_at_top
            && self
                .at(top)
                .trouble
                .as_ref()
                .is_some_and(|t| t.mark.as_ref().is_some_and(|m| m.waits));
        if risen && self.may_take(top, actions) {
            return self.take_mark(top);
        }
        if self.has_mark(top) || !self.trouble(top).in_flight.is_empty() {
            if self.wants_turn(top, stamp) {
                actions.step(self.task_of(top));
            }
        } else {
            self.calm(top);
        }
        None
    }

    fn has_mark(&self, index: u32) -> bool {
        self.at(index)
            .trouble
            .as_ref()
            .is_some_and(|trouble| trouble.mark.is_some())
    }

    /// A mark below (or at the top) is waiting to be looked at, rather than held back by others at work.
    fn wants_turn(&self, top: u32, _stamp: u64) -> bool {
        let fresh = |index: u32| {
            self.at(index)
                .trouble
                .as_ref()
                .is_some_and(|trouble| trouble.mark.as_ref().is_some_and(|mark| !mark.waits))
        };
        fresh(top)
            || self.at(top).trouble.as_ref().is_some_and(|trouble| {
                trouble
                    .in_flight
                    .iter()
                    .any(|id| self.is_alive(*id) && fresh(id.index))
            })
    }

    /// Judges the nodes in flight after a poll: those that it reached or that wait for others stay, the rest is passed over.
    fn review(&mut self, top: u32, stamp: u64, woken: bool, actions: &mut Actions) {
        let in_flight = std::mem::take(&mut self.trouble(top).in_flight);
        let mut kept = Vec::new();
        let mut silent = Vec::new();
        for id in in_flight {
            if !self.is_alive(id) || self.top(id.index) != top {
                continue;
            }
            let index = id.index;
            let reached = self.at(index).stamp == stamp;
            if self.has_mark(index) {
                if self.may_take(index, actions) {
                    if reached {
                        // The mark came after its look: another turn.
                        self.wake(index, actions);
                        actions.step(self.task_of(top));
                        kept.push(id);
                    } else {
                        silent.push(id);
                    }
                } else {
                    kept.push(id);
                }
            } else if self.working(index).is_some() && self.is_wait(index) {
                if reached || self.has_unfinished(index) {
                    kept.push(id);
                } else {
                    silent.push(id);
                }
            }
        }
        let chances = self.trouble(top).chances;
        if silent.is_empty() {
            self.trouble(top).chances = 0;
        } else if woken && chances < CHANCES {
            self.trouble(top).chances = chances + 1;
            kept.append(&mut silent);
        }
        self.trouble(top).in_flight = kept;
        for id in silent {
            if let Some(request) = self.give_up(id.index) {
                self.rise(id.index, request, actions);
            }
        }
    }

    fn is_wait(&self, index: u32) -> bool {
        self.at(index).kind == Some(Kind::Wait)
    }

    fn has_unfinished(&self, index: u32) -> bool {
        match &self.at(index).subject {
            Subject::Owned(cell) => !cell.state.is_done(),
            Subject::Members(members) => members.tasks().iter().any(|task| !task.done()),
            _ => false,
        }
    }

    /// The look of a topmost node that stands for no task: what a task does after a step. True: take.
    pub(crate) fn top_looks(&mut self, top: u32, stamp: u64, actions: &mut Actions) -> bool {
        match self.after_step(top, stamp, false, actions) {
            Some(request) => {
                self.trouble(top).mark = Some(Mark {
                    request,
                    waits: false,
                });
                true
            }
            None => false,
        }
    }

    /// The entries of a request that lie at a node or above it.
    pub(crate) fn on_the_way_up(&self, from: u32, mut request: Request) -> Request {
        request.parts.retain(|part| {
            let mut index = from;
            while index != 0 {
                if self.id(index) == part.origin {
                    return true;
                }
                index = self.at(index).parent;
            }
            false
        });
        request
    }

    pub(crate) fn innermost_catcher(&self, from: u32) -> Option<NodeId> {
        let mut index = from;
        while index != 0 {
            if self.at(index).kind == Some(Kind::Catch) {
                return Some(self.id(index));
            }
            index = self.at(index).parent;
        }
        None
    }

    /// A request that entered at this root has not been taken yet.
    pub(crate) fn has_outstanding(&self, root: u32) -> bool {
        let origin = self.id(root);
        let holds = |index: u32| {
            self.at(index).trouble.as_ref().is_some_and(|trouble| {
                let mark = trouble.mark.as_ref().map(|mark| &mark.request);
                [mark, trouble.queued.as_ref()]
                    .into_iter()
                    .flatten()
                    .any(|request| request.parts.iter().any(|part| part.origin == origin))
            })
        };
        holds(root)
            || self.at(root).trouble.as_ref().is_some_and(|trouble| {
                trouble
                    .in_flight
                    .iter()
                    .any(|id| self.is_alive(*id) && holds(id.index))
            })
    }

    /// Nothing is under way at the top any more.
    fn calm(&mut self, top: u32) {
        if self
            .at(top)
            .trouble
            .as_ref()
            .is_some_and(|trouble| trouble.working.is_none())
        {
            self.at_mut(top).trouble = None;
        }
        if let Some(cell) = self.task_of(top) {
            cell.state.at_ease();
        }
    }

    /// The task has ended: what was still outstanding for it.
    pub(crate) fn end_root(&mut self, root: u32) -> Option<Request> {
        let mut request = None;
        if let Some(trouble) = self.at_mut(root).trouble.take() {
            let trouble = *trouble;
            if let Some(mark) = trouble.mark {
                mark.request.merge_into(&mut request);
            }
            if let Some(queued) = trouble.queued {
                queued.merge_into(&mut request);
            }
            for id in trouble.in_flight {
                if self.is_alive(id) {
                    if let Some(left) = self.give_up(id.index) {
                        left.merge_into(&mut request);
                    }
                }
            }
        }
        let mut request = request?;
        self.prune(&mut request);
        (!request.parts.is_empty()).then_some(request)
    }

    /// The root's own requests are taken back, as far as they were not delivered or passed on.
    pub(crate) fn withdraw(&mut self, root: u32) {
        let origin = self.id(root);
        let Some(trouble) = self.at_mut(root).trouble.as_mut() else {
            return;
        };
        trouble.queued = None;
        trouble.queued_at.retain(|id| *id != origin);
        let mut places = trouble.in_flight.clone();
        places.push(origin);
        for id in places {
            if !self.is_alive(id) {
                continue;
            }
            if let Some(trouble) = self.at_mut(id.index).trouble.as_mut() {
                if let Some(mark) = &mut trouble.mark {
                    mark.request.parts.retain(|part| part.origin != origin);
                    if mark.request.parts.is_empty() {
                        trouble.mark = None;
                    }
                }
            }
        }
    }
}

impl Entry {
    fn vacant() -> Entry {
        Entry {
            generation: 0,
            kind: None,
            parent: 0,
            first_child: 0,
            next: 0,
            previous: 0,
            stamp: 0,
            subject: Subject::None,
            waker: None,
            trouble: None,
        }
    }
}

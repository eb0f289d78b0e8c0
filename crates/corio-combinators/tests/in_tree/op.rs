//! What a program is made of.

use proptest::prelude::*;

/// One step of a program. Times are halves of a second, so that much happens at the same time. Each has a number: a parent comes
/// before its children, and they come in their order.
#[derive(Clone, Debug)]
pub enum Op {
    Sleep(u8),
    Yield,
    /// Waits for the event with this number.
    Event(u8),
    /// Waits for the promise with this number.
    Promise(u8),
    CancelSelf,
    /// Cancels the task with this place among those there are.
    Cancel(u8),
    /// Cancels the scope with this place among those there are.
    Stop(u8),
    Seq(Vec<Op>),
    /// Polls all that have not ended each time it is polled.
    Join(Vec<Op>),
    /// Each branch has a waker of its own, and is polled when that was woken.
    JoinApart(Vec<Op>),
    /// The same, but the first one that ends drops the others.
    Select(Vec<Op>),
    /// An owned wait for a task.
    Await(Box<Op>),
    Watch(Box<Op>),
    Gather(Vec<Op>),
    Within(Limit, Box<Op>),
    /// Catches, goes on with the second, and propagates in the end (`true`) or swallows.
    Catch(Box<Op>, Box<Op>, bool),
    Finally(Box<Op>, Box<Op>),
    /// The first is lent to a limit, left half run if that is reached, and awaited again after the second.
    Lend(Box<Op>, Limit, Box<Op>),
    /// The first is polled so many times, put aside during the second, and then there is its end.
    Aside(Box<Op>, u8, Box<Op>, End),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Limit {
    Timeout(u8),
    MoveOn(u8),
    Scope,
    TimedScope(u8),
    Catch,
}

/// What becomes of a future that is half polled.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum End {
    Dropped,
    Awaited,
    Limited(Limit),
    /// It goes to another task, which is awaited.
    HandedOver,
    /// The same, but while it is watched and not owned.
    LeftToATask,
}

/// What comes from outside, when, in quarters of a second.
pub type Events = Vec<(u8, Event)>;

#[derive(Clone, Copy, Debug)]
pub enum Event {
    Cancel(u8),
    Abort(u8),
    Uncancel(u8),
    Stop(u8),
    Set(u8),
    Fulfil(u8),
}

impl Op {
    pub fn children(&self) -> Vec<&Op> {
        match self {
            Op::Seq(ops)
            | Op::Join(ops)
            | Op::JoinApart(ops)
            | Op::Select(ops)
            | Op::Gather(ops) => ops.iter().collect(),
            Op::Await(op) | Op::Watch(op) | Op::Within(_, op) => vec![op],
            Op::Catch(a, b, _) | Op::Finally(a, b) | Op::Lend(a, _, b) | Op::Aside(a, _, b, _) => {
                vec![a, b]
            }
            _ => Vec::new(),
        }
    }

    /// How many it is, its children included.
    fn size(&self) -> usize {
        1 + self.children().into_iter().map(Op::size).sum::<usize>()
    }

    /// The children with their numbers, if it has this one.
    pub fn numbered(&self, number: usize) -> Vec<(usize, Op)> {
        let mut next = number + 1;
        let numbered = self.children().into_iter().map(|child| {
            let number = next;
            next += child.size();
            (number, child.clone())
        });
        numbered.collect()
    }
}

pub fn op() -> impl Strategy<Value = Op> {
    let leaf = prop_oneof![
        8 => (0..5u8).prop_map(Op::Sleep),
        2 => Just(Op::Sleep(200)),
        3 => Just(Op::Yield),
        2 => (0..2u8).prop_map(Op::Event),
        2 => (0..2u8).prop_map(Op::Promise),
        1 => Just(Op::CancelSelf),
        1 => any::<u8>().prop_map(Op::Cancel),
        1 => any::<u8>().prop_map(Op::Stop),
    ];
    leaf.prop_recursive(6, 24, 3, branch)
}

fn branch(inner: BoxedStrategy<Op>) -> impl Strategy<Value = Op> {
    let one = || inner.clone().prop_map(Box::new);
    let some = || prop::collection::vec(inner.clone(), 2..4);
    prop_oneof![
        2 => some().prop_map(Op::Seq),
        4 => some().prop_map(Op::Join),
        1 => some().prop_map(Op::JoinApart),
        1 => some().prop_map(Op::Select),
        4 => one().prop_map(Op::Await),
        1 => one().prop_map(Op::Watch),
        1 => prop::collection::vec(inner.clone(), 1..3).prop_map(Op::Gather),
        5 => (limit(), one()).prop_map(|(a, b)| Op::Within(a, b)),
        2 => (one(), short(), any::<bool>()).prop_map(|(a, b, c)| Op::Catch(a, b, c)),
        2 => (one(), short()).prop_map(|(a, b)| Op::Finally(a, b)),
        2 => (one(), limit(), short()).prop_map(|(a, b, c)| Op::Lend(a, b, c)),
        2 => (one(), 1..4u8, one(), end()).prop_map(|(a, b, c, d)| Op::Aside(a, b, c, d)),
    ]
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        6 => (0..6u8).prop_map(Limit::Timeout),
        1 => (1..6u8).prop_map(Limit::MoveOn),
        1 => Just(Limit::Scope),
        1 => (1..6u8).prop_map(Limit::TimedScope),
        1 => Just(Limit::Catch),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        1 => Just(End::Dropped),
        2 => Just(End::Awaited),
        3 => limit().prop_map(End::Limited),
        2 => Just(End::HandedOver),
        1 => Just(End::LeftToATask),
    ]
}

/// A clean-up, or a pause.
fn short() -> impl Strategy<Value = Box<Op>> {
    prop_oneof![
        2 => Just(Op::Seq(Vec::new())),
        2 => Just(Op::Yield),
        3 => (0..3u8).prop_map(Op::Sleep),
        2 => (0..3u8).prop_map(|n| Op::Await(Box::new(Op::Sleep(n)))),
        1 => (0..3u8).prop_map(|n| Op::Within(Limit::Timeout(1), Box::new(Op::Sleep(n)))),
    ]
    .prop_map(Box::new)
}

pub fn events() -> impl Strategy<Value = Events> {
    let event = prop_oneof![
        4 => any::<u8>().prop_map(Event::Cancel),
        1 => any::<u8>().prop_map(Event::Abort),
        1 => any::<u8>().prop_map(Event::Uncancel),
        2 => any::<u8>().prop_map(Event::Stop),
        1 => (0..2u8).prop_map(Event::Set),
        1 => (0..2u8).prop_map(Event::Fulfil),
    ];
    prop::collection::vec((0..12u8, event), 0..4)
}

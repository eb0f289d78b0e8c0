//! What the futures are: movable between polls, and never to be sent to another thread.

use std::future::Ready;

use corio_combinators::{
    AsCompleted, AsCompletedWithin, Gather, GatherResults, NextCompleted, NextCompletedWithin,
    Shield, TimeoutError, TryGather, Wait,
};
use corio_core::{AnyTask, Task, TaskError};

/// Has one `check` for every type, and a second one for those that are `Send`: which of the two is meant is unclear then.
trait NeverSend<Unclear> {
    fn check() {}
}

struct IsSend;

impl<T> NeverSend<()> for T {}
impl<T: Send> NeverSend<IsSend> for T {}

fn unpin<T: Unpin>() {}
fn error<T: std::error::Error + Send + Sync + 'static>() {}

type Tried = Ready<Result<u8, TaskError>>;

#[test]
fn futures_are_unpin_and_never_send() {
    macro_rules! check {
        ($($kind:ty),+ $(,)?) => { $(
            unpin::<$kind>();
            <$kind as NeverSend<_>>::check();
        )+ };
    }
    check!(
        Gather<Vec<Ready<u8>>>,
        Gather<(Ready<u8>, Task<u8>)>,
        GatherResults<Vec<Ready<u8>>>,
        TryGather<Tried>,
        Wait<Task<u8>>,
        Wait<AnyTask>,
        AsCompleted<Ready<u8>>,
        AsCompletedWithin<Ready<u8>>,
        NextCompleted<'static, Ready<u8>>,
        NextCompletedWithin<'static, Ready<u8>>,
        Shield<Ready<u8>>,
    );
}

#[test]
fn the_timeout_error_is_an_ordinary_error() {
    error::<TimeoutError>();
    let error = std::io::Error::from(TimeoutError::new());
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(TimeoutError::new().to_string(), "timed out");
}

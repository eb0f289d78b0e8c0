//! shield runs turn by turn as asyncio's does.

mod support;

use std::rc::Rc;

use corio_combinators::shield;
use corio_core::TaskError;
use support::{Interrupted, assert_trace, create_task, sleep};

async fn work() -> u32 {
    let interrupted = Interrupted::new("inner cancelled");
    sleep(3.0).await;
    interrupted.quiet();
    log!("inner finished");
    9
}

#[test]
fn a_cancelled_waiter_leaves_the_inner_running_and_a_cancelled_inner_is_an_error() {
    // t39
    let trace = "
        k+0   t=1.0  outer cancelled; inner.done false
        k+1   t=1.0  outer gone
        k+3   t=3.0  inner finished
        k+4   t=3.0  inner result 9
        k+8   t=4.0  inner cancelled
        k+10  t=4.0  inner cancelled -> shield cancelled true
    ";
    assert_trace(trace, async {
        let inner = Rc::new(create_task(work()));
        let shared = inner.clone();
        let outer = create_task(async move {
            let _interrupted = Interrupted::new("outer cancelled; inner.done false");
            shield(&*shared).await.copied()
        });
        sleep(1.0).await;
        outer.cancel();
        (&outer).await.unwrap_err();
        log!("outer gone");
        log!("inner result {}", (&*inner).await.unwrap());
        let inner = create_task(work());
        let shielded = shield(&inner);
        sleep(1.0).await;
        inner.cancel();
        let result = shielded.await;
        let cancelled = matches!(result, Err(TaskError::Cancelled(_)));
        log!("inner cancelled -> shield cancelled {cancelled}");
    });
}

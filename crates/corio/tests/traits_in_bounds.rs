//! The traits of the surface, in the bounds of functions that libraries write around it.

use std::time::Duration;

use corio::{
    AsTask, AsTryTask, ChildOutput, EventLoop, IntoTask, ReturnWhen, RunError, RunTarget, Task,
    TaskError, TaskGroup, create_task, gather, sleep, task_group, try_wait, wait,
};

const SECOND: Duration = Duration::from_secs(1);

async fn all<I>(items: I) -> Result<Vec<<I::Item as IntoTask>::Output>, TaskError>
where
    I: IntoIterator<Item: IntoTask>,
{
    gather(items).await
}

async fn first<H: AsTask>(handles: Vec<H>) -> Option<H> {
    let (done, _) = wait(handles).return_when(ReturnWhen::FirstCompleted).await;
    done.into_iter().next()
}

async fn first_failure<H: AsTryTask>(handles: Vec<H>) -> usize {
    let (done, _) = try_wait(handles)
        .return_when(ReturnWhen::FirstException)
        .await;
    done.len()
}

fn drive<R: RunTarget>(event_loop: &EventLoop, target: R) -> Result<R::Output, RunError> {
    event_loop.run_until_complete(target)
}

fn child<E, F>(group: &TaskGroup<E>, work: F) -> Task<<F::Output as ChildOutput<E>>::Value>
where
    E: 'static,
    F: Future<Output: ChildOutput<E>> + 'static,
{
    group.create_task(work)
}

async fn after(seconds: u32) -> u32 {
    sleep(seconds * SECOND).await;
    seconds
}

#[corio::test(clock = "virtual")]
async fn futures_and_handles_go_through_functions_that_are_generic_over_them() {
    assert_eq!(all([after(2), after(1)]).await.unwrap(), [2, 1]);
    let tasks = [2, 1].map(|seconds| create_task(after(seconds)));
    let ended = first(tasks.iter().collect()).await.unwrap();
    assert_eq!(*ended.result().unwrap(), 1);
    assert_eq!(all(&tasks).await.unwrap(), [&2, &1]);

    let failing = [Ok(2), Err("bad")].map(|result| create_task(async move { result }));
    assert_eq!(first_failure(failing.into()).await, 2);

    let sum = task_group(async |group: TaskGroup<&str>| {
        let (one, two) = (
            child(&group, async { Ok(1) }),
            child(&group, async { Ok(2) }),
        );
        Ok(one.await.unwrap() + two.await.unwrap())
    });
    assert_eq!(sum.await.unwrap(), 3);
}

#[test]
fn what_a_loop_runs_goes_through_a_function_that_is_generic_over_it() {
    let event_loop = EventLoop::builder().virtual_clock().build().unwrap();
    let task = event_loop.create_task(after(1));
    let promise = event_loop.create_promise();
    promise.set_result(3).unwrap();
    let borrowed = String::from("borrowed");
    assert_eq!(drive(&event_loop, &task).unwrap(), &1);
    assert_eq!(drive(&event_loop, task).unwrap(), 1);
    assert_eq!(drive(&event_loop, &promise).unwrap(), &3);
    assert_eq!(
        drive(&event_loop, async { borrowed.as_str() }).unwrap(),
        "borrowed"
    );
    event_loop.close();
}

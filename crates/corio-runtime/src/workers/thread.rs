//! The life of a worker's thread.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use corio_core::Panic;

use crate::remote::Remote;
use crate::run_error::RunError;
use crate::runner::Runner;
use crate::workers::crew::Crew;
use crate::workers::pin;
use crate::workers::running::Results;
use crate::workers::worker::Worker;

/// What is settled before the thread starts.
pub(crate) struct Plan {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) grace: Duration,
    pub(crate) core: Option<usize>,
}

/// Makes the loop, says so, waits for the word to begin, runs the program, and ends everything in order.
pub(crate) fn live<P, T>(
    plan: Plan,
    program: &P,
    results: &Results<T>,
    say: &mpsc::Sender<io::Result<Remote>>,
    begun: &mpsc::Receiver<Arc<Crew>>,
) where
    P: AsyncFn(Worker) -> T,
{
    let core = plan.core.filter(|core| pin::stay_on(*core));
    let runner = Runner::builder().name(plan.name).grace(plan.grace).build();
    let mut runner = match runner {
        Ok(runner) => runner,
        Err(error) => {
            // Who started this thread is waiting for the word.
            let _ = say.send(Err(error));
            return;
        }
    };
    let event_loop = runner.event_loop();
    event_loop.inner.hears_ctrl_c.set(true);
    let _ = say.send(Ok(event_loop.remote()));
    let Ok(crew) = begun.recv() else { return };
    let worker = Worker::new(plan.index, core, crew.clone());
    let main = async {
        crew.main_begins(plan.index);
        program(worker).await
    };
    // A panic of the main task is resumed by the runner.
    let outcome = catch_unwind(AssertUnwindSafe(|| runner.run(main)))
        .unwrap_or_else(|payload| Err(RunError::Panicked(Panic::from_payload(payload))));
    if let Err(RunError::Panicked(_)) = outcome {
        crew.ask_all();
    }
    crew.main_has_ended(plan.index);
    let exit = runner.close();
    results.put(plan.index, outcome, exit);
    crew.has_ended(plan.index);
}

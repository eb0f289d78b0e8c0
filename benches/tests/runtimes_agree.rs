//! What is compared does the same on every runtime.

use std::future::pending;
use std::time::Duration;

use corio_benches::{Handle, Runtime, Visitor, Workload, WorkloadVisitor, runtimes, workloads};

#[test]
fn every_workload_ends_on_every_runtime() {
    struct Workloads(usize);
    impl WorkloadVisitor for Workloads {
        fn visit<W: Workload>(&mut self) {
            let mut runs = Runs::<W>(0, std::marker::PhantomData);
            runtimes::each(&mut runs);
            self.0 += runs.0;
        }
    }
    struct Runs<W>(usize, std::marker::PhantomData<W>);
    impl<W: Workload> Visitor for Runs<W> {
        fn visit<R: Runtime>(&mut self) {
            let mut runtime = R::new();
            let handle = runtime.handle();
            for iterations in [1, 3] {
                runtime.block_on(W::run(&handle, iterations));
                self.0 += 1;
            }
        }
    }
    let mut workloads = Workloads(0);
    workloads::each(&mut workloads);
    assert_eq!(workloads.0, 7 * 4 * 2);
}

#[test]
fn gather_gives_all_outputs_in_order() {
    struct Gathered;
    impl Visitor for Gathered {
        fn visit<R: Runtime>(&mut self) {
            let mut runtime = R::new();
            let handle = runtime.handle();
            let members = workloads::gather::members::<R::Handle>(100);
            let outputs = runtime.block_on(handle.gather(members));
            assert_eq!(outputs, (0..100).collect::<Vec<_>>(), "{}", R::NAME);
        }
    }
    runtimes::each(&mut Gathered);
}

#[test]
fn a_limit_gives_what_is_in_time_and_nothing_else() {
    struct Limited;
    impl Visitor for Limited {
        fn visit<R: Runtime>(&mut self) {
            let in_time = async { 1 };
            let (early, late) = R::new().block_on(async {
                let early = R::Handle::timeout(Duration::from_secs(3600), in_time).await;
                let late = R::Handle::timeout(Duration::from_millis(1), pending::<()>()).await;
                (R::Handle::in_time(early), R::Handle::in_time(late))
            });
            assert_eq!((early, late), (Some(1), None), "{}", R::NAME);
        }
    }
    runtimes::each(&mut Limited);
}

#[test]
fn a_task_that_is_let_go_of_runs_to_its_end() {
    struct Detached;
    impl Visitor for Detached {
        fn visit<R: Runtime>(&mut self) {
            let mut runtime = R::new();
            let handle = runtime.handle();
            let (tell, told) = std::sync::mpsc::channel();
            runtime.block_on(async {
                R::Handle::detach(handle.spawn(async move {
                    R::Handle::yield_now().await;
                    tell.send(())
                }));
                // It may take its time, and is given some.
                for _ in 0..20_000 {
                    if told.try_recv().is_ok() {
                        return;
                    }
                    R::Handle::sleep(Duration::from_millis(1)).await;
                }
                panic!("{} has not run it", R::NAME);
            });
        }
    }
    runtimes::each(&mut Detached);
}

//! What a workload is.

use std::future::Future;

use crate::runtime::Handle;

/// Something to do with a runtime, the same with every one.
pub trait Workload {
    /// As it is called in the results.
    const NAME: &'static str;
    /// How large it is, if the same is measured in several sizes.
    const SIZE: Option<u64> = None;
    /// How many operations one iteration has; what is reported is one operation.
    const OPERATIONS: u64 = 1;

    /// So many iterations. What comes before the first and after the last is small against them.
    fn run<H: Handle>(handle: &H, iterations: u64) -> impl Future<Output = ()>;
}

/// What is to be done with each workload.
pub trait WorkloadVisitor {
    /// Does it.
    fn visit<W: Workload>(&mut self);
}

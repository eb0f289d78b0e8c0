//! Which way to the operating system is taken.

/// How a reactor waits.
///
/// All ways give the same results; they differ in what they cost. [`Fastest`](Backend::Fastest) is the choice for
/// programs, the others exist so that every way can be tested on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Backend {
    /// On Linux and Android one system call a wait, made on the poller's own descriptor; elsewhere, or where that
    /// does not work, the next.
    #[default]
    Fastest,
    /// The wait of `polling`, with edge-triggered sources where the platform has them; elsewhere the next.
    Portable,
    /// The wait of `polling`, with sources that are asked for anew after each event.
    OneShot,
}

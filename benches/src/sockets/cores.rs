//! What a process of the benchmark does to itself at its start.

use rustix::process::{Resource, Rlimit, Signal};
use rustix::thread::CpuSet;

/// The core of the server, and that of the load.
#[derive(Clone, Copy, Debug)]
pub(super) enum Core {
    Server,
    Load,
}

/// Keeps to one core, ends with the process that started it, and may have as many descriptors as the system allows.
///
/// With a single core to be had both processes share it.
pub(super) fn settle(core: Core) {
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    allow_descriptors();
    let allowed = rustix::thread::sched_getaffinity(None).expect("a thread knows its cores");
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
    let first = cores.next().expect("it runs somewhere");
    let chosen = match core {
        Core::Server => first,
        Core::Load => cores.next().unwrap_or(first),
    };
    let mut only = CpuSet::new();
    only.set(chosen);
    rustix::thread::sched_setaffinity(None, &only).expect("the core is among those allowed");
}

/// Raises the limit of open descriptors to what the system allows.
fn allow_descriptors() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // A load that needs more says so when it fails.
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
}

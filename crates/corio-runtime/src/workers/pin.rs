//! Cores: which there are for this process, and how a thread stays on one.

/// The numbers of the cores that this thread may run on. Empty where the system does not tell.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn cores() -> Vec<usize> {
    let Ok(allowed) = rustix::thread::sched_getaffinity(None) else {
        return Vec::new();
    };
    (0..rustix::thread::CpuSet::MAX_CPU)
        .filter(|core| allowed.is_set(*core))
        .collect()
}

/// Keeps this thread on a core. False: the system does not let it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn stay_on(core: usize) -> bool {
    let mut only = rustix::thread::CpuSet::new();
    only.set(core);
    rustix::thread::sched_setaffinity(None, &only).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn cores() -> Vec<usize> {
    Vec::new()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn stay_on(_core: usize) -> bool {
    false
}

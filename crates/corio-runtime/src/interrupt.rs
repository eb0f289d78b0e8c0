//! What a run itself does about Ctrl-C: it takes notice, on the main thread, if the signal has its default action otherwise, and
//! while nobody in the program listens for it. `signal/hooks.rs` sees to that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::SIGINT;

use crate::event_loop::Loop;
use crate::signal::{Hook, SignalKind};

/// A run that hears of Ctrl-C.
pub(crate) struct Interrupts {
    flag: Arc<AtomicBool>,
    _hook: Hook,
}

impl Interrupts {
    /// Takes notice, if this is the place and time to do so.
    pub(crate) fn listen(event_loop: &Loop) -> Option<Interrupts> {
        if !event_loop.hears_ctrl_c.get() && std::thread::current().name() != Some("main") {
            return None;
        }
        let flag = Arc::new(AtomicBool::new(false));
        let wire = event_loop
            .signals
            .wire(event_loop, vec![flag.clone()])
            .ok()?;
        let hook = Hook::of_run(SignalKind::interrupt(), wire)?;
        Some(Interrupts { flag, _hook: hook })
    }

    /// Ctrl-C was pressed since the last call.
    pub(crate) fn take(&self, event_loop: &Loop) -> bool {
        if !self.flag.swap(false, Ordering::SeqCst) {
            return false;
        }
        event_loop.signals.drain();
        true
    }

    /// Ctrl-C was pressed, and nobody has dealt with it yet.
    pub(crate) fn pending(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }
}

/// Where a signal cannot make a wait return, the wait of a loop that listens for one is cut into pieces.
pub(crate) fn shorten(timeout: Option<Duration>, listening: bool) -> Option<Duration> {
    if cfg!(unix) || !listening {
        return timeout;
    }
    const PIECE: Duration = Duration::from_millis(50);
    Some(timeout.map_or(PIECE, |timeout| timeout.min(PIECE)))
}

/// Takes the default action of Ctrl-C, so that the parent process sees how this one ended.
pub(crate) fn die() -> ! {
    let _ = signal_hook::low_level::emulate_default_handler(SIGINT);
    std::process::exit(130)
}

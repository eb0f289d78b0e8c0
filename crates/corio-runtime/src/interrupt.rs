//! Ctrl-C, while somebody listens for it.
//!
//! It is listened for on the main thread only, for the time of one run, and only if the signal had its default action before.
//! Nobody can take a handler out of the process again without racing against others who put theirs on top, so ours stays, and
//! does what the default action does while no run listens.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::SigId;
use signal_hook::consts::SIGINT;

use crate::event_loop::Loop;

/// True while the default action is to be taken: nobody listens.
static IDLE: OnceLock<Option<Arc<AtomicBool>>> = OnceLock::new();

pub(crate) struct Interrupts {
    flag: Arc<AtomicBool>,
    ids: Vec<SigId>,
    #[cfg(unix)]
    pipe: Option<Pipe>,
}

#[cfg(unix)]
struct Pipe {
    reader: std::os::unix::net::UnixStream,
    key: corio_reactor::SourceKey,
}

impl Interrupts {
    /// Listens, if this is the place and time to do so.
    pub(crate) fn listen(event_loop: &Loop) -> Option<Interrupts> {
        if std::thread::current().name() != Some("main") {
            return None;
        }
        let idle = IDLE.get_or_init(take_over).as_ref()?;
        if !idle.swap(false, Ordering::SeqCst) {
            // Another run listens; there is one main thread, so this one is inside of it.
            return None;
        }
        let flag = Arc::new(AtomicBool::new(false));
        let mut ids = Vec::new();
        ids.extend(signal_hook::flag::register(SIGINT, flag.clone()).ok());
        #[cfg(unix)]
        let pipe = Pipe::new(event_loop, &mut ids);
        #[cfg(not(unix))]
        let _ = event_loop;
        Some(Interrupts {
            flag,
            ids,
            #[cfg(unix)]
            pipe,
        })
    }

    /// Ctrl-C was pressed since the last call.
    pub(crate) fn take(&self) -> bool {
        if !self.flag.swap(false, Ordering::SeqCst) {
            return false;
        }
        #[cfg(unix)]
        if let Some(pipe) = &self.pipe {
            pipe.drain();
        }
        true
    }

    /// Ctrl-C was pressed, and nobody has dealt with it yet.
    pub(crate) fn pending(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    /// Where a signal cannot make a wait return, the wait is cut into pieces.
    pub(crate) fn shorten(
        listening: Option<&Interrupts>,
        timeout: Option<Duration>,
    ) -> Option<Duration> {
        if cfg!(unix) || listening.is_none() {
            return timeout;
        }
        const PIECE: Duration = Duration::from_millis(50);
        Some(timeout.map_or(PIECE, |timeout| timeout.min(PIECE)))
    }

    /// The run is over: the default action comes back.
    pub(crate) fn end(self, event_loop: &Loop) {
        for id in self.ids {
            signal_hook::low_level::unregister(id);
        }
        #[cfg(unix)]
        if let Some(pipe) = self.pipe {
            pipe.close(event_loop);
        }
        #[cfg(not(unix))]
        let _ = event_loop;
        if let Some(Some(idle)) = IDLE.get() {
            idle.store(true, Ordering::SeqCst);
        }
    }
}

/// Puts our handler in the place of the default action, if that is what is there.
fn take_over() -> Option<Arc<AtomicBool>> {
    if !has_default_action() {
        return None;
    }
    let idle = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_default(SIGINT, idle.clone()).ok()?;
    Some(idle)
}

/// Nobody catches or ignores the signal.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_default_action() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return true;
    };
    let masked = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & (1 << (SIGINT - 1)) != 0)
    };
    !masked("SigCgt:") && !masked("SigIgn:")
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn has_default_action() -> bool {
    true
}

/// Takes the default action of Ctrl-C, so that the parent process sees how this one ended.
pub(crate) fn die() -> ! {
    let _ = signal_hook::low_level::emulate_default_handler(SIGINT);
    std::process::exit(130)
}

#[cfg(unix)]
impl Pipe {
    fn new(event_loop: &Loop, ids: &mut Vec<SigId>) -> Option<Pipe> {
        let (reader, writer) = std::os::unix::net::UnixStream::pair().ok()?;
        reader.set_nonblocking(true).ok()?;
        let key = event_loop.reactor.register(&reader).ok()?;
        event_loop.own_sources.set(event_loop.own_sources.get() + 1);
        ids.extend(signal_hook::low_level::pipe::register(SIGINT, writer).ok());
        Some(Pipe { reader, key })
    }

    fn drain(&self) {
        use std::io::Read;
        let mut bytes = [0; 64];
        while matches!((&self.reader).read(&mut bytes), Ok(1..)) {}
    }

    fn close(self, event_loop: &Loop) {
        // A reactor that cannot deregister has lost the source already.
        let _ = event_loop.reactor.deregister(self.key, &self.reader);
        event_loop.own_sources.set(event_loop.own_sources.get() - 1);
    }
}

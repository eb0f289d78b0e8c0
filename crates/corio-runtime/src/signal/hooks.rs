//! Which signals of the process are caught, and for whom.
//!
//! Nobody can take a handler out of the process again without racing against others who put theirs on top. So the handler of a
//! signal stays once it is there, and does what the default action does while nobody listens.
//!
//! There are two ranks of listeners: those of the *program*, and *runs*, which have a use for Ctrl-C of their own. While the program
//! listens, the wires of runs are cut, and no signal that comes then reaches them. The handler itself only stores to atomics and
//! writes to non-blocking pipes; the table below is never looked at from it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use signal_hook::SigId;

use crate::signal::SignalKind;

/// The signals that were ever listened for.
static SIGNALS: Mutex<BTreeMap<SignalKind, Caught>> = parking_lot::const_mutex(BTreeMap::new());

static RUNS: AtomicU64 = AtomicU64::new(0);

struct Caught {
    /// True while the default action is to be taken. `None`: it was not in force when we came.
    idle: Option<Arc<AtomicBool>>,
    /// How many listeners the program has.
    program: usize,
    runs: Vec<Run>,
}

struct Run {
    number: u64,
    wire: Wire,
    /// Empty while the wire is cut.
    ids: Vec<SigId>,
}

/// What a signal does for a listener, in this order: sets its flags, and makes the sleep of its loop end.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) flags: Vec<Arc<AtomicBool>>,
    #[cfg(unix)]
    pub(crate) pipe: Arc<std::os::unix::net::UnixStream>,
}

/// A listener, from the process's point of view. It ends when it is dropped.
pub(crate) struct Hook {
    kind: SignalKind,
    rank: Rank,
}

enum Rank {
    Program(Vec<SigId>),
    Run(u64),
}

impl Hook {
    /// A listener of the program.
    pub(crate) fn of_program(kind: SignalKind, wire: &Wire) -> io::Result<Hook> {
        if let Some(error) = kind.refusal() {
            return Err(error);
        }
        let mut signals = SIGNALS.lock();
        let caught = Caught::entry(&mut signals, kind);
        let ids = wire.connect(kind)?;
        caught.program += 1;
        for run in &mut caught.runs {
            cut(&mut run.ids);
        }
        caught.tell();
        let rank = Rank::Program(ids);
        Ok(Hook { kind, rank })
    }

    /// A run, if the signal has its default action otherwise.
    pub(crate) fn of_run(kind: SignalKind, wire: Wire) -> Option<Hook> {
        let mut signals = SIGNALS.lock();
        let caught = Caught::entry(&mut signals, kind);
        caught.idle.as_ref()?;
        let number = RUNS.fetch_add(1, Ordering::Relaxed);
        let ids = if caught.program == 0 {
            wire.connect(kind).ok()?
        } else {
            Vec::new()
        };
        caught.runs.push(Run { number, wire, ids });
        caught.tell();
        let rank = Rank::Run(number);
        Some(Hook { kind, rank })
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        let mut signals = SIGNALS.lock();
        let Some(caught) = signals.get_mut(&self.kind) else {
            return;
        };
        match &mut self.rank {
            Rank::Program(ids) => {
                caught.program -= 1;
                if caught.program == 0 {
                    for run in &mut caught.runs {
                        // A run whose wire cannot be laid again, because descriptors are short, does not hear of Ctrl-C any more.
                        run.ids = run.wire.connect(self.kind).unwrap_or_default();
                    }
                }
                cut(ids);
            }
            Rank::Run(number) => {
                let place = caught.runs.iter().position(|run| run.number == *number);
                if let Some(place) = place {
                    cut(&mut caught.runs.swap_remove(place).ids);
                }
            }
        }
        caught.tell();
    }
}

impl Caught {
    fn entry(signals: &mut BTreeMap<SignalKind, Caught>, kind: SignalKind) -> &mut Caught {
        signals.entry(kind).or_insert_with(|| Caught {
            idle: take_over(kind),
            program: 0,
            runs: Vec::new(),
        })
    }

    /// Says whether anybody listens.
    fn tell(&self) {
        if let Some(idle) = &self.idle {
            let nobody = self.program == 0 && self.runs.is_empty();
            idle.store(nobody, Ordering::SeqCst);
        }
    }
}

impl Wire {
    fn connect(&self, kind: SignalKind) -> io::Result<Vec<SigId>> {
        let mut ids = Vec::new();
        let laid = self.lay(kind, &mut ids);
        if laid.is_err() {
            cut(&mut ids);
        }
        laid.map(|()| ids)
    }

    fn lay(&self, kind: SignalKind, ids: &mut Vec<SigId>) -> io::Result<()> {
        for flag in &self.flags {
            let id = signal_hook::flag::register(kind.as_raw(), flag.clone());
            ids.push(id.map_err(|error| kind.explain(error))?);
        }
        #[cfg(unix)]
        {
            let pipe = self.pipe.try_clone()?;
            ids.push(signal_hook::low_level::pipe::register(kind.as_raw(), pipe)?);
        }
        Ok(())
    }
}

fn cut(ids: &mut Vec<SigId>) {
    for id in ids.drain(..) {
        signal_hook::low_level::unregister(id);
    }
}

/// Puts our handler in the place of the default action, if that is what is there.
fn take_over(kind: SignalKind) -> Option<Arc<AtomicBool>> {
    if !has_default_action(kind) {
        return None;
    }
    let idle = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_default(kind.as_raw(), idle.clone()).ok()?;
    Some(idle)
}

/// Nobody catches or ignores the signal.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_default_action(kind: SignalKind) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return true;
    };
    let masked = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        let bit = 1_u64.checked_shl(kind.as_raw().unsigned_abs().wrapping_sub(1));
        mask.unwrap_or(0) & bit.unwrap_or(0) != 0
    };
    !masked("SigCgt:") && !masked("SigIgn:")
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn has_default_action(_kind: SignalKind) -> bool {
    true
}

//! `SignalKind`: which signal.

use std::fmt;
use std::io;

use signal_hook::consts;

/// A kind of signal, by its name or by the number that the system has for it.
///
/// ```
/// use corio_runtime::signal::SignalKind;
/// assert_eq!(SignalKind::interrupt(), SignalKind::from_raw(2));
/// assert_eq!(SignalKind::interrupt().to_string(), "SIGINT");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalKind(i32);

/// One constructor per signal.
macro_rules! kinds {
    ($($(#[$attribute:meta])* $name:ident = $signal:ident;)*) => {
        $(
            $(#[$attribute])*
            pub const fn $name() -> SignalKind {
                SignalKind(consts::$signal)
            }
        )*
    };
}

impl SignalKind {
    /// The signal with this number. Whether there is one is found when somebody listens for it.
    pub const fn from_raw(number: i32) -> SignalKind {
        SignalKind(number)
    }

    /// The number.
    pub const fn as_raw(self) -> i32 {
        self.0
    }

    kinds! {
        /// SIGINT: Ctrl-C.
        interrupt = SIGINT;
        /// SIGTERM: the polite request to end, as `kill` sends it.
        terminate = SIGTERM;
    }

    /// Why nobody can listen for it.
    pub(crate) fn refusal(self) -> Option<io::Error> {
        if self.0 <= 0 {
            return Some(self.unknown());
        }
        if consts::FORBIDDEN.contains(&self.0) {
            let message = format!(
                "{self} cannot be listened for: the system does not let it be caught, or the program cannot go on after it"
            );
            return Some(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        None
    }

    /// What the system means when it refuses a number as invalid, which is all that it says.
    pub(crate) fn explain(self, error: io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::InvalidInput => self.unknown(),
            _ => error,
        }
    }

    fn unknown(self) -> io::Error {
        let message = format!("there is no signal with the number {}", self.0);
        io::Error::new(io::ErrorKind::InvalidInput, message)
    }
}

#[cfg(unix)]
impl SignalKind {
    kinds! {
        /// SIGALRM: a timer of the process.
        alarm = SIGALRM;
        /// SIGCHLD: a child process has ended or stopped.
        child = SIGCHLD;
        /// SIGHUP: the terminal has gone; for daemons, read the configuration again.
        hangup = SIGHUP;
        /// SIGPIPE: written to a pipe that nobody reads. Rust programs ignore it.
        pipe = SIGPIPE;
        /// SIGQUIT: Ctrl-\.
        quit = SIGQUIT;
        /// SIGUSR1: for the program to give a meaning.
        user_defined1 = SIGUSR1;
        /// SIGUSR2: for the program to give a meaning.
        user_defined2 = SIGUSR2;
        /// SIGWINCH: the window of the terminal has another size.
        window_change = SIGWINCH;
        /// SIGCONT: the process goes on after a stop.
        resume = SIGCONT;
        /// SIGTSTP: Ctrl-Z.
        stop_from_terminal = SIGTSTP;
        /// SIGURG: urgent data on a socket.
        urgent = SIGURG;
    }

    /// SIGIO: a handle is ready, for programs that have asked for that.
    #[cfg(not(target_os = "haiku"))]
    pub const fn io() -> SignalKind {
        SignalKind(consts::SIGIO)
    }
}

impl From<i32> for SignalKind {
    fn from(number: i32) -> SignalKind {
        SignalKind(number)
    }
}

impl From<SignalKind> for i32 {
    fn from(kind: SignalKind) -> i32 {
        kind.0
    }
}

impl fmt::Display for SignalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match signal_hook::low_level::signal_name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

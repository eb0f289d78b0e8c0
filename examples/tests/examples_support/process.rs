//! A program of `examples/`, run with its output caught.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Only a program that hangs takes this long.
const LIMIT: Duration = Duration::from_secs(180);

pub(crate) struct Program {
    name: &'static str,
    arguments: &'static [&'static str],
    interrupt_after: Option<usize>,
}

impl Program {
    pub(crate) fn new(name: &'static str, arguments: &'static [&'static str]) -> Program {
        Program {
            name,
            arguments,
            interrupt_after: None,
        }
    }

    /// It gets a SIGINT when it has printed this many lines.
    #[cfg(unix)]
    pub(crate) fn interrupted_after(mut self, lines: usize) -> Program {
        self.interrupt_after = Some(lines);
        self
    }

    /// Runs it to its end, which has to be a success with nothing on standard error.
    pub(crate) fn lines(&self) -> Result<Vec<String>, String> {
        let mut child = self.start()?;
        let (send, finished) = mpsc::channel();
        let stdout = child.stdout.take().expect("is piped");
        let mut stderr = child.stderr.take().expect("is piped");
        let (pid, interrupt_after) = (child.id(), self.interrupt_after);
        thread::spawn(move || {
            // The test may have given up.
            send.send(read(stdout, pid, interrupt_after)).ok();
        });
        let complaints = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).map(|_| text)
        });
        let Ok(lines) = finished.recv_timeout(LIMIT) else {
            child.kill().ok();
            child.wait().ok();
            return Err("it hangs".into());
        };
        let status = child.wait().map_err(|error| error.to_string())?;
        let complaints = complaints.join().expect("reading does not panic");
        let complaints = complaints.map_err(|error| error.to_string())?;
        if !status.success() || !complaints.is_empty() {
            return Err(format!("{status}: {complaints}"));
        }
        lines
    }

    fn start(&self) -> Result<Child, String> {
        let path = self.path();
        self.check_age(&path)?;
        let started = Command::new(&path)
            .args(self.arguments)
            .env_remove("CORIO_DEBUG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        started.map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Cargo builds the examples for `cargo test`, but not for `cargo test --test <name>`.
    fn check_age(&self, path: &Path) -> Result<(), String> {
        let source = format!("{}/{}.rs", env!("CARGO_MANIFEST_DIR"), self.name);
        let written = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
        match (written(path), written(Path::new(&source))) {
            (Ok(built), Ok(edited)) if built >= edited => Ok(()),
            _ => Err(format!(
                "{} is not there, or older than its source: build it with `cargo test -p corio-examples`, without a target",
                path.display()
            )),
        }
    }

    /// Cargo puts examples beside the folder of the tests.
    fn path(&self) -> PathBuf {
        let test = std::env::current_exe().expect("a test knows where it is");
        let profile = test
            .ancestors()
            .nth(2)
            .expect("target/<profile>/deps/<test>");
        let file = format!("{}{}", self.name, std::env::consts::EXE_SUFFIX);
        profile.join("examples").join(file)
    }
}

fn read(
    stdout: ChildStdout,
    pid: u32,
    interrupt_after: Option<usize>,
) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for line in BufReader::new(stdout).lines() {
        lines.push(line.map_err(|error| error.to_string())?);
        if Some(lines.len()) == interrupt_after {
            interrupt(pid)?;
        }
    }
    Ok(lines)
}

#[cfg(unix)]
fn interrupt(pid: u32) -> Result<(), String> {
    use rustix::process::{Pid, Signal, kill_process};

    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.expect("a process has a number");
    kill_process(pid, Signal::INT).map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn interrupt(_: u32) -> Result<(), String> {
    Err("there is no SIGINT here".into())
}

/// A process that was started in the background of a script is born deaf to Ctrl-C, and so would be its children.
#[cfg(unix)]
pub(crate) fn hear_interrupts() {
    // SAFETY: the default action is a valid one, and nobody in this process handles the signal.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
}

//! One contender under one load.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::load::{self, Counted};
use super::plan::{Kind, Load, Service};
use super::servers::Contender;

const SERVE: &str = "--serve";
const LOAD: &str = "--load";

/// What came out.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// What the load has counted.
    pub counted: Counted,
    /// CPU time of the server for a request, in nanoseconds.
    pub cpu: f64,
}

/// System calls for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SystemCalls {
    /// Reads and receives.
    pub read: f64,
    /// Writes and sends.
    pub write: f64,
    /// Waits for events.
    pub wait: f64,
    /// All others.
    pub other: f64,
}

/// Does what the arguments ask for, in a process that [`measure`] has started. False: it was started by somebody else.
pub fn play_a_part(arguments: &[String]) -> bool {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<usize>().expect("a number");
    match words[..] {
        [SERVE, name, service, buffer] => {
            let contender = Contender::named(name).expect("a contender");
            let service = Service::of_word(service).expect("a service");
            contender.serve(service, number(buffer));
        }
        [LOAD, kind, connections, bytes, port, seconds] => {
            let load = Load {
                kind: Kind::of_word(kind).expect("a kind of load"),
                connections: number(connections),
                bytes: number(bytes),
            };
            let seconds = seconds.parse().expect("seconds");
            load::run(load, number(port) as u16, seconds);
        }
        _ => return false,
    }
    true
}

/// Starts a server and a load, and counts for some seconds.
pub fn measure(contender: &Contender, load: Load, seconds: f64) -> Measured {
    let server = Part::server(contender, load);
    let mut asking = Part::load(load, server.port(), seconds);
    let before = cpu_nanos(server.pid());
    let counted = asking.go();
    let after = cpu_nanos(server.pid());
    Measured {
        counted,
        cpu: (after - before) as f64 / counted.requests as f64,
    }
}

/// The same with strace counting the system calls of the server; `None` if there is no strace. It slows the server down, which
/// lets more connections be ready at each wait.
pub fn system_calls(contender: &Contender, load: Load, seconds: f64) -> Option<SystemCalls> {
    let server = Part::server(contender, load);
    let mut asking = Part::load(load, server.port(), seconds);
    let counts = env::temp_dir().join(format!("corio-benches-{}.strace", std::process::id()));
    let mut strace = Command::new("strace")
        .args(["-c", "-f", "-p", &server.pid().to_string(), "-o"])
        .arg(&counts)
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // It says so when it is there.
    let mut said = BufReader::new(strace.stderr.take().expect("it is piped"));
    wait_for_attached(&mut said)?;
    let counted = asking.go();
    let pid = Pid::from_child(&strace);
    kill_process(pid, Signal::INT).expect("strace is still there");
    strace.wait().expect("it ends");
    let table = fs::read_to_string(&counts).expect("strace has written its counts");
    let _ = fs::remove_file(&counts);
    Some(SystemCalls::of_table(&table, counted.requests as f64))
}

fn wait_for_attached(said: &mut BufReader<ChildStderr>) -> Option<()> {
    let mut line = String::new();
    while said.read_line(&mut line).ok()? > 0 {
        if line.contains("attached") {
            return Some(());
        }
        line.clear();
    }
    None
}

impl SystemCalls {
    /// All of them.
    pub fn sum(&self) -> f64 {
        self.read + self.write + self.wait + self.other
    }

    /// The fourth column is how often, the last one which.
    fn of_table(table: &str, requests: f64) -> SystemCalls {
        let mut calls = SystemCalls::default();
        for line in table.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (Some(Ok(count)), Some(&name)) =
                (words.get(3).map(|word| word.parse::<f64>()), words.last())
            else {
                continue;
            };
            let sum = match name {
                "total" => continue,
                "read" | "readv" | "recvfrom" | "recvmsg" => &mut calls.read,
                "write" | "writev" | "sendto" | "sendmsg" => &mut calls.write,
                "epoll_wait" | "epoll_pwait" | "epoll_pwait2" | "poll" | "ppoll" => &mut calls.wait,
                _ => &mut calls.other,
            };
            *sum += count / requests;
        }
        calls
    }
}

/// A process of the benchmark, which is killed when it is not needed any more.
struct Part {
    child: Child,
    answers: BufReader<ChildStdout>,
    first_line: String,
}

impl Part {
    fn server(contender: &Contender, load: Load) -> Part {
        let buffer = load.buffer().to_string();
        Part::start(&[SERVE, contender.name, load.service().word(), &buffer])
    }

    fn load(load: Load, port: &str, seconds: f64) -> Part {
        Part::start(&[
            LOAD,
            load.kind.word(),
            &load.connections.to_string(),
            &load.bytes.to_string(),
            port,
            &seconds.to_string(),
        ])
    }

    /// Starts it, and waits for the first thing that it says.
    fn start(arguments: &[&str]) -> Part {
        let program = env::current_exe().expect("a process knows its program");
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be started again");
        let mut answers = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut first_line = String::new();
        let length = answers.read_line(&mut first_line);
        assert!(
            length.is_ok_and(|length| length > 0),
            "{arguments:?} failed"
        );
        Part {
            child,
            answers,
            first_line,
        }
    }

    fn port(&self) -> &str {
        self.first_line.trim()
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets a load begin, and waits for its counts.
    fn go(&mut self) -> Counted {
        let stdin = self.child.stdin.as_mut().expect("it is piped");
        stdin.write_all(b"go\n").expect("the load listens");
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the load says what it has counted");
        Counted::of_line(&line).expect("a line of counts: the load failed")
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The time that the threads of a process have run, in nanoseconds. It is exact while they sleep.
fn cpu_nanos(pid: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the server lives");
    let of_thread = |thread: fs::DirEntry| {
        let times = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        times.split_whitespace().next()?.parse::<u64>().ok()
    };
    threads
        .flatten()
        .map(|thread| of_thread(thread).expect("a kernel that counts for each thread"))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_calls_are_counted_by_what_they_do() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            50.00    0.000100           1       100           recvfrom\n\
            30.00    0.000060           1       100        20 sendto\n\
            20.00    0.000040           1         4           epoll_wait\n\
            0.00    0.000000           1         2           futex\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.000200           1       206        20 total\n";
        let calls = SystemCalls::of_table(table, 100.0);
        let expected = SystemCalls {
            read: 1.0,
            write: 1.0,
            wait: 0.04,
            other: 0.02,
        };
        assert_eq!(calls, expected);
        assert!((calls.sum() - 2.06).abs() < 1e-9);
    }
}

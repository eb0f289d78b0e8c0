//! Instructions per operation, counted by callgrind: they repeat exactly, which times do not.
//!
//! Each workload is run twice, one run longer than the other; the difference has neither the start of the program nor its end.
//!
//! Arguments choose what is counted: words that occur in the name of a workload or of a runtime. Two words must both fit.

use std::env;
use std::hint::black_box;
use std::marker::PhantomData;
use std::process::{Command, Stdio};

use corio_benches::process::aligned;
use corio_benches::{Runtime, Visitor, Workload, WorkloadVisitor, runtimes, workloads};

const RUN: &str = "--run";
/// Operations of the shorter run, and how many more the longer one has.
const OPERATIONS: u64 = 50_000;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [run, workload, runtime, iterations] if run == RUN => {
            let iterations = iterations.parse().expect("a number of iterations");
            each_job(&mut |job| {
                if (job.workload.as_str(), job.runtime) == (workload, runtime) {
                    (job.run)(iterations);
                }
            });
        }
        words => print!("{}", table(words)),
    }
}

/// A workload on a runtime.
struct Job {
    workload: String,
    runtime: &'static str,
    operations: u64,
    run: fn(u64),
}

fn each_job(see: &mut dyn FnMut(Job)) {
    struct Workloads<'a>(&'a mut dyn FnMut(Job));
    impl WorkloadVisitor for Workloads<'_> {
        fn visit<W: Workload>(&mut self) {
            runtimes::each(&mut Jobs::<W>(self.0, PhantomData));
        }
    }
    workloads::each(&mut Workloads(see));
}

/// One workload on every runtime.
struct Jobs<'a, W>(&'a mut dyn FnMut(Job), PhantomData<W>);

impl<W: Workload> Visitor for Jobs<'_, W> {
    fn visit<R: Runtime>(&mut self) {
        let size = W::SIZE.map(|size| format!("_{size}")).unwrap_or_default();
        (self.0)(Job {
            workload: format!("{}{size}", W::NAME),
            runtime: R::NAME,
            operations: W::OPERATIONS,
            run: run::<R, W>,
        });
    }
}

fn run<R: Runtime, W: Workload>(iterations: u64) {
    let mut runtime = R::new();
    let handle = runtime.handle();
    runtime.block_on(W::run(&handle, black_box(iterations)));
}

fn table(words: &[String]) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    each_job(&mut |job| {
        let fits =
            |word: &String| job.workload.contains(word) || job.runtime.contains(word.as_str());
        if words.iter().all(fits) {
            let counted = format!("{:.1}", per_operation(&job));
            eprintln!("{} on {}: {counted}", job.workload, job.runtime);
            rows.push(vec![job.workload, job.runtime.to_owned(), counted]);
        }
    });
    aligned(
        &["workload", "runtime", "instructions per operation"],
        &rows,
    )
}

fn per_operation(job: &Job) -> f64 {
    let iterations = OPERATIONS / job.operations;
    let shorter = instructions(job, iterations);
    let longer = instructions(job, 2 * iterations);
    (longer - shorter) as f64 / (iterations * job.operations) as f64
}

/// Instructions of a whole run of this program.
fn instructions(job: &Job, iterations: u64) -> i64 {
    let program = env::current_exe().expect("a process knows its program");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([RUN, &job.workload, job.runtime, &iterations.to_string()])
        .stdin(Stdio::null())
        .output()
        .expect("valgrind is installed");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{}\n{said}", run.status);
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let collected = collected.and_then(|(_, count)| count.trim().parse().ok());
    collected.unwrap_or_else(|| panic!("callgrind did not say what it collected:\n{said}"))
}

//! The small operations once more, as ratios: contenders take turns within one run, so that a core which changes its speed changes
//! it for all of them.
//!
//! `cargo bench -p corio-benches --bench ratios -- timeout` for the workloads with this in their names.

use std::env;
use std::marker::PhantomData;
use std::time::Duration;

use corio_benches::compare::cpu_time;
use corio_benches::process::{aligned, is_chosen, keep};
use corio_benches::{Runtime, Visitor, Workload, WorkloadVisitor, runtimes, workloads};

const NAME: &str = "ratios";
const ROUNDS: usize = 41;
/// A turn takes at least so long.
const TURN: Duration = Duration::from_millis(4);

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // `cargo test` asks for no figures.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let mut rows = Rows {
        arguments: &arguments,
        rows: Vec::new(),
    };
    workloads::each(&mut rows);
    if rows.rows.is_empty() {
        return;
    }
    let columns = [
        "workload",
        "runtime",
        "least ns",
        "times corio, least",
        "times corio, median of rounds",
    ];
    let title = format!(
        "CPU time of an operation: {ROUNDS} rounds in which the runtimes take turns of {} ms",
        TURN.as_millis()
    );
    let table = format!("{title}\n\n{}", aligned(&columns, &rows.rows));
    println!("{table}");
    keep(NAME, &table);
}

/// One line for each workload and runtime.
struct Rows<'a> {
    arguments: &'a [String],
    rows: Vec<Vec<String>>,
}

impl WorkloadVisitor for Rows<'_> {
    fn visit<W: Workload>(&mut self) {
        if is_chosen(NAME, self.arguments) || is_chosen(W::NAME, self.arguments) {
            let mut contenders = Contenders::<W>(Vec::new(), PhantomData);
            runtimes::each(&mut contenders);
            self.rows.extend(compared::<W>(contenders.0));
        }
    }
}

/// Makes a turn of the given number of iterations and says what it took.
type Turn = Box<dyn FnMut(u64) -> Duration>;

struct Contender {
    name: &'static str,
    turn: Turn,
    iterations: u64,
    /// Nanoseconds of an operation, round by round.
    took: Vec<f64>,
}

/// Every runtime with the workload, and how many iterations make a turn.
struct Contenders<W>(Vec<Contender>, PhantomData<W>);

impl<W: Workload> Visitor for Contenders<W> {
    fn visit<R: Runtime>(&mut self) {
        let mut turn = turns::<R, W>();
        let mut iterations = 1;
        while turn(iterations) < TURN {
            iterations *= 2;
        }
        self.0.push(Contender {
            name: R::NAME,
            turn,
            iterations,
            took: Vec::with_capacity(ROUNDS),
        });
    }
}

fn turns<R: Runtime, W: Workload>() -> Turn {
    let mut runtime = R::new();
    Box::new(move |iterations| {
        let handle = runtime.handle();
        runtime.block_on(async {
            let start = cpu_time();
            W::run(&handle, iterations).await;
            cpu_time() - start
        })
    })
}

fn compared<W: Workload>(mut contenders: Vec<Contender>) -> Vec<Vec<String>> {
    for _ in 0..ROUNDS {
        for contender in &mut contenders {
            let operations = (contender.iterations * W::OPERATIONS) as f64;
            let took = (contender.turn)(contender.iterations).as_nanos() as f64;
            contender.took.push(took / operations);
        }
    }
    let first = contenders[0].took.clone();
    let row = |contender: &Contender| {
        let of_rounds = contender.took.iter().zip(&first);
        let ratios = of_rounds.map(|(took, first)| took / first).collect();
        vec![
            W::NAME.to_owned(),
            contender.name.to_owned(),
            format!("{:.1}", least(&contender.took)),
            format!("{:.2}", least(&contender.took) / least(&first)),
            format!("{:.2}", median(ratios)),
        ]
    };
    contenders.iter().map(row).collect()
}

fn least(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

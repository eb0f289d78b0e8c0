//! All contenders under all loads, in turns, and the tables.

use std::env;

use super::measure::{Measured, measure, play_a_part, system_calls};
use super::plan::{Kind, LOADS, Load};
use super::servers::{CONTENDERS, Contender};
use crate::process::{aligned, is_chosen, keep};

const COLUMNS: &[&str] = &[
    "who",
    "requests per second",
    "times raw",
    "CPU ns per request",
    "CPU times raw",
    "p50 us",
    "p99 us",
];
const CALLS: &[&str] = &["who", "read", "write", "wait", "other", "together"];

/// What to do.
#[derive(Clone, Debug, PartialEq)]
struct Wishes {
    rounds: usize,
    seconds: f64,
    loads: Vec<Load>,
    contenders: Vec<&'static str>,
    system_calls: bool,
}

/// The `main` of the benchmark, and of the processes that it starts.
///
/// `--rounds 5 --seconds 2` measure more than the 3 rounds of 0.5 s; `--system-calls` counts those in place of time; `--loads` and
/// `--who` are followed by parts of the names of what is wanted, with commas.
pub fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if play_a_part(&arguments) {
        return;
    }
    // `cargo test` asks for no figures.
    let asked = arguments.iter().any(|argument| argument == "--bench");
    let wishes = Wishes::of(&arguments);
    if !asked || !is_chosen("net", &wishes.1) {
        return;
    }
    let wishes = wishes.0;
    let mut tables = String::new();
    for &load in &wishes.loads {
        let table = if wishes.system_calls {
            calls_of(load, &wishes)
        } else {
            times_of(load, &wishes)
        };
        println!("{table}");
        tables += &format!("{table}\n");
    }
    keep("net", &tables);
}

impl Wishes {
    /// The wishes, and the arguments that are none of them.
    fn of(arguments: &[String]) -> (Wishes, Vec<String>) {
        let mut wishes = Wishes {
            rounds: 3,
            seconds: 0.5,
            loads: LOADS.to_vec(),
            contenders: CONTENDERS.iter().map(|contender| contender.name).collect(),
            system_calls: false,
        };
        let mut others = Vec::new();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().map_or("", String::as_str);
            let has_one =
                |name: &str, parts: &str| parts.split(',').any(|part| name.contains(part));
            match argument.as_str() {
                "--rounds" => wishes.rounds = value().parse().expect("a number of rounds"),
                "--seconds" => wishes.seconds = value().parse().expect("a number of seconds"),
                "--system-calls" => wishes.system_calls = true,
                "--loads" => {
                    let parts = value();
                    wishes
                        .loads
                        .retain(|load| has_one(&load.to_string(), parts));
                }
                "--who" => {
                    let parts = value();
                    wishes.contenders.retain(|name| has_one(name, parts));
                }
                _ => others.push(argument.clone()),
            }
        }
        (wishes, others)
    }

    fn contenders(&self, load: Load) -> impl Iterator<Item = &'static Contender> {
        CONTENDERS.iter().filter(move |contender| {
            // To poll busily is for one who waits for one answer.
            let busy = contender.name.contains("busy") && load.connections > 1;
            self.contenders.contains(&contender.name) && contender.offers(load.service()) && !busy
        })
    }
}

fn times_of(load: Load, wishes: &Wishes) -> String {
    let contenders: Vec<_> = wishes.contenders(load).collect();
    // Rounds on the outside: what the machine does meanwhile concerns all.
    let rounds: Vec<Vec<Measured>> = (0..wishes.rounds)
        .map(|_| {
            let measured = contenders.iter();
            measured
                .map(|contender| measure(contender, load, wishes.seconds))
                .collect()
        })
        .collect();
    let rows: Vec<Vec<String>> = contenders
        .iter()
        .enumerate()
        .map(|(at, contender)| {
            let of_rounds = |figure: &dyn Fn(&[Measured]) -> f64| {
                median(rounds.iter().map(|round| figure(round)).collect())
            };
            let per_second = |of: &Measured| of.counted.requests as f64 / of.counted.seconds;
            vec![
                contender.name.to_owned(),
                format!("{:.0}", of_rounds(&|round| per_second(&round[at]))),
                format!(
                    "{:.3}",
                    of_rounds(&|round| per_second(&round[at]) / per_second(&round[0]))
                ),
                format!("{:.0}", of_rounds(&|round| round[at].cpu)),
                format!("{:.3}", of_rounds(&|round| round[at].cpu / round[0].cpu)),
                format!("{:.1}", of_rounds(&|round| round[at].counted.p50)),
                format!("{:.1}", of_rounds(&|round| round[at].counted.p99)),
            ]
        })
        .collect();
    let note = match load.kind {
        Kind::Hello => "; the raw loop parses nothing",
        _ => "",
    };
    format!(
        "TCP, {load}: medians of {} rounds of {} s{note}\n\n{}",
        wishes.rounds,
        wishes.seconds,
        aligned(COLUMNS, &rows)
    )
}

fn calls_of(load: Load, wishes: &Wishes) -> String {
    let rows: Vec<Vec<String>> = wishes
        .contenders(load)
        .map(|contender| {
            let shown = match system_calls(contender, load, wishes.seconds) {
                Some(calls) => [
                    calls.read,
                    calls.write,
                    calls.wait,
                    calls.other,
                    calls.sum(),
                ]
                .map(|figure| format!("{figure:.3}")),
                None => ["-"; 5].map(str::to_owned),
            };
            [contender.name.to_owned()]
                .into_iter()
                .chain(shown)
                .collect()
        })
        .collect();
    format!(
        "TCP, {load}: system calls of the server per request, as strace counts them\n\n{}",
        aligned(CALLS, &rows)
    )
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => figures[middle],
        _ => (figures[middle - 1] + figures[middle]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn wishes_are_told_from_the_arguments_of_cargo() {
        let line = "--bench --rounds 5 --seconds 0.1 --loads churn,50 --who corio net";
        let arguments: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let (wishes, others) = Wishes::of(&arguments);
        assert_eq!((wishes.rounds, wishes.seconds), (5, 0.1));
        assert_eq!(others, ["--bench", "net"]);
        assert!(
            wishes.contenders.contains(&"corio streams") && !wishes.contenders.contains(&"tokio")
        );
        assert!(
            wishes
                .loads
                .iter()
                .all(|load| load.to_string().contains("50"))
        );
    }
}

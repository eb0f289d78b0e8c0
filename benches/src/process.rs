//! One process per runtime, and what the system says about it.
//!
//! Memory and CPU time belong to a process, so each runtime gets one of its own: the benchmark starts itself again with the name
//! of the runtime, and prints what the processes answer as a table.

use std::env;
use std::fs;
use std::marker::PhantomData;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::runtime::{Runtime, Visitor};
use crate::runtimes;

const ONLY: &str = "--only";
const BETWEEN: char = '\t';

/// A table with a row for each runtime.
pub trait Table {
    /// The name of the benchmark.
    const NAME: &'static str;
    /// What is measured, in a sentence.
    const TITLE: &'static str;
    /// The headings, of the runtime's own column too.
    const COLUMNS: &'static [&'static str];

    /// The cells of this runtime's row, without its name. It is called once in the life of a process.
    fn row<R: Runtime>() -> Vec<String>;
}

/// The `main` of a benchmark that prints a table. It takes the arguments that `cargo bench` gives to criterion.
pub fn main<T: Table>() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [only, runtime] = &arguments[..] {
        if only == ONLY {
            return runtimes::each(&mut Answer::<T>::new(runtime));
        }
    }
    // `cargo test` asks for no figures.
    let wanted = arguments.iter().any(|argument| argument == "--bench");
    if wanted && is_chosen(T::NAME, &arguments) {
        let mut rows = Rows(Vec::new());
        runtimes::each(&mut rows);
        let table = format!("{}\n\n{}", T::TITLE, aligned(T::COLUMNS, &rows.0));
        println!("{table}");
        keep(T::NAME, &table);
    }
}

/// Leaves tables where `cargo xtask bench` looks for them: in `tables` in the target folder.
pub fn keep(name: &str, tables: &str) {
    let program = env::current_exe().expect("a process knows its program");
    // The program is in a folder of a profile, among what depends on it.
    let Some(target) = program.ancestors().nth(3) else {
        return;
    };
    let folder = target.join("tables");
    let kept = fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join(format!("{name}.md")), tables));
    if let Err(error) = kept {
        eprintln!("the table is not kept: {}: {error}", folder.display());
    }
}

/// Whether the words among the arguments, if there are any, are in the name. Options of criterion with a value have a `=`, or
/// a value that is a number.
pub fn is_chosen(name: &str, arguments: &[String]) -> bool {
    let mut words = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-') && argument.parse::<f64>().is_err())
        .peekable();
    words.peek().is_none() || words.any(|word| name.contains(word.as_str()))
}

/// In the process of one runtime: prints the cells of its row.
struct Answer<'a, T> {
    runtime: &'a str,
    table: PhantomData<T>,
}

impl<'a, T> Answer<'a, T> {
    fn new(runtime: &'a str) -> Self {
        Answer {
            runtime,
            table: PhantomData,
        }
    }
}

impl<T: Table> Visitor for Answer<'_, T> {
    fn visit<R: Runtime>(&mut self) {
        if R::NAME == self.runtime {
            println!("{}", T::row::<R>().join(&BETWEEN.to_string()));
        }
    }
}

/// In the process that prints the table: the answers.
struct Rows(Vec<Vec<String>>);

impl Visitor for Rows {
    fn visit<R: Runtime>(&mut self) {
        let program = env::current_exe().expect("a process knows its program");
        let answer = Command::new(program)
            .args([ONLY, R::NAME])
            .stderr(Stdio::inherit())
            .output()
            .expect("the program can be started again");
        assert!(answer.status.success(), "{}: {}", R::NAME, answer.status);
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        let cells = answer.trim_end().split(BETWEEN).map(str::to_owned);
        self.0
            .push([R::NAME.to_owned()].into_iter().chain(cells).collect());
    }
}

/// A table in Markdown: words to the left, figures to the right.
pub fn aligned(columns: &[&str], rows: &[Vec<String>]) -> String {
    let headings: Vec<String> = columns.iter().map(|&heading| heading.to_owned()).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| {
            let cells = rows.iter().chain([&headings]);
            let widths = cells.map(|row| row[at].chars().count());
            widths.max().unwrap_or_default()
        })
        .collect();
    let is_figure = |text: &str| text == "-" || text.parse::<f64>().is_ok();
    let figures: Vec<bool> = (0..columns.len())
        .map(|at| !rows.is_empty() && rows.iter().all(|row| is_figure(&row[at])))
        .collect();
    let line = |row: &[String]| {
        let mut line = String::new();
        for ((cell, &width), &figure) in row.iter().zip(&widths).zip(&figures) {
            line += &if figure {
                format!("| {cell:>width$} ")
            } else {
                format!("| {cell:<width$} ")
            };
        }
        line + "|\n"
    };
    let rules: Vec<String> = widths
        .iter()
        .zip(&figures)
        .map(|(&width, &figure)| {
            "-".repeat(width - usize::from(figure)) + if figure { ":" } else { "" }
        })
        .collect();
    let rows: String = rows.iter().map(|row| line(row)).collect();
    line(&headings) + &line(&rules) + &rows
}

/// The CPU time that this process has used, in all its threads.
#[cfg(unix)]
pub fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(
        time.tv_sec.try_into().ok()?,
        time.tv_nsec.try_into().ok()?,
    ))
}

/// The CPU time that this process has used; it is not known on this platform.
#[cfg(not(unix))]
pub fn cpu_time() -> Option<Duration> {
    None
}

/// The bytes of memory that this process occupies now, where the system says so.
pub fn resident() -> Option<u64> {
    status("VmRSS:")
}

/// The most bytes of memory that this process has occupied so far, where the system says so.
pub fn peak_resident() -> Option<u64> {
    status("VmHWM:")
}

fn status(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// A figure per task, or a dash where the system does not tell it.
pub fn per_task(figure: Option<u64>, tasks: u64) -> String {
    match figure {
        Some(figure) => format!("{:.0}", figure as f64 / tasks as f64),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_set_to_the_right_and_words_to_the_left() {
        let rows = [["a", "5"], ["long", "1234567"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let shown = aligned(&["who", "bytes"], &rows);
        let expected = [
            "| who  |   bytes |",
            "| ---- | ------: |",
            "| a    |       5 |",
            "| long | 1234567 |",
        ];
        assert_eq!(shown.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_table_is_chosen_by_a_part_of_its_name_or_by_no_word_at_all() {
        let chosen = |line: &str| {
            let arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
            is_chosen("memory", &arguments)
        };
        assert!(chosen("--bench") && chosen("--bench mem") && chosen("gather memory"));
        assert!(chosen("--bench --warm-up-time 0.5"));
        assert!(!chosen("--bench gather"));
    }
}

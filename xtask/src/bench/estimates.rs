//! What criterion measured, from the files it leaves in the target folder.

use crate::json::Json;
use crate::shell::Failure;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// One benchmark.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    /// What is measured, as `gather`.
    pub(super) group: String,
    /// Who is measured, as `corio`; empty if the group is the only one.
    pub(super) function: String,
    /// The size, as `1000`; empty if there is only one.
    pub(super) parameter: String,
    /// All times in nanoseconds.
    pub(super) median: f64,
    /// Of the median, at the confidence that criterion was told.
    pub(super) interval: (f64, f64),
    /// How many elements one iteration handles, if the benchmark says so.
    pub(super) elements: Option<f64>,
}

impl Measured {
    /// The group, and the size if there is one: all results under one such title can be compared.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.group, self.parameter)
            .trim()
            .to_owned()
    }

    pub(super) fn label(&self) -> &str {
        if self.function.is_empty() {
            &self.group
        } else {
            &self.function
        }
    }
}

/// The results that were written after `start`, together by title, the fastest of each title first.
pub(super) fn since(start: SystemTime, folder: &Path) -> Result<Vec<Measured>, Failure> {
    let mut found = Vec::new();
    collect(start, folder, &mut found)?;
    found.sort_by(|a, b| {
        order(a)
            .partial_cmp(&order(b))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    Ok(found)
}

fn order(measured: &Measured) -> (&str, f64, &str, f64) {
    let size = measured.parameter.parse().unwrap_or(0.0);
    (&measured.group, size, &measured.parameter, measured.median)
}

/// Looks for `new/estimates.json` everywhere below.
fn collect(start: SystemTime, folder: &Path, found: &mut Vec<Measured>) -> Result<(), Failure> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for path in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
    {
        let file = path.join("estimates.json");
        if path.ends_with("new") && file.is_file() {
            let written = file.metadata().and_then(|metadata| metadata.modified());
            if written.is_ok_and(|written| written >= start) {
                found.push(read(&path)?);
            }
        } else {
            collect(start, &path, found)?;
        }
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Measured, Failure> {
    let estimates = read_json(&folder.join("estimates.json"))?;
    let benchmark = read_json(&folder.join("benchmark.json"))?;
    measured(&estimates, &benchmark).ok_or_else(|| {
        Failure::new(format!(
            "{}: not the shape that criterion writes",
            folder.display()
        ))
    })
}

fn read_json(file: &Path) -> Result<Json, Failure> {
    let failure = |error: String| Failure::new(format!("{}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| failure(error.to_string()))?;
    Json::parse(&text).map_err(failure)
}

fn measured(estimates: &Json, benchmark: &Json) -> Option<Measured> {
    let median = estimates.get("median")?;
    let interval = median.get("confidence_interval")?;
    let word = |name| {
        benchmark
            .get(name)
            .and_then(Json::text)
            .unwrap_or_default()
            .to_owned()
    };
    Some(Measured {
        group: benchmark.get("group_id")?.text()?.to_owned(),
        function: word("function_id"),
        parameter: word("value_str"),
        median: median.get("point_estimate")?.number()?,
        interval: (
            interval.get("lower_bound")?.number()?,
            interval.get("upper_bound")?.number()?,
        ),
        elements: benchmark
            .get("throughput")
            .and_then(|throughput| throughput.get("Elements"))
            .and_then(Json::number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ESTIMATES: &str = r#"{"mean": {"point_estimate": 9.0}, "median": {"confidence_interval":
        {"confidence_level": 0.95, "lower_bound": 10.0, "upper_bound": 12.5}, "point_estimate": 11.0, "standard_error": 0.1}}"#;
    const BENCHMARK: &str = r#"{"group_id": "gather", "function_id": "corio", "value_str": "1000",
        "throughput": {"Elements": 1000}, "full_id": "gather/corio/1000"}"#;

    #[test]
    fn the_median_its_interval_and_the_names_are_read() {
        let measured = measured(
            &Json::parse(ESTIMATES).unwrap(),
            &Json::parse(BENCHMARK).unwrap(),
        )
        .unwrap();
        assert_eq!(
            (measured.median, measured.interval, measured.elements),
            (11.0, (10.0, 12.5), Some(1000.0))
        );
        assert_eq!(
            (measured.title().as_str(), measured.label()),
            ("gather 1000", "corio")
        );
    }

    #[test]
    fn only_results_of_this_run_are_taken() {
        let folder = std::env::temp_dir().join(format!("xtask-estimates-{}", std::process::id()));
        let new = folder.join("gather/corio/1000/new");
        fs::create_dir_all(&new).unwrap();
        fs::write(new.join("estimates.json"), ESTIMATES).unwrap();
        fs::write(new.join("benchmark.json"), BENCHMARK).unwrap();
        let written = new
            .join("estimates.json")
            .metadata()
            .unwrap()
            .modified()
            .unwrap();

        let taken = since(written, &folder).unwrap();
        let not_taken = since(written + Duration::from_secs(1), &folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((taken.len(), not_taken.len()), (1, 0));
        assert_eq!(since(written, &folder).unwrap(), []);
    }
}

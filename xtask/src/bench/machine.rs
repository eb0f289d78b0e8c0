//! Where and when something was measured: without that, a number means nothing.

use crate::shell;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// The facts that go into the head of a record.
pub(super) struct Machine {
    /// As `2026-01-31`, in UTC.
    pub(super) date: String,
    /// Shortened; `unknown` outside of a git checkout.
    pub(super) commit: String,
    /// Whether the files differed from the commit.
    pub(super) changed: bool,
    pub(super) cpu: String,
    /// Hardware threads that this process may use.
    pub(super) cores: usize,
    pub(super) kernel: String,
    pub(super) rustc: String,
    /// The load averages before the run; on a busy machine nothing is worth comparing.
    pub(super) load: String,
}

impl Machine {
    /// Looks around; what cannot be found out is `unknown`.
    pub(super) fn look() -> Self {
        let unknown = || "unknown".to_owned();
        let said = |program: &str, arguments: &[&str]| {
            shell::output(shell::program(program).args(arguments))
        };
        let changes =
            said("git", &["status", "--porcelain", "--untracked-files=no"]).unwrap_or_default();
        let cpu = fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| cpu_model(&text));
        let load = fs::read_to_string("/proc/loadavg").ok();
        Machine {
            date: date(
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |since| since.as_secs()),
            ),
            commit: said("git", &["rev-parse", "--short=10", "HEAD"]).unwrap_or_else(unknown),
            changed: !changes.is_empty(),
            cpu: cpu
                .or_else(|| said("sysctl", &["-n", "machdep.cpu.brand_string"]))
                .unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: said("uname", &["-srm"]).unwrap_or_else(|| std::env::consts::OS.to_owned()),
            rustc: said("rustc", &["-V"]).unwrap_or_else(unknown),
            load: load.map_or_else(unknown, |text| {
                text.split(' ').take(3).collect::<Vec<_>>().join(" ")
            }),
        }
    }
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The day of a number of seconds since 1970, in the Gregorian calendar.
///
/// Years are counted from March, so that a leap day is the last day of its year and every month starts at a fixed offset.
fn date(seconds: u64) -> String {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    const DAYS_FROM_YEAR_0_TO_1970: u64 = 719_468;
    let days = seconds / 86_400 + DAYS_FROM_YEAR_0_TO_1970;
    let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        let day = 86_400;
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(11_016 * day), "2000-02-29");
        assert_eq!(date(11_017 * day - 1), "2000-02-29");
        assert_eq!(date(11_017 * day), "2000-03-01");
        assert_eq!(date(20_088 * day), "2024-12-31");
        assert_eq!(date(47_541 * day), "2100-03-01");
    }

    #[test]
    fn the_model_of_the_processor_is_found() {
        let text = "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Some CPU @ 2.00GHz\n";
        assert_eq!(cpu_model(text).as_deref(), Some("Some CPU @ 2.00GHz"));
        assert_eq!(cpu_model("processor: 0"), None);
    }
}

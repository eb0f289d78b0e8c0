//! The picture of one run: horizontal bars, a block for each title, each block with a scale of its own.

use crate::bench::estimates::Measured;
use crate::bench::machine::Machine;
use crate::bench::shown_nanoseconds;

const WIDTH: f64 = 760.0;
const MARGIN: f64 = 20.0;
/// Where the bars start: the labels stand to the left.
const BARS: f64 = 220.0;
/// The longest bar; the number stands behind it.
const LONGEST: f64 = WIDTH - BARS - 110.0;
const ROW: f64 = 22.0;
const TITLE: f64 = 34.0;

const OWN: &str = "#c2410c";
const OTHER: &str = "#94a3b8";

/// The whole picture.
pub(super) fn svg(machine: &Machine, measured: &[Measured]) -> String {
    let head = format!(
        "Medians of {}, commit {}; shorter is better",
        machine.date, machine.commit
    );
    let mut body = text(MARGIN, 30.0, "font-size='15'", &head);
    let mut y = 44.0;
    for group in measured.chunk_by(|a, b| a.title() == b.title()) {
        body.push_str(&text(
            MARGIN,
            y + 22.0,
            "font-weight='bold'",
            &group[0].title(),
        ));
        y += TITLE;
        let slowest = group
            .iter()
            .map(|measured| measured.median)
            .fold(0.0, f64::max);
        for measured in group {
            body.push_str(&bar(measured, slowest, y));
            y += ROW;
        }
    }
    let height = y + MARGIN;
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' height='{height}' \
         font-family='sans-serif' font-size='13'>\n<rect width='100%' height='100%' fill='white'/>\n{body}</svg>\n"
    )
}

fn bar(measured: &Measured, slowest: f64, y: f64) -> String {
    let length = if slowest > 0.0 {
        (measured.median / slowest * LONGEST).max(1.0)
    } else {
        1.0
    };
    let color = if measured.label().starts_with("corio") {
        OWN
    } else {
        OTHER
    };
    let line = y + 15.0;
    let rect = format!(
        "<rect x='{BARS}' y='{}' width='{length:.1}' height='16' fill='{color}'/>\n",
        y + 3.0
    );
    let label = text(BARS - 8.0, line, "text-anchor='end'", measured.label());
    label
        + &rect
        + &text(
            BARS + length + 6.0,
            line,
            "fill='#334155'",
            &shown_nanoseconds(measured.median),
        )
}

fn text(x: f64, y: f64, style: &str, content: &str) -> String {
    let content = content
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<text x='{x:.1}' y='{y:.1}' {style}>{content}</text>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(group: &str, function: &str, median: f64) -> Measured {
        let (group, function) = (group.to_owned(), function.to_owned());
        Measured {
            group,
            function,
            parameter: String::new(),
            median,
            interval: (median, median),
            elements: None,
        }
    }

    #[test]
    fn bars_are_as_long_as_their_share_of_the_slowest_of_their_title() {
        let own = bar(&measured("spawn", "corio", 50.0), 100.0, 0.0);
        let other = bar(&measured("spawn", "other <x>", 100.0), 100.0, 0.0);
        assert!(
            own.contains(&format!("width='{:.1}'", LONGEST / 2.0)) && own.contains(OWN),
            "{own}"
        );
        assert!(
            other.contains(&format!("width='{LONGEST:.1}'")) && other.contains(OTHER),
            "{other}"
        );
        assert!(
            other.contains(">other &lt;x&gt;<") && other.contains(">100 ns<"),
            "{other}"
        );
    }

    #[test]
    fn every_title_has_a_block() {
        let machine = Machine::look();
        let picture = svg(
            &machine,
            &[
                measured("spawn", "corio", 1.0),
                measured("spawn", "b", 2.0),
                measured("yield", "b", 3.0),
            ],
        );
        assert_eq!(picture.matches("font-weight='bold'").count(), 2);
        assert_eq!(picture.matches("<rect x=").count(), 3);
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    }
}

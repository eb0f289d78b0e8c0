//! Holds what was printed against what was promised.

use super::promises::STARS;

/// The programs of a tour, and what each of them printed.
pub(crate) fn sections(lines: &[String]) -> Vec<(&str, Vec<String>)> {
    let mut sections: Vec<(&str, Vec<String>)> = Vec::new();
    let mut inside = false;
    for line in lines {
        if let Some(heading) = line.strip_prefix("== ") {
            let name = heading.split(' ').next().unwrap_or_default();
            sections.push((name, Vec::new()));
            // One line says what it shows.
            inside = false;
        } else if line.starts_with("-- ") {
            inside = false;
        } else if line.is_empty() {
            inside = sections.last().is_some_and(|(_, lines)| lines.is_empty());
        } else if inside {
            let section = sections.last_mut().expect("inside of one");
            section.1.push(line.clone());
        }
    }
    sections
}

pub(crate) fn compare(promised: &[&str], pace: f64, printed: &[String]) -> Result<(), String> {
    let promised: Vec<String> = promised.iter().map(|line| at_pace(line, pace)).collect();
    let same = promised.len() == printed.len()
        && promised
            .iter()
            .zip(printed)
            .all(|(promised, printed)| fits(promised, printed));
    if same {
        return Ok(());
    }
    Err(format!(
        "promised\n  {}\nbut printed\n  {}",
        promised.join("\n  "),
        printed.join("\n  ")
    ))
}

fn at_pace(line: &str, pace: f64) -> String {
    [1, 2, 4].iter().fold(line.to_owned(), |line, seconds| {
        let time = f64::from(*seconds) * pace;
        line.replace(&format!("%{seconds}"), &time.to_string())
    })
}

pub(crate) fn fits(promised: &str, printed: &str) -> bool {
    for label in ["TIME: ", "Napped: "] {
        if let Some(least) = promised.strip_prefix(label) {
            let number = |text: &str| text.parse::<f64>().ok();
            let passed = printed.strip_prefix(label).and_then(number);
            return passed
                .zip(number(least))
                .is_some_and(|(passed, least)| passed >= least);
        }
    }
    if promised == STARS {
        return printed == STARS;
    }
    fits_with_gaps(promised, printed)
}

/// `*` stands for any text.
fn fits_with_gaps(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let starts = text.char_indices().map(|(index, _)| index);
    let mut tails = starts.chain([text.len()]).map(|index| &text[index..]);
    tails.any(|tail| fits_with_gaps(rest, tail))
}

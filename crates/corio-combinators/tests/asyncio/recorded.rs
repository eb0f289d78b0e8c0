//! The recorded programs, and the comparison with what is logged here.

/// Programs with what they are to log.
fn programs(file: &str) -> Vec<(&str, Vec<String>)> {
    let mut programs: Vec<(&str, Vec<String>)> = Vec::new();
    for line in file.lines().filter(|line| !line.is_empty()) {
        match programs.last_mut() {
            Some((_, log)) if line.starts_with(' ') => log.push(line.into()),
            _ => programs.push((line, Vec::new())),
        }
    }
    programs
}

/// Those that once were played otherwise come first.
#[allow(dead_code, reason = "not for runs to the end")]
pub const PROGRAMS: &str = concat!(include_str!("found.txt"), include_str!("programs.txt"));

/// Puts what each task logs together.
fn by_task(log: &mut [String]) {
    log.sort_by_cached_key(|line| line.split_whitespace().next().map(str::to_owned));
}

/// Plays all, and compares.
pub fn compare(recorded: &str, play: impl Fn(&str) -> Vec<String>) {
    let file = match std::env::var("CORIO_ASYNCIO_PROGRAMS") {
        Ok(path) => std::fs::read_to_string(path).expect("a file of programs"),
        Err(_) => recorded.to_owned(),
    };
    let programs = programs(&file);
    let played = programs.len();
    let mut different = Vec::new();
    for (program, mut expected) in programs {
        if let Some(program) = program.strip_prefix('!') {
            play(program);
            continue;
        }
        let (program, in_order) = match program.strip_prefix('~') {
            Some(program) => (program, false),
            None => (program, true),
        };
        let mut logged = play(program);
        if !in_order {
            by_task(&mut expected);
            by_task(&mut logged);
        }
        if logged != expected {
            different.push((program, expected, logged));
        }
    }
    different.sort_by_key(|(program, ..)| program.len());
    let shown = different
        .iter()
        .take(10)
        .map(|(program, expected, logged)| {
            let (expected, logged) = (expected.join("\n"), logged.join("\n"));
            format!("\n{program}\nasyncio:\n{expected}\n\nhere:\n{logged}\n")
        });
    let shown: String = shown.collect();
    let count = different.len();
    assert!(
        different.is_empty(),
        "{count} of {played} programs differ. The shortest:\n{shown}"
    );
    assert!(played >= 100);
}

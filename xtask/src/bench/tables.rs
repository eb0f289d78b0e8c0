//! Tables that benchmarks make themselves, from the files they leave in the target folder.

use crate::shell::Failure;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// What one benchmark has left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tables {
    /// Of the benchmark.
    pub(super) name: String,
    /// Titles and tables, in Markdown.
    pub(super) text: String,
}

/// What was written after `start`, by name.
pub(super) fn since(start: SystemTime, folder: &Path) -> Result<Vec<Tables>, Failure> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(found);
    };
    for file in entries.flatten() {
        let path = file.path();
        let written = file.metadata().and_then(|metadata| metadata.modified());
        let (Some(name), Ok(written)) = (path.file_stem(), written) else {
            continue;
        };
        if written >= start {
            let text = fs::read_to_string(&path)
                .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
            found.push(Tables {
                name: name.to_string_lossy().into_owned(),
                text,
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_tables_of_this_run_are_taken_and_in_order() {
        let folder = std::env::temp_dir().join(format!("xtask-tables-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["net", "memory"] {
            fs::write(folder.join(format!("{name}.md")), "| a |").unwrap();
        }
        let written = fs::metadata(folder.join("memory.md")).unwrap();
        let written = written.modified().unwrap();
        let early = since(written - Duration::from_secs(1), &folder).unwrap();
        let late = since(written + Duration::from_secs(60), &folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let names: Vec<_> = early.iter().map(|tables| tables.name.as_str()).collect();
        assert_eq!((names, late.len()), (vec!["memory", "net"], 0));
        assert_eq!(since(written, &folder).unwrap(), []);
    }
}

//! The futures of a crate, as its sources have them.

#![allow(unreachable_pub, reason = "test files use it")]

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

/// Every future of a crate has a case with its name, but for those that only the crate itself can make.
#[track_caller]
pub fn assert_named(name: &str, named: &BTreeSet<&str>, hidden: &[&str]) {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let mut futures = BTreeSet::new();
    collect_futures(&crate_dir.join("src"), &mut futures).unwrap();
    assert!(!futures.is_empty(), "{name} has futures");
    for future in futures {
        let known = named.contains(&*future) || hidden.contains(&&*future);
        assert!(known, "{future} of {name} has no case");
    }
}

/// The names of the types that are futures.
fn collect_futures(folder: &Path, found: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_futures(&path, found)?;
            continue;
        }
        for line in fs::read_to_string(&path)?.lines() {
            let Some((start, name)) = line.split_once(" Future for ") else {
                continue;
            };
            if start.starts_with("impl") {
                let end = name.find(|c: char| !c.is_alphanumeric());
                found.insert(name[..end.unwrap_or(name.len())].to_owned());
            }
        }
    }
    Ok(())
}

//! What the operating system watches for this process.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

/// Whether some epoll of this process watches the file, however many descriptors it has.
pub(crate) fn is_watched(file: &impl AsFd) -> io::Result<bool> {
    let file = File::from(file.as_fd().try_clone_to_owned()?);
    let sought = format!("ino:{:x} ", file.metadata()?.ino());
    for entry in fs::read_dir("/proc/self/fdinfo")? {
        // One that is closed meanwhile watches nothing.
        let info = fs::read_to_string(entry?.path()).unwrap_or_default();
        let mut watches = info.lines().filter(|line| line.starts_with("tfd:"));
        if watches.any(|line| line.contains(&sought)) {
            return Ok(true);
        }
    }
    Ok(false)
}

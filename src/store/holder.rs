//! Who holds a lock of a file, where the system tells: Linux, in `/proc/locks`.

use std::fs;
use std::path::Path;

/// The other processes that hold a lock on one of these files, as `process 123 (command)`.
///
/// Source: `proc_locks(5)`: `1: POSIX ADVISORY WRITE 123 fd:01:9437 0 EOF`.
#[must_use]
pub fn lock_holders(paths: &[&Path]) -> Vec<String> {
    let Ok(locks) = fs::read_to_string("/proc/locks") else { return Vec::new() };
    let inodes: Vec<String> = paths.iter().filter_map(|path| inode(path)).collect();
    let own = std::process::id();
    let mut found: Vec<u32> = locks
        .lines()
        .filter(|line| !line.contains("->"))
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(4);
            let process: u32 = words.next()?.parse().ok()?;
            let inode = words.next()?.rsplit(':').next()?;
            (process != own && inodes.iter().any(|wanted| wanted == inode)).then_some(process)
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(described).collect()
}

fn described(process: u32) -> String {
    let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let command = String::from_utf8_lossy(&command).replace('\0', " ");
    let command: String = command.trim().chars().take(80).collect();
    if command.is_empty() { format!("process {process}") } else { format!("process {process} ({command})") }
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|found| found.ino().to_string())
}

#[cfg(not(unix))]
fn inode(_: &Path) -> Option<String> {
    None
}

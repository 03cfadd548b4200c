//! The process that a session runs in: which it is, and whether it still lives.
//!
//! Known on Linux only, from `/proc` (proc(5)). Elsewhere nothing is known, and a session counts as dead
//! when it has been silent for long.

use serde::{Deserialize, Serialize};

/// A process, told apart from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the boot.
    pub started: u64,
    /// The boot, and the namespace in which the number means it.
    pub place: String,
}

impl Process {
    /// The agent's process: `told`, or the nearest ancestor of this process that is no shell.
    #[must_use]
    pub fn of_session(told: Option<u32>) -> Option<Self> {
        let place = imp::place()?;
        let mut pid = match told {
            Some(pid) => return Some(Self { pid, started: imp::status(pid)?.started, place }),
            None => imp::status(std::process::id())?.parent,
        };
        // A hook is a few processes below its agent; at the top is nobody's session.
        for _ in 0..8 {
            let status = imp::status(pid).filter(|_| pid > 1)?;
            if !is_go_between(&status.name) {
                return Some(Self { pid, started: status.started, place });
            }
            pid = status.parent;
        }
        None
    }

    /// Whether it lives; `None` where that cannot be seen from here.
    #[must_use]
    pub fn is_alive(&self) -> Option<bool> {
        let place = imp::place()?;
        let same_namespace = self.place.split_once(' ').map(|(_, namespace)| namespace)
            == place.split_once(' ').map(|(_, namespace)| namespace);
        match (place == self.place, same_namespace) {
            (true, _) => Some(imp::status(self.pid).is_some_and(|status| status.started == self.started)),
            // Another boot of the same machine.
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}

/// Programs that start a hook and are gone right after it.
fn is_go_between(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "dash" | "zsh" | "ash" | "ksh" | "fish" | "env" | "timeout" | "headwater")
}

/// What `/proc` says of a process.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    name: String,
    parent: u32,
    started: u64,
}

/// Reads `pid (name) state ppid …`; the name may hold anything, parentheses too.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "there is no /proc"))]
fn parse(text: &str) -> Option<Status> {
    let (_, rest) = text.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    if fields.first() == Some(&"Z") {
        return None;
    }
    Some(Status { name: name.to_owned(), parent: fields.get(1)?.parse().ok()?, started: fields.get(19)?.parse().ok()? })
}

#[cfg(target_os = "linux")]
mod imp {
    use super::{Status, parse};
    use crate::store::read_system_file;

    pub(super) fn status(pid: u32) -> Option<Status> {
        parse(&read_system_file(&format!("/proc/{pid}/stat"))?)
    }

    pub(super) fn place() -> Option<String> {
        let boot = read_system_file("/proc/sys/kernel/random/boot_id")?;
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
        Some(format!("{} {}", boot.trim(), namespace.to_string_lossy()))
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use super::Status;

    pub(super) fn status(_: u32) -> Option<Status> {
        None
    }

    pub(super) fn place() -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Process, Status, parse};

    #[test]
    fn a_name_may_hold_anything() {
        let rest = "S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 12 13";
        let status = Status { name: "a) (b c".to_owned(), parent: 7, started: 4711 };
        assert_eq!(parse(&format!("12 (a) (b c) {rest}")), Some(status));
        assert_eq!(parse("12 (a) Z 7"), None);
        assert_eq!(parse("nothing"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_lives_and_another_start_does_not() {
        let own = Process::of_session(Some(std::process::id())).unwrap();
        assert_eq!(own.is_alive(), Some(true));
        assert_eq!(Process { started: own.started + 1, ..own.clone() }.is_alive(), Some(false));
        let (_, namespace) = own.place.split_once(' ').unwrap();
        assert_eq!(Process { place: format!("before {namespace}"), ..own.clone() }.is_alive(), Some(false));
        assert_eq!(Process { place: "elsewhere pid:[1]".to_owned(), ..own }.is_alive(), None);
    }
}

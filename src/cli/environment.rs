//! The environment variables that headwater reads, each in one place.

use std::ffi::OsString;
use std::path::PathBuf;

/// The ledger's folder.
pub(super) fn ledger_dir() -> Option<PathBuf> {
    read("HEADWATER_DIR").map(PathBuf::from)
}

/// The name of the agent that writes.
pub(super) fn agent() -> Option<String> {
    read("HEADWATER_AGENT").map(|name| name.to_string_lossy().into_owned())
}

/// The folder of the project that Claude Code works on.
pub(super) fn project_dir() -> Option<PathBuf> {
    read("CLAUDE_PROJECT_DIR").map(PathBuf::from)
}

/// The agent's process, where a hook cannot see it.
pub(super) fn session_process() -> Option<u32> {
    read("HEADWATER_SESSION_PID")?.to_str()?.parse().ok()
}

/// Whether a program of this name is on the PATH.
pub(super) fn has_program(name: &str) -> bool {
    let path = read("PATH").unwrap_or_default();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).any(|folder| folder.join(&file).is_file())
}

#[expect(clippy::disallowed_methods, reason = "this module owns the environment")]
fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

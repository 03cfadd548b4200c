//! The environment variables that headwater reads, each in one place.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

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

/// How long an agent's hook may take, in milliseconds: for slow machines.
pub(super) fn hook_limit() -> Option<Duration> {
    let millis: u64 = read("HEADWATER_HOOK_LIMIT")?.to_str()?.trim().parse().ok()?;
    Some(Duration::from_millis(millis.min(600_000)))
}

/// Whether a program of this name is on the PATH.
pub(super) fn has_program(name: &str) -> bool {
    let path = read("PATH").unwrap_or_default();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).any(|folder| folder.join(&file).is_file())
}

/// The token for GitHub.
pub(super) fn github_token() -> Option<String> {
    text("GITHUB_TOKEN").or_else(|| text("GH_TOKEN"))
}

/// The root of GitHub's interface.
pub(super) fn github_api() -> Option<String> {
    text("GITHUB_API_URL")
}

/// The repository on GitHub, `owner/name`.
pub(super) fn github_repository() -> Option<String> {
    text("GITHUB_REPOSITORY")
}

/// A file with the certificates to trust.
pub(super) fn certificates() -> Option<PathBuf> {
    read("SSL_CERT_FILE").map(PathBuf::from)
}

fn text(name: &str) -> Option<String> {
    read(name).map(|value| value.to_string_lossy().trim().to_owned()).filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "this module owns the environment")]
fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

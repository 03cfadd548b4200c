//! The program as its users meet it: real processes, real git, scratch folders.
#![expect(clippy::disallowed_methods, reason = "tests start processes and touch scratch files")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so by panicking"
)]
#![expect(clippy::case_sensitive_file_extension_comparisons, reason = "headwater compares them so")]
#![expect(clippy::format_push_string, reason = "texts of tests are short")]

mod agent;
mod architecture;
mod archive;
mod attack_authors;
#[cfg(unix)]
mod attack_bounds;
mod attack_logs;
#[cfg(target_os = "linux")]
mod attack_paths;
mod attack_remotes;
mod capture;
mod check;
mod cli;
mod commit;
mod concurrent;
mod faults;
mod feed;
mod feed_numbers;
mod feed_rules;
mod format;
mod formatters;
mod git_hook;
mod golden;
mod hub;
mod ids;
mod ids_check;
mod ids_logs;
mod import;
#[cfg(unix)]
mod init;
mod inspect;
#[cfg(unix)]
mod installed_hooks;
mod ledger;
mod merging;
mod order;
mod packs;
mod record;
mod recovery;
mod reflog;
mod sandbox;
mod secrets;
mod sessions;
#[cfg(target_os = "linux")]
mod terminal;
mod triggers;
#[cfg(unix)]
mod workflows;
#[cfg(unix)]
mod worktrees;

/// A file that nobody declares would be a test that never runs.
#[test]
fn every_file_of_the_suite_is_declared() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") {
            assert!(
                main.lines().any(|line| line == format!("mod {module};")),
                "tests/suite/main.rs lacks `mod {module};`"
            );
        }
    }
}

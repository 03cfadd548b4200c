//! Ledgers with the views that FORMAT.md gives them, derived by hand: `tests/golden/<case>/`.

use crate::sandbox::{Sandbox, copy};
use std::path::{Path, PathBuf};

/// Synthesizes a copy of a case three times: written, left alone, found fresh.
fn check_case(case: &Path, expected: &str) {
    let name = case.file_name().unwrap().to_string_lossy();
    let sandbox = Sandbox::plain();
    for folder in ["events", "archive"].into_iter().filter(|folder| case.join(folder).exists()) {
        copy(&case.join(folder), &sandbox.dir.join(folder));
    }
    let config = case.join("config.yaml");
    let config = config.to_str().filter(|_| config.exists());
    let args = |args: &[&'static str]| -> Vec<String> {
        let config = config.into_iter().flat_map(|file| ["--config", file]);
        args.iter().copied().chain(config).map(ToOwned::to_owned).collect()
    };
    let run = |given: &[&'static str], code: i32| {
        let given = args(given);
        sandbox.run(&given.iter().map(String::as_str).collect::<Vec<_>>()).exits(code)
    };

    run(&["synth", "--check"], 1);
    run(&["synth", "--no-confirm"], 0);
    assert_eq!(sandbox.view(), expected, "{name}");
    let written = identity(&sandbox.dir.join("current.md"));
    run(&["synth", "--no-confirm"], 0);
    assert_eq!(identity(&sandbox.dir.join("current.md")), written, "{name}: rewritten without a change");
    run(&["synth", "--check"], 0);
}

/// What changes when a file is written anew.
fn identity(file: &Path) -> (std::time::SystemTime, u64) {
    let data = file.metadata().unwrap();
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&data);
    #[cfg(not(unix))]
    let number = data.len();
    (data.modified().unwrap(), number)
}

#[test]
fn every_golden_case_gives_its_bytes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| case.is_dir());
    cases.sort();
    assert!(cases.len() >= 7, "cases are missing: {cases:?}");
    for case in cases {
        check_case(&case, &std::fs::read_to_string(case.join("expected.md")).unwrap());
    }
}

#[test]
fn the_example_of_the_repository_is_what_its_events_give() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("events-example");
    if example.exists() {
        let view = std::fs::read_to_string(example.join("current.md")).unwrap();
        check_case(&example, &view);
    }
}

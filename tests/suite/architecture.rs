//! The layers of the source, read from its own lines.

use crate::sandbox::files_below;
use std::collections::BTreeMap;
use std::path::Path;

/// What the files of each layer may import, in the order of the data's path.
const LAYERS: [(&str, &[&str]); 14] = [
    ("bounds", &[]),
    ("crdt", &[]),
    ("secrets", &[]),
    ("event", &["crdt"]),
    ("ledger", &["crdt", "event"]),
    ("feed", &["crdt", "event", "ledger"]),
    ("config", &["event", "ledger"]),
    ("git", &["event"]),
    ("trust", &["event", "config", "git"]),
    ("store", &["crdt", "event", "ledger", "trust"]),
    ("session", &["secrets", "event", "ledger", "config", "git", "trust", "store"]),
    ("setup", &["event", "config", "git", "trust", "store"]),
    ("ids", &["event", "ledger", "config", "git", "trust", "store"]),
    (
        "cli",
        &["secrets", "crdt", "event", "ledger", "config", "git", "trust", "store", "ids", "feed", "session", "setup"],
    ),
];

/// What bounds a run is asked everywhere.
const ANYWHERE: &str = "bounds";

fn sources() -> BTreeMap<String, String> {
    let files = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    files.into_iter().filter(|(name, _)| name.ends_with(".rs")).map(|(name, bytes)| (name, text(bytes))).collect()
}

/// The layers that a text names as `crate::layer`, grouped imports included.
fn named_layers(text: &str) -> Vec<(usize, String)> {
    let word = |text: &str| text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(group.split(',').map(|part| (number, word(part.trim())))),
                None => found.push((number, word(rest))),
            }
        }
    }
    found
}

#[test]
fn imports_point_one_way() {
    let sources = sources();
    let mut imports = 0;
    for (file, text) in &sources {
        let layer = file.split('/').next().unwrap();
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else { continue };
        for (line, named) in named_layers(text).into_iter().filter(|(_, named)| named != layer && named != ANYWHERE) {
            imports += 1;
            assert!(allowed.contains(&named.as_str()), "src/{file}:{line}: `{layer}` must not know `{named}`");
        }
    }
    assert!(imports > 20, "only {imports} imports were seen");
}

#[test]
fn every_folder_is_a_known_layer() {
    for file in sources().keys() {
        let (layer, rest) = file.split_once('/').unwrap_or(("", file));
        let known = LAYERS.iter().any(|(name, _)| *name == layer) || layer == "bin" || rest == "lib.rs";
        assert!(known, "src/{file} is in no layer; name it in tests/suite/architecture.rs");
    }
}

#[test]
fn the_scan_sees_what_it_looks_for() {
    let text = "use crate::cli::x;\nlet a = crate::store::b();\n// crate::git\nuse crate::{event, ledger::View};\n";
    let named: Vec<(usize, String)> = named_layers(text);
    let named: Vec<(usize, &str)> = named.iter().map(|(line, name)| (*line, name.as_str())).collect();
    assert_eq!(named, [(1, "cli"), (2, "store"), (4, "event"), (4, "ledger")]);
}

#[test]
fn the_boundaries_are_still_forbidden() {
    let clippy = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("clippy.toml")).unwrap();
    for path in ["std::time::SystemTime::now", "std::env::var", "std::process::Command::new", "std::fs::write"] {
        assert!(clippy.contains(&format!("path = \"{path}\"")), "clippy.toml no longer forbids {path}");
    }
}

/// Who may do what `clippy.toml` forbids says so in one place, with a reason. Processes are `git/`'s: git
/// itself, and `gh` for its token (`git/hosting.rs`); the network is `ids/github/transport.rs`'s.
#[test]
fn only_the_owners_cross_the_boundaries() {
    let owners = [
        "store/",
        "git/",
        "trust/",
        "cli/clock.rs",
        "cli/environment.rs",
        "cli/id/with.rs",
        "ids/conformance.rs",
        "ids/sqlite/tests.rs",
    ];
    let mut crossing: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| text.contains("clippy::disallowed_methods"))
        .map(|(file, _)| file)
        .collect();
    assert!(crossing.len() >= 4, "only {crossing:?}");
    crossing.retain(|file| !owners.iter().any(|owner| file.starts_with(owner)));
    assert_eq!(crossing, [""; 0]);
    let online: Vec<String> =
        sources().into_iter().filter(|(_, text)| text.contains("ureq::")).map(|(file, _)| file).collect();
    assert_eq!(online, ["ids/github/transport.rs"]);
}

/// The lines of a file that its own tests do not have.
fn own_lines(text: &str) -> impl Iterator<Item = &str> {
    let own = text.split("\n#[cfg(test)]\n").next().unwrap_or(text);
    own.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// Which files have lines with one of these texts, and how many.
fn lines_with(texts: &[&str]) -> Vec<(String, usize)> {
    let count = |text: &str| own_lines(text).filter(|line| texts.iter().any(|wanted| line.contains(wanted))).count();
    let all = sources().into_iter().map(|(file, text)| (file, count(&text)));
    all.filter(|(_, count)| *count > 0).collect()
}

/// A path that a configuration, an event, a log or a file name gives is joined to the top of a worktree in
/// `trust/path.rs` alone. Whoever else joins something to it says here what that is.
#[test]
fn paths_of_a_branch_are_joined_at_the_trust_boundary_only() {
    let joined: Vec<(String, usize)> = lines_with(&["work_tree.join(", "top.join(", "top().join("]);
    let known = [
        ("cli/context.rs", 2),        // the configuration's own name
        ("cli/id/inbox.rs", 1),       // an option of the command line
        ("cli/id/mod.rs", 1),         // `.headwater/` outside git, which `cli/context.rs` asked for
        ("cli/init.rs", 2),           // whether directories of agents are there
        ("cli/ledger/mod.rs", 1),     // the same
        ("cli/session_hook.rs", 2),   // whether fixed names are there
        ("git/commit_attempt.rs", 1), // a path from git's index, looked at and not opened
        ("git/layout.rs", 1),         // `git config headwater.dir`: the user's own words
        ("session/tell.rs", 1),       // a path from git's status, looked at and not opened
        ("setup/inspect.rs", 1),      // `.prettierignore`
        ("setup/prettier.rs", 2),     // fixed names, whose links are not followed
        ("trust/path.rs", 3),
    ];
    assert_eq!(joined, known.map(|(file, count)| (file.to_owned(), count)));
}

/// What takes a path as it stands is called with paths that the user typed or that git made, never with one of a
/// configuration: those have the type `InTree`.
#[test]
fn files_are_replaced_by_name_only_where_the_user_named_them() {
    let known = [
        ("cli/id/inbox.rs", 2),     // `--into` and the inbox, from the command line
        ("cli/merge_driver.rs", 1), // the temporary file that git names
        ("cli/synth.rs", 1),        // `--output`
    ];
    let mut replacing = lines_with(&["replace_whole("]);
    replacing.retain(|(file, _)| !file.starts_with("store/"));
    assert_eq!(replacing, known.map(|(file, count)| (file.to_owned(), count)));
    assert_eq!(lines_with(&["LedgerPlace::named_by_user("]), [("cli/context.rs".to_owned(), 1)]);
    // Set-ups write where `setup/places.rs` asked the trust boundary.
    let mut shared = lines_with(&["write_shared(", "remove_shared("]);
    shared.retain(|(file, _)| !file.starts_with("store/"));
    let shared: Vec<&str> = shared.iter().map(|(file, _)| file.as_str()).collect();
    assert_eq!(shared, ["ids/sqlite/mend.rs", "setup/memory.rs", "setup/plan.rs"]);
}

/// Which files have lines with a text before their module of tests, if they have one.
fn files_with(wanted: &str) -> Vec<String> {
    let own = |text: &str| text.split("\nmod tests {").next().unwrap_or_default().to_owned();
    let is_code = |line: &str| !line.trim_start().starts_with("//") && line.contains(wanted);
    let all =
        sources().into_iter().filter(|(file, _)| !file.ends_with("tests.rs") && !file.ends_with("conformance.rs"));
    all.filter(|(_, text)| own(text).lines().any(is_code)).map(|(file, _)| file).collect()
}

/// Whoever contacts a remote, takes a reference or an issue for headwater's, or acts on a branch's wish does it
/// with what the trust boundary checked: its types have no other constructor, and what they stand for is nowhere else.
#[test]
fn remotes_references_hosts_and_consents_are_reached_through_the_trust_boundary() {
    for contact in ["\"fetch\"", "\"push\"", "\"ls-remote\"", "\"clone\"", "\"fetch-pack\"", "\"send-pack\""] {
        let found = files_with(contact);
        assert!(found.iter().all(|file| file == "trust/remote.rs"), "{contact} in {found:?}");
    }
    assert_eq!(files_with("\"ls-remote\""), ["trust/remote.rs"], "the scan sees nothing");
    // Fetching from everywhere, or from another repository's configuration.
    for contact in ["\"remote\", \"update\"", "\"submodule\"", "--upload-pack", "--receive-pack"] {
        assert_eq!(files_with(contact), [""; 0], "{contact}");
    }
    // The user's words, and the wishes that they grant.
    assert_eq!(files_with("headwater\\."), ["setup/consents.rs", "trust/grants.rs"]);
    assert_eq!(files_with(".for_consent()"), ["config/triggers.rs", "trust/consent.rs"]);
    assert_eq!(files_with("HEADWATER_\""), ["trust/grants.rs"]);
    // Sinks: a commit, a transcript, a comment, a reference on a remote.
    assert_eq!(files_with(".commit_paths("), ["cli/occasion.rs"]);
    assert_eq!(files_with("transcript::read("), ["session/tell.rs"]);
    assert_eq!(files_with("hub.send("), ["ids/github/mod.rs"]);
    assert_eq!(files_with("Transport::new("), ["ids/github/hub.rs"]);
    assert_eq!(files_with("HostedIssue::choose("), ["cli/hub.rs"]);
    assert_eq!(files_with("/repos/"), ["ids/github/hub.rs"]);
    assert_eq!(files_with("own_reference("), ["config/ids.rs", "trust/reference.rs"]);
    // A configuration's remote and reference are only read to be checked.
    assert_eq!(
        files_with(".remote.as_deref()"),
        ["cli/hub.rs", "cli/id/check.rs", "cli/progress.rs", "ids/allocator.rs", "ids/gitlog.rs"]
    );
    assert_eq!(files_with("OwnReference::of("), ["ids/gitlog.rs"]);
}

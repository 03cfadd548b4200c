//! What a branch that is only checked out may not do: name a remote, a reference, an issue or a consent.

use crate::ids::{clone, id, put, repo};
use crate::sandbox::{Ended, Sandbox, git, headwater, program, run, run_with_input};
use std::path::{Path, PathBuf};

/// A repository in whose work tree a bare repository lies as tracked files, with a hook that leaves a trace.
struct Trap {
    sandbox: Sandbox,
    canary: PathBuf,
}

impl Trap {
    fn new() -> Self {
        let sandbox = Sandbox::repo();
        put(&sandbox.root, "seed", "x\n");
        sandbox.commit("start");
        sandbox.git(&["clone", "-q", "--bare", ".", "evil.git"]);
        let canary = sandbox.beside("canary");
        for hook in ["pre-receive", "update", "post-update", "reference-transaction"] {
            script(&sandbox.root.join("evil.git/hooks").join(hook), &format!("#!/bin/sh\n: >'{}'\n", canary.display()));
        }
        Self { sandbox, canary }
    }

    fn is_untouched(&self, what: &str) {
        assert!(!self.canary.exists(), "{what} ran the hook");
        let refs = git(&self.sandbox.root.join("evil.git"), &["for-each-ref", "--format=%(refname)"]);
        assert_eq!(refs, "refs/heads/main", "{what} wrote there");
    }
}

fn script(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// Every command that asks a log or a remote, in this work tree.
fn every_contact(root: &Path) -> Vec<(String, Ended)> {
    let commands: [&[&str]; 17] = [
        &["id", "init"],
        &["id", "reserve", "SEC"],
        &["id", "next", "SEC"],
        &["id", "sync"],
        &["id", "check"],
        &["id", "list"],
        &["id", "release", "SEC-1"],
        &["id", "inbox"],
        &["doctor"],
        &["feed", "append", "--reserve", "SEC", "--now", "x"],
        &["feed", "queue"],
        &["feed", "show", "SEC-1"],
        &["feed", "tail"],
        &["feed", "drift"],
        &["ledger", "allocate", "--kind", "occ", "--event", "e"],
        &["ledger", "rebuild"],
        &["ledger", "verify"],
    ];
    let mut ended: Vec<(String, Ended)> =
        commands.iter().map(|args| (args.join(" "), run(&mut headwater(root, args)))).collect();
    for hook in ["session-start", "session-end", "stop", "pre-compact"] {
        let input = format!("{{\"session_id\": \"s\", \"cwd\": \"{}\"}}", root.display());
        ended.push((hook.to_owned(), run_with_input(&mut headwater(root, &["hook", hook, "--agent", "claude"]), &input)));
    }
    ended
}

#[test]
fn a_remote_that_is_a_path_or_url_is_an_error_with_its_place() {
    let trap = Trap::new();
    let inside = trap.sandbox.root.join("evil.git").display().to_string();
    for remote in [
        "./evil.git",
        "evil.git",
        "../x",
        "sub/../evil.git",
        &inside,
        &format!("file://{inside}"),
        &format!("ext::sh -c true% {inside}"),
        "https://u:p@example.invalid/o/r",
        "git@example.invalid:o/r",
        "-x",
        "--upload-pack=true",
        ".",
        "a\\b",
        "",
    ] {
        let remote_yaml = serde_json::to_string(remote).unwrap();
        let text = format!("ids:\n  SEC: {{}}\n  CMB: {{log: git, remote: {remote_yaml}}}\n");
        put(&trap.sandbox.root, ".headwater.yaml", &text);
        for (command, ended) in every_contact(&trap.sandbox.root) {
            trap.is_untouched(&format!("{command} with {remote:?}"));
            if command.starts_with("id ") {
                ended.exits(2).says(".headwater.yaml").says("line 3 column ").says("`remote`");
            }
        }
    }
}

//! `headwater init` and `headwater doctor`: what stands in a repository stays, and what is put there works.

use crate::sandbox::{Ended, Sandbox, files_below, git, headwater, program, run, run_with_input};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository with one commit and no ledger.
fn repo() -> Sandbox {
    let sandbox = Sandbox::repo();
    std::fs::remove_dir_all(sandbox.root.join("thoughts")).unwrap();
    put(&sandbox, "code.txt", "one\n");
    sandbox.commit("first");
    sandbox
}

fn put(sandbox: &Sandbox, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = sandbox.root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn put_script(sandbox: &Sandbox, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = put(sandbox, name, text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn text(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.root.join(name)).unwrap()
}

/// Everything that a set-up may touch: the work tree, the hooks, the clone's settings.
fn whole(sandbox: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let mut files = files_below(&sandbox.root);
    files.retain(|name, _| !name.starts_with(".git/") || name.starts_with(".git/hooks/") || name == ".git/config");
    files
}

/// The view that a set-up writes is headwater's own: whoever writes next takes it for nobody's work.
#[test]
fn the_first_view_is_ours() {
    for command in [&["record", "--now", "x"][..], &["feed", "append", "--kind", "note", "--subject", "x"]] {
        let sandbox = repo();
        sandbox.run(&["init", "--git"]).exits(0);
        let before = text(&sandbox, "thoughts/shared/handoffs/current.md");
        let said = sandbox.run(command).exits(0);
        sandbox.run(&["synth"]).exits(0);
        assert_ne!(text(&sandbox, "thoughts/shared/handoffs/current.md"), before);
        assert!(!said.stderr.contains("is kept in"), "{}", said.stderr);
        assert!(!sandbox.root.join(".git/headwater/edited").exists());
    }
}

/// A folder with a `headwater` that writes down how it was called, and ends with this status.
fn stub(sandbox: &Sandbox, status: i32) -> PathBuf {
    let folder = sandbox.beside("stub");
    std::fs::create_dir_all(&folder).unwrap();
    let log = sandbox.beside("stub.log");
    let script = format!("#!/bin/sh\n{{ echo \"$@\"; cat; echo .; }} >> '{}'\nexit {status}\n", log.display());
    std::fs::write(folder.join("headwater"), script).unwrap();
    std::fs::set_permissions(folder.join("headwater"), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A command that finds `headwater` in a folder, or nowhere.
fn with_path(mut command: Command, folder: Option<&Path>) -> Command {
    let base = "/usr/local/bin:/usr/bin:/bin";
    command.env("PATH", folder.map_or_else(|| base.to_owned(), |folder| format!("{}:{base}", folder.display())));
    command
}

fn run_git(sandbox: &Sandbox, folder: Option<&Path>, args: &[&str]) -> Ended {
    let mut command = with_path(program("git", &sandbox.root), folder);
    run(command.args(args))
}

#[test]
fn everything_is_set_up_once_and_taken_out_again() {
    let sandbox = repo();
    let before = whole(&sandbox);
    let done = sandbox.run(&["init", "--all"]).exits(0);
    assert!(done.stdout.contains("create  .claude/settings.json"), "{}", done.stdout);
    let after = whole(&sandbox);
    for name in [
        ".headwater.yaml",
        ".gitignore",
        ".gitattributes",
        "thoughts/shared/handoffs/events/README.md",
        ".claude/settings.json",
        ".claude/skills/synthesize-ledgers/SKILL.md",
        ".codex/hooks.json",
        ".gemini/settings.json",
        ".cursor/hooks.json",
        ".github/hooks/headwater.json",
        ".github/workflows/headwater.yml",
        ".github/workflows/headwater-archive.yml",
        ".pre-commit-config.yaml",
        "AGENTS.md",
        "CLAUDE.md",
        "GEMINI.md",
        ".git/hooks/pre-push",
        ".git/hooks/post-merge",
        ".git/hooks/post-rewrite",
        ".git/hooks/post-checkout",
    ] {
        assert!(after.contains_key(name), "no {name}");
    }
    sandbox.run(&["config"]).exits(0);
    sandbox.run(&["synth", "--check"]).exits(0);

    let again = sandbox.run(&["init", "--all"]).exits(0);
    assert!(again.stdout.starts_with("everything is set up"), "{}", again.stdout);
    assert_eq!(whole(&sandbox), after);
    let mut doctor = with_path(sandbox.command(&["doctor"]), Some(&stub(&sandbox, 0)));
    assert_eq!(run(&mut doctor).exits(0).stdout, "nothing is wrong\n");

    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert_eq!(whole(&sandbox), before);
    let folders = std::fs::read_dir(&sandbox.root).unwrap().count();
    assert_eq!(folders, 2, "a folder was left behind");
    sandbox.run(&["init", "--uninstall"]).exits(0);
}

/// Files as people have them: comments, odd indentation, no final line end, CRLF.
const THEIRS: [(&str, &str); 12] = [
    (".gitignore", "/target\r\n*.log\r\n"),
    (".gitattributes", "*.png binary"),
    ("AGENTS.md", "# Rules\n\nBe kind.\n\n\n"),
    ("CLAUDE.md", "# Claude\r\n\r\n- no tabs"),
    (
        ".claude/settings.json",
        "{\n   \"permissions\": { \"allow\": [ \"Bash(ls)\" ] },\n     \"hooks\": {\n  \"SessionStart\": [ { \"matcher\": \"startup\", \"hooks\": [ { \"type\": \"command\", \"command\": \"./mine\" } ] } ] },\n\t\"model\" :\"x\"\n}",
    ),
    (".codex/hooks.json", "{}"),
    (".gemini/settings.json", "{\r\n  // theme\r\n  \"theme\": \"dark\", /* and */\r\n  \"hooks\": {},\r\n}\r\n"),
    (".cursor/hooks.json", "{\"version\":1,\"hooks\":{\"stop\":[{\"command\":\"./mine\"}]}}\n"),
    (
        ".pre-commit-config.yaml",
        "# mine\nfail_fast: true\nrepos:\n  - repo: meta # the first\n    hooks:\n      - id: identity\nexclude: x",
    ),
    (".git/hooks/pre-push", "#!/bin/sh\ncat >/dev/null\nexit 0"),
    (".git/hooks/post-merge", "#!/usr/bin/env python3\nprint('merged')\n"),
    (".git/hooks/post-checkout", "#!/bin/bash\r\necho crlf\r\n"),
];

fn with_theirs() -> Sandbox {
    let sandbox = repo();
    for (name, bytes) in THEIRS {
        if name.contains("/hooks/p") {
            put_script(&sandbox, name, bytes)
        } else {
            put(&sandbox, name, bytes)
        };
    }
    sandbox.git(&["config", "merge.headwater.name", "mine"]);
    sandbox
}

#[test]
fn what_stood_there_comes_back_to_the_byte() {
    let sandbox = with_theirs();
    let before = whole(&sandbox);
    sandbox.run(&["init", "--all"]).exits(0);
    for (name, bytes) in THEIRS {
        let now = text(&sandbox, name);
        assert!(now.contains("headwater"), "{name}");
        let theirs: Vec<&str> = bytes
            .lines()
            .map(|line| line.trim().trim_end_matches(['}', ']', ' ', ',']))
            .filter(|line| line.len() > 3)
            .collect();
        let wrapped = name.ends_with("post-merge") || name.ends_with("post-checkout") || name.contains("cursor");
        assert!(wrapped || theirs.iter().all(|line| now.contains(line)), "{name}:\n{now}");
        let crlf = bytes.contains("\r\n") && !wrapped;
        assert_eq!(now.matches("\r\n").count(), if crlf { now.matches('\n').count() } else { 0 }, "{name}:\n{now:?}");
    }
    // A part that is added later remembers the same originals.
    sandbox.run(&["init", "--all", "--capture"]).exits(0);
    sandbox.run(&["init", "--uninstall"]).exits(0);
    let mut after = whole(&sandbox);
    let setting = |files: &mut BTreeMap<String, Vec<u8>>| files.remove(".git/config").map(|_| ());
    let mut before = before;
    setting(&mut after);
    setting(&mut before);
    assert_eq!(after, before);
    assert_eq!(sandbox.git(&["config", "merge.headwater.name"]), "mine");
    let mode = std::fs::metadata(sandbox.root.join(".git/hooks/pre-push")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn what_was_changed_since_keeps_its_changes() {
    let sandbox = with_theirs();
    sandbox.run(&["init", "--all"]).exits(0);
    let text_files = [".gitignore", "AGENTS.md", "CLAUDE.md", ".git/hooks/pre-push", ".pre-commit-config.yaml"];
    for name in text_files {
        let now = text(&sandbox, name);
        std::fs::write(sandbox.root.join(name), format!("{now}# later\n")).unwrap();
    }
    let settings = text(&sandbox, ".claude/settings.json").replace("\"model\" :\"x\"", "\"model\" :\"y\"");
    put(&sandbox, ".claude/settings.json", settings);
    put(&sandbox, ".headwater.yaml", "view: untracked\n");
    let workflow = text(&sandbox, ".github/workflows/headwater.yml").replace("ubuntu-latest", "mine");
    put(&sandbox, ".github/workflows/headwater.yml", workflow);
    sandbox.run(&["init", "--all"]).exits(0);
    assert!(text(&sandbox, ".github/workflows/headwater.yml").contains("mine"));
    assert!(text(&sandbox, ".gitignore").contains("current.md"));

    sandbox.run(&["init", "--uninstall"]).exits(0);
    for name in text_files {
        let now = text(&sandbox, name);
        assert!(now.ends_with("# later\n") && !now.contains("headwater"), "{name}:\n{now}");
    }
    let settings = text(&sandbox, ".claude/settings.json");
    assert!(settings.contains("\"y\"") && settings.contains("./mine") && !settings.contains("headwater"), "{settings}");
    assert_eq!(text(&sandbox, ".headwater.yaml"), "view: untracked\n");
    assert!(sandbox.root.join(".github/workflows/headwater.yml").exists());
}

#[test]
fn a_dry_run_and_a_broken_file_change_nothing() {
    let sandbox = with_theirs();
    let before = files_below(&sandbox.root);
    let shown = sandbox.run(&["init", "--all", "--dry-run"]).exits(0).stdout;
    for line in
        ["+++ b/.gitignore", "+/thoughts/shared/handoffs/.synth.lock", "+    if [ -n \"$headwater_input\" ]; then"]
    {
        assert!(shown.contains(line), "no {line}:\n{shown}");
    }
    assert_eq!(files_below(&sandbox.root), before);
    let json = sandbox.run(&["init", "--all", "--dry-run", "--format", "json"]).exits(0).json();
    assert_eq!(json["schema"], "headwater.init/1");

    put(&sandbox, ".cursor/hooks.json", "{\n  \"version\": 1,\n  \"hooks\": {,}\n}\n");
    let before = files_below(&sandbox.root);
    sandbox.run(&["init", "--all"]).exits(2).says("`.cursor/hooks.json`:3:").says("nothing was changed");
    put(&sandbox, ".cursor/hooks.json", "{}");
    put(&sandbox, "AGENTS.md", b"# \xff\n");
    sandbox.run(&["init", "--all"]).exits(2).says("`AGENTS.md`: is not UTF-8");
    let mut after = files_below(&sandbox.root);
    for name in [".cursor/hooks.json", "AGENTS.md"] {
        after.insert(name.to_owned(), before[name].clone());
    }
    assert_eq!(after, before);
}

/// A hook in the manner of git-lfs: it needs its arguments and all of its standard input.
const READS: &str = "#!/bin/sh
printf '%s|' \"$@\" > \"$OUT\"
while read -r local_ref local_oid remote_ref remote_oid; do
    printf '%s>%s|' \"$local_ref\" \"$remote_ref\" >> \"$OUT\"
done
exit 0
";

#[test]
fn a_push_runs_both_hooks_with_the_same_input() {
    let python = "#!/usr/bin/env python3\nimport sys, os\nopen(os.environ['OUT'], 'w').write('|'.join(sys.argv[1:]) + '|' + ''.join(f'{l.split()[0]}>{l.split()[2]}|' for l in sys.stdin))\n";
    let bare_sh = READS.strip_prefix("#!/bin/sh\n").unwrap();
    for hook in [READS, bare_sh, python] {
        let sandbox = repo();
        let remote = sandbox.beside("remote.git");
        git(&sandbox.root, &["init", "-q", "--bare", remote.to_str().unwrap()]);
        sandbox.git(&["branch", "other"]);
        put_script(&sandbox, ".git/hooks/pre-push", hook);
        sandbox.run(&["init", "--git"]).exits(0);
        let out = sandbox.beside("out");
        let push = |folder: Option<&Path>, branch: &str| {
            let _old = std::fs::remove_file(&out);
            let mut command = with_path(program("git", &sandbox.root), folder);
            let url = remote.to_str().unwrap();
            let ended = run(command.env("OUT", &out).args(["push", url, "main", "other", &format!("main:{branch}")]));
            (ended, std::fs::read_to_string(&out).unwrap_or_default())
        };
        let wanted = |branch: &str, first: bool| {
            let url = remote.display();
            let known = if first { "refs/heads/main>refs/heads/main|refs/heads/other>refs/heads/other|" } else { "" };
            format!("{url}|{url}|{known}refs/heads/main>refs/heads/{branch}|")
        };
        let (ended, seen) = push(None, "a");
        assert_eq!((ended.exits(0).code, seen), (Some(0), wanted("a", true)), "headwater is missing");
        let (ended, seen) = push(Some(&stub(&sandbox, 0)), "b");
        assert_eq!((ended.exits(0).code, seen), (Some(0), wanted("b", false)), "headwater is content");
        let log = std::fs::read_to_string(sandbox.beside("stub.log")).unwrap();
        assert!(log.starts_with(&format!("hook pre-push {0} {0}\nrefs/heads/main ", remote.display())), "{log}");
        assert!(log.ends_with("\n.\n") && log.contains(" refs/heads/b "), "{log}");
        let (ended, seen) = push(Some(&stub(&sandbox, 2)), "c");
        assert_eq!((ended.exits(0).code, seen), (Some(0), wanted("c", false)), "headwater is too old");
        let (ended, seen) = push(Some(&stub(&sandbox, 1)), "d");
        assert_eq!((ended.exits(1).code, seen), (Some(1), String::new()), "headwater says no");
        // Nothing to push is nothing to read.
        let (ended, seen) = push(Some(&stub(&sandbox, 0)), "c");
        assert_eq!(ended.exits(0).code, Some(0));
        assert!(seen.is_empty() || !seen.contains('>'), "{seen}");
    }
}

/// Git names the rewritten commits on standard input, to ours and to what stands there.
#[test]
fn a_rewrite_runs_both_hooks_with_the_same_input() {
    let python = "#!/usr/bin/env python3\nimport sys, os\nopen(os.environ['OUT'], 'w').write(sys.argv[1] + '\\n' + sys.stdin.read())\n";
    for hook in ["#!/bin/sh\n{ echo \"$1\"; cat; } > \"$OUT\"\n", python] {
        let sandbox = repo();
        put_script(&sandbox, ".git/hooks/post-rewrite", hook);
        sandbox.run(&["init", "--git"]).exits(0);
        let out = sandbox.beside("out");
        for folder in [None, Some(stub(&sandbox, 0)), Some(stub(&sandbox, 2))] {
            let old = sandbox.git(&["rev-parse", "HEAD"]);
            let mut amend = with_path(program("git", &sandbox.root), folder.as_deref());
            let message = format!("not {old}");
            run(amend.env("OUT", &out).args(["commit", "-q", "--amend", "--allow-empty", "-m", &message])).exits(0);
            let said = format!("amend\n{old} {}\n", sandbox.git(&["rev-parse", "HEAD"]));
            assert_eq!(std::fs::read_to_string(&out).unwrap(), said);
            if folder.is_some() {
                let log = std::fs::read_to_string(sandbox.beside("stub.log")).unwrap();
                assert!(log.ends_with(&format!("hook post-rewrite {said}.\n")), "{log}");
            }
        }
    }
}

/// An amended message changes nothing of the ledger, and nothing is said, though the view is stale.
#[test]
fn a_rewrite_that_leaves_the_ledger_alone_says_nothing() {
    let sandbox = repo();
    sandbox.run(&["init", "--git"]).exits(0);
    let bin = Path::new(env!("CARGO_BIN_EXE_headwater")).parent().unwrap();
    let amend = || run_git(&sandbox, Some(bin), &["commit", "-q", "--amend", "-m", "other words"]).exits(0).stderr;
    sandbox.put("events/a.md", crate::sandbox::event("2026-01-01T00:00:00Z", "toast", "now: one"));
    sandbox.commit("set up");
    assert_eq!(amend(), "");
    sandbox.put("events/b.md", crate::sandbox::event("2026-01-01T00:00:01Z", "toast", "now: two"));
    sandbox.git(&["add", "-A"]);
    assert!(amend().contains("after this rewrite"));
}

#[test]
fn a_hook_that_fails_still_fails() {
    for hook in ["#!/bin/bash -e\nexit 7\n", "#!/usr/bin/env python3\nraise SystemExit(7)\n"] {
        let sandbox = repo();
        put_script(&sandbox, ".git/hooks/post-checkout", hook);
        sandbox.run(&["init", "--git"]).exits(0);
        for folder in [None, Some(stub(&sandbox, 1))] {
            // Whatever the hook says, git says 1.
            run_git(&sandbox, folder.as_deref(), &["checkout", "-q", "-b", "x"]).exits(1);
            run_git(&sandbox, folder.as_deref(), &["checkout", "-q", "main"]).exits(1);
            let path = sandbox.root.join(".git/hooks/post-checkout");
            run(&mut with_path(program(path.to_str().unwrap(), &sandbox.root), folder.as_deref())).exits(7);
            sandbox.git(&["branch", "-q", "-D", "x"]);
        }
    }
    // A run that was stopped after it had moved the hook away is finished by the next.
    let sandbox = repo();
    let moved = ".git/hooks/post-checkout.before-headwater";
    put_script(&sandbox, moved, "#!/usr/bin/env python3\nraise SystemExit(7)\n");
    sandbox.run(&["init", "--git"]).exits(0);
    let hook = sandbox.root.join(".git/hooks/post-checkout");
    run(&mut with_path(program(hook.to_str().unwrap(), &sandbox.root), None)).exits(7);
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert!(hook.exists() && !sandbox.root.join(moved).exists());
    // One that git does not run, because it may not be, stays asleep.
    let sandbox = repo();
    put(&sandbox, ".git/hooks/post-checkout", "#!/bin/sh\nexit 7\n");
    sandbox.run(&["init", "--git"]).exits(0);
    run_git(&sandbox, Some(&stub(&sandbox, 0)), &["checkout", "-q", "-b", "x"]).exits(0);
    assert!(std::fs::read_to_string(sandbox.beside("stub.log")).unwrap().starts_with("hook post-checkout "));
    sandbox.run(&["init", "--uninstall"]).exits(0);
    let mode = std::fs::metadata(sandbox.root.join(".git/hooks/post-checkout")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0);
}

/// The hook that the pre-commit framework generates, as far as it is a shell script.
#[test]
fn generated_and_linked_hooks_are_kept() {
    let sandbox = repo();
    let generated = "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n# ID: 138fd403232d2ddd5efb44317e38bf03\n\n# start templated\nARGS=(hook-impl --config=.pre-commit-config.yaml --hook-type=pre-push)\n# end templated\n\nHERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\nARGS+=(--hook-dir \"$HERE\" -- \"$@\")\nprintf '%s|' \"${ARGS[@]}\" > \"$OUT\"\ncat >> \"$OUT\"\n";
    let hook = put_script(&sandbox, ".git/hooks/pre-push", generated);
    put_script(&sandbox, "tools/merged", "#!/bin/sh\necho \"$0 $@\" > \"$OUT\"\n");
    std::os::unix::fs::symlink("../../tools/merged", sandbox.root.join(".git/hooks/post-merge")).unwrap();
    sandbox.run(&["init", "--git"]).exits(0);

    let out = sandbox.beside("out");
    let refs = "refs/heads/x 1 refs/heads/y 2\n";
    let mut command = with_path(program(hook.to_str().unwrap(), &sandbox.root), Some(&stub(&sandbox, 0)));
    run_with_input(command.env("OUT", &out).args(["origin", "url"]), refs).exits(0);
    let seen = std::fs::read_to_string(&out).unwrap();
    assert!(seen.ends_with(&format!("|--|origin|url|{refs}")), "{seen}");

    let merged = sandbox.root.join(".git/hooks/post-merge");
    assert!(text(&sandbox, "tools/merged").starts_with("#!/bin/sh\necho"), "a linked script is somebody else's");
    run(with_path(program(merged.to_str().unwrap(), &sandbox.root), None).env("OUT", &out).arg("0")).exits(0);
    assert!(std::fs::read_to_string(&out).unwrap().ends_with("post-merge.before-headwater 0\n"));
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert_eq!(std::fs::read_link(&merged).unwrap(), Path::new("../../tools/merged"));
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), generated);
}

#[test]
fn husky_runs_the_scripts_beside_its_own() {
    let sandbox = repo();
    let shim = "#!/usr/bin/env sh\nn=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n[ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\nexit $?\n";
    for hook in ["pre-push", "post-checkout"] {
        put_script(&sandbox, &format!(".husky/_/{hook}"), shim);
    }
    put(&sandbox, ".husky/post-checkout", "exit 5\n");
    sandbox.git(&["config", "core.hooksPath", ".husky/_"]);
    sandbox.run(&["init", "--git"]).exits(0);
    assert_eq!(text(&sandbox, ".husky/_/post-checkout"), shim);
    assert!(!sandbox.root.join(".git/hooks/post-checkout").exists());
    run_git(&sandbox, Some(&stub(&sandbox, 1)), &["checkout", "-q", "-b", "x"]).exits(1);
    assert!(std::fs::read_to_string(sandbox.beside("stub.log")).unwrap().starts_with("hook post-checkout "));
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert_eq!(text(&sandbox, ".husky/post-checkout"), "exit 5\n");
    assert!(!sandbox.root.join(".husky/pre-push").exists());
}

#[test]
fn hooks_outside_the_repository_are_never_written_to() {
    let sandbox = repo();
    let outside = sandbox.beside("my hooks");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("pre-push"), "#!/bin/sh\n").unwrap();
    sandbox.git(&["config", "core.hooksPath", outside.to_str().unwrap()]);
    let before = files_below(&outside);
    let done = sandbox.run(&["init", "--git"]).exits(0);
    assert!(
        done.stdout.contains("never written to") && done.stdout.contains("headwater hook pre-push"),
        "{}",
        done.stdout
    );
    assert_eq!(files_below(&outside), before);
    let doctor = sandbox.run(&["doctor", "--format", "json"]).exits(1).json();
    assert!(codes(&doctor).contains(&"hooks-path-outside".to_owned()), "{doctor}");
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert_eq!(files_below(&outside), before);
}

/// Every command in the agents' files, by the file that holds it.
fn agent_commands(sandbox: &Sandbox) -> Vec<(String, String)> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        for (key, value) in value.as_object().into_iter().flatten() {
            if let Some(text) = value.as_str().filter(|_| key == "command" || key == "bash") {
                found.push(text.to_owned());
            }
            collect(value, found);
        }
        value.as_array().into_iter().flatten().for_each(|item| collect(item, found));
    }
    let files = [
        ".claude/settings.json",
        ".codex/hooks.json",
        ".gemini/settings.json",
        ".cursor/hooks.json",
        ".github/hooks/headwater.json",
    ];
    let mut commands = Vec::new();
    for file in files {
        let mut found = Vec::new();
        collect(&serde_json::from_str(&text(sandbox, file)).unwrap(), &mut found);
        assert_eq!(found.len(), 4, "{file}");
        commands.extend(found.into_iter().map(|command| (file.to_owned(), command)));
    }
    commands
}

#[test]
fn no_snippet_does_anything_where_headwater_is_missing() {
    let sandbox = repo();
    sandbox.run(&["init", "--all"]).exits(0);
    for (file, command) in agent_commands(&sandbox) {
        let mut shell = with_path(program("sh", &sandbox.root), None);
        let ended = run_with_input(shell.args(["-c", &command]), "");
        let wanted = if file.contains("gemini") { "{}\n" } else { "" };
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), wanted, ""), "{command}");
        let folder = stub(&sandbox, 1);
        let mut shell = with_path(program("sh", &sandbox.root), Some(&folder));
        run_with_input(shell.args(["-c", &command]), "{}").exits(0);
    }
    for hook in ["post-merge", "post-rewrite", "post-checkout", "pre-push"] {
        let path = sandbox.root.join(".git/hooks").join(hook);
        let ended = run(&mut with_path(program(path.to_str().unwrap(), &sandbox.root), None)).exits(0);
        assert_eq!(format!("{}{}", ended.stdout, ended.stderr), "");
    }
    let config: serde_yaml::Value = serde_yaml::from_str(&text(&sandbox, ".pre-commit-config.yaml")).unwrap();
    let entry = config["repos"][0]["hooks"][0]["entry"].as_str().unwrap();
    run(with_path(program("sh", &sandbox.root), None).args(["-c", entry])).exits(0);
}

/// Where the program is missing, the driver is git's own text merge.
#[test]
fn without_headwater_the_driver_merges_as_text() {
    let sandbox = repo();
    sandbox.run(&["init", "--git"]).exits(0);
    let view = "thoughts/shared/handoffs/current.md";
    let lines = |first: &str, last: &str| format!("{first}\n2\n3\n4\n5\n6\n{last}\n");
    put(&sandbox, view, lines("1", "7"));
    sandbox.commit("base");
    for (branch, text) in [("theirs", lines("1", "seven")), ("clash", lines("eins", "7"))] {
        sandbox.git(&["checkout", "-q", "-b", branch, "main"]);
        put(&sandbox, view, text);
        sandbox.commit(branch);
    }
    sandbox.git(&["checkout", "-q", "main"]);
    put(&sandbox, view, lines("one", "7"));
    sandbox.commit("ours");
    run_git(&sandbox, None, &["merge", "-q", "--no-edit", "theirs"]).exits(0);
    assert_eq!(text(&sandbox, view), lines("one", "seven"));
    run_git(&sandbox, None, &["merge", "-q", "--no-edit", "clash"]).exits(1);
    let marked = "<<<<<<< HEAD\none\n=======\neins\n>>>>>>> clash\n2\n3\n4\n5\n6\nseven\n";
    assert_eq!(text(&sandbox, view), marked);
    assert_eq!(sandbox.git(&["ls-files", "-u"]).lines().count(), 3);

    // Where it is there it is asked, once, and its word counts.
    sandbox.git(&["merge", "--abort"]);
    run_git(&sandbox, Some(&stub(&sandbox, 1)), &["merge", "-q", "--no-edit", "clash"]).exits(1);
    assert_eq!(text(&sandbox, view), lines("one", "seven"));
    let log = std::fs::read_to_string(sandbox.beside("stub.log")).unwrap();
    let call: Vec<&str> = log.lines().next().unwrap().split(' ').collect();
    assert_eq!((call[0], call[4], call[6], call[7]), ("merge-driver", view, "HEAD", "clash"), "{log}");
}

/// Git refuses to merge where the driver has a name and no command line: an end at any step leaves no such clone.
#[test]
fn the_driver_never_has_a_name_alone() {
    let sandbox = repo();
    let order = |args: &[&str]| {
        let planned = sandbox.run(args).exits(0).json();
        let names = planned["changes"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap().to_owned());
        names.filter_map(|name| Some(name.strip_prefix("merge.headwater.")?.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(order(&["init", "--git", "--dry-run", "--format", "json"]), ["driver", "name"]);
    sandbox.run(&["init", "--git"]).exits(0);
    assert_eq!(order(&["init", "--uninstall", "--dry-run", "--format", "json"]), ["name", "driver"]);

    let view = "thoughts/shared/handoffs/current.md";
    sandbox.commit("base");
    for (branch, text) in [("theirs", "theirs\n"), ("ours", "ours\n")] {
        sandbox.git(&["checkout", "-q", "-b", branch, "main"]);
        put(&sandbox, view, text);
        sandbox.commit(branch);
    }
    sandbox.git(&["config", "--unset", "merge.headwater.driver"]);
    let merge = || run(program("git", &sandbox.root).args(["merge", "-q", "--no-edit", "theirs"]));
    let doctor = || run(&mut with_path(sandbox.command(&["doctor"]), Some(&stub(&sandbox, 0)))).exits(1).stdout;
    assert!(merge().exits(128).stderr.contains("lacks command line"));
    assert!(doctor().contains("git ends every merge of current.md with an error"), "{}", doctor());
    sandbox.git(&["config", "--unset", "merge.headwater.name"]);
    merge().exits(1);
    assert!(doctor().contains("merges of current.md conflict"), "{}", doctor());
}

fn codes(doctor: &Value) -> Vec<String> {
    let findings = doctor["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_doctor_finds_what_is_wrong_and_its_remedies_mend_it() {
    let sandbox = repo();
    let folder = stub(&sandbox, 0);
    let doctor = || {
        let ended = run(&mut with_path(sandbox.command(&["doctor", "--format", "json"]), Some(&folder)));
        assert_eq!(ended.code, Some(i32::from(!codes(&ended.json()).is_empty())));
        ended.json()
    };
    assert_eq!(codes(&doctor()), ["not-set-up"]);
    sandbox.run(&["init", "--all"]).exits(0);
    assert_eq!(codes(&doctor()), [""; 0]);
    assert!(codes(&sandbox.run(&["doctor", "--format", "json"]).json()).contains(&"not-on-path".to_owned()));

    let settings = text(&sandbox, ".claude/settings.json").replace("startup|resume|clear|compact|fork", "startup");
    put(&sandbox, ".claude/settings.json", settings);
    put(&sandbox, ".codex/hooks.json", "{}\n");
    put(&sandbox, ".gemini/settings.json", "{");
    put(&sandbox, ".gitignore", "/target\n");
    put(&sandbox, ".gitattributes", "");
    put(&sandbox, "AGENTS.md", text(&sandbox, "AGENTS.md").replace("an event", "anything"));
    let hook = |name: &str| sandbox.root.join(".git/hooks").join(name);
    std::fs::set_permissions(hook("pre-push"), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(hook("post-merge"), "#!/bin/sh\n").unwrap();
    let older = std::fs::read_to_string(hook("post-rewrite")).unwrap().replace("hook post-rewrite", "check");
    std::fs::write(hook("post-rewrite"), older).unwrap();
    sandbox.git(&["config", "--unset", "merge.headwater.driver"]);
    std::fs::remove_file(sandbox.root.join("thoughts/shared/handoffs/events/README.md")).unwrap();
    let found = doctor();
    for code in [
        "stale",
        "missing",
        "unreadable",
        "lock-not-ignored",
        "no-attributes",
        "hook-not-executable",
        "hook-missing",
        "hook-stale",
        "driver-missing",
        "no-ledger",
    ] {
        assert!(codes(&found).iter().any(|known| known == code), "no {code}: {found:#}");
    }
    put(&sandbox, ".gemini/settings.json", "{}");
    for finding in found["findings"].as_array().unwrap() {
        let remedy = finding["remedy"].as_str().unwrap();
        let command = remedy.split('`').nth(1).unwrap_or_else(|| panic!("{remedy}"));
        let args: Vec<&str> = command.split(' ').skip(1).collect();
        sandbox.run(&args).exits(0);
    }
    assert_eq!(codes(&doctor()), [""; 0]);
}

#[test]
fn a_fresh_clone_and_a_linked_worktree() {
    let sandbox = repo();
    sandbox.run(&["init", "--git", "--claude"]).exits(0);
    sandbox.commit("set up");
    let clone = sandbox.beside("clone");
    git(&sandbox.root, &["clone", "-q", sandbox.root.to_str().unwrap(), clone.to_str().unwrap()]);
    let folder = stub(&sandbox, 0);
    let doctor = |root: &Path| {
        codes(&run(&mut with_path(headwater(root, &["doctor", "--format", "json"]), Some(&folder))).json())
    };
    assert_eq!(doctor(&clone), ["driver-missing"]);
    let told = run(&mut with_path(headwater(&clone, &["doctor"]), Some(&folder))).exits(1).stdout;
    for name in ["merge.headwater.driver", "pre-push", "post-merge", "post-rewrite", "post-checkout"] {
        assert!(told.contains(&format!("`{name}`")), "no {name}: {told}");
    }
    assert_eq!(told.matches("run `headwater init --git`").count(), 1, "{told}");
    run(&mut headwater(&clone, &["init", "--git"])).exits(0);
    assert_eq!(doctor(&clone), [""; 0]);

    let linked = sandbox.beside("linked");
    sandbox.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
    assert_eq!(doctor(&linked), [""; 0], "what was set up in one worktree holds in all");
    let again = run(&mut headwater(&linked, &["init", "--git", "--claude"])).exits(0);
    assert!(again.stdout.starts_with("everything is set up"), "{}", again.stdout);
    // Taken out where there are no originals: what is ours goes, and what was made goes with it.
    run(&mut headwater(&clone, &["init", "--uninstall"])).exits(0);
    assert_eq!(
        files_below(&clone).into_keys().filter(|name| !name.starts_with(".git/")).collect::<Vec<_>>(),
        ["code.txt"]
    );
}

#[test]
fn links_are_followed_inside_the_work_tree_only() {
    let sandbox = repo();
    put(&sandbox, "AGENTS.md", "# Rules\n");
    std::os::unix::fs::symlink("AGENTS.md", sandbox.root.join("CLAUDE.md")).unwrap();
    let outside = sandbox.beside("dotfiles");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("settings.json"), "{}").unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.root.join(".codex")).unwrap();
    std::fs::create_dir(sandbox.root.join(".claude")).unwrap();
    std::os::unix::fs::symlink(outside.join("settings.json"), sandbox.root.join(".claude/settings.json")).unwrap();
    let done = sandbox.run(&["init", "--claude", "--codex"]).exits(0);
    assert_eq!(done.stdout.matches("leads out of the work tree").count(), 2, "{}", done.stdout);
    assert_eq!(files_below(&outside).len(), 1);
    assert_eq!(std::fs::read_to_string(outside.join("settings.json")).unwrap(), "{}");
    assert_eq!(text(&sandbox, "AGENTS.md").matches(">>> headwater >>>").count(), 1);
    assert!(sandbox.root.join("CLAUDE.md").symlink_metadata().unwrap().is_symlink());
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert_eq!(text(&sandbox, "AGENTS.md"), "# Rules\n");
}

#[test]
fn without_options_it_takes_what_is_there() {
    let sandbox = repo();
    std::fs::create_dir(sandbox.root.join(".gemini")).unwrap();
    sandbox.run(&["init"]).exits(0);
    let files = whole(&sandbox);
    assert!(files.contains_key(".gemini/settings.json") && files.contains_key(".git/hooks/pre-push"));
    assert!(!files.contains_key(".claude/settings.json") && !files.contains_key(".github/workflows/headwater.yml"));
    sandbox.run(&["init", "--uninstall", "--gemini"]).exits(0);
    assert!(!sandbox.root.join(".gemini/settings.json").exists() && sandbox.root.join(".gemini").exists());
    assert!(sandbox.root.join(".headwater.yaml").exists());

    let elsewhere = Sandbox::plain();
    run(&mut headwater(&elsewhere.root, &["init"])).exits(2).says("git init");
    let odd = repo();
    odd.run(&["init", "--git", "--dir", "a b/ledger"]).exits(0);
    assert!(odd.run(&["config", "--format", "json"]).exits(0).json()["ledger"][0] == "a b/ledger");
    assert_eq!(
        odd.git(&["check-attr", "merge", "--", "a b/ledger/current.md"]),
        "a b/ledger/current.md: merge: headwater"
    );
}

/// The command of the line for `crontab`, as cron hands it to the shell.
fn cron_command(said: &str) -> String {
    let command = said.lines().find_map(|line| line.strip_prefix("17 3 * * * ")).unwrap_or_else(|| panic!("{said}"));
    assert!(!command.replace("\\%", "").contains('%'), "cron ends the command there: {command}");
    command.replace("\\%", "%")
}

/// The line for `crontab` works in a work tree of its own, wherever `init` ran.
#[test]
fn the_schedule_archives_on_the_default_branch_only() {
    let mut sandbox = repo();
    // What cron and the shell read in a way of their own.
    let odd = sandbox.beside("100% o'clock");
    std::fs::rename(&sandbox.root, &odd).unwrap();
    sandbox.root.clone_from(&odd);
    sandbox.dir = odd.join("thoughts/shared/handoffs");
    let remote = sandbox.beside("remote.git");
    git(&sandbox.root, &["init", "-q", "--bare", remote.to_str().unwrap()]);
    sandbox.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    sandbox.put("events/old.md", crate::sandbox::event("2026-01-01T00:00:00Z", "toast", "now: one"));
    let command = cron_command(&sandbox.run(&["init", "--schedule"]).exits(0).stdout);
    sandbox.synth();
    sandbox.commit("ledger");
    sandbox.git(&["push", "-q", "-u", "origin", "main"]);
    put(&sandbox, "code.txt", "in the middle of something\n");
    let before = files_below(&sandbox.root.join("thoughts"));

    let linked = sandbox.beside("linked");
    sandbox.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
    let again = run(&mut headwater(&linked, &["init", "--schedule"])).exits(0).stdout;
    assert!(again.starts_with("everything is set up"), "{again}");
    assert_eq!(cron_command(&again), command, "it is told each time, and is the same in every work tree");
    sandbox.git(&["worktree", "remove", linked.to_str().unwrap()]);

    let cron = |folder: Option<&Path>| {
        let mut shell = with_path(program("sh", Path::new("/")), folder);
        let ended = run(shell.args(["-c", &command])).exits(0);
        assert_eq!(ended.stderr, "");
        git(&remote, &["ls-tree", "-r", "--name-only", "main"])
    };
    assert!(cron(None).contains("events/old.md"), "nothing is done where headwater is missing");
    let tree = cron(Path::new(env!("CARGO_BIN_EXE_headwater")).parent());
    assert!(tree.contains("archive/2026-01-01/old.md") && !tree.contains("events/old.md"), "{tree}");
    assert_eq!(files_below(&sandbox.root.join("thoughts")), before);
    assert_eq!(text(&sandbox, "code.txt"), "in the middle of something\n");
    assert_eq!(sandbox.git(&["worktree", "list"]).lines().count(), 1);
}

/// What agents are told to run before a push, and what a stopped push says, is the one command that lets it through.
#[test]
fn a_push_in_the_middle_of_a_session() {
    let mend = "`headwater --no-confirm --commit`";
    for (config, is_stopped) in [("", true), ("view: default-branch\n", false)] {
        let sandbox = repo();
        put(&sandbox, ".headwater.yaml", config);
        sandbox.run(&["init", "--git", "--claude", "--codex"]).exits(0);
        for name in ["CLAUDE.md", "AGENTS.md"] {
            assert!(text(&sandbox, name).contains(&format!("Before a push, run {mend}.")), "{name}");
        }
        sandbox.commit("set up");
        let remote = sandbox.beside("remote.git");
        git(&sandbox.root, &["clone", "-q", "--bare", sandbox.root.to_str().unwrap(), remote.to_str().unwrap()]);
        sandbox.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        sandbox.git(&["fetch", "-q"]);
        sandbox.git(&["remote", "set-head", "origin", "main"]);
        sandbox.git(&["checkout", "-q", "-b", "work"]);
        sandbox.run(&["record", "--decide", "db=SQLite"]).exits(0);
        sandbox.commit("work, and what was recorded");
        let bin = Path::new(env!("CARGO_BIN_EXE_headwater")).parent();
        let push = || run_git(&sandbox, bin, &["push", "-q", "origin", "work"]);
        if is_stopped {
            let stopped = push().exits(1).says("the push was stopped");
            let last = stopped.stderr.lines().find(|line| line.contains("the push was stopped")).unwrap();
            assert!(last.contains(mend), "{last}");
            sandbox.run(&mend.trim_matches('`').split(' ').skip(1).collect::<Vec<_>>()).exits(0);
        }
        assert_eq!(push().exits(0).stderr, "");
    }
}

/// The scripts of the workflows that write, as their two jobs run them: one without a right, one without headwater.
#[test]
fn a_workflow_hands_its_commit_to_a_job_that_only_pushes() {
    let sandbox = repo();
    put(&sandbox, ".headwater.yaml", "view: default-branch\n");
    sandbox.run(&["init", "--github-actions", "--schedule"]).exits(0);
    sandbox.put("events/old.md", crate::sandbox::event("2026-01-01T00:00:00Z", "toast", "now: one"));
    sandbox.commit("set up");
    let remote = sandbox.beside("remote.git");
    git(&sandbox.root, &["clone", "-q", "--bare", sandbox.root.to_str().unwrap(), remote.to_str().unwrap()]);
    let clone = |name: &str| {
        let folder = sandbox.beside(name);
        git(&sandbox.root, &["clone", "-q", remote.to_str().unwrap(), folder.to_str().unwrap()]);
        folder
    };
    let in_remote = || git(&remote, &["ls-tree", "-r", "--name-only", "main"]);
    let temp = sandbox.beside("temp");
    std::fs::create_dir(&temp).unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_headwater")).parent();
    let job = |workflow: &str, name: &str, checkout: &Path, path: Option<&Path>| {
        let workflow: serde_yaml::Value = serde_yaml::from_str(&text(&sandbox, workflow)).unwrap();
        let scripts =
            workflow["jobs"][name]["steps"].as_sequence().unwrap().iter().filter_map(|step| step["run"].as_str());
        let script = scripts.filter(|script| !script.starts_with("cargo ")).collect::<String>();
        let mut shell = with_path(program("bash", checkout), path);
        shell.envs([("BRANCH", "main"), ("BASE_REF", "")]);
        shell.env("RUNNER_TEMP", &temp).env("GITHUB_OUTPUT", temp.join("output"));
        run(shell.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script]))
    };
    let output = || std::fs::read_to_string(temp.join("output")).unwrap_or_default();
    let (view, archive) = (".github/workflows/headwater-view.yml", ".github/workflows/headwater-archive.yml");

    job(view, "write", &clone("view"), bin).exits(0);
    job(view, "push", &clone("view push"), None).exits(0);
    assert!(git(&remote, &["show", "main:thoughts/shared/handoffs/current.md"]).contains("one"));
    assert_eq!(output(), "wrote=true\n");
    job(view, "write", &clone("nothing new"), bin).exits(0);
    assert_eq!(output(), "wrote=true\n", "there is nothing to push");
    job(".github/workflows/headwater.yml", "check", &clone("check"), bin).exits(0);

    job(archive, "write", &clone("archive"), bin).exits(0);
    let late = clone("late push");
    let faster = clone("faster");
    std::fs::write(faster.join("code.txt"), "two\n").unwrap();
    git(&faster, &["commit", "-qam", "faster"]);
    git(&faster, &["push", "-q", "origin", "main"]);
    let told = job(archive, "push", &late, None).exits(0).stdout;
    assert!(told.contains("::notice::somebody was faster") && in_remote().contains("events/old.md"), "{told}");

    job(archive, "write", &clone("again"), bin).exits(0);
    let push = clone("again push");
    put_script(&sandbox, "../remote.git/hooks/update", "#!/bin/sh\nexit 1\n");
    job(archive, "push", &push, None).exits(1);
    std::fs::remove_file(remote.join("hooks/update")).unwrap();
    job(archive, "push", &push, None).exits(0);
    assert!(in_remote().contains("archive/2026-01-01/old.md"));
    assert_eq!(git(&remote, &["show", "main:code.txt"]), "two");
}

/// A workflow that installs headwater from elsewhere is the user's, and no finding; one of an older version is ours.
#[test]
fn a_workflow_is_known_however_it_installs() {
    let sandbox = repo();
    sandbox.run(&["init", "--git", "--github-actions", "--schedule"]).exits(0);
    let doctor = || run(&mut with_path(sandbox.command(&["doctor"]), Some(&stub(&sandbox, 0)))).stdout;
    let pin = format!("--version '={}' headwater", env!("CARGO_PKG_VERSION"));
    let names = [".github/workflows/headwater.yml", ".github/workflows/headwater-archive.yml"];
    for name in names {
        let written = text(&sandbox, name);
        assert!(written.contains(&pin), "{written}");
        put(&sandbox, name, written.replace(&pin, "--git https://example.org/headwater --rev 0123456 headwater"));
    }
    assert_eq!(doctor(), "nothing is wrong\n");
    sandbox.run(&["init", "--git", "--github-actions", "--schedule"]).exits(0);
    for name in names {
        assert!(text(&sandbox, name).contains("--rev 0123456"), "{name}");
    }
}

/// On a terminal it asks for each part, and before it changes anything.
#[test]
fn a_person_is_asked() {
    if run(program("sh", Path::new("/")).args(["-c", "command -v script"])).code != Some(0) {
        return;
    }
    let sandbox = repo();
    let answer = |answers: &str| {
        let command = format!("'{}' init", env!("CARGO_BIN_EXE_headwater"));
        let mut script = program("script", &sandbox.root);
        script.args(["-qec", &command, "/dev/null"]);
        run_with_input(&mut script, answers)
    };
    let before = whole(&sandbox);
    // Git yes, Claude yes, nothing else, capture yes; then no.
    let asked = answer("y\ny\nn\nn\nn\nn\nn\nn\nn\ny\nn\n").exits(0);
    assert!(asked.stdout.contains("Claude Code? [y/N]") && asked.stdout.contains("Make "), "{}", asked.stdout);
    assert!(asked.stdout.contains("nothing was changed"), "{}", asked.stdout);
    assert_eq!(whole(&sandbox), before);
    answer("y\ny\nn\nn\nn\nn\nn\nn\nn\ny\ny\n").exits(0);
    let after = whole(&sandbox);
    assert!(after.contains_key(".claude/settings.json") && !after.contains_key(".codex/hooks.json"));
    assert!(text(&sandbox, ".headwater.yaml").contains("\ncapture: [todos, request]\n"));
}

/// What is installed and what the hooks understand are two tables: they name the same events.
#[test]
fn installed_hooks_are_those_that_are_understood() {
    use headwater::session::contract::{AgentKind, Hook};
    let sandbox = Sandbox::repo();
    sandbox.run(&["init", "--all"]).exits(0);
    for (kind, file) in [
        (AgentKind::ClaudeCode, ".claude/settings.json"),
        (AgentKind::Codex, ".codex/hooks.json"),
        (AgentKind::Gemini, ".gemini/settings.json"),
        (AgentKind::Cursor, ".cursor/hooks.json"),
        (AgentKind::Copilot, ".github/hooks/headwater.json"),
    ] {
        let text = std::fs::read_to_string(sandbox.root.join(file)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let events = json["hooks"].as_object().unwrap();
        assert!(events.len() >= 2, "{file}: {events:?}");
        for (event, entries) in events {
            let hook = Hook::ALL.into_iter().find(|hook| kind.event_name(*hook) == event);
            let Some(hook) = hook else { panic!("{file}: `{event}` is not understood") };
            let command = format!("headwater hook {hook} --agent-kind {kind}");
            assert!(entries.to_string().contains(&command), "{file}: {event}: {entries}");
        }
    }
}

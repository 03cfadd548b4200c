//! `headwater init` and `headwater doctor`: what stands in a repository stays, and what is put there works.

use crate::sandbox::{Ended, Sandbox, files_below, git, headwater, program, run, run_with_input};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository with one commit and no ledger.
pub(crate) fn repo() -> Sandbox {
    let sandbox = Sandbox::repo();
    std::fs::remove_dir_all(sandbox.root.join("thoughts")).unwrap();
    put(&sandbox, "code.txt", "one\n");
    sandbox.commit("first");
    sandbox
}

pub(crate) fn put(sandbox: &Sandbox, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = sandbox.root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

pub(crate) fn put_script(sandbox: &Sandbox, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = put(sandbox, name, text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

pub(crate) fn text(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.root.join(name)).unwrap()
}

/// Everything that a set-up may touch: the work tree, the hooks, the clone's settings.
pub(crate) fn whole(sandbox: &Sandbox) -> BTreeMap<String, Vec<u8>> {
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
pub(crate) fn stub(sandbox: &Sandbox, status: i32) -> PathBuf {
    let folder = sandbox.beside("stub");
    std::fs::create_dir_all(&folder).unwrap();
    let log = sandbox.beside("stub.log");
    let script = format!("#!/bin/sh\n{{ echo \"$@\"; cat; echo .; }} >> '{}'\nexit {status}\n", log.display());
    std::fs::write(folder.join("headwater"), script).unwrap();
    std::fs::set_permissions(folder.join("headwater"), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A command that finds `headwater` in a folder, or nowhere.
pub(crate) fn with_path(mut command: Command, folder: Option<&Path>) -> Command {
    let base = "/usr/local/bin:/usr/bin:/bin";
    command.env("PATH", folder.map_or_else(|| base.to_owned(), |folder| format!("{}:{base}", folder.display())));
    command
}

pub(crate) fn run_git(sandbox: &Sandbox, folder: Option<&Path>, args: &[&str]) -> Ended {
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

pub(crate) fn codes(doctor: &Value) -> Vec<String> {
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

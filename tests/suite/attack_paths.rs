//! A branch or a sibling worktree leads headwater elsewhere: nothing outside is read, written or moved.

use crate::agent::{Agent, LEDGER, linked, repo};
use crate::sandbox::{Ended, Sandbox, files_below, git, headwater, run};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What no attack may show.
const SECRET: &str = "SEC-77 is what somebody keeps to himself";

fn put(top: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = top.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn id(cwd: &Path, args: &[&str]) -> Ended {
    run(&mut headwater(cwd, &[&["id"], args].concat()))
}

/// A folder beside the repository, with one file.
fn outside(sandbox: &Sandbox) -> PathBuf {
    let outside = sandbox.beside("outside");
    put(&outside, "t.md", SECRET);
    outside
}

#[track_caller]
fn untouched(outside: &Path) {
    let files = files_below(outside);
    assert_eq!(files.into_iter().collect::<Vec<_>>(), [("t.md".to_owned(), SECRET.as_bytes().to_vec())]);
    assert!(std::fs::read_dir(outside).unwrap().count() == 1, "a folder was made outside");
}

fn config(sandbox: &Sandbox, text: &str) {
    put(&sandbox.root, ".headwater.yaml", text);
}

#[test]
fn sibling_worktree_whose_ledger_is_a_link_is_not_written_to() {
    for link in ["thoughts", "thoughts/shared", "thoughts/shared/handoffs"] {
        let sandbox = repo();
        let outside = outside(&sandbox);
        let wt = linked(&sandbox, "blue");
        let mut dead = Agent::new("s1", &wt);
        dead.start();
        dead.commit("a");
        std::fs::remove_dir_all(wt.join(link)).unwrap();
        symlink(&outside, wt.join(link)).unwrap();
        dead.kill();
        let told = Agent::new("s2", &sandbox.root).start();
        untouched(&outside);
        // What the session did is not lost: it stands here.
        assert!(told.contains("Add a"), "{link}: {told}");
        let doctor = run(&mut headwater(&sandbox.root, &["doctor"]));
        assert_ne!(doctor.code, Some(2), "{}", doctor.stderr);
        untouched(&outside);
    }
}

#[test]
fn own_session_whose_ledger_becomes_a_link_writes_nothing_outside() {
    let sandbox = repo();
    let outside = outside(&sandbox);
    let agent = Agent::new("s1", &sandbox.root);
    agent.start();
    agent.commit("a");
    std::fs::remove_dir_all(sandbox.root.join("thoughts")).unwrap();
    symlink(&outside, sandbox.root.join("thoughts")).unwrap();
    agent.hook("stop", "");
    agent.hook("session-end", ", \"reason\": \"logout\"");
    untouched(&outside);
}

#[test]
fn ledger_behind_a_link_is_refused_until_the_user_names_it() {
    let sandbox = repo();
    let shared = sandbox.beside("shared");
    std::fs::rename(sandbox.root.join("thoughts"), &shared).unwrap();
    symlink(&shared, sandbox.root.join("thoughts")).unwrap();
    let before = files_below(&shared);
    for args in [&["record", "--now", "x"][..], &["synth", "--no-confirm"], &["show"], &["archive"], &["lint"]] {
        sandbox.run(args).exits(2).says("`thoughts` is a symbolic link").says("git config headwater.dir");
    }
    assert_eq!(files_below(&shared), before);
    // Another directory that the user named is no consent to this one.
    sandbox.git(&["config", "headwater.dir", "notes"]);
    config(&sandbox, "ledger: thoughts/shared/handoffs\n");
    sandbox.git(&["config", "headwater.dir", LEDGER]);
    sandbox.run(&["record", "--now", "shared now"]).exits(0);
    assert!(sandbox.run(&["show"]).exits(0).stdout.contains("shared now"));
    let mut agent = Agent::new("s1", &sandbox.root);
    assert!(agent.start().contains("shared now"));
    agent.commit("a");
    agent.kill();
    assert!(Agent::new("s2", &sandbox.root).start().contains("Add a"));
    assert_eq!(sandbox.run(&["doctor"]).stdout.matches("lost-event").count(), 0);
    sandbox.git(&["config", "--unset", "headwater.dir"]);
    let mut command = sandbox.command(&["show"]);
    assert!(run(command.env("HEADWATER_DIR", LEDGER)).exits(0).stdout.contains("Add a"));
    assert!(sandbox.run(&["show", "--dir", LEDGER]).exits(0).stdout.contains("Add a"));
}

#[test]
fn parts_of_a_ledger_that_are_links_are_not_followed() {
    for part in ["events", "archive", "archive/2020-03-01"] {
        let sandbox = repo();
        let outside = outside(&sandbox);
        let old = "---\nts: 2020-03-01T00:00:00Z\nagent: a\n---\nnow: x\n";
        sandbox.put("events/2020-03-01.md", old);
        let path = sandbox.dir.join(part);
        let _none = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(&outside, &path).unwrap();
        sandbox.run(&["archive", "--older-than", "1d", "--pack-older-than", "1d", "--force"]).exits(2).says("link");
        if part == "events" {
            sandbox.run(&["record", "--now", "x"]).exits(2).says("link");
        }
        untouched(&outside);
    }
}

#[test]
fn templates_and_sources_behind_a_link_are_not_read() {
    let sandbox = repo();
    let outside = outside(&sandbox);
    put(&sandbox.root, "TASKS.md", "| SEC-1 | x |\n");
    config(&sandbox, "ids: {SEC: {sources: [TASKS.md]}}\n");
    id(&sandbox.root, &["init"]).exits(0);
    symlink(&outside, sandbox.root.join("tt")).unwrap();
    config(&sandbox, "ids: {SEC: {files: \"adr/{n:04}-{slug}.md\", template: tt/t.md}}\n");
    id(&sandbox.root, &["reserve", "SEC", "--create", "--slug", "x"]).exits(2).says("`tt` is a symbolic link");
    assert!(!sandbox.root.join("adr").exists());
    let sources = "ids: {SEC: {sources: [TASKS.md, tt/t.md]}}\n";
    config(&sandbox, sources);
    for args in [&["reserve", "SEC"][..], &["check", "--no-fetch"], &["init"]] {
        let ended = id(&sandbox.root, args).exits(2).says("`tt` is a symbolic link");
        assert!(!ended.stderr.contains("77") && !ended.stdout.contains("77"), "{ended:?}");
    }
    // A link beside a source, where its archive would be.
    config(&sandbox, "ids: {SEC: {sources: [TASKS.md]}}\n");
    symlink(outside.join("t.md"), sandbox.root.join("TASKS-ARCHIVE.md")).unwrap();
    id(&sandbox.root, &["reserve", "SEC"]).exits(2).says("TASKS-ARCHIVE.md");
}

#[test]
fn sibling_worktree_with_links_does_not_block_or_raise_ids() {
    let sandbox = repo();
    let outside = outside(&sandbox);
    put(&sandbox.root, "docs/TASKS.md", "| SEC-1 | x |\n");
    put(&sandbox.root, "adr/0001-a.md", "# ADR-0001\n");
    let text = "ids: {SEC: {sources: docs/TASKS.md}, ADR: {format: \"ADR-{n:04}\", files: \"adr/{n:04}-{slug}.md\"}}\n";
    config(&sandbox, text);
    sandbox.commit("ids");
    id(&sandbox.root, &["init"]).exits(0);
    let wt = linked(&sandbox, "blue");
    put(&outside, "t.md", SECRET);
    for name in ["docs", "adr"] {
        std::fs::remove_dir_all(wt.join(name)).unwrap();
        symlink(&outside, wt.join(name)).unwrap();
    }
    std::fs::rename(outside.join("t.md"), outside.join("TASKS.md")).unwrap();
    std::fs::write(outside.join("0099-x.md"), "x").unwrap();
    assert_eq!(
        id(&sandbox.root, &["reserve", "SEC", "--no-fetch", "--format", "plain"]).exits(0).stdout.trim(),
        "SEC-2"
    );
    assert_eq!(
        id(&sandbox.root, &["reserve", "ADR", "--no-fetch", "--format", "plain"]).exits(0).stdout.trim(),
        "ADR-0002"
    );
    id(&sandbox.root, &["check", "--no-fetch"]).exits(0);
}

#[test]
fn numbered_files_behind_a_link_are_not_listed_or_made() {
    let sandbox = repo();
    let outside = outside(&sandbox);
    config(&sandbox, "ids: {SEC: {files: \"adr/{n:04}-{slug}.md\"}}\n");
    id(&sandbox.root, &["init"]).exits(0);
    symlink(&outside, sandbox.root.join("adr")).unwrap();
    config(&sandbox, "ids: {SEC: {files: \"adr/deep/{n:04}-{slug}.md\"}}\n");
    id(&sandbox.root, &["reserve", "SEC", "--create", "--slug", "x"]).exits(2).says("`adr` is a symbolic link");
    config(&sandbox, "ids: {SEC: {files: \"adr/{n:04}-{slug}.md\"}}\n");
    id(&sandbox.root, &["reserve", "SEC", "--create", "--slug", "x"]).exits(2).says("`adr` is a symbolic link");
    assert!(!id(&sandbox.root, &["list"]).stdout.contains("SEC-1"), "a number was used up");
    untouched(&outside);
}

#[test]
fn projections_of_the_collision_ledger_behind_a_link_are_not_written() {
    for text in ["{page: wiki/deep/page.md}", "{memory: wiki/MEMORY.md}"] {
        let sandbox = repo();
        let outside = outside(&sandbox);
        symlink(&outside, sandbox.root.join("wiki")).unwrap();
        config(&sandbox, &format!("ledger: {LEDGER}\ncollisions: {text}\n"));
        let ledger = |args: &[&str]| run(&mut headwater(&sandbox.root, &[&["ledger"], args].concat()));
        ledger(&["init", "--log", "local"]);
        ledger(&["allocate", "--log", "local", "--kind", "occ", "--event", "e"]);
        ledger(&["rebuild", "--log", "local"]).exits(2).says("`wiki` is a symbolic link");
        untouched(&outside);
    }
}

#[test]
fn names_of_git_itself_are_no_configured_paths() {
    let sandbox = repo();
    for name in [
        ".git/x",
        ".GIT/x",
        "git~1/x",
        "GIT~1/x",
        ".git /x",
        ".git./x",
        ".g\u{200c}it/x",
        "a/.git",
        "../x",
        "/x",
        "a//b",
        "a/../b",
        ".",
        "a\\\\b",
        "",
    ] {
        for key in ["ledger: %", "ids: {S: {sources: %}}", "ids: {S: {template: %}}", "collisions: {page: %}"] {
            config(&sandbox, &format!("{}\n", key.replace('%', &format!("\"{name}\""))));
            let ended = sandbox.run(&["show"]);
            assert_eq!(ended.code, Some(2), "{key} {name:?}: {}{}", ended.stdout, ended.stderr);
            assert!(ended.stderr.contains("line 1 column"), "{key} {name:?}: {}", ended.stderr);
        }
        config(&sandbox, &format!("ids: {{S: {{files: \"{name}/{{n}}.md\"}}}}\n"));
        sandbox.run(&["show"]).exits(2).says("line 1 column");
    }
}

#[test]
fn setup_does_not_write_into_git_through_a_link() {
    let sandbox = repo();
    let before = std::fs::read(sandbox.root.join(".git/info/exclude")).unwrap();
    symlink(".git/info/exclude", sandbox.root.join("AGENTS.md")).unwrap();
    symlink(".git/hooks", sandbox.root.join(".codex")).unwrap();
    let done = sandbox.run(&["init", "--claude", "--codex"]).exits(0).stdout;
    assert!(done.contains("AGENTS.md"), "{done}");
    assert_eq!(std::fs::read(sandbox.root.join(".git/info/exclude")).unwrap(), before);
    assert!(!sandbox.root.join(".git/hooks/hooks.json").exists());
}

/// A numbered file in two places: `V2__menu.sql` here, `V2__prices.sql` on another branch.
fn collided(put_own: impl Fn(&Path)) -> Sandbox {
    let sandbox = repo();
    config(&sandbox, "ids: {V: {format: \"V{n}\", files: \"db/V{n}__{slug}.sql\"}}\n");
    put(&sandbox.root, "db/V1__a.sql", "-- V1\n");
    put(&sandbox.root, "docs/RELEASE.md", "Runs db/V2__menu.sql.\n");
    sandbox.commit("one");
    sandbox.git(&["checkout", "-q", "-b", "other"]);
    put(&sandbox.root, "db/V2__prices.sql", "-- V2\n");
    sandbox.commit("prices");
    sandbox.git(&["checkout", "-q", "main"]);
    put_own(&sandbox.root.join("db/V2__menu.sql"));
    sandbox.commit("menu");
    id(&sandbox.root, &["init"]).exits(0);
    sandbox
}

/// Renumbers it; gives where it stands now.
#[track_caller]
fn renumbered(sandbox: &Sandbox) -> PathBuf {
    id(&sandbox.root, &["renumber", "V2", "--apply", "--no-fetch"]).exits(0);
    assert!(sandbox.root.join("db/V2__menu.sql").symlink_metadata().is_err(), "the old name is still there");
    assert_eq!(std::fs::read_to_string(sandbox.root.join("docs/RELEASE.md")).unwrap(), "Runs db/V3__menu.sql.\n");
    assert_eq!(std::fs::read_to_string(sandbox.root.join("db/V1__a.sql")).unwrap(), "-- V1\n");
    sandbox.root.join("db/V3__menu.sql")
}

#[test]
fn renumber_of_a_file_that_is_not_utf8_keeps_its_bytes() {
    let text = b"-- V2 men\xfc\nselect 1;\n";
    let sandbox = collided(|path| std::fs::write(path, text).unwrap());
    assert_eq!(std::fs::read(renumbered(&sandbox)).unwrap(), text);
}

#[test]
fn renumber_of_a_link_keeps_the_link() {
    let sandbox = collided(|path| symlink("../docs/real.sql", path).unwrap());
    let outside = outside(&sandbox);
    let path = renumbered(&sandbox);
    assert_eq!(std::fs::read_link(path).unwrap(), Path::new("../docs/real.sql"));
    untouched(&outside);
}

#[test]
fn renumber_of_a_directory_keeps_what_is_in_it() {
    let sandbox = collided(|path| put(path, "up/x.bin", b"\xff\x00"));
    let path = renumbered(&sandbox);
    assert_eq!(files_below(&path).into_iter().collect::<Vec<_>>(), [("up/x.bin".to_owned(), b"\xff\x00".to_vec())]);
}

#[test]
fn renumber_keeps_the_rights_of_a_text() {
    use std::os::unix::fs::PermissionsExt as _;
    let sandbox = collided(|path| {
        std::fs::write(path, "-- V2\n").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    });
    assert_eq!(renumbered(&sandbox).metadata().unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn renumber_onto_a_name_that_is_taken_replaces_nothing() {
    let put_own = |path: &Path| std::fs::write(path, b"\xff").unwrap();
    let sandbox = collided(put_own);
    let taken = renumbered(&sandbox);
    // The same name comes back from another branch: the number that replaced it is known, and its file is there.
    std::fs::rename(&taken, sandbox.beside("moved")).unwrap();
    symlink("/nonexistent", &taken).unwrap();
    put_own(&sandbox.root.join("db/V2__menu.sql"));
    put(&sandbox.root, "docs/RELEASE.md", "Runs db/V2__menu.sql.\n");
    let before = files_below(&sandbox.root.join("docs"));
    id(&sandbox.root, &["renumber", "V2", "--apply", "--no-fetch"]).exits(2).says("that name is taken");
    assert!(taken.symlink_metadata().unwrap().is_symlink());
    assert_eq!(std::fs::read(sandbox.root.join("db/V2__menu.sql")).unwrap(), b"\xff");
    assert_eq!(files_below(&sandbox.root.join("docs")), before);
}

#[test]
fn renumber_behind_a_link_is_refused_before_a_number_is_used() {
    let sandbox = repo();
    let outside = outside(&sandbox);
    std::fs::write(outside.join("V2__menu.sql"), "x").unwrap();
    config(&sandbox, "ids: {V: {format: \"V{n}\", files: \"db/V{n}__{slug}.sql\"}}\n");
    id(&sandbox.root, &["init"]).exits(0);
    symlink(&outside, sandbox.root.join("db")).unwrap();
    id(&sandbox.root, &["renumber", "V2", "--apply", "--no-fetch"]).exits(2).says("`db` is a symbolic link");
    assert!(outside.join("V2__menu.sql").exists());
    assert_eq!(id(&sandbox.root, &["list"]).exits(0).stdout, "");
}

#[test]
fn texts_that_become_file_names_stay_in_their_directory() {
    let sandbox = repo();
    git(&sandbox.root, &["checkout", "-q", "-b", "feature/a%2Fx"]);
    for agent in ["../x", "-rf", "a/b/../../c", ".git", "..", "CON", &"x".repeat(290)] {
        run(&mut headwater(&sandbox.root, &["record", "--now", "x", "--agent", agent]));
    }
    let agent = Agent::new("../../../../tmp/evil", &sandbox.root);
    agent.start();
    agent.commit("a");
    agent.end();
    let names: Vec<String> = files_below(&sandbox.root).into_keys().filter(|name| !name.starts_with(".git/")).collect();
    for name in names {
        let own = [".gitignore", "a"].contains(&name.as_str());
        assert!(own || name.starts_with(&format!("{LEDGER}/")), "{name}");
        let deeper = name.strip_prefix(&format!("{LEDGER}/events/")).is_some_and(|rest| rest.contains('/'));
        assert!(!deeper, "{name}");
    }
    assert!(!Path::new("/tmp/evil").exists());
}

#[test]
fn ledger_that_the_user_named_does_not_follow_links_of_a_branch() {
    let sandbox = repo();
    let outside = outside(&sandbox);
    sandbox.git(&["config", "headwater.dir", LEDGER]);
    sandbox.git(&["checkout", "-q", "-b", "evil"]);
    std::fs::remove_dir_all(sandbox.root.join("thoughts")).unwrap();
    symlink("x/../y", sandbox.root.join("thoughts")).unwrap();
    symlink(&outside, sandbox.root.join("y")).unwrap();
    std::fs::create_dir(sandbox.root.join("x")).unwrap();
    std::fs::create_dir_all(outside.join("shared")).unwrap();
    std::fs::remove_dir(outside.join("shared")).unwrap();
    // The user's own link leads to one of the branch.
    sandbox.git(&["add", "y"]);
    let refused = |link: &str| {
        let said = format!("`{link}` is a symbolic link that the branch contains");
        sandbox.run(&["record", "--now", "x"]).exits(2).says(&said);
        let mut command = sandbox.command(&["record", "--now", "x"]);
        run(command.env("HEADWATER_DIR", LEDGER)).exits(2).says(&said);
        let agent = Agent::new(link, &sandbox.root);
        for hook in ["session-start", "stop", "session-end"] {
            agent.hook(hook, "");
        }
        untouched(&outside);
    };
    refused("y");
    sandbox.git(&["add", "thoughts"]);
    refused("thoughts");
}

#[test]
fn released_file_behind_a_link_is_not_removed() {
    let sandbox = repo();
    config(&sandbox, "ids: {SEC: {files: \"adr/{n:04}-{slug}.md\"}}\n");
    id(&sandbox.root, &["init"]).exits(0);
    id(&sandbox.root, &["reserve", "SEC", "--create", "--slug", "x"]).exits(0);
    std::fs::rename(sandbox.root.join("adr"), sandbox.beside("outside")).unwrap();
    symlink(sandbox.beside("outside"), sandbox.root.join("adr")).unwrap();
    id(&sandbox.root, &["release", "SEC-1"]).exits(0).says("is left as it is");
    assert!(sandbox.beside("outside/0001-x.md").exists());
}

#[test]
fn own_directory_outside_git_that_is_a_link_is_refused() {
    let sandbox = Sandbox::plain();
    let outside = outside(&sandbox);
    sandbox.put("events/a.md", "---\nts: 2026-01-01T00:00:00Z\nagent: a\n---\nnow: x\n");
    symlink(&outside, sandbox.dir.join(".headwater")).unwrap();
    sandbox.run(&["synth", "--no-confirm"]).exits(2).says("`.headwater` is a symbolic link");
    untouched(&outside);
}

#[test]
fn agents_directory_that_leads_out_through_what_is_missing_is_refused() {
    for sandbox in [Sandbox::plain(), repo()] {
        for dir in ["new/../../elsewhere", "../elsewhere"] {
            let mut command = headwater(&sandbox.root, &["record", "--now", "x", "--dir", dir]);
            run(command.env("CLAUDECODE", "1")).exits(2).says("outside the worktree");
            assert!(!sandbox.beside("elsewhere").exists());
        }
    }
}

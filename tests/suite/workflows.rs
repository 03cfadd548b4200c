//! What runs elsewhere: the workflows that `headwater init` writes, and cron's line.

use crate::init::{put, put_script, repo, stub, text, with_path};
use crate::sandbox::{Sandbox, files_below, git, headwater, program, run};
use std::path::Path;

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

const CHECK: &str = ".github/workflows/headwater.yml";

/// The scripts of a job, but the one that installs headwater, with what the host sets around them.
fn script(sandbox: &Sandbox, workflow: &str, job: &str) -> String {
    let workflow: serde_yaml::Value = serde_yaml::from_str(&text(sandbox, workflow)).unwrap();
    let steps = workflow["jobs"][job]["steps"].as_sequence().unwrap().iter();
    let scripts = steps.filter_map(|step| step["run"].as_str()).filter(|script| !script.starts_with("cargo "));
    let host = "export BRANCH=main BASE=main BASE_REF= GITHUB_TOKEN=secret GITHUB_SERVER_URL=https://example.org\n";
    std::iter::once(host).chain(scripts).collect()
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
        let mut shell = with_path(program("bash", checkout), path);
        shell.env("RUNNER_TEMP", &temp).env("GITHUB_OUTPUT", temp.join("output"));
        run(shell.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script(&sandbox, workflow, name)]))
    };
    let output = || std::fs::read_to_string(temp.join("output")).unwrap_or_default();
    let (view, archive) = (".github/workflows/headwater-view.yml", ".github/workflows/headwater-archive.yml");

    job(view, "write", &clone("view"), bin).exits(0);
    job(view, "push", &clone("view push"), None).exits(0);
    assert!(git(&remote, &["show", "main:thoughts/shared/handoffs/current.md"]).contains("one"));
    assert_eq!(output(), "wrote=true\n");
    job(view, "write", &clone("nothing new"), bin).exits(0);
    assert_eq!(output(), "wrote=true\n", "there is nothing to push");
    job(CHECK, "check", &clone("check"), bin).exits(0);

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

/// A branch that takes a number which `main` has too, or files an item that nobody reserved, does not pass.
#[test]
fn the_check_sees_numbers_and_the_feed() {
    let sandbox = repo();
    let adr = "ADR: {format: 'ADR-{n:04}', files: 'docs/adr/{n:04}-{slug}.md'}";
    put(&sandbox, ".headwater.yaml", format!("view: untracked\nids:\n  {adr}\n"));
    sandbox.run(&["init", "--github-actions"]).exits(0);
    sandbox.commit("set up");
    sandbox.git(&["branch", "theirs"]);
    put(&sandbox, "docs/adr/0001-ours.md", "# Ours\n");
    sandbox.commit("ours");
    let remote = sandbox.beside("remote.git");
    let check = |branch: &str| {
        let (checkout, remote) = (sandbox.beside(branch), remote.to_str().unwrap());
        sandbox.git(&["push", "-q", "--all", remote]);
        git(&sandbox.root, &["clone", "-q", "-b", branch, remote, checkout.to_str().unwrap()]);
        let mut shell = with_path(program("bash", &checkout), Path::new(env!("CARGO_BIN_EXE_headwater")).parent());
        run(shell.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script(&sandbox, CHECK, "check")]))
    };
    git(&sandbox.root, &["init", "-q", "--bare", "-b", "main", remote.to_str().unwrap()]);
    check("main").exits(0);

    sandbox.git(&["checkout", "-q", "-b", "feed", "main"]);
    let filed = "type: post\npost-kind: actionable\npost-item: OPS-1\npost-subject: x";
    sandbox
        .put("events/post.md", format!("---\nts: 2026-01-01T00:00:00Z\nagent: a\n{filed}\n---\n\n## A post\n\n> x\n"));
    sandbox.commit("a post that nobody reserved a number for");
    let told = check("feed").exits(1).stdout;
    assert!(
        told.contains("::error file=thoughts/shared/handoffs/events/") && told.contains("item-not-reserved"),
        "{told}"
    );

    sandbox.git(&["checkout", "-q", "theirs"]);
    put(&sandbox, "docs/adr/0001-theirs.md", "# Theirs\n");
    sandbox.commit("theirs");
    let told = check("theirs").exits(1).stdout;
    assert!(told.starts_with("::error file=docs/adr/0001-theirs.md,line=1,title=id-collision::ADR-0001"), "{told}");
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

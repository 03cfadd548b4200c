//! What a branch that is only checked out may not do: name a remote, a reference, an issue or a consent.

use crate::agent::{Agent, events};
use crate::hub::Server;
use crate::ids::{clone, id, put, reserve};
use crate::sandbox::{Ended, Sandbox, git, headwater, program, run, run_with_input};
use std::path::{Path, PathBuf};
use std::process::Command;

const HOOKS: [&str; 4] = ["pre-receive", "update", "post-update", "reference-transaction"];

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
        let trap = Self { sandbox, canary };
        for hook in HOOKS {
            script(&trap.root().join("evil.git/hooks").join(hook), &trap.hook());
        }
        trap
    }

    fn root(&self) -> &Path {
        &self.sandbox.root
    }

    fn hook(&self) -> String {
        format!("#!/bin/sh\n: >'{}'\n", self.canary.display())
    }

    fn is_untouched(&self, what: &str) {
        assert!(!self.canary.exists(), "{what} ran the hook");
        let refs = git(&self.root().join("evil.git"), &["for-each-ref", "--format=%(refname)"]);
        assert_eq!(refs, "refs/heads/main", "{what} wrote there");
    }
}

fn script(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// `headwater` of a user who agreed to nothing.
fn bare(root: &Path, args: &[&str]) -> Command {
    let mut command = headwater(root, args);
    command.env_remove("HEADWATER_COMMIT");
    command
}

/// Every command that asks a log or a remote, and every hook, in this work tree.
fn every_contact(root: &Path) -> Vec<(String, Ended)> {
    let commands: [&[&str]; 17] = [
        &["id", "init"],
        &["id", "reserve", "CMB"],
        &["id", "next", "CMB"],
        &["id", "sync"],
        &["id", "check"],
        &["id", "list"],
        &["id", "release", "CMB-9"],
        &["id", "inbox", "tasks.json"],
        &["doctor"],
        &["feed", "append", "--reserve", "CMB", "--now", "x"],
        &["feed", "queue"],
        &["feed", "show", "CMB-1"],
        &["feed", "tail", "--no-follow"],
        &["feed", "drift"],
        &["ledger", "allocate", "--log", "git", "--kind", "occ", "--event", "e"],
        &["ledger", "rebuild", "--log", "git"],
        &["ledger", "verify", "--log", "git"],
    ];
    let mut ended: Vec<(String, Ended)> =
        commands.iter().map(|args| (args.join(" "), run(&mut bare(root, args)))).collect();
    for hook in ["session-start", "session-end", "stop", "pre-compact"] {
        let input = format!("{{\"session_id\": \"s\", \"cwd\": \"{}\"}}", root.display());
        ended.push((hook.to_owned(), run_with_input(&mut bare(root, &["hook", hook]), &input).exits(0)));
    }
    ended
}

#[test]
fn a_remote_that_is_a_path_or_url_is_an_error_with_its_place() {
    let trap = Trap::new();
    let inside = trap.root().join("evil.git").display().to_string();
    let wish = |remote: &str| {
        let remote = serde_json::to_string(remote).unwrap();
        put(trap.root(), ".headwater.yaml", &format!("ids:\n  SEC: {{}}\n  CMB: {{log: git, remote: {remote}}}\n"));
    };
    wish("./evil.git");
    for (command, ended) in every_contact(trap.root()) {
        trap.is_untouched(&command);
        if command.starts_with("id ") {
            ended.exits(2).says(".headwater.yaml").says("line 3 column ").says("`remote`");
        }
    }
    for remote in [
        "evil.git",
        "../x",
        "sub/../evil.git",
        &inside,
        &format!("file://{inside}"),
        &format!("ext::git %S {inside}"),
        "https://u:p@example.invalid/o/r",
        "git@example.invalid:o/r",
        "-x",
        "--upload-pack=true",
        ".",
        "a\\b",
        "",
    ] {
        wish(remote);
        id(trap.root(), &["reserve", "CMB"]).exits(2).says(".headwater.yaml").says("line 3 column ").says("`remote`");
        trap.is_untouched(remote);
    }
}

/// To git, a name that no remote has is a path.
#[test]
fn a_name_that_is_a_folder_of_the_work_tree_is_no_remote() {
    let trap = Trap::new();
    for name in ["evil", "sub/evil"] {
        let folder = trap.root().join(name);
        std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
        trap.sandbox.git(&["clone", "-q", "--bare", ".", folder.to_str().unwrap()]);
        for hook in HOOKS {
            script(&folder.join("hooks").join(hook), &trap.hook());
        }
        assert_eq!(git(trap.root(), &["ls-remote", name, "refs/heads/main"]).len(), 40 + 1 + "refs/heads/main".len());
        let files = "files: \"docs/{n}.md\", ";
        put(trap.root(), ".headwater.yaml", &format!("ids:\n  CMB: {{{files}log: git, remote: {name}}}\n"));
        for (command, ended) in every_contact(trap.root()) {
            trap.is_untouched(&command);
            if command == "id init" {
                ended.exits(0).says(&format!("`git remote add {name} URL`"));
            }
        }
        let refs = git(&folder, &["for-each-ref", "--format=%(refname)"]);
        assert_eq!(refs, "refs/heads/main");
    }
}

/// A contributor's fork that the user added as a remote is not the user's own.
#[test]
fn a_remote_of_the_user_is_contacted_only_as_an_own_one() {
    let trap = Trap::new();
    let fork = trap.sandbox.beside("fork.git");
    std::fs::rename(trap.root().join("evil.git"), &fork).unwrap();
    let a = clone(&trap.sandbox, "a");
    git(&a, &["remote", "add", "fork", fork.to_str().unwrap()]);
    put(&a, ".headwater.yaml", "ids:\n  CMB: {files: \"docs/{n}.md\", log: git, remote: fork}\n");
    let grant = "`git config --add headwater.remote fork`";
    for (command, ended) in every_contact(&a) {
        assert!(!trap.canary.exists(), "{command}");
        assert_eq!(git(&fork, &["for-each-ref", "--format=%(refname)"]), "refs/heads/main", "{command}");
        if ["id init", "id reserve CMB", "id next CMB", "id sync", "id check"].contains(&command.as_str()) {
            ended.exits(2).says(grant);
        } else if command == "doctor" {
            assert!(ended.exits(1).stdout.contains(grant));
        }
    }
    git(&a, &["config", "--add", "headwater.remote", "fork"]);
    id(&a, &["init"]).exits(0);
    assert!(trap.canary.exists(), "now it is the user's own");
    assert_eq!(git(&fork, &["for-each-ref", "--format=%(refname)", "refs/headwater"]), "refs/headwater/ids/CMB");
}

#[test]
fn a_provisional_id_goes_to_no_remote_that_a_branch_newly_names() {
    let sandbox = Sandbox::repo();
    put(&sandbox.root, ".headwater.yaml", "ids: {CMB: {log: git}}\n");
    sandbox.commit("start");
    let a = clone(&sandbox, "a");
    let (remote, gone, other) = (sandbox.beside("remote.git"), sandbox.beside("gone.git"), sandbox.beside("other.git"));
    id(&a, &["init"]).exits(0);
    git(&a, &["clone", "-q", "--bare", ".", other.to_str().unwrap()]);
    git(&a, &["remote", "add", "work", other.to_str().unwrap()]);
    git(&a, &["config", "--add", "headwater.remote", "work"]);
    std::fs::rename(&remote, &gone).unwrap();
    id(&a, &["reserve", "CMB", "--note", "private"]).exits(0).says("provisional");
    // A branch names another own remote, and another log there: under the old name and under a new one.
    for ids in ["{CMB: {log: git, remote: work}}", "{CMB: {log: git, remote: work, ref: refs/headwater/ids/X}}"] {
        put(&a, ".headwater.yaml", &format!("ids: {ids}\n"));
        id(&a, &["sync"]).exits(2).says("kept at `git:origin`").says("`git config headwater.CMB.log git:work`");
        for (command, _) in every_contact(&a) {
            let refs = git(&other, &["for-each-ref", "--format=%(refname)", "refs/headwater"]);
            assert!(refs.lines().all(|name| name.starts_with("refs/headwater/ledger/")), "{command}: {refs}");
        }
    }
    // A new namespace of the same ids starts above them, and says nothing of them there.
    put(&a, ".headwater.yaml", "ids: {NEW: {format: \"CMB-{n}\", log: git, remote: work}}\n");
    id(&a, &["init"]).exits(0);
    let told = git(&other, &["log", "--format=%B%an", "refs/headwater/ids/NEW"]);
    assert!(told.contains("NEW") && !told.contains("private"), "{told}");
    // The user's word.
    put(&a, ".headwater.yaml", "ids: {CMB: {log: git, remote: work}}\n");
    git(&a, &["config", "headwater.CMB.log", "git:work"]);
    assert_eq!(id(&a, &["sync"]).exits(0).stdout, "CONFIRMED: CMB-1\n");
}

#[test]
fn a_reference_that_is_not_headwaters_own_is_an_error_with_its_place() {
    let sandbox = Sandbox::repo();
    put(&sandbox.root, "a.txt", "a\n");
    sandbox.commit("start");
    let a = clone(&sandbox, "a");
    let remote = sandbox.beside("remote.git");
    let before = git(&remote, &["for-each-ref"]);
    for reference in [
        "refs/heads/main",
        "refs/heads/headwater",
        "refs/heads/new",
        "refs/tags/v1",
        "refs/headwater/seen/CMB",
        "refs/headwater/../heads/main",
        "refs/headwater/x:refs/heads/main",
        "+refs/headwater/x",
        "main",
    ] {
        put(&a, ".headwater.yaml", &format!("ids:\n  CMB: {{log: git, ref: \"{reference}\"}}\n"));
        id(&a, &["reserve", "CMB"]).exits(2).says(".headwater.yaml").says("line 2 column ").says("`ref`");
        for args in [&["id", "init"][..], &["doctor"], &["feed", "drift"]] {
            run(&mut bare(&a, args));
        }
        assert_eq!(git(&remote, &["for-each-ref"]), before, "{reference}");
    }
}

#[test]
fn nothing_is_built_on_a_reference_that_is_no_log() {
    let sandbox = Sandbox::repo();
    put(&sandbox.root, ".headwater.yaml", "ids: {CMB: {log: git, ref: refs/heads/headwater-ids}}\n");
    sandbox.commit("start");
    let a = clone(&sandbox, "a");
    let remote = sandbox.beside("remote.git");
    let name = "refs/heads/headwater-ids";
    let main = git(&remote, &["rev-parse", "refs/heads/main"]);
    let refused = |tip: &str| {
        git(&remote, &["update-ref", name, tip]);
        for args in [&["init"][..], &["reserve", "CMB"], &["sync"]] {
            id(&a, args).exits(2).says("`refs/heads/headwater-ids` on `origin` has").says("nothing was built on it");
        }
        assert!(run(&mut bare(&a, &["doctor"])).exits(1).stdout.contains("nothing was built on it"));
        assert_eq!(git(&remote, &["rev-parse", name]), tip);
    };
    let empty = git(&a, &["mktree"]);
    let files = git(&a, &["rev-parse", "main^{tree}"]);
    let commit = |tree: &str, message: &str, parent: &str| git(&a, &["commit-tree", tree, "-p", parent, "-m", message]);
    // A branch of the user's; one that only ends like a log; a foreign commit on a real one.
    refused(&main);
    let ends = commit(&empty, "headwater ids: CMB-1", &main);
    git(&a, &["push", "-q", "origin", &format!("{ends}:refs/heads/scratch")]);
    refused(&ends);
    git(&remote, &["update-ref", "-d", name]);
    id(&a, &["init"]).exits(0);
    id(&a, &["reserve", "CMB"]).exits(0);
    let log = git(&remote, &["rev-parse", name]);
    for foreign in [commit(&files, "headwater ids: CMB-2", &log), commit(&empty, "Release", &log)] {
        git(&a, &["push", "-q", "origin", &format!("{foreign}:refs/heads/scratch"), "--force"]);
        refused(&foreign);
    }
    // What was seen before is neither forgotten nor put in its place; a repaired log goes on.
    git(&remote, &["update-ref", name, &log]);
    assert_eq!(reserve(&a, &["CMB"]), ["CMB-2"]);
    // What a newer version writes is a log's.
    let newer = commit(&empty, "headwater claims: something newer", &git(&remote, &["rev-parse", name]));
    git(&a, &["push", "-q", "origin", &format!("{newer}:{name}")]);
    assert_eq!(reserve(&a, &["CMB"]), ["CMB-3"]);
}

/// A repository whose branch wishes for everything that a session could tell.
fn wishing() -> Sandbox {
    let sandbox = crate::agent::repo();
    let wishes = "capture: [todos, request]\ntriggers:\n  session-end: {view: safe, commit: always}\n  event: {view: safe, commit: always}\n";
    put(&sandbox.root, ".headwater.yaml", wishes);
    sandbox.commit("wishes");
    sandbox
}

#[test]
fn a_branch_that_wishes_for_requests_and_commits_gets_neither() {
    let sandbox = wishing();
    let transcript = put(
        sandbox.root.parent().unwrap(),
        "s.jsonl",
        "{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":\"the canary sings\"},\"timestamp\":\"2999-01-01T00:00:00.000Z\"}\n",
    );
    let session = |name: &str, variable: (&str, &str)| {
        let agent = Agent::new(name, &sandbox.root)
            .with_transcript(&transcript)
            .with_variable("HEADWATER_COMMIT", Path::new("false"))
            .with_variable(variable.0, Path::new(variable.1));
        agent.start();
        agent.commit(name);
        let before = sandbox.git(&["rev-parse", "HEAD"]);
        agent.end();
        let told: String = events(&sandbox.root).concat();
        (told.contains("canary"), sandbox.git(&["rev-parse", "HEAD"]) != before)
    };
    assert_eq!(session("one", ("X", "x")), (false, false));
    run(&mut bare(&sandbox.root, &["record", "--now", "x"])).exits(0);
    assert_eq!(sandbox.git(&["log", "--format=%s", "--grep=^headwater:"]), "");
    // What is wished for and not granted is shown, with the command that grants it.
    let doctor = run(&mut bare(&sandbox.root, &["doctor"])).exits(1).stdout;
    let config = run(&mut bare(&sandbox.root, &["config"])).exits(0).stdout;
    for command in ["git config headwater.capture todos,request", "git config headwater.commit true"] {
        assert!(doctor.contains(command) && config.contains(command), "{doctor}{config}");
    }
    // The environment of a container, and the clone's own configuration, are the user's.
    assert_eq!(session("two", ("HEADWATER_CAPTURE", "request")), (true, false));
    let sandbox = wishing();
    run(&mut bare(&sandbox.root, &["init", "--git", "--capture", "--commit"])).exits(0);
    assert_eq!(sandbox.git(&["config", "headwater.capture"]), "todos,request");
    let doctor = run(&mut bare(&sandbox.root, &["doctor"])).stdout;
    assert!(!doctor.contains("consent"), "{doctor}");
    run(&mut bare(&sandbox.root, &["record", "--now", "x"])).exits(0).says("committed");
}

#[test]
fn what_init_writes_its_uninstall_takes_out() {
    let sandbox = Sandbox::repo();
    sandbox.commit("start");
    let init = |args: &[&str]| run(&mut bare(&sandbox.root, &[&["init"], args].concat()));
    init(&["--git", "--github", "nonsense"]).exits(2).says("`nonsense` names no issue");
    init(&["--git", "--commit", "--capture", "--github", "o/r#5"]).exits(0);
    init(&["--git", "--github", "p/q#7"]).exits(0);
    assert_eq!(sandbox.git(&["config", "--get-all", "headwater.github"]), "o/r#5 p/q#7");
    sandbox.git(&["config", "headwater.CMB.log", "git:origin"]);
    let shown = run(&mut bare(&sandbox.root, &["config", "--format", "json"])).exits(0).json();
    let granted = |key: &str| shown["consents"][key].as_array().unwrap().len();
    assert_eq!((granted("github"), granted("capture"), granted("commit")), (2, 2, 1), "{shown}");
    init(&["--uninstall"]).exits(0);
    let left = run(program("git", &sandbox.root).args(["config", "--get-regexp", "^headwater[.]"]));
    assert_eq!((left.code, left.stdout.as_str()), (Some(1), ""));
}

/// Posts are what a token must not do where a branch says it.
#[test]
fn a_token_posts_only_where_the_user_said_so() {
    let server = Server::start();
    let sandbox = Sandbox::repo();
    sandbox.commit("start");
    sandbox.git(&["remote", "add", "origin", "https://127.0.0.1/o/r.git"]);
    let api = server.api();
    let allocate = |config: &str, more: &[&str], variables: &[(&str, &str)]| {
        put(&sandbox.root, ".headwater.yaml", config);
        let args = ["ledger", "allocate", "--kind", "occ", "--event", "e"];
        let mut command = bare(&sandbox.root, &[&args, more].concat());
        command.env("GITHUB_TOKEN", "alice-token").env("GITHUB_API_URL", &api).envs(variables.iter().copied());
        run(&mut command)
    };
    let posts = || server.state().requests.iter().filter(|request| request.starts_with("POST")).count();
    let grant = "git config --add headwater.github";
    let own = "github: {issue: 5}\n";
    // Another repository is not even asked; the own one is read, and not posted to.
    allocate("github: {repository: p/q, issue: 5}\n", &[], &[]).exits(2).says(&format!("{grant} 'p/q#5'"));
    assert_eq!(server.state().requests, [""; 0]);
    allocate(own, &[], &[]).exits(2).says(&format!("{grant} 'o/r#5'")).says("nothing was posted");
    let agent = [("CLAUDECODE", "1")];
    allocate(own, &["--issue", "5"], &agent).exits(2).says("nothing was posted");
    allocate("", &["--issue", "5", "--repo", "p/q"], &agent).exits(2).says("was not asked");
    // The word for one issue is none for another that a branch names.
    allocate("github: {issue: 6}\n", &[], &[("HEADWATER_GITHUB", "o/r#5")]).exits(2);
    // Ids of a namespace, and the hook that settles them.
    let namespace = "github: {issue: 5}\nids: {SEC: {log: github}}\n";
    put(&sandbox.root, ".headwater.yaml", namespace);
    for (command, _) in every_contact(&sandbox.root) {
        assert_eq!(posts(), 0, "{command}");
    }
    assert_eq!(posts(), 0);
    sandbox.git(&["config", "--add", "headwater.github", "o/r#5"]);
    allocate(own, &[], &[]).exits(0);
    assert_eq!(posts(), 1);
}

/// A folder of a work tree that looks like a repository has a configuration that runs what a branch says.
#[test]
fn a_repository_among_tracked_files_is_not_entered() {
    let trap = Trap::new();
    let evil = trap.root().join("evil.git");
    let runs = format!(": >'{}'", trap.canary.display());
    git(&evil, &["config", "core.fsmonitor", &runs]);
    git(&evil, &["config", "core.worktree", trap.root().to_str().unwrap()]);
    git(&evil, &["config", "core.bare", "false"]);
    for args in [&["synth", "--no-confirm"][..], &["doctor"], &["status"], &["hook", "session-start"], &["id", "check"]]
    {
        run(&mut bare(&evil, args));
        trap.is_untouched(&args.join(" "));
        run(bare(trap.root(), args).args(["--dir", "evil.git"]));
        trap.is_untouched(&args.join(" "));
    }
}

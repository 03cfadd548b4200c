//! Sessions that end without a word, or only seem to: what they did is told once, where it belongs.
#![cfg(target_os = "linux")]

use crate::agent::{Agent, events, linked, repo};
use crate::sandbox::{files_below, git, headwater, program, run, run_with_input};
use std::path::Path;

/// What the events of a work tree say was done, in the order of their names.
fn did(work_tree: &Path) -> Vec<String> {
    let mut texts = events(work_tree);
    texts.sort();
    let items = |text: &String| {
        let list = text.split_once("this_session:\n").map(|(_, list)| list.to_owned()).unwrap_or_default();
        list.lines().filter_map(|line| line.strip_prefix("    ").map(str::to_owned)).collect::<Vec<_>>()
    };
    texts.iter().flat_map(items).collect()
}

#[test]
fn one_that_lives_on_after_all_tells_the_rest() {
    let sandbox = repo();
    let wt = linked(&sandbox, "blue");
    let mut seems_dead = Agent::new("s1", &wt);
    seems_dead.start();
    seems_dead.commit("a");
    // Its process is gone, as far as can be seen.
    seems_dead.kill();
    Agent::new("s2", &sandbox.root).start();
    assert_eq!(did(&wt), ["Add a"]);
    // Nobody tells the same again, or nothing.
    Agent::new("s3", &sandbox.root).start();
    seems_dead.commit("b");
    seems_dead.hook("stop", "");
    seems_dead.commit("c");
    seems_dead.end();
    assert_eq!(did(&wt), ["Add a", "Add b", "Add c"]);
}

#[test]
fn a_compaction_is_no_death() {
    let sandbox = repo();
    let wt = linked(&sandbox, "blue");
    let agent = Agent::new("s1", &wt);
    agent.start();
    agent.commit("a");
    agent.hook("pre-compact", "");
    agent.commit("b");
    // Silent for long, and recovered though it lives.
    let markers = sandbox.root.join(".git/headwater/sessions");
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(13 * 3_600);
    for name in files_below(&markers).into_keys() {
        std::fs::File::options().append(true).open(markers.join(name)).unwrap().set_modified(long_ago).unwrap();
    }
    Agent::new("s2", &sandbox.root).start();
    assert_eq!(did(&wt), ["Add a", "Add b"]);
    agent.commit("c");
    agent.hook("stop", "");
    agent.end();
    assert_eq!(did(&wt), ["Add a", "Add b", "Add c"]);
    // What a hook said of an earlier span is not what the agent says now.
    let fresh = run(&mut headwater(&wt, &["synth", "--output", "-"])).exits(0).stdout;
    assert!(fresh.contains("**Now:** last commit on blue: Add c"), "{fresh}");
}

#[test]
fn a_recovered_event_is_of_the_session_that_died() {
    let sandbox = repo();
    let wt = linked(&sandbox, "blue");
    let mut dead = Agent::new("s1", &wt);
    dead.start();
    dead.commit("a");
    dead.hook("stop", "");
    git(&wt, &["checkout", "-q", "-b", "other"]);
    run(&mut headwater(&sandbox.root, &["record", "--now", "newer work"])).exits(0);
    sandbox.commit("recorded");
    git(&wt, &["merge", "-q", "main"]);
    dead.kill();
    Agent::new("s2", &sandbox.root).start();
    let told = events(&wt);
    let told = told.iter().find(|text| text.contains("recovered")).unwrap();
    assert!(told.contains("branch: \"blue\"") && told.contains("- |-\n    Add a\n"), "{told}");
    // Somebody has said since what is being done now.
    assert!(!told.contains("now:"), "{told}");
}

#[test]
fn another_repository_in_the_place_of_a_work_tree() {
    let sandbox = repo();
    let wt = linked(&sandbox, "blue");
    let mut dead = Agent::new("s1", &wt);
    dead.start();
    dead.commit("a");
    dead.kill();
    std::fs::remove_dir_all(&wt).unwrap();
    git(sandbox.root.parent().unwrap(), &["init", "-q", "blue"]);
    std::fs::write(wt.join("f"), "x").unwrap();
    git(&wt, &["add", "f"]);
    git(&wt, &["commit", "-q", "-m", "Nobody's business"]);
    let before = files_below(&wt);
    Agent::new("s2", &sandbox.root).start();
    assert_eq!(did(&sandbox.root), ["Add a"]);
    assert_eq!(files_below(&wt), before);
}

#[test]
fn another_work_tree_in_the_place_of_the_first() {
    let sandbox = repo();
    let wt = linked(&sandbox, "blue");
    let mut dead = Agent::new("s1", &wt);
    dead.start();
    dead.commit("a");
    dead.kill();
    sandbox.git(&["worktree", "remove", "--force", "../blue"]);
    // At another time, or nothing could tell the two apart.
    let mut add = program("git", &sandbox.root);
    add.args(["worktree", "add", "-q", "../blue", "-b", "green"]).env("GIT_COMMITTER_DATE", "@2000000000 +0000");
    run(&mut add).exits(0);
    Agent::new("s2", &sandbox.root).start();
    assert_eq!(did(&wt), ["Add a"]);
}

#[test]
fn a_work_tree_and_its_branch_that_are_gone() {
    let sandbox = repo();
    sandbox.git(&["worktree", "add", "-q", "--detach", "../loose"]);
    let loose = sandbox.beside("loose");
    let blue = linked(&sandbox, "blue");
    let sessions = [("s1", &loose), ("s2", &blue)].map(|(session, wt)| (session, wt, Agent::new(session, wt)));
    for (_, _, agent) in &sessions {
        agent.start();
    }
    for (session, wt, mut dead) in sessions {
        dead.commit(session);
        dead.hook("stop", "");
        dead.kill();
        sandbox.git(&["worktree", "remove", "--force", wt.to_str().unwrap()]);
    }
    sandbox.git(&["branch", "-q", "-D", "blue"]);
    Agent::new("s3", &sandbox.root).start();
    let mut told = did(&sandbox.root);
    told.sort();
    assert_eq!(told, ["Add s1", "Add s2"]);
}

#[test]
fn what_was_told_before_the_work_tree_went_is_not_told_again() {
    let sandbox = repo();
    let wt = linked(&sandbox, "blue");
    let mut dead = Agent::new("s1", &wt);
    dead.start();
    dead.commit("a");
    dead.hook("pre-compact", "");
    dead.commit("b");
    dead.hook("stop", "");
    dead.kill();
    sandbox.git(&["worktree", "remove", "--force", "../blue"]);
    Agent::new("s2", &sandbox.root).start();
    assert_eq!(did(&sandbox.root), ["Add b"]);
}

#[test]
fn a_repository_without_a_log_of_its_head() {
    let sandbox = repo();
    sandbox.git(&["config", "core.logAllRefUpdates", "false"]);
    std::fs::remove_dir_all(sandbox.root.join(".git/logs")).unwrap();
    let agent = Agent::new("s1", &sandbox.root);
    agent.start();
    agent.commit("a");
    agent.end();
    assert_eq!(did(&sandbox.root), ["Add a"]);
}

#[test]
fn a_configuration_that_is_mended_while_a_session_runs() {
    let sandbox = repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "ledger: [\n").unwrap();
    let agent = Agent::new("s1", &sandbox.root);
    agent.hook("session-start", ", \"source\": \"startup\"").says(".headwater.yaml");
    std::fs::remove_file(sandbox.root.join(".headwater.yaml")).unwrap();
    agent.commit("a");
    agent.end();
    assert_eq!(did(&sandbox.root), ["Add a"]);
}

/// Copilot's older hooks name no session.
#[test]
fn sessions_without_a_name_in_one_work_tree() {
    let sandbox = repo();
    let agents = [Agent::new("", &sandbox.root), Agent::new("", &sandbox.root)];
    let hook = |agent: &Agent, name: &str| {
        let input = format!("{{\"timestamp\": 1, \"cwd\": {:?}}}", agent.cwd.to_str().unwrap());
        agent.call(headwater(Path::new("/"), &["hook", name, "--agent-kind", "copilot"]), &input);
    };
    for agent in &agents {
        hook(agent, "session-start");
    }
    agents[0].commit("a");
    hook(&agents[0], "session-end");
    agents[1].commit("b");
    hook(&agents[1], "session-end");
    let mut told = did(&sandbox.root);
    told.sort();
    told.dedup();
    assert_eq!(told, ["Add a", "Add b"]);
}

#[test]
fn repositories_without_a_ledger_are_left_alone() {
    let sandbox = repo();
    let vendor = sandbox.root.join("vendor");
    sandbox.git(&["init", "-q", "vendor"]);
    let agent = Agent::new("s1", &vendor);
    agent.hook("session-start", ", \"source\": \"startup\"");
    agent.commit("a");
    let before = files_below(&vendor);
    agent.hook("stop", "");
    agent.end();
    assert_eq!(files_below(&vendor), before);

    // An agent that only looks into it still works on its project.
    let agent = Agent::new("s2", &vendor).with_variable("CLAUDE_PROJECT_DIR", &sandbox.root);
    agent.hook("session-start", ", \"source\": \"startup\"");
    std::fs::write(sandbox.root.join("b"), "b").unwrap();
    sandbox.git(&["add", "b"]);
    sandbox.git(&["commit", "-q", "-m", "Add b"]);
    agent.end();
    assert_eq!(did(&sandbox.root)[0], "Add b");
    assert_eq!(files_below(&vendor), before);
}

#[test]
fn what_a_dead_session_may_tell_its_own_configuration_says() {
    let sandbox = repo();
    let wt = linked(&sandbox, "blue");
    let transcript = sandbox.beside("t.jsonl");
    std::fs::write(&transcript, "{\"type\": \"user\", \"message\": {\"role\": \"user\", \"content\": \"PRIVATE\"}}\n")
        .unwrap();
    let mut dead = Agent::new("s1", &wt).with_transcript(&transcript);
    dead.start();
    dead.commit("a");
    dead.kill();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "capture: [todos, request]\n").unwrap();
    Agent::new("s2", &sandbox.root).start();
    assert_eq!(did(&wt), ["Add a"]);
    assert!(!events(&wt).concat().contains("PRIVATE"));
}

#[test]
fn a_secret_at_the_place_of_the_cut() {
    let sandbox = repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "capture: [request]\n").unwrap();
    sandbox.git(&["config", "headwater.capture", "request"]);
    let transcript = sandbox.beside("t.jsonl");
    let asked = format!("{} postgres://app:Sup3rS3cretPW9@db.example.org/app", "word ".repeat(32));
    let line = format!("{{\"type\": \"user\", \"message\": {{\"role\": \"user\", \"content\": {asked:?}}}}}\n");
    std::fs::write(&transcript, line).unwrap();
    let agent = Agent::new("s1", &sandbox.root).with_transcript(&transcript);
    agent.start();
    agent.commit("a");
    agent.end();
    let told = events(&sandbox.root).concat();
    assert!(told.contains("word word") && !told.contains("Sup3rS"), "{told}");
}

#[test]
fn a_branch_that_is_gone_and_a_second_ledger() {
    let sandbox = repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "ledger: [thoughts/shared/handoffs, two]\n").unwrap();
    let items: Vec<String> = (0..300).map(|number| format!("\"{number} {}\"", "word ".repeat(20))).collect();
    let body = format!("goal: big\nthis_session: [{}]", items.join(", "));
    sandbox.put("events/a.md", crate::sandbox::event("2026-01-10T13:00:00Z", "a", &body));
    std::fs::create_dir_all(sandbox.root.join("two/events")).unwrap();
    let second = crate::sandbox::event("2026-01-10T13:00:00Z", "b", "goal: the second");
    std::fs::write(sandbox.root.join("two/events/b.md"), second).unwrap();
    let input = format!("{{\"session_id\": \"s\", \"cwd\": {:?}}}", sandbox.root.to_str().unwrap());
    let mut command = headwater(Path::new("/"), &["hook", "session-start", "--ref", "nosuch", "--agent-kind", "codex"]);
    let context = crate::agent::context(&run_with_input(&mut command, &input).exits(0).says("nosuch"));
    assert!(context.contains("Goal: big (a)") && context.contains("Goal: the second (b)"), "{context}");
    assert!(context.chars().count() <= 8_000 && context.ends_with("(end of the ledger)"), "{context}");
}

/// An agent that keeps the pipe open has said all that it says.
#[test]
fn standard_input_that_is_left_open() {
    let sandbox = repo();
    let input = format!("{{\"session_id\": \"s\", \"cwd\": {:?}}}", sandbox.root.to_str().unwrap());
    let script = "{ printf %s \"$1\"; sleep 2; } | \"$2\" hook session-start --agent-kind codex";
    let mut command = program("sh", Path::new("/"));
    command.args(["-c", script, "sh", &input, env!("CARGO_BIN_EXE_headwater")]);
    assert_eq!(run(&mut command).exits(0).stderr, "");
    assert!(sandbox.root.join(".git/headwater/sessions").is_dir());
}

//! Sessions through the agents' hooks: the documented JSON in, events and hand-overs out, in real repositories.

use crate::agent::{Agent, context, events, linked, repo};
use crate::sandbox::{Sandbox, event, git, headwater, run, run_with_input};
use std::path::Path;

#[test]
fn a_session_is_told_from_what_it_left_behind() {
    let sandbox = repo();
    let agent = Agent::new("s1", &sandbox.root);
    assert_eq!(agent.start(), "");
    agent.commit("a.txt");
    agent.commit("b.txt");
    std::fs::write(sandbox.root.join("c.txt"), "c").unwrap();
    agent.end();
    let told = events(&sandbox.root);
    let [told] = told.as_slice() else { panic!("{told:?}") };
    for line in [
        "agent: \"repo\"",
        "branch: \"main\"",
        "type: \"session_end\"",
        "reason: |-\n  logout\n",
        "now: |-\n  1 file uncommitted on main, after the commit: Add b.txt\n",
        "  - |-\n    Add a.txt\n  - |-\n    Add b.txt\n  - |-\n    1 file left uncommitted on main: c.txt\n",
    ] {
        assert!(told.contains(line), "no {line:?} in\n{told}");
    }
    // Committed with its view, and nothing else.
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "?? c.txt");
    sandbox.run(&["synth", "--check", "--rev", "HEAD"]).exits(0);
    // It ends twice, and another is told what it did.
    agent.end();
    assert_eq!(events(&sandbox.root).len(), 1);
    let next = Agent::new("s2", &sandbox.root);
    let context = next.start();
    assert!(context.contains("Now: 1 file uncommitted on main, after the commit: Add b.txt (repo)"), "{context}");
}

#[test]
fn nothing_happened_and_nothing_is_written() {
    let sandbox = repo();
    let agent = Agent::new("s1", &sandbox.root);
    agent.start();
    agent.end();
    assert!(events(&sandbox.root).is_empty());
    assert_eq!(sandbox.git(&["log", "--format=%s"]), "start");
}

#[test]
fn what_was_recorded_is_not_repeated() {
    let sandbox = repo();
    let agent = Agent::new("s1", &sandbox.root);
    agent.start();
    agent.commit("a.txt");
    agent.commit("b.txt");
    sandbox.run(&["record", "--did", "Add a.txt", "--now", "resting"]).exits(0);
    agent.end();
    let told = events(&sandbox.root);
    assert_eq!(told.len(), 2);
    let end = told.iter().find(|text| text.contains("session_end")).unwrap();
    assert!(end.ends_with("\nthis_session:\n  - |-\n    Add b.txt\n---\n") && !end.contains("now:"), "{end}");
}

#[test]
fn a_hook_that_is_registered_twice_tells_once() {
    let sandbox = repo();
    let agent = Agent::new("s1", &sandbox.root);
    agent.start();
    agent.start();
    agent.commit("a.txt");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| agent.hook("session-end", ""));
        }
    });
    assert_eq!(events(&sandbox.root).len(), 1);
}

#[test]
fn a_session_that_goes_on_tells_the_rest() {
    let sandbox = repo();
    let agent = Agent::new("s1", &sandbox.root);
    agent.start();
    agent.commit("a.txt");
    agent.hook("pre-compact", ", \"trigger\": \"auto\"");
    agent.hook("session-start", ", \"source\": \"compact\"");
    agent.commit("b.txt");
    agent.end();
    // Resumed, and ended again.
    agent.hook("session-start", ", \"source\": \"resume\"");
    agent.commit("c.txt");
    agent.end();
    let mut told = events(&sandbox.root);
    told.sort();
    let did: Vec<&str> =
        told.iter().filter_map(|text| text.split_once("this_session:\n").map(|(_, did)| did)).collect();
    assert_eq!(did, ["a", "b", "c"].map(|file| format!("  - |-\n    Add {file}.txt\n---\n")));
    assert!(told[0].contains("type: \"checkpoint\""), "{}", told[0]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_session_is_recovered_by_the_next_one() {
    let sandbox = repo();
    let wt = linked(&sandbox, "blue");
    let mut dead = Agent::new("s1", &wt);
    dead.start();
    dead.commit("a.txt");
    // It lives, so it is left alone.
    Agent::new("s2", &sandbox.root).start();
    assert!(events(&wt).is_empty());
    dead.kill();
    let context = Agent::new("s3", &sandbox.root).start();
    let told = events(&wt);
    let [told] = told.as_slice() else { panic!("{told:?}") };
    for line in ["agent: \"blue\"", "branch: \"blue\"", "reason: |-\n  recovered\n", "- |-\n    Add a.txt\n"] {
        assert!(told.contains(line), "no {line:?} in\n{told}");
    }
    assert!(context.contains("last commit on blue: Add a.txt [blue]"), "{context}");
    // It goes with its branch.
    assert_eq!(git(&wt, &["status", "--porcelain"]), "");
    run(&mut headwater(&wt, &["synth", "--check", "--rev", "HEAD"])).exits(0);
    // Once.
    Agent::new("s4", &sandbox.root).start();
    assert_eq!((events(&wt).len(), events(&sandbox.root).len()), (1, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_session_whose_work_tree_is_gone() {
    let sandbox = repo();
    let wt = linked(&sandbox, "blue");
    let mut dead = Agent::new("s1", &wt);
    dead.start();
    dead.commit("a.txt");
    dead.kill();
    sandbox.git(&["worktree", "remove", "--force", "../blue"]);
    Agent::new("s2", &sandbox.root).start();
    let told = events(&sandbox.root);
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert!(told.contains("agent: \"blue\"") && told.contains("- |-\n    Add a.txt\n"), "{told}");
}

#[test]
fn siblings_are_told_before_they_are_merged() {
    let sandbox = repo();
    let wt = linked(&sandbox, "green");
    run(&mut headwater(&wt, &["record", "--now", "parsing tabs", "--ask", "which width?"])).exits(0);
    sandbox.git(&["branch", "far"]);
    let agent = Agent::new("s1", &sandbox.root);
    let context = agent.start();
    assert!(context.contains("- which width? (green)") && context.contains("parsing tabs [green]"), "{context}");
    // Its own view is that of its own events.
    assert!(!sandbox.dir.join("current.md").exists() || !sandbox.view().contains("parsing tabs"));

    git(&wt, &["add", "-A"]);
    git(&wt, &["commit", "-q", "-m", "record"]);
    sandbox.git(&["worktree", "remove", "--force", "../green"]);
    let input = format!(
        "{{\"cwd\": {:?}, \"session_id\": \"x\", \"hook_event_name\": \"SessionStart\"}}",
        sandbox.root.to_str().unwrap()
    );
    let with_ref = |args: &[&str]| context_of(&sandbox, args, &input);
    assert!(!with_ref(&["hook", "session-start"]).contains("parsing tabs"));
    assert!(with_ref(&["hook", "session-start", "--ref", "green"]).contains("parsing tabs [green]"));
}

fn context_of(sandbox: &Sandbox, args: &[&str], input: &str) -> String {
    context(&run_with_input(&mut headwater(&sandbox.root, args), input).exits(0))
}

#[test]
fn the_hand_over_stays_within_its_limit() {
    let sandbox = repo();
    for number in 0..400 {
        let body = format!("this_session: [\"{number} {}\"]\nopen_questions: [\"{number}?\"]", "word ".repeat(40));
        sandbox.put(&format!("events/{number}.md"), event("2026-01-10T13:00:00Z", "a", &body));
    }
    let context = Agent::new("s1", &sandbox.root).start();
    let count = context.chars().count();
    assert!((6_000..8_000).contains(&count), "{count}");
    assert!(context.contains("more, see `headwater show`"), "{context}");
}

/// A tracked view that nobody committed would stop all of these.
#[test]
fn a_session_is_in_nobodys_way() {
    let sandbox = repo();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "a", "now: x"));
    sandbox.synth();
    sandbox.commit("view");
    let upstream = sandbox.beside("upstream.git");
    sandbox.git(&["clone", "-q", "--bare", ".", upstream.to_str().unwrap()]);
    sandbox.git(&["remote", "add", "origin", upstream.to_str().unwrap()]);
    sandbox.git(&["fetch", "-q", "origin"]);
    sandbox.git(&["branch", "-q", "--set-upstream-to=origin/main"]);
    // Somebody else changes the ledger and its view, upstream and on a branch.
    let wt = linked(&sandbox, "other");
    run(&mut headwater(&wt, &["record", "--type", "handoff", "--now", "elsewhere"])).exits(0);
    git(&wt, &["push", "-q", "origin", "other:main"]);

    let agent = Agent::new("s1", &sandbox.root);
    agent.start();
    sandbox.run(&["record", "--now", "here"]).exits(0);
    agent.hook("stop", "");
    let view = sandbox.view();
    sandbox.git(&["stash", "-q", "--include-untracked"]);
    sandbox.git(&["stash", "pop", "-q"]);
    sandbox.git(&["checkout", "-q", "other", "--ignore-other-worktrees"]);
    sandbox.git(&["checkout", "-q", "main"]);
    assert_eq!(sandbox.view(), view);
    sandbox.git(&["pull", "-q", "--rebase"]);
    sandbox.git(&["merge", "-q", "--no-edit", "other"]);
    agent.end();
    sandbox.run(&["synth", "--check", "--rev", "HEAD"]).exits(0);
}

#[test]
fn whatever_is_wrong_the_agent_goes_on() {
    let sandbox = repo();
    let broken = repo();
    std::fs::write(broken.root.join(".headwater.yaml"), "view: [").unwrap();
    let bare = sandbox.beside("bare.git");
    sandbox.git(&["init", "-q", "--bare", bare.to_str().unwrap()]);
    let megabytes = "x".repeat(10_000_000);
    let nowhere = tempfile::tempdir().unwrap();
    for hook in ["session-start", "session-end", "pre-compact", "stop"] {
        for input in
            ["", "{", "[]", "null", "\u{0}", megabytes.as_str(), "{\"cwd\": \"/does/not/exist\"}", "{\"cwd\": 3}"]
        {
            for cwd in [sandbox.root.as_path(), broken.root.as_path(), bare.as_path(), nowhere.path()] {
                for kind in ["claude-code", "codex", "gemini", "cursor", "copilot"] {
                    let ended =
                        run_with_input(&mut headwater(cwd, &["hook", hook, "--agent-kind", kind]), input).exits(0);
                    assert!(ended.stdout.is_empty() || ended.json().is_object(), "{hook} {kind}: {}", ended.stdout);
                }
            }
        }
    }
    let faults = std::fs::read_to_string(broken.root.join(".git/headwater/faults.jsonl")).unwrap();
    assert!(faults.contains(".headwater.yaml"), "{faults}");
    assert!(faults.len() <= 64 << 10, "{}", faults.len());
}

#[test]
fn events_that_nothing_holds_any_more_come_back() {
    let sandbox = repo();
    let doctor = || {
        let findings = sandbox.run(&["doctor", "--format", "json"]).json();
        let lost = findings["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "lost-event").count();
        (findings.to_string(), lost)
    };
    // Removed with its work tree, cleaned away, and committed on a branch that is deleted: only two are lost.
    let blue = linked(&sandbox, "blue");
    run(&mut headwater(&blue, &["record", "--now", "in blue"])).exits(0);
    sandbox.run(&["record", "--now", "here"]).exits(0);
    let green = linked(&sandbox, "green");
    run(&mut headwater(&green, &["record", "--type", "handoff", "--now", "in green"])).exits(0);
    assert_eq!(doctor().1, 0);
    sandbox.git(&["worktree", "remove", "--force", "../blue"]);
    sandbox.git(&["clean", "-fdq"]);
    sandbox.git(&["worktree", "remove", "--force", "../green"]);
    let (findings, lost) = doctor();
    assert_eq!(lost, 2, "{findings}");
    assert!(findings.contains("doctor --restore"), "{findings}");
    sandbox.git(&["branch", "-q", "-D", "green"]);
    assert_eq!(doctor().1, 3);
    sandbox.run(&["doctor", "--restore"]).says("restored");
    assert_eq!(doctor().1, 0);
    let view = sandbox.fresh();
    assert!(view.contains("event_count: 3") && view.contains("in green"), "{view}");
}

#[test]
fn doctor_shows_what_hooks_kept_to_themselves() {
    let sandbox = repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "view: [").unwrap();
    run_with_input(&mut headwater(&sandbox.root, &["hook", "session-start"]), "{}").exits(0);
    std::fs::remove_file(sandbox.root.join(".headwater.yaml")).unwrap();
    let faults = |args: &[&str]| sandbox.run(args).stdout.matches("hook-fault").count();
    assert_eq!(faults(&["doctor"]), 1);
    assert_eq!(faults(&["doctor", "--clear"]), 0);
}

/// A usage error ends with 2 elsewhere, which tells Claude Code to block. An agent gets its answer all the same.
#[test]
fn wrong_options_stop_no_agent() {
    let sandbox = repo();
    let input =
        |event: &str| format!("{{\"session_id\": \"s\", \"cwd\": {:?}, \"hook_event_name\": {event:?}}}", sandbox.root);
    let call =
        |args: &[&str], event: &str| run_with_input(&mut headwater(Path::new("/"), args), &input(event)).exits(0);
    for (hook, event) in [
        ("session-start", "SessionStart"),
        ("session-end", "SessionEnd"),
        ("pre-compact", "PreCompact"),
        ("stop", "Stop"),
    ] {
        for (wrong, told) in [
            (["hook", hook, "--agent-kind=emacs"], "emacs"),
            (["hook", hook, "--new-option"], "--new-option"),
            (["hook", hook, "--agent-kind"], "--agent-kind"),
        ] {
            let ended = call(&wrong, event).says(&format!("hook {hook}: options were ignored: ")).says(told);
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
            assert_eq!(if hook == "session-start" { context(&ended) } else { ended.stdout }, "");
        }
        // What is understood is believed.
        for kind in [&["--agent-kind", "gemini"][..], &["--agent-kind=gemini"]] {
            let ended = call(&[&["hook", hook, "--new-option"], kind].concat(), event);
            let answer: serde_json::Value = ended.json();
            assert!(answer.is_object() && (hook == "session-start" || ended.stdout == "{}\n"), "{}", ended.stdout);
        }
    }
    let kept = sandbox.run(&["doctor", "--format", "json"]).exits(1).stdout;
    for hook in ["session-start", "session-end", "pre-compact", "stop"] {
        assert!(kept.contains(&format!("{hook}, last at")) && kept.contains("'--new-option'"), "{kept}");
    }
    assert_eq!(sandbox.git(&["log", "--format=%s"]), "start");
    sandbox.run(&["hook", "stop", "--help"]).exits(0);
    sandbox.run(&["hook", "pre-push", "--new-option", "x", "y"]).exits(2);
}

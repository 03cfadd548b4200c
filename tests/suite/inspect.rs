//! `show`, `log`, `why`, `status` and `lint`: looking at a ledger without changing it.

use crate::cli::ledger;
use crate::sandbox::{Sandbox, event};

#[test]
fn show_log_why_status_and_lint() {
    let sandbox = ledger();
    let shown = sandbox.run(&["show"]).exits(0).stdout;
    for line in [
        "Goal: ship (toast)",
        "Now: two (jam)",
        "  1. db: postgres (jam)",
        "  1. why? (toast)",
        "  2026-01-10T13:00:00Z Phase 1: done (toast)",
    ] {
        assert!(shown.lines().any(|given| given == line), "{line} in {shown}");
    }
    assert!(!shown.contains("when?") && !shown.contains("Now: one"), "{shown}");

    let log = sandbox.run(&["log"]).exits(0).stdout;
    let agents: Vec<&str> = log.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(agents, ["jam", "toast", "old"]);
    for (args, count) in [
        (["--agent", "toast"], 1),
        (["--branch", "feat/x"], 1),
        (["--type", "note"], 1),
        (["--since", "2026-01-10"], 2),
        (["--agent", "nobody"], 0),
    ] {
        assert_eq!(sandbox.run(&["log", args[0], args[1]]).exits(0).stdout.lines().count(), count, "{args:?}");
    }
    sandbox.run(&["log", "--since", "whenever"]).exits(2).says("--since");

    let why = sandbox.run(&["why", "now"]).exits(0).stdout;
    let at = |text: &str| why.find(text).unwrap_or_else(|| panic!("{text} in {why}"));
    assert!(at("two") < at("one") && at("one") < at("zero") && at("won") < at("superseded"), "{why}");
    assert!(why.contains("events/b.md") && why.contains("archive/2026-01-01/c.md"), "{why}");
    let why = sandbox.run(&["why", "open_questions", "when?"]).exits(0).stdout;
    assert!(why.contains("closes it") && !why.contains("why?"), "{why}");
    sandbox.run(&["why", "decisions", "nothing"]).exits(1);

    let status = sandbox.run(&["status"]).exits(0).stdout;
    let first: Vec<&str> = status.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(first, ["2026-01-11T13:00:00Z", "jam", "-", "two"]);
    assert!(status.contains("feat/x") && status.lines().count() == 3, "{status}");

    sandbox.run(&["lint"]).exits(0).says("3 files checked");
    sandbox.put("events/bad.md", "---\nts: x\nagent: y\n---\n");
    let lint = sandbox.run(&["lint"]).exits(1).stdout;
    assert!(lint.starts_with("events/bad.md:2:5: error: bad-ts: "), "{lint}");
    sandbox.run(&["lint", "events/a.md"]).exits(0);
    sandbox.run(&["lint", "events/bad.md"]).exits(1);
    sandbox.run(&["lint", "events/missing.md"]).exits(2);
}

#[test]
fn status_has_a_line_for_each_agent_and_branch() {
    let sandbox = Sandbox::plain();
    let put = |name: &str, hour: u8, agent: &str, branch: &str, body: &str| {
        let front = format!("---\nts: 2026-01-10T{hour}:00:00Z\nagent: {agent}\n{branch}\n---\n");
        sandbox.put(&format!("events/{name}.md"), format!("{front}{body}\n"));
    };
    put("a", 10, "toast", "branch: x", "now: one");
    put("b", 11, "toast", "branch: y", "now: two");
    put("c", 12, "toast", "branch: x", "this_session: [more]");
    put("d", 13, "toast", "", "this_session: [more]");
    put("e", 11, "jam", "branch: x", "now: three");
    let status = sandbox.run(&["status"]).exits(0).stdout;
    let lines: Vec<Vec<&str>> = status.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        lines,
        [
            ["2026-01-10T13:00:00Z", "toast", "-", "-"],
            ["2026-01-10T12:00:00Z", "toast", "x", "one"],
            ["2026-01-10T11:00:00Z", "jam", "x", "three"],
            ["2026-01-10T11:00:00Z", "toast", "y", "two"],
        ]
    );
    let report = sandbox.run(&["status", "--format", "json"]).exits(0).json();
    assert_eq!(
        report["agents"][1],
        serde_json::json!({"agent": "toast", "events": 2, "last_seen": "2026-01-10T12:00:00Z", "branch": "x", "now": "one"})
    );
    let synth = sandbox.run(&["synth", "--dry-run"]).exits(0).stdout;
    assert!(
        synth.starts_with("5 events from 2 agents\n")
            && synth.contains("2 events, last 2026-01-10T12:00:00Z on x: one"),
        "{synth}"
    );
}

#[test]
fn lint_reads_what_is_named() {
    let sandbox = ledger();
    sandbox.put("events/README.md", "# Events\n");
    sandbox.put("events/notes.txt", "x\n");
    let events = ["events/README.md", "events/a.md", "events/b.md", "events/notes.txt"];
    let ended = sandbox.run(&[&["lint"], &events[..]].concat()).exits(0).says("2 files checked");
    ended.says("events/README.md: skipped").exits(0).says("events/notes.txt: skipped");
    sandbox.run(&["lint", "events/missing.txt"]).exits(2);

    let packed = sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h", "--force"]).exits(0);
    let packs: Vec<&str> = packed.stdout.lines().filter_map(|line| Some(line.split_once(" <- ")?.0)).collect();
    assert_eq!(packs.len(), 3, "{}", packed.stdout);
    sandbox.run(&[&["lint"], &packs[..]].concat()).exits(0).says("3 files checked");
    std::fs::write(sandbox.root.join("map.yaml"), "sections: [{name: now, merge: map}]\n").unwrap();
    let ended = sandbox.run(&["lint", packs[0], "--config", "map.yaml"]).exits(1);
    assert!(ended.stdout.starts_with(&format!("c.md in {}:5:6: error: bad-section", packs[0])), "{}", ended.stdout);
}

#[test]
fn why_an_item_stands() {
    let sandbox = Sandbox::plain();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "a", "open_questions: [Q, R]"));
    sandbox.put("events/b.md", event("2026-01-10T14:00:00Z", "b", "resolved_questions: [Q, R]"));
    sandbox.put("events/c.md", event("2026-01-10T15:00:00Z", "c", "open_questions: [Q]"));
    assert!(sandbox.fresh().contains("- Q"), "asked again");
    let why = |args: &[&str]| {
        let report = sandbox.run(&[&["why"], args, &["--format", "json"]].concat()).exits(0).json();
        let writes = report["writes"].as_array().unwrap().clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        writes.iter().map(|write| (text(&write["by"]["agent"]), text(&write["verdict"]))).collect::<Vec<_>>()
    };
    let is = |expected: &[(&str, &str)]| -> Vec<(String, String)> {
        expected.iter().map(|(agent, verdict)| ((*agent).to_owned(), (*verdict).to_owned())).collect()
    };
    assert_eq!(
        why(&["open_questions", "Q"]),
        is(&[
            ("c", "the same item again"),
            ("b", "closes it, but it was written again"),
            ("a", "shown: the first write of it"),
        ])
    );
    assert_eq!(why(&["open_questions", "R"]), is(&[("b", "closes it"), ("a", "closed: the first write of it")]));

    sandbox.put("events/d.md", event("2026-01-11T13:00:00Z", "d", "this_session: ['a  b', z]"));
    sandbox.put("events/e.md", event("2026-01-11T14:00:00Z", "e", "this_session: [a b, 'a   b']"));
    let again = ("e", "the same item again");
    let first = ("d", "shown: the first write of it");
    assert_eq!(why(&["this_session", "a b"]), is(&[again, again, first]));
    assert_eq!(why(&["this_session"]), is(&[again, again, first, first]));

    for format in ["text", "json"] {
        sandbox.run(&["why", "open_questions", "nope", "--format", format]).exits(1);
        sandbox.run(&["why", "nope", "--format", format]).exits(1);
    }
}

#[test]
fn why_equal_values_are_contested_unless_seen() {
    let sandbox = Sandbox::plain();
    let put = |name: &str, hour: u8, parents: &[&str], value: &str| {
        let text = format!(
            "---\nts: 2026-01-10T{hour}:00:00Z\nagent: {name}\nparents: [{}]\n---\ndecisions: {{db: {value}}}\n",
            parents.join(", ")
        );
        sandbox.put(&format!("events/{name}.md"), &text);
        crate::sandbox::sha256(&text)
    };
    let seen = put("a", 10, &[], "mysql");
    put("b", 11, &[&seen], "mysql");
    put("c", 12, &[], "mysql");
    put("d", 13, &[], "postgres");
    let report = sandbox.run(&["why", "decisions", "--format", "json"]).exits(0).json();
    let verdicts: Vec<&str> =
        report["writes"].as_array().unwrap().iter().map(|write| write["verdict"].as_str().unwrap()).collect();
    let begins = ["won", "contested", "contested", "superseded"];
    assert!(verdicts.iter().zip(begins).all(|(verdict, begin)| verdict.starts_with(begin)), "{verdicts:?}");
    assert_eq!(verdicts.len(), 4);
}

//! What `record` writes: forms that formatters keep (`scripts/formatters` runs the real ones).

use crate::agent::Agent;
use crate::sandbox::{Sandbox, event, headwater, run, run_with_input};

#[test]
fn hostile_event_is_written_with_these_bytes() {
    let sandbox = Sandbox::repo();
    sandbox.git(&["symbolic-ref", "HEAD", "refs/heads/it's#1"]);
    let stdin = "decisions:\n  \"Which \\\"port\\\"?\": \"80 \"\n  db: |-\n    *A*: src/**/*.rs __init__ #48\n\n    ---\nrisks: [\"\\e[2J\", plain]\n";
    let args = [
        "record",
        "--stdin",
        "--agent",
        "a  b",
        "--now",
        "# not a heading",
        "--did",
        "\\x \"y\"",
        "--did",
        " led",
        "--did",
        "closes #48",
    ];
    let ended = run_with_input(&mut sandbox.command(&args), stdin).exits(0);
    let text = std::fs::read_to_string(ended.stdout.trim_end()).unwrap();
    let (ts, rest) = text.strip_prefix("---\n").unwrap().split_once('\n').unwrap();
    assert!(ts.starts_with("ts: \"2") && ts.ends_with("Z\""), "{text}");
    let expected = r#"agent: "a\x20\x20b"
branch: "it's#1"
type: "note"
parents: []
now: |-
  # not a heading
this_session:
  - |-
    \x "y"
  - "\x20led"
  - |-
    closes #48
decisions:
  "Which \x22port\x22?": "80\x20"
  db: |-
    *A*: src/**/*.rs __init__ #48

    ---
---

    risks:
      - "\u001b[2J"
      - |-
        plain
"#;
    assert_eq!(rest, expected);
    let view = sandbox.synth();
    assert!(view.contains("- **db:** *A*: src/**/*.rs __init__ #48 --- (a b,"), "{view}");
    assert_eq!(sandbox.run(&["lint"]).exits(0).stdout, "");
}

#[test]
fn event_that_was_changed_after_it_was_committed_is_reported() {
    let sandbox = Sandbox::repo();
    let good = event("2026-01-10T08:00:00Z", "a", "now: one");
    sandbox.put("events/a.md", &good);
    sandbox.put("events/bad.md", "---\nts: x\nagent: b\n---\n");
    sandbox.commit("first");
    // Line ends are not content, and what cannot be read is to be corrected.
    sandbox.put("events/a.md", good.replace('\n', "\r\n"));
    sandbox.put("events/bad.md", event("2026-01-10T09:00:00Z", "b", "goal: two"));
    assert_eq!(sandbox.run(&["lint"]).exits(0).stdout, "");
    sandbox.git(&["switch", "-q", "-c", "other"]);
    sandbox.put("events/a.md", good.replace("one", "three"));
    let lint = sandbox.run(&["lint"]).exits(1).stdout;
    assert!(lint.starts_with("events/a.md:1:1: error: changed-event: ") && lint.lines().count() == 1, "{lint}");
    let file = sandbox.dir.join("events/a.md");
    sandbox.run(&["lint", file.to_str().unwrap()]).exits(1);
    sandbox.synth();
    sandbox.commit("changed");
    let lint = sandbox.run(&["lint"]).exits(0).stdout;
    assert!(lint.starts_with("events/a.md:1:1: warning: changed-event: "), "{lint}");
    let checked = sandbox.run(&["synth", "--check", "--base", "main"]).exits(1).stdout;
    assert!(checked.contains("a.md) was changed"), "{checked}");
    // The printed command gives the first version back.
    let command = lint.split('`').nth(1).unwrap();
    let first = sandbox.git(&command.split(' ').skip(1).collect::<Vec<_>>());
    sandbox.put("events/a.md", first + "\n");
    assert_eq!(sandbox.run(&["lint"]).exits(0).stdout, "");
}

#[test]
fn prettier_leaves_the_ledger_alone_after_init() {
    let sandbox = Sandbox::repo();
    sandbox.run(&["init", "--git"]).exits(0);
    assert!(!sandbox.root.join(".prettierignore").exists());
    let codes = |sandbox: &Sandbox| {
        let found = sandbox.run(&["doctor", "--format", "json"]).json();
        let findings = found["findings"].as_array().unwrap().iter();
        findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let has = |code: &str| codes(&sandbox).iter().any(|found| found == code);
    std::fs::write(sandbox.root.join("package.json"), "{\"devDependencies\": {\"prettier\": \"3\"}}").unwrap();
    assert!(has("prettier-not-ignored"));
    sandbox.run(&["init", "--git"]).exits(0);
    let ignored = std::fs::read_to_string(sandbox.root.join(".prettierignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "/thoughts/shared/handoffs/"), "{ignored}");
    assert!(!has("prettier-not-ignored") && !has("unreadable-event"));
    sandbox.put("events/bad.md", "---\nts: x\nagent: b\n---\n");
    sandbox.put("archive/2026-01-01/pack-x.yaml", "[");
    assert_eq!(codes(&sandbox).iter().filter(|code| *code == "unreadable-event").count(), 2);
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert!(!sandbox.root.join(".prettierignore").exists());
}

#[test]
fn record_writes_to_the_nearest_of_several_ledgers() {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "ledger: [packages/app/log, packages/lib/log]\n").unwrap();
    let deep = sandbox.root.join("packages/lib/src");
    std::fs::create_dir_all(&deep).unwrap();
    let path = run(&mut headwater(&deep, &["record", "--now", "x"])).exits(0).stdout;
    assert!(path.contains("packages/lib/log/events/"), "{path}");
    let agent = Agent::new("s", &deep);
    agent.start();
    agent.commit("new");
    agent.hook("session-end", ", \"reason\": \"logout\"");
    let events = sandbox.root.join("packages/lib/log/events");
    let texts: Vec<String> = std::fs::read_dir(events)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(texts.iter().any(|text| text.contains("Add new")), "{texts:?}");
    let tie = run(&mut headwater(&sandbox.root.join("packages"), &["record", "--now", "x"])).exits(2);
    tie.says("packages/app/log, packages/lib/log");
}

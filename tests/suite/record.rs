//! `headwater record`: what an event says, when, by whom, and under which name.

use crate::sandbox::{Ended, Sandbox, event, git, headwater, program, run, run_with_input, sha256, undated};
use headwater::event::{Span, Timestamp};

/// The instant so many seconds from now, to the millisecond.
pub(crate) fn ahead(seconds: i64) -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let nanos = i128::try_from(now.as_nanos()).unwrap() + i128::from(seconds) * 1_000_000_000;
    Timestamp::from_unix_nanos(nanos).unwrap().floor_to_millis()
}

/// The text of the event that `record` just wrote.
#[track_caller]
fn text(sandbox: &Sandbox, ended: &Ended) -> String {
    std::fs::read_to_string(sandbox.root.join(ended.stdout.trim_end())).unwrap()
}

/// The value of a front matter line, without quotes.
#[track_caller]
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let start = format!("{key}: ");
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(&start))?;
    if value == "|-" { lines.next().map(str::trim_start) } else { Some(value.trim_matches('"')) }
}

#[test]
fn every_option_ends_in_its_section() {
    let sandbox = Sandbox::plain();
    let args = [
        "record",
        "--agent",
        "me",
        "--type",
        "handoff",
        "--reason",
        "the day is over",
        "--goal",
        "ship",
        "--now",
        "test",
        "--did",
        "one",
        "--did",
        "two",
        "--decide",
        "db = sqlite=3",
        "--checkpoint",
        "1=done",
        "--ask",
        "why?",
    ];
    let written = text(&sandbox, &sandbox.run(&args).exits(0));
    assert_eq!([field(&written, "type"), field(&written, "reason")], [Some("handoff"), Some("the day is over")]);
    let ts = field(&written, "ts").unwrap().to_owned();
    let day = ts.split('T').next().unwrap_or_default();
    let view = undated(&sandbox.synth());
    let expected = format!(
        "**Goal:** ship (me)\n\n**Now:** test (me)\n\n### Open Questions\n\n- why? (me)\n\n### Decisions\n\n- **db:** sqlite=3 (me)\n\n### Checkpoints\n\n- {ts} **Phase 1:** done (me)\n\n### This Session\n\n- **{day} me**\n  - one\n  - two\n\n---\n"
    );
    assert!(view.contains(&expected), "{view}");
}

#[test]
fn nothing_to_record() {
    let sandbox = Sandbox::plain();
    sandbox.run(&["record"]).exits(2).says("nothing to record");
    sandbox.run(&["record", "--reason", "x"]).exits(2).says("nothing to record");
    run_with_input(&mut sandbox.command(&["record", "--stdin"]), " \n").exits(2);
    assert!(sandbox.files().is_empty(), "{:?}", sandbox.files().keys());
    for bad in [["--decide", "no equals sign"], ["--decide", " = x"], ["--checkpoint", "1"]] {
        sandbox.run(&["record", bad[0], bad[1]]).exits(2).says(bad[0]);
    }
    assert!(sandbox.files().is_empty(), "{:?}", sandbox.files().keys());
}

fn questions() -> Sandbox {
    let sandbox = Sandbox::plain();
    let body = "open_questions: [which database, which port, \"why  rust\"]\ndecisions: {alpha: 1, beta: 2, better: 3}";
    sandbox.put("events/q.md", event("2026-01-01T00:00:00Z", "a", body));
    sandbox
}

#[test]
fn an_answer_by_text_beginning_or_number() {
    for (answer, closed) in
        [("which port", "which port"), ("why rust", "why  rust"), ("which d", "which database"), ("2", "which port")]
    {
        let sandbox = questions();
        sandbox.run(&["record", "--answer", answer]).exits(0);
        let view = sandbox.synth();
        let open: Vec<&str> =
            ["which database", "which port", "why rust"].into_iter().filter(|text| view.contains(text)).collect();
        assert_eq!(open.len(), 2, "{answer}: {view}");
        assert!(!open.contains(&closed), "{answer}: {view}");
    }
}

#[test]
fn an_answer_to_no_question() {
    let sandbox = questions();
    let files = sandbox.files();
    sandbox.run(&["record", "--answer", "which"]).exits(2).says("which database").says("which port");
    let ended = sandbox.run(&["record", "--answer", "which bort"]).exits(2).says("nearest");
    let first = ended.stderr.lines().nth(1).unwrap_or_default();
    assert!(first.contains("which port"), "{}", ended.stderr);
    for nothing in ["0", "4", ""] {
        sandbox.run(&["record", "--answer", nothing]).exits(2);
    }
    Sandbox::plain().run(&["record", "--answer", "x"]).exits(2).says("there is no open question");
    assert_eq!(sandbox.files(), files);
}

#[test]
fn a_decision_is_taken_back() {
    for (undecide, gone) in [("alpha", "alpha"), ("bett", "better"), ("2", "beta")] {
        let sandbox = questions();
        assert!(sandbox.synth().contains(&format!("**{gone}:**")));
        sandbox.run(&["record", "--undecide", undecide]).exits(0);
        let view = sandbox.synth();
        assert!(!view.contains(&format!("**{gone}:**")) && view.matches("- **").count() == 2, "{view}");
    }
    questions().run(&["record", "--undecide", "bet"]).exits(2).says("beta").says("better");
}

#[test]
fn parents_are_the_heads() {
    let sandbox = Sandbox::plain();
    let first = sandbox.run(&["record", "--agent", "a", "--now", "x"]).exits(0);
    let root = text(&sandbox, &first);
    assert!(root.lines().any(|line| line.trim_end() == "parents: []" || line == "parents:"), "{root}");
    let child = format!("---\nts: 2026-01-01T00:00:00Z\nagent: b\nparents: [{}]\n---\nnow: y\n", sha256(&root));
    sandbox.put("events/child.md", &child);
    let lone = child.replace("agent: b", "agent: c").replace(&sha256(&root), "");
    let legacy = event("2026-01-02T00:00:00Z", "legacy", "now: never contested, so never a parent");
    sandbox.put("events/legacy.md", &legacy);
    sandbox.put("events/lone.md", &lone);
    let both = text(&sandbox, &sandbox.run(&["record", "--agent", "d", "--now", "w"]).exits(0));
    assert!(
        both.contains(&sha256(&child)) && both.contains(&sha256(&lone)) && !both.contains(&sha256(&root)),
        "{both}"
    );
    assert!(!both.contains(&sha256(&legacy)), "{both}");
    let last = text(&sandbox, &sandbox.run(&["record", "--agent", "e", "--now", "v"]).exits(0));
    assert!(last.contains(&sha256(&both)) && !last.contains(&sha256(&lone)), "{last}");
}

#[test]
fn fault_23_the_instant_rises_above_what_was_seen() {
    let sandbox = Sandbox::plain();
    let seen = ahead(3_600);
    sandbox.put("events/ahead.md", event(&seen.to_string(), "x", "now: ahead"));
    let ended = sandbox.run(&["record", "--agent", "me", "--now", "mine"]).exits(0);
    assert!(!ended.stderr.contains("24 h"), "{}", ended.stderr);
    assert_eq!(field(&text(&sandbox, &ended), "ts"), Some(seen.after(Span::MILLISECOND).unwrap().to_string().as_str()));
    assert!(undated(&sandbox.synth()).contains("**Now:** mine (me)"));
}

#[test]
fn fault_23_the_far_future_is_not_followed() {
    let sandbox = Sandbox::plain();
    let far = ahead(10 * 365 * 86_400);
    sandbox.put("events/far.md", event(&far.to_string(), "x", "now: far\ndecisions: {k: far}"));
    let ended = sandbox
        .run(&["record", "--agent", "me", "--now", "mine"])
        .exits(0)
        .says("24 h in the future")
        .says("--overrule");
    let ts = Timestamp::parse(field(&text(&sandbox, &ended), "ts").unwrap()).unwrap();
    assert!(ts < ahead(86_400), "{ts}");
    assert!(undated(&sandbox.synth()).contains("**Now:** far (x)"));
    let ended = sandbox.run(&["record", "--agent", "me", "--now", "mine", "--overrule"]).exits(0);
    assert_eq!(field(&text(&sandbox, &ended), "ts"), Some(far.after(Span::MILLISECOND).unwrap().to_string().as_str()));
    let view = undated(&sandbox.synth());
    assert!(view.contains("**Now:** mine (me)") && view.contains("- **k:** far (x)"), "{view}");
    sandbox.run(&["record", "--agent", "me", "--undecide", "k", "--overrule"]).exits(0);
    assert!(!sandbox.synth().contains("**k:**"));
}

#[test]
fn fault_22_a_clock_before_1970() {
    let sandbox = Sandbox::plain();
    let fake = std::process::Command::new("faketime").arg("--version").output().is_ok();
    if fake {
        let mut command = program("faketime", &sandbox.root);
        command.args(["1960-01-01 00:00:00", env!("CARGO_BIN_EXE_headwater"), "record", "--now", "x", "--dir", "."]);
        run(&mut command).exits(2).says("clock");
        assert!(sandbox.files().is_empty());
    }
}

#[test]
fn fault_27_names_of_agents_and_files() {
    for (agent, name) in [("../x", "..-x"), ("-rf", "-rf"), ("CON", "CON"), ("a b/é", "a-b--"), (".hidden", ".hidden")]
    {
        let sandbox = Sandbox::plain();
        let ended = sandbox.run(&["record", &format!("--agent={agent}"), "--now", "x"]).exits(0);
        let written = text(&sandbox, &ended);
        assert_eq!(field(&written, "agent"), Some(agent));
        let stem = field(&written, "ts").unwrap().replace(':', "-");
        let is_event = |file: &String| file.starts_with("events/") && !file.contains("README");
        let names: Vec<String> = sandbox.files().into_keys().filter(is_event).collect();
        assert_eq!(names, [format!("events/{stem}_{name}.md")]);
    }
    let long = "€".repeat(100);
    let sandbox = Sandbox::plain();
    sandbox.run(&["record", "--agent", &long, "--now", "x"]).exits(0);
    assert!(undated(&sandbox.synth()).contains(&format!("({long})")));
    for refused in [&"x".repeat(300), " ", "a\nb", "a\u{2028}b", "\u{1b}"] {
        Sandbox::plain().run(&["record", "--agent", refused, "--now", "x"]).exits(2).says("agent");
    }
}

#[test]
fn fault_28_agents_that_look_alike() {
    let sandbox = Sandbox::plain();
    for agent in ["Toast", "toast", "é", "e\u{301}"] {
        sandbox.run(&["record", "--agent", agent, "--did", agent]).exits(0);
    }
    let status = sandbox.run(&["status", "--format", "json"]).exits(0).json();
    assert_eq!(status["agents"].as_array().unwrap().len(), 4, "{status}");
    assert!(sandbox.synth().contains("event_count: 4"));
}

#[test]
fn the_agent_is_told_or_found() {
    let sandbox = Sandbox::repo();
    sandbox.commit("start");
    sandbox.git(&["worktree", "add", "-q", "../wt-blue", "-b", "feat/blue"]);
    let linked = sandbox.beside("wt-blue");
    let record = |cwd: &std::path::Path, args: &[&str], variable: &str| {
        let mut command = headwater(cwd, args);
        let ended = run(command.env("HEADWATER_AGENT", variable)).exits(0);
        std::fs::read_to_string(cwd.join(ended.stdout.trim_end())).unwrap()
    };
    let written = record(&sandbox.root, &["record", "--now", "x", "--agent", "told"], "set");
    assert_eq!([field(&written, "agent"), field(&written, "branch")], [Some("told"), Some("main")]);
    assert_eq!(field(&record(&sandbox.root, &["record", "--now", "x"], "set"), "agent"), Some("set"));
    assert_eq!(field(&record(&sandbox.root, &["record", "--now", "x"], ""), "agent"), Some("repo"));
    let written = record(&linked, &["record", "--now", "x"], "");
    assert_eq!([field(&written, "agent"), field(&written, "branch")], [Some("wt-blue"), Some("feat/blue")]);
    git(&linked, &["checkout", "-q", "--detach"]);
    assert_eq!(field(&record(&linked, &["record", "--now", "x"], ""), "branch"), None);
}

#[test]
fn sections_from_standard_input() {
    let sandbox = Sandbox::plain();
    let record = |input: &str, more: &[&str]| {
        let args = [&["record", "--stdin", "--agent", "me"], more].concat();
        run_with_input(&mut sandbox.command(&args), input)
    };
    record("next_steps: [a, {task: b, by: c}]\ndecisions: {x: 007}\n", &["--now", "y"]).exits(0);
    let view = undated(&sandbox.synth());
    for line in ["**Now:** y (me)", "- **x:** 007 (me)", "- a (me)", "- b (by: c) (me)"] {
        assert!(view.lines().any(|shown| shown == line), "{line} in {view}");
    }
    let files = sandbox.files();
    record("now: z\n", &["--now", "y"]).exits(2).says("`now`");
    record("just text", &[]).exits(2).says("mapping");
    record("now: &a b", &[]).exits(2).says("not-plain");
    record("decisions: [x]", &[]).exits(2).says("bad-section");
    record(&format!("now: {}", "x".repeat(1_100_000)), &[]).exits(2).says("in parts");
    assert_eq!(sandbox.files(), files);
}

#[test]
fn a_first_record_makes_the_ledger() {
    let sandbox = Sandbox::repo();
    std::fs::remove_dir_all(sandbox.root.join("thoughts")).unwrap();
    let ended = sandbox.run(&["record", "--now", "x", "--format", "json"]).exits(0);
    let record = ended.json();
    assert_eq!(record["schema"], "headwater.record/1");
    let text = std::fs::read_to_string(sandbox.root.join(record["path"].as_str().unwrap())).unwrap();
    assert_eq!(record["id"], sha256(&text));
    assert!(sandbox.dir.join("events/README.md").exists());
}

#[test]
fn the_exact_question_comes_first() {
    let sandbox = Sandbox::plain();
    let body = "open_questions: [\"a  b\", \"a b\"]";
    sandbox.put("events/q.md", event("2026-01-01T00:00:00Z", "a", body));
    let written = text(&sandbox, &sandbox.run(&["record", "--answer", "a b"]).exits(0));
    assert!(written.ends_with("resolved_questions:\n  - |-\n    a b\n---\n"), "{written}");

    // A question that is too old to be shown can still be answered.
    let sandbox = Sandbox::plain();
    let config = sandbox.put("c.yaml", "sections:\n- {name: open_questions, show: 1d}\n");
    sandbox.put("events/q.md", event("2026-01-01T00:00:00Z", "a", "open_questions: [old]"));
    sandbox.put("events/r.md", event("2026-02-01T00:00:00Z", "a", "open_questions: [new]"));
    sandbox.run(&["record", "--answer", "old", "--config", config.to_str().unwrap()]).exits(0);
}

#[test]
fn fault_23_overruling_a_set() {
    let sandbox = Sandbox::plain();
    let config = sandbox.put("c.yaml", "sections:\n- {name: risks, closed_by: settled}\n");
    sandbox.put("events/a.md", event("2099-01-01T00:00:00Z", "a", "risks: [fire]\nresolved_questions: [why]"));
    sandbox.put("events/b.md", event("2026-01-01T00:00:00Z", "b", "risks: [flood]"));
    let overrule = |args: &[&str], input: &str| {
        let args = [&["record", "--overrule", "--config", config.to_str().unwrap()], args].concat();
        let ended = run_with_input(&mut sandbox.command(&args), input).exits(0);
        field(&text(&sandbox, &ended), "ts").unwrap().to_owned()
    };
    // What does not stand against the future is not stamped there.
    assert!(!overrule(&["--stdin"], "settled: [flood]").starts_with("2099"));
    assert_eq!(overrule(&["--stdin"], "settled: [fire]"), "2099-01-01T00:00:00.001Z");
    assert_eq!(overrule(&["--ask", "why"], ""), "2099-01-01T00:00:00.001Z");
}

#[test]
fn what_says_nothing_is_not_recorded() {
    let sandbox = Sandbox::plain();
    sandbox.run(&["record", "--now", ""]).exits(2).says("nothing to record");
    sandbox.run(&["record", "--decide", "k=1", "--decide", "k=2"]).exits(2).says("`k` is given twice");
    assert!(sandbox.files().is_empty());
}

#[test]
fn a_ledger_outside_the_work_tree_knows_who_writes() {
    let sandbox = Sandbox::repo();
    sandbox.commit("start");
    sandbox.git(&["worktree", "add", "-q", "../other/repo", "-b", "feat/x"]);
    let shared = sandbox.beside("shared");
    std::fs::create_dir_all(&shared).unwrap();
    let linked = sandbox.beside("other/repo");
    let record = |cwd: &std::path::Path| {
        let ended = run(&mut headwater(cwd, &["record", "--now", "x", "--dir", shared.to_str().unwrap()])).exits(0);
        let written = std::fs::read_to_string(ended.stdout.trim_end()).unwrap();
        [field(&written, "agent"), field(&written, "branch")].map(|value| value.map(ToOwned::to_owned))
    };
    assert_eq!(record(&sandbox.root), [Some("repo".to_owned()), Some("main".to_owned())]);
    // Two work trees of a repository are two agents.
    assert_eq!(record(&linked), [Some("repo-worktree".to_owned()), Some("feat/x".to_owned())]);
}

//! The command line: what runs, what it prints where, and how it ends.

use crate::sandbox::{Sandbox, event, files_below, headwater, program, run, undated};
use std::process::Stdio;

/// A ledger with two agents, a question, a decision and a bad file.
pub(crate) fn ledger() -> Sandbox {
    let sandbox = Sandbox::plain();
    let body = "goal: ship\nnow: one\ndecisions: {db: sqlite}\nopen_questions: [why?, when?]\ncheckpoints: [{phase: 1, status: done}]";
    sandbox.put(
        "events/a.md",
        format!("---\nts: 2026-01-10T13:00:00Z\nagent: toast\nbranch: feat/x\ntype: note\n---\n{body}\n"),
    );
    sandbox.put(
        "events/b.md",
        event("2026-01-11T13:00:00Z", "jam", "now: two\ndecisions: {db: postgres}\nresolved_questions: [when?]"),
    );
    sandbox.put("archive/2026-01-01/c.md", event("2026-01-01T13:00:00Z", "old", "now: zero"));
    sandbox
}

#[test]
fn without_a_command_it_is_synth() {
    let sandbox = ledger();
    let expected = sandbox.fresh();
    sandbox.run(&[]).exits(0);
    assert_eq!(sandbox.view(), expected);
    std::fs::remove_file(sandbox.dir.join("current.md")).unwrap();
    sandbox.run(&["--no-confirm"]).exits(0);
    assert_eq!(sandbox.view(), expected);
    sandbox.run(&["--dry-run", "show"]).exits(2).says("headwater synth");
}

#[test]
fn the_name_that_scripts_call() {
    let sandbox = ledger();
    let expected = sandbox.fresh();
    let mut command = program(env!("CARGO_BIN_EXE_cc-synthesize"), &sandbox.root);
    run(command.args(["--no-confirm", "--dir", "."])).exits(0);
    assert_eq!(sandbox.view(), expected);
    let mut command = program(env!("CARGO_BIN_EXE_cc-synthesize"), &sandbox.root);
    run(command.args(["--input", "events/*.md", "--output", "-", "--dir", "."])).exits(0);
}

#[test]
fn usage_errors_are_two() {
    let sandbox = ledger();
    for args in [
        &["nonsense"][..],
        &["synth", "--nonsense"],
        &["synth", "--check", "--commit"],
        &["why"],
        &["--format", "xml"],
        &["synth", "--rev", "HEAD"],
    ] {
        sandbox.run(args).exits(2);
    }
    for args in [&["--help"][..], &["--version"], &["synth", "--help"], &["config", "--help"]] {
        assert!(!sandbox.run(args).exits(0).stdout.is_empty());
    }
}

#[test]
fn without_a_ledger_it_says_how_to_begin() {
    let nowhere = Sandbox::repo();
    std::fs::remove_dir_all(nowhere.root.join("thoughts")).unwrap();
    for args in [&["synth", "--check"][..], &["show"], &["synth", "--no-confirm"], &["archive"]] {
        nowhere.run(args).exits(2).says("headwater record");
    }
    assert!(!nowhere.root.join("thoughts").exists());
}

#[test]
fn a_folder_that_is_no_ledger_stays_as_it_is() {
    let sandbox = Sandbox::plain();
    std::fs::remove_dir(sandbox.dir.join("events")).unwrap();
    for args in [&["synth", "--no-confirm"][..], &["archive"], &["show"]] {
        sandbox.run(args).exits(2).says("headwater record");
        assert_eq!(std::fs::read_dir(&sandbox.dir).unwrap().count(), 0, "{args:?}");
    }
}

#[test]
fn the_ledger_is_the_first_that_is_named() {
    let sandbox = Sandbox::repo();
    for (name, now) in [("opt", "by option"), ("env", "by environment"), ("conf", "by configuration")] {
        let path = sandbox.root.join(name).join("events/a.md");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, event("2026-01-10T13:00:00Z", "a", &format!("now: {now}"))).unwrap();
    }
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "a", "now: by default"));
    let shows = |args: &[&str], variable: &str, expected: &str| {
        let mut command = headwater(&sandbox.root, &[&["show"], args].concat());
        let shown = run(command.env("HEADWATER_DIR", variable)).exits(0).stdout;
        assert!(shown.contains(expected), "{expected}: {shown}");
    };
    shows(&[], "", "by default");
    std::fs::write(sandbox.root.join(".headwater.yaml"), "ledger: conf\n").unwrap();
    shows(&[], "", "by configuration");
    shows(&[], "env", "by environment");
    shows(&["--dir", "opt"], "env", "by option");
    std::fs::write(sandbox.root.join(".headwater.yaml"), "ledger: [conf, opt]\n").unwrap();
    shows(&[], "", "by option");
    sandbox.run(&["record", "--now", "x"]).exits(2).says("--dir");
}

#[test]
fn a_choice_of_events() {
    let sandbox = ledger();
    let whole = sandbox.fresh();
    sandbox.run(&["synth", "--no-confirm", "--input", "events/*.md"]).exits(0);
    assert_eq!(sandbox.view(), whole, "exactly the live events are the normal run");
    let chosen = sandbox.run(&["synth", "--input", "events/a.md"]).exits(0).stdout;
    assert!(chosen.contains("**Now:** one (toast, 2026-01-10)") && chosen.contains("event_count: 1"), "{chosen}");
    let old = sandbox.run(&["synth", "--input", "archive/*/*.md", "--output", "old.md"]).exits(0);
    assert_eq!(old.stdout, "");
    assert!(std::fs::read_to_string(sandbox.root.join("old.md")).unwrap().contains("**Now:** zero (old, 2026-01-01)"));
    for view in ["current.md", "./current.md", "events/../current.md"] {
        sandbox.run(&["synth", "--input", "events/a.md", "--output", view]).exits(2);
    }
    for with in ["--archive", "--commit"] {
        sandbox.run(&["synth", "--input", "events/a.md", with]).exits(2);
    }
    sandbox.run(&["synth", "--input", "nothing*.md"]).exits(2).says("nothing*.md");
    assert_eq!(sandbox.view(), whole);
}

#[test]
fn another_output() {
    let sandbox = ledger();
    let view = sandbox.fresh();
    assert!(!sandbox.dir.join("current.md").exists());
    sandbox.run(&["synth", "--output", "copy.md"]).exits(0);
    assert_eq!(std::fs::read_to_string(sandbox.root.join("copy.md")).unwrap(), view);
    assert!(!sandbox.dir.join("current.md").exists());
    std::fs::write(sandbox.root.join("notes.md"), "mine\n").unwrap();
    sandbox.run(&["synth", "--output", "notes.md"]).exits(2);
    assert_eq!(std::fs::read_to_string(sandbox.root.join("notes.md")).unwrap(), "mine\n");
    let before = sandbox.files();
    sandbox.run(&["synth", "--output", "events/x.md"]).exits(2);
    sandbox.run(&["synth", "--output", "nowhere/x.md"]).exits(2);
    assert_eq!(sandbox.files(), before);
}

#[test]
fn a_dry_run_and_a_strict_one() {
    let sandbox = ledger();
    let before = sandbox.files();
    let ended = sandbox.run(&["synth", "--dry-run"]).exits(0);
    assert!(
        ended.stdout.contains("would be written") && ended.stdout.contains("3 events from 3 agents"),
        "{}",
        ended.stdout
    );
    assert_eq!(sandbox.files(), before);
    assert!(!sandbox.dir.join(".synth.lock").exists());
    sandbox.run(&["synth", "--no-confirm", "--strict"]).exits(0);
    assert!(sandbox.run(&["synth", "--dry-run"]).exits(0).stdout.contains("is up to date"));
    sandbox.put("events/bad.md", "x\n");
    sandbox.run(&["synth", "--no-confirm", "--strict"]).exits(1);
    sandbox.run(&["synth", "--dry-run", "--strict"]).exits(1);
    sandbox.run(&["synth", "--output", "-", "--strict"]).exits(1);
    sandbox.run(&["synth", "--no-confirm"]).exits(0);
}

#[test]
fn quiet_keeps_results_and_warnings() {
    let sandbox = ledger();
    sandbox.synth();
    assert_eq!(sandbox.run(&["synth", "--check", "--quiet"]).exits(0).stderr, "");
    sandbox.put("events/bad.md", "x\n");
    sandbox.run(&["synth", "--check", "-q"]).exits(1).says("no-frontmatter").says("stale");
}

#[test]
fn nobody_reads_the_output() {
    let sandbox = ledger();
    for number in 0..3_000 {
        sandbox.put(
            &format!("events/{number}.md"),
            event("2026-01-12T13:00:00Z", "many", &format!("this_session: [work {number}]")),
        );
    }
    for args in [&["synth", "--output", "-"][..], &["show"], &["log"], &["show", "--format", "json"], &["man"]] {
        let mut child = sandbox.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), String::from_utf8(output.stderr).unwrap()),
            (Some(0), String::new()),
            "{args:?}"
        );
    }
}

#[test]
fn reports_for_programs() {
    let sandbox = ledger();
    sandbox.put("events/bad.md", "x\n");
    for (args, schema) in [
        (&["synth", "--no-confirm"][..], "headwater.synth/1"),
        (&["synth", "--check"], "headwater.check/1"),
        (&["show"], "headwater.show/1"),
        (&["log"], "headwater.log/1"),
        (&["why", "now"], "headwater.why/1"),
        (&["status"], "headwater.status/1"),
        (&["config"], "headwater.config/1"),
        (&["archive", "--dry-run"], "headwater.archive/1"),
        (&["record", "--now", "x"], "headwater.record/1"),
    ] {
        let report = sandbox.run(&[args, &["--format", "json"]].concat()).exits(0).json();
        assert_eq!(report["schema"], schema, "{args:?}");
    }
    let lint = sandbox.run(&["lint", "--format", "json"]).exits(1).json();
    assert_eq!([&lint["schema"], &lint["findings"][0]["code"]], ["headwater.lint/1", "no-frontmatter"]);
}

/// Whether a terminal or a reader could be fooled by a character.
fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(unix)]
#[test]
fn fault_32_nothing_unsafe_reaches_a_terminal() {
    use std::os::unix::ffi::OsStringExt as _;
    let sandbox = Sandbox::plain();
    let evil = r#""\e[2J\a\u202e\u200b\u2066\U000e0041\ufeff\x9b31m\0\r\t\u2028x""#;
    let mut body = String::new();
    for section in ["goal", "now"] {
        body += &format!("{section}: {evil}\n");
    }
    body += &format!("{evil}: [{evil}]\ndecisions: {{{evil}: {evil}}}\nopen_questions: [{evil}]\n");
    body += &format!("checkpoints: [{{phase: {evil}, status: {evil}, {evil}: {evil}}}]\nthis_session: [{evil}]\n");
    let front = format!(
        "---\nts: 2026-01-10T13:00:00Z\nagent: \"\\u202e\\u200bx\"\nbranch: {evil}\ntype: {evil}\nreason: {evil}\n---\n"
    );
    sandbox.put("events/evil.md", format!("{front}{body}"));
    let raw = "\u{1b}[2J\u{202e}\u{200b}\u{9b}";
    sandbox.put("events/key.md", event("2026-01-10T13:00:00Z", "x", &format!("{evil}: 1\n{evil}: 2")));
    sandbox.put("events/ts.md", event(evil, "x", ""));
    sandbox.put("events/raw.md", event("2026-01-10T13:00:00Z", raw, &format!("a: {raw}\nb: {raw}")));
    sandbox.put(&format!("events/{raw}.md"), raw);
    sandbox.put(&format!("events/{raw}good.md"), event("2026-01-10T13:00:00Z", "x", "now: y"));
    let name = std::ffi::OsString::from_vec(b"\xff\x1b.md".to_vec());
    std::fs::write(sandbox.dir.join("events").join(name), "x").unwrap();
    let (odd_dir, odd_config) = (format!("no{raw}where"), sandbox.beside(&format!("{raw}.yaml")));
    std::fs::write(&odd_config, format!("sections: [{{name: {raw:?}}}]\n{raw}")).unwrap();
    let commands: &[&[&str]] = &[
        &["synth", "--check"],
        &["synth", "--dry-run"],
        &["synth", "--no-confirm"],
        &["synth", "--check"],
        &["synth", "--output", "-"],
        &["show"],
        &["log"],
        &["status"],
        &["lint"],
        &["config"],
        &["why", "goal"],
        &["why", "decisions"],
        &["why", "checkpoints"],
        &["why", "open_questions"],
        &["why", raw],
        &["why", "now", raw],
        &["record", "--agent", raw, "--now", "x"],
        &["record", "--answer", raw],
        &["record", "--undecide", raw],
        &["record", "--decide", raw],
        &["record", "--now", raw, "--did", raw],
        &["synth", "--input", raw],
        &["synth", "--output", &format!("{raw}/x")],
        &["lint", &format!("events/{raw}.md")],
        &["lint", raw],
        &["archive", "--older-than", raw],
        &["archive", "--older-than", "0h", "--dry-run"],
        &["archive", "--older-than", "0h"],
        &["log", "--since", raw],
        &["show", "--config", odd_config.to_str().unwrap()],
        &["synth", "--check", "--rev", raw],
    ];
    for args in commands {
        for format in ["text", "json"] {
            let args = [args, &["--format", format][..]].concat();
            for ended in
                [sandbox.run(&args), run(&mut headwater(&sandbox.root, &[&args[..], &["--dir", &odd_dir]].concat()))]
            {
                for (stream, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
                    let found = text.chars().find(|c| is_unsafe(*c));
                    assert_eq!(found, None, "{args:?} on {stream}: {text:?}");
                }
            }
        }
    }
    assert!(!sandbox.view().chars().any(is_unsafe));
}

#[test]
fn configuration_errors_have_a_place() {
    let sandbox = Sandbox::repo();
    let file = sandbox.root.join(".headwater.yaml");
    for (text, place) in [
        ("view: x\n", ": line 1 column 7: "),
        ("view: branch\nledger: {}\n", ": line 2 column 1: "),
        ("view: branch\nview: branch\n", ": line 2 column 1: duplicate"),
        ("view: branch\narchive:\n  after: soon\n", ": line 3 column 3: "),
        ("sections:\n- name: Now\n", ": line 2 column 3: "),
        ("sections:\n- name: type\n", ": line 2 column 3: sections[0]: `type` is a key"),
        ("view: branch\nledger: ../out\n", ": line 2 column 9: `ledger`: `../out`"),
        ("ledger: [a, a/events]\n", ": line 1 column 13: `ledger`: `a/events`"),
        ("sections:\n- {name: a}\n- {name: a}\n", ": line 3 column 4: `sections`: `a`"),
        ("view: branch\n---\nview: branch\n", ": line 2 column 1: "),
        ("- a\n", ": line 1 column 1: invalid type: sequence, expected a mapping of keys"),
        ("view: [", "line"),
    ] {
        std::fs::write(&file, text).unwrap();
        sandbox.run(&["synth", "--no-confirm"]).exits(2).says(".headwater.yaml").says(place);
    }
    assert!(!sandbox.dir.join("current.md").exists());
    sandbox.run(&["show", "--config", "missing.yaml"]).exits(2).says("missing.yaml");
    std::fs::write(&file, "# nothing\n").unwrap();
    sandbox.run(&["synth", "--no-confirm"]).exits(0);
}

#[test]
fn the_configuration_in_force() {
    let sandbox = Sandbox::repo();
    let text = sandbox.run(&["config"]).exits(0).stdout;
    for name in ["goal", "now", "this_session", "decisions", "checkpoints", "open_questions", "resolved_questions"] {
        assert!(text.contains(name), "{name} in {text}");
    }
    std::fs::write(sandbox.root.join(".headwater.yaml"), &text).unwrap();
    let again = sandbox.run(&["config"]).exits(0).stdout;
    let below = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(below(&again), below(&text), "what is printed can be put into the file");
}

#[test]
fn completions_and_manual() {
    let sandbox = Sandbox::plain();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(sandbox.run(&["completions", shell]).exits(0).stdout.contains("headwater"));
    }
    let top = sandbox.run(&["man"]).exits(0).stdout;
    let commands = top.split_once(".SH SUBCOMMANDS").unwrap().1;
    assert!(top.contains(".TH headwater 1") && commands.contains("headwater man"), "{top}");
    let page = sandbox.run(&["man", "record"]).exits(0).stdout;
    for part in [".TH headwater-record", "headwater record", "\\-\\-overrule", "\\-\\-checkpoint", "\\-\\-dir"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    for name in commands.lines().filter_map(|line| line.strip_prefix("headwater\\-")?.strip_suffix("(1)")) {
        assert!(sandbox.run(&["man", name]).exits(0).stdout.contains(".SH OPTIONS"), "{name}");
    }
    sandbox.run(&["man", "nonsense"]).exits(2).says("no command `nonsense`").says("headwater --help");
}

#[test]
fn a_subfolder_finds_the_ledger_of_its_work_tree() {
    let sandbox = Sandbox::repo();
    let below = sandbox.root.join("src/deep");
    std::fs::create_dir_all(&below).unwrap();
    run(&mut headwater(&below, &["record", "--agent", "a", "--now", "x"])).exits(0);
    run(&mut headwater(&below, &["synth", "--no-confirm"])).exits(0);
    assert!(undated(&sandbox.view()).contains("**Now:** x (a)"));
    run(&mut headwater(&below, &["synth", "--check"])).exits(0);
    run(&mut headwater(&below, &["synth", "--check", "--dir", "../../thoughts/shared/handoffs"])).exits(0);
    run(&mut headwater(&below, &["synth", "--no-confirm", "--commit"])).exits(0).says("committed 3 files");
    run(&mut headwater(&below, &["synth", "--check", "--rev", "HEAD"])).exits(0);
    assert_eq!(std::fs::read_dir(&below).unwrap().count(), 0);
}

/// A reader that goes away ends neither the work nor what was found.
#[test]
fn nobody_reads_the_output_and_the_work_goes_on() {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "ledger: [one, two]\n").unwrap();
    for ledger in ["one", "two"] {
        std::fs::create_dir_all(sandbox.root.join(ledger).join("events")).unwrap();
        std::fs::write(sandbox.root.join(ledger).join("events/a.md"), event("2026-01-12T13:00:00Z", "a", "now: x"))
            .unwrap();
    }
    let unheard = |args: &[&str]| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        sandbox.command(args).stdout(writer).stderr(Stdio::null()).status().unwrap().code()
    };
    assert_eq!(unheard(&["synth", "--check"]), Some(1));
    assert_eq!(unheard(&["synth", "--no-confirm", "--archive", "--commit"]), Some(0));
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "?? .headwater.yaml\n?? one/.synth.lock\n?? two/.synth.lock");
    std::fs::write(sandbox.root.join("two/events/bad.md"), "x\n").unwrap();
    assert_eq!(unheard(&["lint"]), Some(1));
}

#[cfg(unix)]
#[test]
fn a_ledger_that_is_a_link_out_of_the_work_tree() {
    let sandbox = Sandbox::repo();
    let outside = sandbox.beside("outside");
    std::fs::create_dir_all(outside.join("events")).unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.root.join("link")).unwrap();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "ledger: link\n").unwrap();
    for args in [&["record", "--now", "x"][..], &["synth", "--no-confirm"], &["show"]] {
        sandbox.run(args).exits(2).says("`link` is a symbolic link");
    }
    assert!(files_below(&outside).is_empty());
}

#[test]
fn inside_a_git_folder_there_is_no_ledger() {
    let sandbox = Sandbox::repo();
    run(&mut headwater(&sandbox.root.join(".git"), &["record", "--now", "x"])).exits(2).says("work tree");
    assert!(!sandbox.root.join(".git/thoughts").exists());
}

#[test]
fn a_dry_run_says_what_the_run_would_do() {
    let sandbox = ledger();
    for args in [
        &["synth", "--dry-run", "--output", "out.md"][..],
        &["--dry-run", "--output", "out.md", "--input", "events/a*"],
    ] {
        sandbox.run(args).exits(0);
        assert!(!sandbox.root.join("out.md").exists());
    }
    sandbox.run(&["synth", "--no-confirm", "--throttle", "x", "--commit"]).exits(2).says("--throttle");
    assert!(!sandbox.dir.join("current.md").exists());

    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "view: default-branch\n").unwrap();
    sandbox.commit("start");
    sandbox.git(&["checkout", "-q", "-b", "side"]);
    sandbox.put("events/a.md", event("2026-01-12T13:00:00Z", "a", "now: x"));
    let ended = sandbox.run(&["synth", "--dry-run", "--commit"]).exits(0).says("would be committed");
    assert!(ended.stdout.contains("is left as it is"), "{}", ended.stdout);
}

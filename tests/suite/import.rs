//! Legacy documents become events.

use crate::sandbox::{Sandbox, sha256};

#[test]
fn times_are_the_instants_that_were_meant() {
    let sandbox = Sandbox::plain();
    for (name, text, ts) in [
        ("offset.yaml", "date: 2026-01-10 08:15:30+02:00\nnow: a\n", "2026-01-10T06-15-30Z_import"),
        ("2026-01-10T08-15-30Z_toast.yaml", "now: b\n", "2026-01-10T08-15-30Z_toast"),
        ("2026-01-10T08-15-31Z_toast.yaml", "now: c\nsession: jam\n", "2026-01-10T08-15-31Z_jam"),
    ] {
        let file = sandbox.put(name, text);
        let path = sandbox.run(&["import", file.to_str().unwrap()]).exits(0).stdout;
        // No two branches that import give two events one name.
        let id = &sha256(&std::fs::read_to_string(path.trim_end()).unwrap())[..12];
        assert!(path.trim_end().ends_with(&format!("/{ts}_{id}.md")), "{name}: {path}");
    }
    sandbox.put("evening.yaml", "date: 2026-01-10 08:15 PM\nnow: a\n");
    sandbox.run(&["import", "evening.yaml"]).exits(0).says("not imported: `date`: `PM`");
}

#[test]
fn a_key_that_stands_twice_is_said() {
    let sandbox = Sandbox::plain();
    sandbox.put("a.yaml", "date: 2026-01-10\ndecisions: [{d1: why}, {d1: again}]\n");
    sandbox.run(&["import", "a.yaml"]).exits(0).says("not imported: `decisions`: a second `d1`: again");
    assert!(sandbox.run(&["show"]).exits(0).stdout.contains("d1: why (import)"));
}

#[test]
fn a_bad_agent_is_an_error() {
    let sandbox = Sandbox::plain();
    sandbox.put("a.yaml", "date: 2026-01-10\nnow: x\n");
    sandbox.put("b.yaml", "date: 2026-01-10\nagent: \"a\\tb\"\nnow: x\n");
    for agent in ["", " ", "a\nb"] {
        sandbox.run(&["import", "--agent", agent, "a.yaml"]).exits(2).says("no name of an agent");
    }
    sandbox.run(&["import", "a.yaml", "b.yaml"]).exits(2).says("b.yaml: ").says("--agent");
    assert_eq!(std::fs::read_dir(sandbox.dir.join("events")).unwrap().count(), 0);
    sandbox.run(&["import", "--agent", "toast", "b.yaml"]).exits(0);
}

#[test]
fn the_same_document_is_one_event() {
    let sandbox = Sandbox::plain();
    sandbox.put("a.yaml", "date: 2026-01-10\nnow: x\n");
    let ended = sandbox.run(&["import", "a.yaml", "a.yaml"]).exits(0).says("a.yaml: imported already");
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
    assert!(sandbox.run(&["log"]).exits(0).stdout.lines().count() == 1);
}

#[test]
fn a_report_for_programs() {
    let sandbox = Sandbox::plain();
    sandbox.put("a.yaml", "date: 2026-01-10\nnow: x\ncolour: blue\n");
    let report = sandbox.run(&["import", "--format", "json", "a.yaml", "a.yaml"]).exits(0).json();
    assert_eq!(report["schema"], "headwater.import/1");
    let [first, second] = report["files"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert!(first["event"].as_str().unwrap().contains("events/2026-01-10T00-00-00Z_import_"), "{report}");
    assert_eq!([&first["file"], &first["reason"]], [&serde_json::json!("a.yaml"), &serde_json::Value::Null]);
    assert_eq!(first["unplaced"], serde_json::json!(["`colour`: blue"]));
    assert_eq!(
        [&second["event"], &second["reason"]],
        [&serde_json::Value::Null, &serde_json::json!("imported already")]
    );
}

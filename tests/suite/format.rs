//! The format's second form, through the program: what it reads, what it shows, what it takes for its own.

use crate::sandbox::{FIRST_LINE, Sandbox, event};

const TS: &str = "2026-01-10T13:00:00Z";

fn view_of(body: &str) -> String {
    let sandbox = Sandbox::plain();
    sandbox.put("events/a.md", event(TS, "a", body));
    sandbox.synth()
}

/// Everything of a view from its first section to its footer.
fn sections(view: &str) -> &str {
    let (_, after) = view.split_once("## Ledger\n\n").unwrap();
    after.split_once("\n---\n_synthesized:").unwrap().0
}

#[test]
fn case_f4_a_comment_in_fenced_code_is_no_heading() {
    let body = "## This Session\n\n- wrote the script\n\n```sh\n# Now\n- make all\n```\n\n- ran it\n";
    let expected = "### This Session\n\n- **2026-01-10 a**\n  - wrote the script\n  - ran it\n";
    assert_eq!(sections(&view_of(body)), expected);
    // Neither is it in what is imported.
    let sandbox = Sandbox::plain();
    let legacy = format!("---\ndate: {TS}\nagent: a\n---\n## Ledger\n\n{}", body.replace("## This", "### This"));
    sandbox.put("old.md", legacy);
    let ended = sandbox.run(&["import", "old.md"]).exits(0);
    assert!(format!("{}{}", ended.stdout, ended.stderr).contains("4 lines of fenced code"), "{ended:?}");
    assert_eq!(sections(&sandbox.synth()), expected);
}

#[test]
fn a_body_of_sections_in_yaml_stays_yaml_whatever_it_quotes() {
    let body = "now: |\n  see\n# Goal\ngoal: ship";
    assert_eq!(sections(&view_of(body)), "**Goal:** ship (a, 2026-01-10)\n\n**Now:** see (a, 2026-01-10)\n");
}

#[test]
fn a_key_that_is_written_twice_alike_is_written_once() {
    let same = "decisions: [{k: v}, {' k': v}]\nanswers: {q: ~, 'q ': null}";
    assert_eq!(sections(&view_of(same)), "### Decisions\n\n- **k:** v (a, 2026-01-10)\n");
    assert!(view_of("decisions: [{k: v}, {k: w}]").contains("- `a.md`: duplicate-key\n"));
}

#[test]
fn a_conflict_in_a_file_of_others_is_left_alone() {
    let sandbox = Sandbox::plain();
    sandbox.put("events/a.md", event(TS, "a", "now: x"));
    let view = sandbox.synth();
    let foreign = "<<<<<<< HEAD\n# Notes\n=======\n# Other notes\n>>>>>>> side\n";
    sandbox.put("current.md", foreign);
    sandbox.run(&["synth", "--no-confirm"]).exits(2).says("current.md");
    assert_eq!(sandbox.view(), foreign);
    let ours = format!("<<<<<<< HEAD\n{FIRST_LINE}\n=======\n{FIRST_LINE}\n>>>>>>> side\n");
    sandbox.put("current.md", ours);
    sandbox.run(&["synth", "--no-confirm"]).exits(0);
    assert_eq!(sandbox.view(), view);
}

#[test]
fn an_entry_of_a_pack_that_a_configuration_makes_bad_is_a_row_of_its_own() {
    let sandbox = Sandbox::plain();
    sandbox.put("events/a.md", event(TS, "a", "extra: text\nnow: x"));
    sandbox.put("events/b.md", event(TS, "b", "goal: y"));
    sandbox.run(&["archive", "--older-than", "1d", "--pack-older-than", "1d"]).exits(0);
    let files = sandbox.files();
    let pack = files.keys().find(|name| name.contains("/pack-")).unwrap();
    sandbox.put("config.yaml", "sections: [{name: extra, merge: map}]\n");
    let config = sandbox.dir.join("config.yaml");
    let config = config.to_str().unwrap();
    sandbox.run(&["synth", "--no-confirm", "--config", config]).exits(0);
    let expected = format!("**Goal:** y (b, 2026-01-10)\n\n### Unreadable Events\n\n- `{pack}/a.md`: bad-section\n");
    assert_eq!(sections(&sandbox.view()), expected);
    let lint = sandbox.run(&["lint", "--config", config]).exits(1).stdout;
    assert!(lint.contains(&format!("{pack}/a.md:5:")), "{lint}");
}

#[test]
fn a_set_is_grouped_where_the_configuration_says_so() {
    let sandbox = Sandbox::plain();
    sandbox.put("events/a.md", event(TS, "a", "this_session: [x]\nnext: [y]\ndecisions: {old: z}"));
    sandbox.put("events/b.md", event("2026-01-12T13:00:00Z", "a", "next: [z]\ndecisions: {new: z}"));
    sandbox.put(
        "config.yaml",
        "sections: [{name: this_session, grouped: false}, {name: next, grouped: true, show: 1d}, {name: decisions, show: 1d}]\n",
    );
    let config = sandbox.dir.join("config.yaml");
    sandbox.run(&["synth", "--no-confirm", "--config", config.to_str().unwrap()]).exits(0);
    let expected = "### Decisions\n\n- … 1 earlier\n- **new:** z (a, 2026-01-12)\n\n### This Session\n\n- x (a, 2026-01-10)\n\n### Next\n\n- … 1 earlier\n- **2026-01-12 a**\n  - z\n";
    assert_eq!(sections(&sandbox.view()), expected);
    let shown = sandbox.run(&["show", "--config", config.to_str().unwrap()]).exits(0).stdout;
    assert!(shown.contains("… 1 earlier"), "{shown}");
    let config = sandbox.run(&["config", "--config", config.to_str().unwrap()]).exits(0).stdout;
    assert_eq!((config.matches("grouped: true").count(), config.matches("grouped: false").count()), (1, 2), "{config}");
}

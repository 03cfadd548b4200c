//! Packs that a branch or a disk damaged: each is one row, and stops nothing else (FORMAT §7).

use crate::agent::{Agent, events};
use crate::sandbox::{Sandbox, event, headwater, run, sha256};

const DAY: &str = "archive/2026-01-01";

/// Puts a pack that is named for its bytes.
fn put_pack(sandbox: &Sandbox, pack: &str) -> String {
    let name = format!("{DAY}/pack-{}.yaml", &sha256(pack)[..16]);
    sandbox.put(&name, pack);
    name
}

fn packed(name: &str, text: &str) -> String {
    format!("- name: {name:?}\n  text: {text:?}\n")
}

/// A megabyte that aliases make gigabytes of.
fn bomb() -> String {
    format!("- &a {{name: a.md, text: \"{}\\n\"}}\n{}", "x".repeat(1_000_000), "- *a\n".repeat(20_000))
}

#[test]
#[cfg(unix)]
fn bad_pack_is_one_row_and_stops_nothing() {
    let sandbox = Sandbox::repo();
    sandbox.put("events/old.md", event("2026-01-01T08:00:00Z", "old", "now: archived soon"));
    sandbox.put("events/a.md", event("2026-01-10T08:00:00Z", "toast", "now: alive"));
    sandbox.commit("first");
    let good = event("2026-01-01T09:00:00Z", "packed", "decisions: {db: SQLite}");
    let mut rows = vec![put_pack(&sandbox, &bomb())];
    // Cut, a link that leads out, a name that no pack has, a directory, and an entry over 1 MiB.
    rows.push(format!("{DAY}/pack-0123456789abcdef.yaml"));
    sandbox.put(&rows[1], packed("x.md", &good));
    let outside = sandbox.beside("outside.yaml");
    std::fs::write(&outside, packed("x.md", &good)).unwrap();
    rows.push(format!("{DAY}/pack-{}.yaml", &sha256(&packed("x.md", &good))[..16]));
    std::os::unix::fs::symlink(&outside, sandbox.dir.join(&rows[2])).unwrap();
    rows.push(format!("{DAY}/pack-.yaml"));
    sandbox.put(&rows[3], "[]");
    rows.push(format!("{DAY}/pack-dir.yaml"));
    sandbox.put(&format!("{}/x", rows[4]), "");
    rows.push(put_pack(&sandbox, &packed("x.md", &format!("{}\n", "x".repeat(1 << 20)))));
    // Good ones next to them, one of them empty.
    put_pack(&sandbox, &packed("good.md", &good));
    put_pack(&sandbox, "[]\n");
    rows.sort();

    let view = sandbox.synth();
    for row in &rows {
        assert!(view.contains(&format!("- `{row}`: bad-pack\n")), "{view}");
    }
    assert_eq!(view.matches("bad-pack").count(), rows.len(), "{view}");
    assert!(view.contains("alive") && view.contains("SQLite") && view.contains("event_count: 3"), "{view}");
    sandbox.run(&["synth", "--check"]).exits(0);
    sandbox.run(&["synth", "--check", "--strict"]).exits(1).says("bad-pack");
    assert!(sandbox.run(&["show"]).exits(0).stdout.contains("SQLite"));
    sandbox.run(&["lint"]).exits(1);
    sandbox.run(&["log"]).exits(0);
    sandbox.run(&["why", "decisions", "db"]).exits(0);
    sandbox.run(&["record", "--did", "went on"]).exits(0);
    sandbox.run(&["feed", "list"]);
    let agent = Agent::new("s", &sandbox.root);
    assert!(agent.start().contains("SQLite"));
    agent.commit("new");
    agent.hook("session-end", ", \"reason\": \"logout\"");
    assert!(events(&sandbox.root).iter().any(|text| text.contains("Add new")));
    sandbox.run(&["archive", "--older-than", "30d", "--pack-older-than", "30d", "--force"]).exits(0);
    assert!(sandbox.synth().contains("SQLite") && sandbox.dir.join(&rows[0]).exists());
}

#[test]
fn bad_pack_in_git_is_one_row_at_every_revision() {
    let sandbox = Sandbox::repo();
    sandbox.put("events/a.md", event("2026-01-10T08:00:00Z", "toast", "now: alive"));
    let row = put_pack(&sandbox, &bomb());
    sandbox.synth();
    sandbox.commit("first");
    sandbox.git(&["switch", "-q", "-c", "other"]);
    sandbox.put("events/b.md", event("2026-01-11T08:00:00Z", "waffle", "goal: ship"));
    sandbox.synth();
    sandbox.commit("second");
    let args = ["synth", "--check", "--rev", "other", "--base", "main"];
    sandbox.run(&args).exits(0).says(&row);
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.put("events/c.md", event("2026-01-12T08:00:00Z", "bagel", "decisions: {db: SQLite}"));
    sandbox.synth();
    sandbox.commit("third");
    let driver = format!("{} merge-driver %O %A %B %P %S %X %Y", env!("CARGO_BIN_EXE_headwater"));
    sandbox.git(&["config", "merge.headwater.driver", &driver]);
    std::fs::write(sandbox.root.join(".git/info/attributes"), "current.md merge=headwater\n").unwrap();
    sandbox.git(&["merge", "-q", "--no-edit", "other"]);
    let view = sandbox.view();
    assert!(view.contains(&format!("- `{row}`: bad-pack\n")) && view.contains("ship"), "{view}");
    assert!(view.contains("SQLite") && view == sandbox.fresh(), "{view}");
    // A sparse checkout reads the archive from the index.
    sandbox.git(&["sparse-checkout", "set", "--no-cone", "/*", "!archive/"]);
    assert_eq!(sandbox.fresh(), view);
}

#[test]
fn unreadable_entry_is_a_row_of_its_own() {
    let sandbox = Sandbox::plain();
    let (one, two) = ("---\nno front matter\n".to_owned(), event("2026-01-01T09:00:00Z", "a", "risks: {x: y}"));
    let mut texts = [one, two, "no event\n".to_owned()];
    texts.sort_by_key(|text| sha256(text));
    let pack = texts.iter().map(|text| packed("same.md", text)).collect::<String>();
    let name = put_pack(&sandbox, &pack);
    let view = sandbox.synth();
    assert_eq!(view.matches(&format!("- `{name}/same.md`: no-frontmatter\n")).count(), 2, "{view}");
    assert!(view.contains("event_count: 1"), "{view}");
    // What a configuration makes of an entry is a matter of that entry.
    std::fs::write(sandbox.root.join(".headwater.yaml"), "sections:\n- {name: risks, title: Risks, merge: register}\n")
        .unwrap();
    let mut command =
        headwater(&sandbox.root, &["synth", "--output", "-", "--config", ".headwater.yaml", "--dir", "."]);
    assert!(run(&mut command).exits(0).stdout.contains("x: y"));
    std::fs::write(sandbox.root.join(".headwater.yaml"), "sections:\n- {name: risks, title: Risks, merge: map}\n")
        .unwrap();
    let listed = packed("same.md", &event("2026-01-02T09:00:00Z", "a", "risks: [text]"));
    let name = put_pack(&sandbox, &listed);
    let view = run(&mut command).exits(0).stdout;
    assert!(view.contains(&format!("- `{name}/same.md`: bad-section\n")), "{view}");
}

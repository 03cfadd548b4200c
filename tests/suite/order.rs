//! The same set of events gives the same bytes: under any name, in any folder, order and environment.

use crate::sandbox::{Sandbox, event, files_below, program, run};

/// Enough events for every core, with ties, near-copies and contested writes.
fn texts() -> Vec<String> {
    let text = |number: u32| {
        let body = format!(
            "now: step {number}\nthis_session: [work {}, \"İi ß {number}\"]\ndecisions: {{k{}: v{number}}}\ncheckpoints: [{{phase: {}, status: s}}]\nopen_questions: [q{number}]\nresolved_questions: [q{}]\nz{}: [x]",
            number % 9,
            number % 7,
            number % 5,
            number / 2,
            number % 3,
        );
        let ts =
            format!("2026-01-{:02}T10:00:00{}", 1 + number % 6, if number.is_multiple_of(2) { "Z" } else { "+14:00" });
        event(&ts, &format!("agent{}", number % 4), &body)
    };
    (0..120).map(text).collect()
}

fn put(sandbox: &Sandbox, place: impl Fn(usize) -> String, texts: &[String], backwards: bool) {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    if backwards {
        order.reverse();
    }
    for at in order {
        sandbox.put(&place(at), &texts[at]);
    }
}

#[test]
fn names_and_folders_mean_nothing() {
    let texts = texts();
    let first = Sandbox::plain();
    put(&first, |at| format!("events/{at:03}.md"), &texts, false);
    let view = first.synth();
    assert!(view.contains("event_count: 120") && view.contains("### Open Questions"), "{view}");
    let places: [fn(usize) -> String; 4] = [
        |at| format!("events/{:03}-é .md", 500 - at),
        |at| format!("archive/2026-01-{:02}/{at}.md", 1 + at % 28),
        |at| if at % 2 == 0 { format!("events/{at}.md") } else { format!("archive/2020-01-01/{at}.md") },
        |at| format!("archive/0000-99-99/-{at}.md"),
    ];
    for (number, place) in places.into_iter().enumerate() {
        let other = Sandbox::plain();
        put(&other, place, &texts, number % 2 == 0);
        assert_eq!(other.synth(), view, "layout {number}");
    }
}

#[test]
fn packs_mean_nothing() {
    let texts = texts();
    let sandbox = Sandbox::plain();
    put(&sandbox, |at| format!("events/{at:03}.md"), &texts, false);
    let view = sandbox.synth();
    sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h"]).exits(0);
    let files = sandbox.files();
    assert!(files.keys().any(|name| name.contains("/pack-")), "{:?}", files.keys());
    assert!(!files.keys().any(|name| name.ends_with(".md") && !name.ends_with("README.md") && name != "current.md"));
    assert_eq!(sandbox.fresh(), view);
    put(&sandbox, |at| format!("events/again{at}.md"), &texts[..60], true);
    assert_eq!(sandbox.fresh(), view);
}

#[cfg(unix)]
#[test]
fn the_environment_means_nothing() {
    let sandbox = Sandbox::plain();
    put(&sandbox, |at| format!("events/{at:03}.md"), &texts(), false);
    let view = sandbox.fresh();
    for (variables, umask) in [
        ([("LC_ALL", "tr_TR.UTF-8"), ("TZ", "Pacific/Kiritimati"), ("RAYON_NUM_THREADS", "1")], "077"),
        ([("LANG", "C"), ("TZ", "America/St_Johns"), ("RAYON_NUM_THREADS", "7")], "000"),
        ([("LC_ALL", "ja_JP.UTF-8"), ("TZ", ":bogus"), ("RAYON_NUM_THREADS", "3")], "027"),
    ] {
        let mut command = program("sh", &sandbox.root);
        let script = format!("umask {umask}; exec \"$0\" synth --no-confirm --dir .");
        run(command.envs(variables).args(["-c", &script, env!("CARGO_BIN_EXE_headwater")])).exits(0);
        assert_eq!(sandbox.view(), view, "{variables:?}");
        std::fs::remove_file(sandbox.dir.join("current.md")).unwrap();
    }
}

#[test]
fn a_bad_file_adds_one_line() {
    let sandbox = Sandbox::plain();
    put(&sandbox, |at| format!("events/{at:03}.md"), &texts(), false);
    let view = sandbox.synth();
    for (name, line) in [
        ("events/050x.md", "- `050x.md`: bad-yaml"),
        ("archive/2026-01-01/x.md", "- `archive/2026-01-01/x.md`: bad-yaml"),
    ] {
        let path = sandbox.put(name, event("2026-01-03T00:00:00Z", "a", "now: [x"));
        let section = format!("### Unreadable Events\n\n{line}\n\n---\n_synthesized:");
        assert_eq!(sandbox.synth(), view.replace("---\n_synthesized:", &section));
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn synthesis_touches_nothing_but_the_view() {
    let sandbox = Sandbox::plain();
    put(&sandbox, |at| format!("events/{at:03}.md"), &texts(), false);
    let before = files_below(&sandbox.dir.join("events"));
    sandbox.synth();
    assert_eq!(files_below(&sandbox.dir.join("events")), before);
}

//! Archiving and packing: the view never changes, and branches that archived apart merge.

use crate::sandbox::{Sandbox, event};
use std::collections::BTreeSet;

/// Events of 2020 and 2021, near copies of one another, in a repository that does not track the view.
fn repo() -> Sandbox {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".gitignore"), ".synth.lock\ncurrent.md\n").unwrap();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "view: untracked\n").unwrap();
    sandbox.put("events/README.md", "# Events\n");
    for number in 0..12 {
        sandbox.put(&format!("events/{number:02}.md"), text(number));
    }
    sandbox.commit("start");
    sandbox
}

fn text(number: u32) -> String {
    let body = format!(
        "{}\nnow: step {number}\nthis_session: [work {number}]",
        "# the same words in every event\n".repeat(30)
    );
    event(&format!("202{}-03-{:02}T10:00:00Z", number / 6 % 2, 1 + number % 3), "agent", &body)
}

fn names(sandbox: &Sandbox) -> BTreeSet<String> {
    sandbox.files().into_keys().filter(|name| name != "current.md").collect()
}

fn live(sandbox: &Sandbox) -> usize {
    names(sandbox).iter().filter(|name| name.starts_with("events/") && !name.ends_with("README.md")).count()
}

/// `--older-than` that takes the events of 2020 and leaves those of 2021.
fn before_2021() -> String {
    let start = headwater::event::Timestamp::parse("2021-01-01T00:00:00Z").unwrap();
    let nanos = crate::record::ahead(0).unix_nanos() - start.unix_nanos();
    format!("{}h", nanos / 3_600_000_000_000)
}

#[test]
fn the_view_stays_through_archive_and_packs() {
    let sandbox = repo();
    let view = sandbox.synth();
    sandbox.run(&["archive", "--older-than", &before_2021()]).exits(0);
    assert_eq!(live(&sandbox), 6);
    assert!(names(&sandbox).contains("archive/2020-03-01/00.md"), "{:?}", names(&sandbox));
    assert_eq!(sandbox.fresh(), view);
    sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", &before_2021()]).exits(0);
    assert_eq!(live(&sandbox), 0);
    assert_eq!(names(&sandbox).iter().filter(|name| name.contains("/pack-")).count(), 3, "{:?}", names(&sandbox));
    assert_eq!(names(&sandbox).iter().filter(|name| name.starts_with("archive/2021")).count(), 6);
    assert_eq!(sandbox.fresh(), view);
    sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h"]).exits(0);
    assert_eq!(names(&sandbox).iter().filter(|name| name.ends_with(".md")).count(), 1, "{:?}", names(&sandbox));
    assert_eq!(sandbox.fresh(), view);
}

#[test]
fn configuration_can_change_after_packing() {
    let config =
        "view: untracked\nsections:\n- {name: now, merge: list}\n- {name: this_session, show: 1w}\n- {name: risks}\n";
    let sandbox = repo();
    sandbox.put("events/risk.md", event("2020-05-05T00:00:00Z", "r", "risks: [fire]"));
    let packed = repo();
    packed.put("events/risk.md", event("2020-05-05T00:00:00Z", "r", "risks: [fire]"));
    packed.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h"]).exits(0);
    let before = sandbox.fresh();
    assert_eq!(packed.fresh(), before);
    for sandbox in [&sandbox, &packed] {
        std::fs::write(sandbox.root.join(".headwater.yaml"), config).unwrap();
    }
    let after = sandbox.fresh();
    assert!(after != before && after.contains("earlier"), "{after}");
    assert_eq!(packed.fresh(), after);
}

#[test]
fn bad_files_are_never_archived() {
    let sandbox = Sandbox::plain();
    sandbox.put("events/bad.md", "---\nts: 2020-01-01T00:00:00Z\n---\n");
    sandbox.put("events/old.md", event("2020-01-01T00:00:00Z", "a", "now: x"));
    let view = sandbox.synth();
    sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h"]).exits(0);
    assert!(sandbox.dir.join("events/bad.md").exists() && !sandbox.dir.join("events/old.md").exists());
    assert_eq!(sandbox.fresh(), view);
}

/// Commits what each of two branches does, merges the second into the first, and wants the whole view.
fn merge(ours: impl Fn(&Sandbox), theirs: impl Fn(&Sandbox), expected: &[String]) -> Sandbox {
    let sandbox = repo();
    sandbox.git(&["checkout", "-q", "-b", "theirs"]);
    theirs(&sandbox);
    sandbox.commit("theirs");
    sandbox.git(&["checkout", "-q", "-b", "ours", "main"]);
    ours(&sandbox);
    sandbox.commit("ours");
    sandbox.git(&["merge", "-q", "--no-edit", "theirs"]);
    let flat = Sandbox::plain();
    for (number, text) in expected.iter().enumerate() {
        flat.put(&format!("events/{number}.md"), text);
    }
    assert_eq!(sandbox.fresh(), flat.fresh());
    sandbox.run(&["lint"]).exits(0);
    sandbox
}

fn archive(span: &str) -> impl Fn(&Sandbox) + use<> {
    let span = span.to_owned();
    move |sandbox| {
        sandbox.run(&["archive", "--older-than", &span]).exits(0);
    }
}

fn all() -> Vec<String> {
    (0..12).map(text).collect()
}

#[test]
fn two_branches_that_archived_the_same() {
    let sandbox = merge(archive("0h"), archive("0h"), &all());
    assert_eq!(live(&sandbox), 0);
}

#[test]
fn two_branches_that_archived_overlapping() {
    merge(archive("0h"), archive(&before_2021()), &all());
    merge(archive(&before_2021()), archive("0h"), &all());
}

#[test]
fn two_branches_that_archived_apart() {
    let only = |keep: fn(u32) -> bool| {
        move |sandbox: &Sandbox| {
            for number in (0..12).filter(|number| keep(*number)) {
                let name = format!("{number:02}.md");
                let to = format!("archive/202{}-03-{:02}/{name}", number / 6, 1 + number % 3);
                std::fs::remove_file(sandbox.dir.join("events").join(&name)).unwrap();
                sandbox.put(&to, text(number));
            }
        }
    };
    let sandbox = merge(only(|number| number % 2 == 0), only(|number| number % 2 == 1), &all());
    assert_eq!(live(&sandbox), 0);
}

#[test]
fn a_branch_that_archived_and_one_that_did_not() {
    let nothing = |_: &Sandbox| {};
    merge(archive("0h"), nothing, &all());
    merge(nothing, archive("0h"), &all());
}

/// git must not take the archived folder for a renamed one, and move the new event along.
#[test]
fn a_new_event_beside_a_folder_that_was_archived_whole() {
    let new = |sandbox: &Sandbox| drop(sandbox.put("events/new.md", text(99)));
    let expected = [all(), vec![text(99)]].concat();
    for sandbox in [merge(archive("0h"), new, &expected), merge(new, archive("0h"), &expected)] {
        let names = names(&sandbox);
        assert!(names.contains("events/new.md") && live(&sandbox) == 1, "{names:?}");
    }
}

#[test]
fn new_events_on_both_branches_that_archived() {
    let with = |number: u32| {
        move |sandbox: &Sandbox| {
            archive("0h")(sandbox);
            sandbox.put(&format!("events/new{number}.md"), text(number));
        }
    };
    merge(with(97), with(98), &[all(), vec![text(97), text(98)]].concat());
}

#[test]
fn fault_43_a_merge_brings_an_archived_event_back() {
    let sandbox = repo();
    let view = sandbox.synth();
    sandbox.run(&["archive", "--older-than", "0h"]).exits(0);
    sandbox.put("events/00.md", text(0));
    sandbox.put("events/renamed.md", text(1));
    assert_eq!(sandbox.fresh(), view);
    sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h"]).exits(0);
    assert_eq!(live(&sandbox), 0);
    sandbox.put("events/00.md", text(0));
    assert_eq!(sandbox.fresh(), view);
    sandbox.run(&["synth", "--check"]).exits(0);
}

#[test]
fn another_event_under_an_archived_name() {
    let sandbox = Sandbox::plain();
    sandbox.put("archive/2020-03-01/00.md", text(0));
    sandbox.put("events/00.md", event("2020-03-01T00:00:00Z", "other", "goal: not lost"));
    let view = sandbox.synth();
    sandbox.run(&["archive", "--older-than", "0h"]).exits(0);
    assert_eq!(live(&sandbox), 0);
    assert_eq!(sandbox.fresh(), view);
}

#[test]
fn fault_43_two_packs_of_two_branches() {
    let pack = |sandbox: &Sandbox| {
        sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h", "--force"]).exits(0);
    };
    let pack_some = |sandbox: &Sandbox| {
        std::fs::rename(sandbox.dir.join("events/00.md"), sandbox.beside("00.md")).unwrap();
        pack(sandbox);
        std::fs::rename(sandbox.beside("00.md"), sandbox.dir.join("events/00.md")).unwrap();
    };
    let sandbox = merge(pack, pack_some, &all());
    let packs = names(&sandbox).into_iter().filter(|name| name.starts_with("archive/2020-03-01/pack-")).count();
    assert_eq!(packs, 2);
}

#[test]
fn packing_outside_the_default_branch() {
    let sandbox = repo();
    sandbox.git(&["checkout", "-q", "-b", "feature"]);
    let before = names(&sandbox);
    let args = ["archive", "--older-than", "0h", "--pack-older-than", "0h"];
    sandbox.run(&args).exits(2).says("--force");
    assert_eq!(names(&sandbox), before);
    std::fs::write(sandbox.root.join(".headwater.yaml"), "archive: {pack_after: 0h}\n").unwrap();
    sandbox.run(&["synth", "--no-confirm", "--archive"]).exits(0);
    assert!(!names(&sandbox).iter().any(|name| name.contains("/pack-")), "{:?}", names(&sandbox));
    assert_eq!(live(&sandbox), 0);
    sandbox.run(&[&args[..], &["--force"]].concat()).exits(0);
    assert!(names(&sandbox).iter().any(|name| name.contains("/pack-")));
}

#[test]
fn packing_on_the_default_branch() {
    let sandbox = repo();
    let view = sandbox.synth();
    sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h"]).exits(0);
    assert!(names(&sandbox).iter().any(|name| name.contains("/pack-")));
    assert_eq!(sandbox.fresh(), view);
}

#[test]
fn a_dry_run_changes_nothing() {
    let sandbox = repo();
    sandbox.synth();
    let before = sandbox.files();
    let shown = sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h", "--dry-run"]).exits(0).stdout;
    assert!(shown.contains("events/00.md -> archive/2020-03-01/00.md") && shown.contains("pack-"), "{shown}");
    sandbox.run(&["synth", "--no-confirm", "--archive", "--dry-run"]).exits(0).says("would be archived");
    assert_eq!(sandbox.files(), before);
    sandbox.run(&["archive", "--older-than", "soon"]).exits(2).says("--older-than");
}

#[test]
fn damaged_pack_is_a_row_until_it_is_restored() {
    let sandbox = repo();
    let view = sandbox.synth();
    sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h"]).exits(0);
    let pack = names(&sandbox).into_iter().find(|name| name.contains("/pack-")).unwrap();
    let bytes = sandbox.files()[&pack].clone();
    sandbox.put(&pack, &bytes[..bytes.len() / 2]);
    let damaged = sandbox.run(&["synth", "--output", "-"]).exits(0).says(&pack).stdout;
    assert!(damaged.contains(&format!("- `{pack}`: bad-pack\n")), "{damaged}");
    sandbox.put(&pack, bytes);
    assert_eq!(sandbox.fresh(), view);
}

#[cfg(unix)]
#[test]
fn a_days_folder_that_is_a_link_is_not_followed() {
    let sandbox = repo();
    let outside = sandbox.beside("outside");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::create_dir_all(sandbox.dir.join("archive")).unwrap();
    std::os::unix::fs::symlink(&outside, sandbox.dir.join("archive/2020-03-01")).unwrap();
    sandbox.run(&["archive", "--older-than", "1d"]).exits(2).says("2020-03-01");
    assert_eq!(live(&sandbox), 12);
}

/// A branch that archived the same events on its own would conflict with their removal.
#[test]
fn what_a_branch_may_still_move_is_not_packed() {
    let sandbox = repo();
    sandbox.git(&["checkout", "-q", "-b", "side"]);
    sandbox.run(&["archive", "--older-than", "1d"]).exits(0);
    sandbox.commit("archived aside");
    sandbox.git(&["checkout", "-q", "main"]);
    let pack = &["archive", "--older-than", "1d", "--pack-older-than", "1d"];
    sandbox.run(pack).exits(0).says("--force");
    sandbox.commit("archived here");
    assert!(!names(&sandbox).iter().any(|name| name.contains("pack-")), "{:?}", names(&sandbox));
    sandbox.git(&["merge", "-q", "--no-edit", "side"]);
    sandbox.run(pack).exits(0);
    assert!(names(&sandbox).iter().any(|name| name.contains("pack-")), "{:?}", names(&sandbox));
}

#[cfg(unix)]
#[test]
fn temporary_files_of_packs_are_swept() {
    let sandbox = repo();
    sandbox.run(&["archive", "--older-than", "1d"]).exits(0);
    let left = sandbox.put("archive/2020-03-01/.pack-x.1-0.tmp", "cut");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(7_200);
    std::fs::File::open(&left).unwrap().set_modified(old).unwrap();
    sandbox.run(&["archive", "--older-than", "1d"]).exits(0);
    assert!(!left.exists());
}

//! Many processes at once: nothing is lost, and whoever finishes last leaves the right view.

use crate::sandbox::{Sandbox, ended};
use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    sandbox.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn finish(children: Vec<Child>) -> Vec<String> {
    children.into_iter().map(|child| ended(child.wait_with_output().unwrap()).exits(0).stdout).collect()
}

fn event_files(sandbox: &Sandbox) -> BTreeSet<String> {
    let files = sandbox.files().into_keys().filter(|name| name.starts_with("events/") && name != "events/README.md");
    files.collect()
}

#[test]
fn sixty_four_writers_leave_sixty_four_events() {
    let sandbox = Sandbox::plain();
    std::fs::remove_dir_all(&sandbox.dir).unwrap();
    std::fs::create_dir(&sandbox.dir).unwrap();
    let start = |number: usize| start(&sandbox, &["record", "--agent", "one", "--did", &format!("work {number}")]);
    let paths: BTreeSet<String> = finish((0..64).map(start).collect()).into_iter().collect();
    assert_eq!(paths.len(), 64);
    let files = event_files(&sandbox);
    assert_eq!(files.len(), 64, "{files:?}");
    assert!(files.iter().all(|name| name.ends_with("_one.md") || name.contains("_one_")), "{files:?}");
    let view = sandbox.synth();
    assert!(view.contains("  event_count: 64\n") && !view.contains("Unreadable"), "{view}");
    for number in 0..64 {
        assert!(view.contains(&format!("  - work {number}\n")), "work {number} is lost");
    }
}

#[test]
fn fault_26_two_writes_in_one_instant() {
    let sandbox = Sandbox::plain();
    // Above an event ahead of the clock the writer's instant, and so its file name, is known.
    let ahead = crate::record::ahead(3_600);
    sandbox.put("events/ahead.md", crate::sandbox::event(&ahead.to_string(), "x", "now: x"));
    let next = ahead.after(headwater::event::Span::MILLISECOND).unwrap();
    let stem = headwater::event::encode::file_stem(next, "one");
    sandbox.put(&format!("events/{stem}.md"), "somebody else is about to write here\n");
    sandbox.put(&format!("events/{stem}_2.md"), "and here\n");
    let printed = sandbox.run(&["record", "--agent", "one", "--now", "mine"]).exits(0).stdout;
    assert!(printed.trim_end().ends_with(&format!("{stem}_3.md")), "{printed}");
    let files = sandbox.files();
    assert_eq!(files[&format!("events/{stem}.md")], b"somebody else is about to write here\n");
    assert_eq!(files[&format!("events/{stem}_2.md")], b"and here\n");
}

/// Runs `work` while another thread removes the lock file again and again.
fn without_a_reliable_lock(sandbox: &Sandbox, work: impl FnOnce()) {
    let lock = sandbox.dir.join(".synth.lock");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                drop(std::fs::remove_file(&lock));
                thread::yield_now();
            }
        });
        let _stop = Stop(&done);
        work();
    });
}

/// Ends the other thread, also when a test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn fault_40_synthesizers_and_writers_with_a_lock_that_vanishes() {
    let sandbox = Sandbox::plain();
    let synth = ["synth", "--no-confirm", "--wait", "120"];
    without_a_reliable_lock(&sandbox, || {
        let synthesizers: Vec<Child> = (0..16).map(|_| start(&sandbox, &synth)).collect();
        thread::scope(|scope| {
            for number in 0..16 {
                let sandbox = &sandbox;
                scope.spawn(move || {
                    let (agent, work) = (format!("writer{number}"), format!("work {number}"));
                    sandbox.run(&["record", "--agent", &agent, "--did", &work, "--now", &work]).exits(0);
                    // Without a lock another run may still put an older view back, and mends it before it ends:
                    // so the view is looked at below, when all runs have ended.
                    sandbox.run(&synth).exits(0);
                });
            }
        });
        finish(synthesizers);
    });
    assert_eq!(event_files(&sandbox).len(), 16);
    sandbox.run(&["synth", "--check"]).exits(0);
    assert_eq!(sandbox.view(), sandbox.fresh());
}

#[test]
fn archivers_and_synthesizers_at_once() {
    let sandbox = Sandbox::plain();
    for number in 0..40 {
        let day = 1 + number % 5;
        let text =
            crate::sandbox::event(&format!("2020-01-0{day}T00:00:00Z"), "a", &format!("this_session: [w{number}]"));
        sandbox.put(&format!("events/{number}.md"), text);
    }
    let view = sandbox.synth();
    let mut children = Vec::new();
    for _ in 0..6 {
        children.push(start(&sandbox, &["archive", "--wait", "120", "--older-than", "1h", "--pack-older-than", "1h"]));
        children.push(start(&sandbox, &["synth", "--no-confirm", "--wait", "120"]));
        children.push(start(&sandbox, &["synth", "--output", "-"]));
    }
    let printed = finish(children);
    for fresh in printed.iter().skip(2).step_by(3) {
        assert_eq!(*fresh, view);
    }
    assert_eq!(sandbox.view(), view);
    assert_eq!(sandbox.fresh(), view);
    assert_eq!(event_files(&sandbox).len(), 0);
}

#[test]
fn fault_40_a_lock_that_is_held() {
    let sandbox = Sandbox::plain();
    sandbox.put("events/a.md", crate::sandbox::event("2020-01-01T00:00:00Z", "a", "now: x"));
    let view = sandbox.synth();
    sandbox.put("events/b.md", crate::sandbox::event("2020-01-02T00:00:00Z", "b", "now: y"));
    let file = std::fs::OpenOptions::new().write(true).open(sandbox.dir.join(".synth.lock")).unwrap();
    let mut lock = fd_lock::RwLock::new(file);
    let held = lock.try_write().unwrap();
    for args in [&["synth", "--no-confirm"][..], &["archive"], &["synth", "--archive", "--no-confirm"]] {
        sandbox.run(&[args, &["--wait", "0"]].concat()).exits(2).says(".synth.lock").says("is held by");
    }
    assert_eq!(sandbox.view(), view);
    assert!(sandbox.dir.join("events/a.md").exists(), "archived without the lock");
    // Who only reads, or only adds an event, waits for nobody.
    sandbox.run(&["synth", "--check", "--wait", "0"]).exits(1);
    sandbox.run(&["show", "--wait", "0"]).exits(0);
    sandbox.run(&["record", "--now", "z", "--wait", "0"]).exits(0);
    drop(held);
    sandbox.run(&["synth", "--no-confirm", "--wait", "0"]).exits(0);
    sandbox.run(&["synth", "--check"]).exits(0);
}

//! What a work tree's reflog tells, as real git writes it.

use crate::sandbox::{Sandbox, git, program, run};
use headwater::session::reflog::{mark, since, subjects};

/// Writes a file and commits it.
fn commit(repo: &Sandbox, subject: &str, file: &str) {
    std::fs::write(repo.root.join(file), subject).unwrap();
    repo.commit(subject);
}

#[test]
fn commits_made_in_a_span_are_told_and_nothing_else() {
    let repo = Sandbox::repo();
    let log = || std::fs::read(repo.root.join(".git/logs/HEAD")).unwrap();
    commit(&repo, "before the span", "a");
    let other = repo.beside("other");
    git(&repo.root, &["clone", "-q", ".", other.to_str().unwrap()]);
    std::fs::write(other.join("theirs"), "").unwrap();
    git(&other, &["add", "-A"]);
    git(&other, &["commit", "-q", "-m", "another's commit"]);

    let mark = mark(&log());
    let told = || subjects(&since(&log(), &mark, i64::MAX)).into_iter().map(|made| made.subject).collect::<Vec<_>>();
    assert_eq!(told(), [""; 0]);
    commit(&repo, "first try", "b");
    repo.git(&["commit", "-q", "--amend", "-m", "second try"]);
    repo.git(&["commit", "-q", "--amend", "-m", "third try"]);
    repo.git(&["checkout", "-q", "-b", "side", "HEAD~1"]);
    commit(&repo, "on the side", "c");
    commit(&repo, "headwater: synthesize", "d");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "-m", "Merge side", "side"]);
    repo.git(&["revert", "--no-edit", "side~1"]);
    repo.git(&["checkout", "-q", "-b", "picked", "main~2"]);
    repo.git(&["cherry-pick", "side~1"]);
    commit(&repo, "undone", "e");
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    repo.git(&["pull", "-q", "--no-rebase", "--no-edit", other.to_str().unwrap(), "main"]);
    repo.git(&["checkout", "-q", "side"]);
    repo.git(&["pull", "-q", "--rebase", other.to_str().unwrap(), "main"]);
    let expected = ["third try", "on the side", "Revert \"on the side\"", "undone"];
    assert_eq!(told(), expected);

    // A reworded commit keeps one line, wherever the rebase puts it.
    commit(&repo, "to be reworded", "f");
    let mut rebase = program("git", &repo.root);
    rebase
        .env("GIT_SEQUENCE_EDITOR", "sed -i.bak 1s/pick/reword/")
        .env("GIT_EDITOR", "sed -i.bak s/to.be.reworded/reworded/");
    run(rebase.args(["rebase", "-q", "-i", "HEAD~1"])).exits(0);
    assert_eq!(told(), [&expected[..], &["reworded"]].concat());

    // The same, when the reflog was expired and the mark leads nowhere: by the time then.
    let text = log();
    let kept = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    assert_eq!(subjects(&since(&text[kept..], &mark, 0)).len(), expected.len() + 1);
}

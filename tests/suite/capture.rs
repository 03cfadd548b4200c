//! What sessions tell from their transcripts, where the configuration asks for it.

use crate::agent::{Agent, events};
use crate::sandbox::Sandbox;
use serde_json::{Value, json};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

fn repo(config: &str) -> Sandbox {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".gitignore"), ".synth.lock\n").unwrap();
    std::fs::write(sandbox.root.join(".headwater.yaml"), config).unwrap();
    sandbox.put("events/README.md", "# Events\n");
    sandbox.git(&["config", "headwater.capture", "todos,request"]);
    sandbox.commit("start");
    sandbox
}

const ASKED: &str = "capture: [todos, request]\n";

/// A record as Claude Code writes it.
fn record(kind: &str, content: &Value) -> String {
    let record = json!({
        "parentUuid": null, "isSidechain": false, "userType": "external", "cwd": "/work", "sessionId": "s",
        "version": "2.1.38", "gitBranch": "main", "type": kind, "message": {"role": kind, "content": content},
        "timestamp": "2999-01-01T00:00:00.000Z", "uuid": "0",
    });
    format!("{record}\n")
}

fn asks(text: &str) -> String {
    record("user", &json!(text))
}

fn todos(items: &[(&str, &str)]) -> String {
    let items: Vec<Value> = items
        .iter()
        .map(|(content, status)| json!({"content": content, "status": status, "activeForm": "Working"}))
        .collect();
    record("assistant", &json!([{"type": "tool_use", "id": "t", "name": "TodoWrite", "input": {"todos": items}}]))
}

/// What surrounds the few records that matter.
fn filler() -> String {
    let result = json!([{"type": "tool_result", "tool_use_id": "r", "content": "x".repeat(2_000)}]);
    let snapshot = "{\"type\":\"file-history-snapshot\",\"messageId\":\"0\",\"snapshot\":{}}\n";
    snapshot.to_owned()
        + &record("assistant", &json!([{"type": "text", "text": "Looking."}]))
        + &record("user", &result)
}

fn conversation() -> String {
    let list = [("Read the parser", "completed"), ("Write docs", "pending"), ("Teach it tabs", "in_progress")];
    filler() + &asks("Make the parser take tabs") + &filler() + &todos(&list) + &filler()
}

/// A session with this transcript that commits once; its event.
fn told(sandbox: &Sandbox, transcript: &Path) -> String {
    let agent = Agent::new("s", &sandbox.root).with_transcript(transcript);
    agent.start();
    agent.commit("a.txt");
    agent.end();
    let told = events(&sandbox.root);
    assert_eq!(told.len(), 1);
    told.into_iter().next().unwrap()
}

const WHOLE: &str = "now: |-\n  Teach it tabs\nthis_session:\n  - |-\n    Add a.txt\n  - |-\n    Read the parser\n---\n\n    next:\n      - |-\n        Teach it tabs\n      - |-\n        Write docs\n";
const COMMIT_ALONE: &str = "now: |-\n  last commit on main: Add a.txt\nthis_session:\n  - |-\n    Add a.txt\n---\n";

#[track_caller]
fn ends(told: &str, body: &str) {
    let found = told.find("\nnow:").map(|start| &told[start + 1..]);
    assert_eq!(found, Some(body));
}

#[test]
fn to_do_lists_and_requests_are_told_where_they_are_asked_for() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), conversation()).unwrap();
    ends(&told(&repo(ASKED), file.path()), WHOLE);
    ends(&told(&repo(""), file.path()), COMMIT_ALONE);
    let request = "now: |-\n  Make the parser take tabs\nthis_session:\n  - |-\n    Add a.txt\n---\n";
    ends(&told(&repo("capture: [request]\n"), file.path()), request);
}

#[test]
fn a_transcript_that_is_cut_missing_or_something_else() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let next = todos(&[("Read the parser", "pending"), ("Never seen", "completed")]);
    std::fs::write(file.path(), conversation() + &next[..next.len() / 2]).unwrap();
    ends(&told(&repo(ASKED), file.path()), WHOLE);
    let folder = tempfile::tempdir().unwrap();
    for nothing in [folder.path().join("missing.jsonl"), folder.path().to_owned(), "/dev/zero".into()] {
        ends(&told(&repo(ASKED), &nothing), COMMIT_ALONE);
    }
    std::fs::write(file.path(), b"\0\xff\n{\n[1]\n\"user\"\n").unwrap();
    ends(&told(&repo(ASKED), file.path()), COMMIT_ALONE);
}

/// 100 MB, nearly all of them a hole in the file; the end is a real conversation of more than is read of it.
#[test]
fn a_transcript_of_a_hundred_megabytes() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let end = filler().repeat(9_000_000 / filler().len());
    file.seek(SeekFrom::Start(100_000_000 - end.len() as u64)).unwrap();
    file.write_all(end.as_bytes()).unwrap();
    file.write_all(conversation().as_bytes()).unwrap();
    assert!(file.as_file().metadata().unwrap().len() > 100_000_000);
    ends(&told(&repo(ASKED), file.path()), WHOLE);
}

/// The list goes on from one part of a session to the next.
#[test]
fn what_was_finished_is_told_once() {
    let sandbox = repo(ASKED);
    let file = tempfile::NamedTempFile::new().unwrap();
    // Written before the hooks look at it.
    let list = |items: &[(&str, &str)]| todos(items).replace("2999-01-01", "2000-01-01");
    std::fs::write(file.path(), list(&[("Before", "completed"), ("During", "in_progress")])).unwrap();
    let agent = Agent::new("s", &sandbox.root).with_transcript(file.path());
    agent.start();
    agent.commit("a.txt");
    let both = [("Before", "completed"), ("During", "completed")];
    std::fs::write(file.path(), list(&[("Before", "completed"), ("During", "pending")]) + &todos(&both)).unwrap();
    agent.end();
    // Resumed: what the transcript says was all written before.
    agent.hook("session-start", ", \"source\": \"resume\"");
    std::fs::write(file.path(), list(&both)).unwrap();
    agent.commit("b.txt");
    agent.end();
    let mut told = events(&sandbox.root);
    told.sort();
    assert!(
        told[0].contains("  - |-\n    Add a.txt\n  - |-\n    During\n") && !told[0].contains("Before"),
        "{}",
        told[0]
    );
    assert!(told[1].ends_with("this_session:\n  - |-\n    Add b.txt\n---\n"), "{}", told[1]);
}

//! What `record` writes: forms that formatters keep (`scripts/formatters` runs the real ones).

use crate::sandbox::{Sandbox, run_with_input};

#[test]
fn hostile_event_is_written_with_these_bytes() {
    let sandbox = Sandbox::repo();
    sandbox.git(&["symbolic-ref", "HEAD", "refs/heads/it's#1"]);
    let stdin = "decisions:\n  \"Which \\\"port\\\"?\": \"80 \"\n  db: |-\n    *A*: src/**/*.rs __init__ #48\n\n    ---\nrisks: [\"\\e[2J\", plain]\n";
    let args =
        ["record", "--stdin", "--agent", "a  b", "--now", "# not a heading", "--did", "\\x \"y\"", "--did", " led"];
    let ended = run_with_input(&mut sandbox.command(&args), stdin).exits(0);
    let text = std::fs::read_to_string(ended.stdout.trim_end()).unwrap();
    let (ts, rest) = text.strip_prefix("---\n").unwrap().split_once('\n').unwrap();
    assert!(ts.starts_with("ts: \"2") && ts.ends_with("Z\""), "{text}");
    let expected = r#"agent: "a\x20\x20b"
branch: "it's#1"
type: "note"
parents: []
now: |-
  # not a heading
this_session:
  - |-
    \x "y"
  - "\x20led"
decisions:
  "Which \x22port\x22?": "80\x20"
  db: |-
    *A*: src/**/*.rs __init__ #48

    ---
---

    risks:
      - "\u001b[2J"
      - |-
        plain
"#;
    assert_eq!(rest, expected);
    let view = sandbox.synth();
    assert!(view.contains("- **db:** *A*: src/**/*.rs __init__ #48 --- (a b,"), "{view}");
    assert_eq!(sandbox.run(&["lint"]).exits(0).stdout, "");
}

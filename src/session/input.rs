//! What coding agents say on standard input when they call a hook.

use super::contract::{AgentKind, Hook, shorten};
use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;

/// How many characters the id of a session may have.
const ID_LIMIT: usize = 256;

/// How many characters a path may have.
const PATH_LIMIT: usize = 4_096;

/// How many characters a word such as a reason may have.
const WORD_LIMIT: usize = 64;

/// What an agent said when it called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Who called.
    pub kind: AgentKind,
    /// The agent's own id of the session.
    pub session: Option<String>,
    /// The folder that it works in; absolute.
    pub cwd: Option<PathBuf>,
    /// The file that keeps the conversation; absolute.
    pub transcript: Option<PathBuf>,
    /// Why a session starts: `startup`, `resume`, `clear`, `compact`, `fork`, `new`.
    pub source: Option<String>,
    /// Why a session ends.
    pub reason: Option<String>,
    /// Why a conversation is compacted: `manual`, `auto`.
    pub trigger: Option<String>,
    /// Whether a helper of the session calls, and not the session itself.
    pub is_subagent: bool,
    /// Whether the turn that ends was itself caused by a hook.
    pub stop_hook_active: bool,
}

/// What standard input may hold; other keys are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Raw {
    session_id: Value,
    #[serde(rename = "sessionId")]
    session_id_in_camel_case: Value,
    conversation_id: Value,
    cwd: Value,
    workspace_roots: Value,
    transcript_path: Value,
    #[serde(rename = "transcriptPath")]
    transcript_path_in_camel_case: Value,
    hook_event_name: Value,
    source: Value,
    reason: Value,
    trigger: Value,
    agent_id: Value,
    stop_hook_active: Value,
    timestamp: Value,
    turn_id: Value,
    model: Value,
    permission_mode: Value,
}

/// Reads what an agent says on standard input. Never fails: what cannot be used is left out, and the second value
/// says in words what is wrong with it.
///
/// `told` is what the command line says of the agent, and is believed. Without it, the first of these decides:
/// 1. `conversation_id`, `workspace_roots`: Cursor;
/// 2. a `timestamp` in milliseconds: Copilot;
/// 3. a `transcript_path` below `.claude`, `.codex`, `.gemini`, `.cursor` or `.copilot`;
/// 4. an event's name that only one agent has (`PreCompress`: Gemini; `sessionStart`: Cursor, as Copilot tells
///    none; `agentStop`: Copilot);
/// 5. a `timestamp` as text: Gemini, if it has the event and there is a `transcript_path`, or else Copilot;
/// 6. `turn_id`, or at session start `model` with `permission_mode`: Codex;
/// 7. else Claude Code.
#[must_use]
pub fn read(stdin: &[u8], hook: Hook, told: Option<AgentKind>) -> (Input, Option<String>) {
    let mut faults = Faults::default();
    let raw = faults.without(parse(stdin)).unwrap_or_default();
    let session = faults.text(&raw.session_id, "session_id", ID_LIMIT);
    let session = session.or_else(|| faults.text(&raw.session_id_in_camel_case, "sessionId", ID_LIMIT));
    let cwd = faults.path(&raw.cwd, "cwd");
    let root = || raw.workspace_roots.get(0).unwrap_or(&Value::Null);
    let transcript = faults.path(&raw.transcript_path, "transcript_path");
    let input = Input {
        kind: told.unwrap_or_else(|| detect(&raw, hook)),
        session: session.or_else(|| faults.text(&raw.conversation_id, "conversation_id", ID_LIMIT)),
        cwd: cwd.or_else(|| faults.path(root(), "workspace_roots[0]")),
        transcript: transcript.or_else(|| faults.path(&raw.transcript_path_in_camel_case, "transcriptPath")),
        source: faults.text(&raw.source, "source", WORD_LIMIT),
        reason: faults.text(&raw.reason, "reason", WORD_LIMIT),
        trigger: faults.text(&raw.trigger, "trigger", WORD_LIMIT),
        // A session of its own may have an `agent_type` too; only a helper has an id besides the session's.
        is_subagent: faults.text(&raw.agent_id, "agent_id", ID_LIMIT).is_some(),
        stop_hook_active: raw.stop_hook_active.as_bool().unwrap_or_default(),
    };
    if !matches!(raw.stop_hook_active, Value::Null | Value::Bool(_)) {
        faults.0.push("`stop_hook_active` is neither true nor false".to_owned());
    }
    if !matches!(raw.workspace_roots, Value::Null | Value::Array(_)) {
        faults.0.push("`workspace_roots` is no list".to_owned());
    }
    let event = faults.text(&raw.hook_event_name, "hook_event_name", WORD_LIMIT);
    if let Some(event) = event.filter(|event| !hook.is_called(event)) {
        let remedy = "correct the agent's hook settings";
        faults.0.push(format!("`headwater hook {hook}` was called for the event {event:?}; {remedy}"));
    }
    (input, faults.in_words())
}

fn parse(stdin: &[u8]) -> Result<Raw, String> {
    let stdin = stdin.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stdin).trim_ascii();
    if stdin.is_empty() {
        return Err("standard input is empty".to_owned());
    }
    // The derived reader would take a list as well.
    let object = stdin.starts_with(b"{");
    serde_json::from_slice(stdin)
        .map_err(|error| format!("standard input is not JSON ({error})"))
        .and_then(|raw| if object { Ok(raw) } else { Err("standard input is no JSON object".to_owned()) })
}

fn detect(raw: &Raw, hook: Hook) -> AgentKind {
    let (event, starts) = (raw.hook_event_name.as_str(), hook == Hook::SessionStart);
    let theirs = |kind: &AgentKind| event == Some(kind.event_name(hook));
    let mut callers = AgentKind::ALL.into_iter().filter(theirs);
    let only = callers.next().filter(|_| callers.next().is_none());
    if !raw.conversation_id.is_null() || !raw.workspace_roots.is_null() {
        AgentKind::Cursor
    } else if raw.timestamp.is_number() {
        AgentKind::Copilot
    } else if let Some(kind) = home(&raw.transcript_path).or(only) {
        kind
    } else if event.is_some_and(|event| event.starts_with(|c: char| c.is_ascii_lowercase())) {
        AgentKind::Cursor
    } else if raw.timestamp.is_string() {
        let gemini = theirs(&AgentKind::Gemini) && !raw.transcript_path.is_null();
        if gemini { AgentKind::Gemini } else { AgentKind::Copilot }
    } else if !raw.turn_id.is_null() || starts && raw.model.is_string() && raw.permission_mode.is_string() {
        AgentKind::Codex
    } else {
        AgentKind::ClaudeCode
    }
}

/// Whose folder a transcript lies in.
fn home(transcript: &Value) -> Option<AgentKind> {
    let is_of = |part: &str| match part {
        ".claude" => Some(AgentKind::ClaudeCode),
        ".codex" => Some(AgentKind::Codex),
        ".gemini" => Some(AgentKind::Gemini),
        ".cursor" => Some(AgentKind::Cursor),
        ".copilot" => Some(AgentKind::Copilot),
        _ => None,
    };
    transcript.as_str()?.rsplit(['/', '\\']).find_map(is_of)
}

/// What is wrong with an input.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn without<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result.map_err(|fault| self.0.push(fault)).ok()
    }

    /// A text without control characters and not too long. The empty text is none.
    fn text(&mut self, value: &Value, key: &str, limit: usize) -> Option<String> {
        let fault = match value {
            Value::Null => return None,
            Value::String(text) if text.chars().nth(limit).is_some() => format!("is longer than {limit} characters"),
            Value::String(text) if text.contains(char::is_control) => "holds control characters".to_owned(),
            Value::String(text) => return (!text.is_empty()).then(|| text.clone()),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => "is no text".to_owned(),
        };
        self.0.push(format!("`{key}` {fault}"));
        None
    }

    /// An absolute path.
    fn path(&mut self, value: &Value, key: &str) -> Option<PathBuf> {
        // A path may hold anything but NUL: a worktree's with a line end in it is one.
        let text = match value {
            Value::String(text) if !text.contains('\0') && text.chars().nth(PATH_LIMIT).is_none() => {
                Some(text.clone()).filter(|text| !text.is_empty())?
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                self.text(value, key, PATH_LIMIT)?
            }
        };
        let path = PathBuf::from(&text);
        if path.is_absolute() {
            return Some(path);
        }
        self.0.push(format!("`{key}` is not an absolute path: {:?}", shorten(&text)));
        None
    }

    fn in_words(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("hook input: {}", self.0.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::session::contract::{AgentKind, Hook};
    use proptest::prelude::*;
    use serde_json::json;
    use std::path::Path;

    fn fault(stdin: &str, hook: Hook) -> String {
        read(stdin.as_bytes(), hook, None).1.unwrap_or_default()
    }

    /// The documented inputs of 2026, without an agent's name on the command line.
    #[test]
    fn agents_are_known_by_what_they_say() {
        use AgentKind::{ClaudeCode, Codex, Copilot, Cursor, Gemini};
        use Hook::{PreCompact, SessionEnd, SessionStart, Stop};
        for (kind, hook, stdin) in [
            (
                ClaudeCode,
                SessionStart,
                json!({"session_id": "s", "transcript_path": "/h/.claude/projects/p/s.jsonl", "cwd": "/r", "hook_event_name": "SessionStart", "source": "fork", "model": "m"}),
            ),
            (
                ClaudeCode,
                SessionEnd,
                json!({"session_id": "s", "transcript_path": "/t.jsonl", "cwd": "/r", "permission_mode": "default", "hook_event_name": "SessionEnd", "reason": "other"}),
            ),
            (
                ClaudeCode,
                PreCompact,
                json!({"session_id": "s", "transcript_path": "/t.jsonl", "cwd": "/r", "hook_event_name": "PreCompact", "trigger": "auto", "custom_instructions": ""}),
            ),
            (
                ClaudeCode,
                Stop,
                json!({"session_id": "s", "transcript_path": "/t.jsonl", "cwd": "/r", "hook_event_name": "Stop", "stop_hook_active": true}),
            ),
            (
                Codex,
                SessionStart,
                json!({"session_id": "s", "transcript_path": null, "cwd": "/r", "hook_event_name": "SessionStart", "source": "clear", "model": "m", "permission_mode": "default"}),
            ),
            (
                Codex,
                SessionEnd,
                json!({"session_id": "s", "transcript_path": "/h/.codex/sessions/2026/01/10/rollout-s.jsonl", "cwd": "/r", "hook_event_name": "SessionEnd", "reason": "other"}),
            ),
            (
                Codex,
                Stop,
                json!({"session_id": "s", "transcript_path": null, "cwd": "/r", "hook_event_name": "Stop", "model": "m", "turn_id": "1", "stop_hook_active": false}),
            ),
            (
                Gemini,
                SessionStart,
                json!({"session_id": "s", "transcript_path": "/t.json", "cwd": "/r", "hook_event_name": "SessionStart", "timestamp": "2026-01-10T13:00:00Z", "source": "startup"}),
            ),
            (
                Gemini,
                PreCompact,
                json!({"session_id": "s", "transcript_path": "", "cwd": "/r", "hook_event_name": "PreCompress", "trigger": "auto"}),
            ),
            (
                Cursor,
                SessionStart,
                json!({"conversation_id": "s", "session_id": "s", "workspace_roots": ["/r"], "hook_event_name": "sessionStart"}),
            ),
            (Cursor, Stop, json!({"session_id": "s", "cwd": "/r", "hook_event_name": "stop", "status": "completed"})),
            (
                Copilot,
                SessionStart,
                json!({"timestamp": 1_704_614_400_000_i64, "cwd": "/r", "source": "new", "initialPrompt": "x"}),
            ),
            (
                Copilot,
                Stop,
                json!({"sessionId": "s", "timestamp": 1, "cwd": "/r", "transcriptPath": "/t", "stopReason": "end_turn"}),
            ),
            (
                Copilot,
                SessionEnd,
                json!({"hook_event_name": "SessionEnd", "session_id": "s", "timestamp": "2026-01-10T13:00:00Z", "cwd": "/r", "reason": "complete"}),
            ),
            (
                Copilot,
                Stop,
                json!({"hook_event_name": "Stop", "session_id": "s", "timestamp": "2026-01-10T13:00:00Z", "cwd": "/r", "transcript_path": "/t"}),
            ),
        ] {
            let (input, fault) = read(stdin.to_string().as_bytes(), hook, None);
            assert_eq!((input.kind, fault), (kind, None), "{stdin}");
            assert_eq!(input.cwd.as_deref(), Some(Path::new("/r")), "{stdin}");
            assert_eq!(input.session.is_some(), stdin.get("source") != Some(&json!("new")), "{stdin}");
            assert!(!input.is_subagent);
            assert_eq!(input.stop_hook_active, stdin.get("stop_hook_active") == Some(&json!(true)));
            // What the command line says is believed.
            assert_eq!(read(stdin.to_string().as_bytes(), hook, Some(Gemini)).0.kind, Gemini);
        }
    }

    #[test]
    fn what_is_said_is_taken() {
        let stdin = json!({"sessionId": "s", "transcriptPath": "/t", "reason": "clear", "source": "resume", "trigger": "manual", "agent_id": "a", "unknown": [{}]});
        let (input, fault) = read(format!("\u{feff} {stdin}\n").as_bytes(), Hook::SessionEnd, None);
        assert_eq!(fault, None);
        assert_eq!((input.session.as_deref(), input.transcript.as_deref()), (Some("s"), Some(Path::new("/t"))));
        assert_eq!(
            [input.reason, input.source, input.trigger],
            ["clear", "resume", "manual"].map(|text| Some(text.to_owned()))
        );
        assert!(input.is_subagent);
    }

    #[test]
    fn faults_are_told_and_the_rest_is_used() {
        for (stdin, told) in [
            ("", "standard input is empty"),
            ("hello", "not JSON"),
            ("[1, 2]", "no JSON object"),
            ("{\"session_id\": \"s\"", "not JSON"),
            ("{\"cwd\": \"sub/dir\"}", "`cwd` is not an absolute path: \"sub/dir\""),
            ("{\"session_id\": 5}", "`session_id` is no text"),
            ("{\"transcript_path\": [\"/t\"]}", "`transcript_path` is no text"),
            ("{\"session_id\": \"a\\u0000b\"}", "`session_id` holds control characters"),
            ("{\"stop_hook_active\": 1}", "`stop_hook_active` is neither true nor false"),
            ("{\"workspace_roots\": \"/r\"}", "`workspace_roots` is no list"),
            (
                "{\"hook_event_name\": \"SessionEnd\"}",
                "`headwater hook session-start` was called for the event \"SessionEnd\"",
            ),
        ] {
            assert!(fault(stdin, Hook::SessionStart).contains(told), "{stdin}: {}", fault(stdin, Hook::SessionStart));
        }
        let stdin = json!({"session_id": "s".repeat(257), "cwd": "/r", "reason": 1}).to_string();
        let (input, fault) = read(stdin.as_bytes(), Hook::SessionEnd, None);
        assert_eq!((input.session, input.cwd.as_deref()), (None, Some(Path::new("/r"))));
        assert_eq!(fault.unwrap(), "hook input: `session_id` is longer than 256 characters; `reason` is no text");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(stdin in prop::collection::vec(any::<u8>(), 0..200)) {
            let (input, fault) = read(&stdin, Hook::Stop, None);
            prop_assert!(fault.is_some() || input.session.is_none());
        }

        /// Whatever its values are, an object gives what is right in it.
        #[test]
        fn any_values_are_read(values in prop::collection::vec("null|true|0|\"\"|\"/a\"|\"x\"|\\[\\]|\\{\\}|\\[\"/a\"\\]", 5)) {
            let keys = ["session_id", "cwd", "workspace_roots", "hook_event_name", "timestamp"];
            let members: Vec<String> = keys.iter().zip(&values).map(|(key, value)| format!("\"{key}\":{value}")).collect();
            let (input, _) = read(format!("{{{}}}", members.join(",")).as_bytes(), Hook::SessionStart, None);
            prop_assert_eq!(input.session.is_some(), values[0].len() > 2 && values[0].starts_with('"'));
            prop_assert!(input.cwd.is_none_or(|cwd| cwd == Path::new("/a")));
        }
    }
}

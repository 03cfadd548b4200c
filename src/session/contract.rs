//! The hook contracts of coding agents: what they say on standard input, and what they take on standard output.
//!
//! Read off their public documentation and source in 2026 (Claude Code 2.1, Codex CLI, Gemini CLI, Cursor,
//! Copilot CLI). Contracts move: all that is known of them stands in this file, most of it in [`CONTRACTS`].

use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// How many characters a hand-over may have. Claude Code shows no more than 10,000 at once, Codex some 2,500 tokens.
pub const CONTEXT_LIMIT: usize = 8_000;

/// How many characters the id of a session may have.
const ID_LIMIT: usize = 256;

/// How many characters a path may have.
const PATH_LIMIT: usize = 4_096;

/// How many characters a word such as a reason may have.
const WORD_LIMIT: usize = 64;

/// A coding agent whose hooks are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentKind {
    /// Claude Code.
    ClaudeCode,
    /// Codex CLI.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Cursor.
    Cursor,
    /// GitHub Copilot CLI.
    Copilot,
}

/// An occasion on which an agent calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    /// A session starts, is resumed, or goes on after a compaction.
    SessionStart,
    /// A session ends.
    SessionEnd,
    /// The agent is about to forget the details.
    PreCompact,
    /// The agent has finished a turn.
    Stop,
}

/// One agent's contract.
struct Contract {
    /// As on the command line.
    name: &'static str,
    /// What it calls session start, session end, compaction and the end of a turn.
    events: [&'static str; 4],
    /// How session start takes a context.
    injection: Injection,
    /// What to print where there is nothing to say.
    nothing: &'static str,
}

/// How session start takes a context. Codex fails on any key that it does not know.
#[derive(Clone, Copy)]
enum Injection {
    /// `{"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":"…"}}`
    Nested,
    /// `{KEY:"…"}`
    Flat(&'static str),
}

/// Every agent's contract, in the order of [`AgentKind`].
const CONTRACTS: [Contract; 5] = [
    Contract {
        name: "claude-code",
        events: ["SessionStart", "SessionEnd", "PreCompact", "Stop"],
        injection: Injection::Nested,
        nothing: "",
    },
    Contract {
        name: "codex",
        events: ["SessionStart", "SessionEnd", "PreCompact", "Stop"],
        injection: Injection::Nested,
        nothing: "",
    },
    Contract {
        name: "gemini",
        events: ["SessionStart", "SessionEnd", "PreCompress", "AfterAgent"],
        injection: Injection::Nested,
        // Its standard output is always read as JSON.
        nothing: "{}",
    },
    Contract {
        name: "cursor",
        events: ["sessionStart", "sessionEnd", "preCompact", "stop"],
        injection: Injection::Flat("additional_context"),
        nothing: "",
    },
    Contract {
        name: "copilot",
        // With the names of Claude Code it speaks like VS Code: `session_id`, `hook_event_name`, ISO 8601 times.
        events: ["sessionStart", "sessionEnd", "preCompact", "agentStop"],
        // Versions before spring 2026 take no output from session start, and drop this.
        injection: Injection::Flat("additionalContext"),
        nothing: "",
    },
];

impl AgentKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::ClaudeCode, Self::Codex, Self::Gemini, Self::Cursor, Self::Copilot];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.contract().name
    }

    /// What this agent calls a hook in its own configuration.
    #[must_use]
    pub fn event_name(self, hook: Hook) -> &'static str {
        let [start, end, compact, stop] = self.contract().events;
        match hook {
            Hook::SessionStart => start,
            Hook::SessionEnd => end,
            Hook::PreCompact => compact,
            Hook::Stop => stop,
        }
    }

    fn contract(self) -> &'static Contract {
        let [claude, codex, gemini, cursor, copilot] = &CONTRACTS;
        match self {
            Self::ClaudeCode => claude,
            Self::Codex => codex,
            Self::Gemini => gemini,
            Self::Cursor => cursor,
            Self::Copilot => copilot,
        }
    }
}

impl fmt::Display for AgentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is none of those it could be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is none of {known}")]
pub struct UnknownName {
    found: String,
    known: String,
}

/// The one of these values that has this name.
fn named<T: Copy + fmt::Display>(text: &str, all: &[T]) -> Result<T, UnknownName> {
    all.iter().copied().find(|value| value.to_string() == text).ok_or_else(|| UnknownName {
        found: shorten(text),
        known: all.iter().map(T::to_string).collect::<Vec<_>>().join(", "),
    })
}

impl FromStr for AgentKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        named(text, &Self::ALL)
    }
}

impl Hook {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SessionStart, Self::SessionEnd, Self::PreCompact, Self::Stop];

    /// Its name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SessionStart => "session-start",
            Self::SessionEnd => "session-end",
            Self::PreCompact => "pre-compact",
            Self::Stop => "stop",
        }
    }

    /// Whether some agent calls this hook so.
    fn is_called(self, event: &str) -> bool {
        AgentKind::ALL.iter().any(|kind| kind.event_name(self) == event)
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Hook {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        named(text, &Self::ALL)
    }
}

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

/// What goes to standard output, to the byte. `context` is what the agent is to know at session start, cut after
/// [`CONTEXT_LIMIT`] characters; elsewhere no agent takes any.
#[must_use]
pub fn answer(kind: AgentKind, hook: Hook, context: &str) -> String {
    let contract = kind.contract();
    if hook != Hook::SessionStart {
        return contract.nothing.to_owned();
    }
    let end = context.char_indices().nth(CONTEXT_LIMIT).map_or(context.len(), |(at, _)| at);
    let context = context.get(..end).unwrap_or_default();
    let context = Value::from(context);
    match contract.injection {
        Injection::Flat(key) => format!("{{\"{key}\":{context}}}"),
        Injection::Nested => {
            format!("{{\"hookSpecificOutput\":{{\"hookEventName\":\"SessionStart\",\"additionalContext\":{context}}}}}")
        }
    }
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
        let text = self.text(value, key, PATH_LIMIT)?;
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

/// Enough of a text to recognize it.
fn shorten(text: &str) -> String {
    let mut shortened: String = text.chars().take(80).collect();
    if shortened.len() < text.len() {
        shortened.push('…');
    }
    shortened
}

#[cfg(test)]
mod tests {
    use super::{AgentKind, CONTEXT_LIMIT, Hook, answer, read};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::path::Path;
    use std::str::FromStr as _;

    fn fault(stdin: &str, hook: Hook) -> String {
        read(stdin.as_bytes(), hook, None).1.unwrap_or_default()
    }

    #[test]
    fn names_are_read_back() {
        for kind in AgentKind::ALL {
            assert_eq!(AgentKind::from_str(&kind.to_string()), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for hook in Hook::ALL {
            assert_eq!(Hook::from_str(&hook.to_string()), Ok(hook));
        }
        let error = AgentKind::from_str("claude").unwrap_err().to_string();
        assert_eq!(error, "\"claude\" is none of claude-code, codex, gemini, cursor, copilot");
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

    #[test]
    fn answers_are_exactly_the_contracts() {
        let nested =
            "{\"hookSpecificOutput\":{\"hookEventName\":\"SessionStart\",\"additionalContext\":\"a \\\"b\\\"\\nc\"}}";
        for (kind, start, nothing) in [
            (AgentKind::ClaudeCode, nested, ""),
            (AgentKind::Codex, nested, ""),
            (AgentKind::Gemini, nested, "{}"),
            (AgentKind::Cursor, "{\"additional_context\":\"a \\\"b\\\"\\nc\"}", ""),
            (AgentKind::Copilot, "{\"additionalContext\":\"a \\\"b\\\"\\nc\"}", ""),
        ] {
            assert_eq!(answer(kind, Hook::SessionStart, "a \"b\"\nc"), start);
            for hook in [Hook::SessionEnd, Hook::PreCompact, Hook::Stop] {
                assert_eq!(answer(kind, hook, "context"), nothing);
            }
        }
    }

    #[test]
    fn a_context_is_never_too_long() {
        let told = answer(AgentKind::Cursor, Hook::SessionStart, &"ü".repeat(CONTEXT_LIMIT + 1));
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["additional_context"].as_str().unwrap().chars().count(), CONTEXT_LIMIT);
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

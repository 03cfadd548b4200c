//! The hook contracts of coding agents: what they call their hooks, and what they take on standard output. What they
//! say on standard input is read by [`super::input`].
//!
//! Read off their public documentation and source in 2026 (Claude Code 2.1, Codex CLI, Gemini CLI, Cursor,
//! Copilot CLI). Contracts move: all that is known of them stands in these two files, most of it in [`CONTRACTS`].

use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// How many characters a hand-over may have. Claude Code shows no more than 10,000 at once, Codex some 2,500 tokens.
pub const CONTEXT_LIMIT: usize = 8_000;

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
    pub(super) fn is_called(self, event: &str) -> bool {
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

/// Enough of a text to recognize it.
#[must_use]
pub fn shorten(text: &str) -> String {
    let mut shortened: String = text.chars().take(80).collect();
    if shortened.len() < text.len() {
        shortened.push('…');
    }
    shortened
}

#[cfg(test)]
mod tests {
    use super::{AgentKind, CONTEXT_LIMIT, Hook, answer};
    use serde_json::Value;
    use std::str::FromStr as _;

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
}

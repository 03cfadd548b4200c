//! The coding agents' hook contracts, as facts, read off their public documentation in November 2026.
//!
//! Contracts move. What an agent reads (file, events, matchers, units of time) stands here and nowhere else.

use super::Part;
use serde_json::{Value, json};

/// Where one agent looks for hooks, and what they look like.
#[derive(Debug, PartialEq, Eq)]
pub struct Contract {
    /// The part of the set-up that this is.
    pub part: Part,
    /// What `headwater hook --agent-kind` calls it.
    pub kind: &'static str,
    /// The file, from the top of the work tree.
    pub file: &'static str,
    /// A folder that is there where the agent is used.
    pub folder: &'static str,
    /// The file that the agent reads instructions from.
    pub instructions: &'static str,
    form: Form,
    /// What must be printed where headwater is missing.
    silence: &'static str,
    /// The hooks.
    pub hooks: &'static [Hook],
}

/// The shape of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `{"matcher": …, "hooks": [{"type": "command", "command": …, "timeout": …}]}`, so many units a second.
    Nested { units: u32 },
    /// `{"command": …, "timeout": …}` under `"version": 1`.
    Flat,
    /// `{"type": "command", "bash": …, "powershell": …, "timeoutSec": …}` under `"version": 1`.
    TwoShells,
}

/// One hook of an agent.
#[derive(Debug, PartialEq, Eq)]
pub struct Hook {
    /// What the agent calls the event.
    pub event: &'static str,
    /// What `headwater hook` calls it.
    pub ours: &'static str,
    matcher: Option<&'static str>,
    seconds: u32,
}

const fn hook(event: &'static str, ours: &'static str, seconds: u32) -> Hook {
    Hook { event, ours, matcher: None, seconds }
}

/// All contracts.
pub const CONTRACTS: [Contract; 5] = [
    // A matcher without `resume` misses half the sessions. The default time of SessionEnd is 1.5 s; a
    // settings file may raise it to 60 s.
    Contract {
        part: Part::Claude,
        kind: "claude-code",
        file: ".claude/settings.json",
        folder: ".claude",
        instructions: "CLAUDE.md",
        form: Form::Nested { units: 1 },
        silence: "true",
        hooks: &[
            Hook {
                event: "SessionStart",
                ours: "session-start",
                matcher: Some("startup|resume|clear|compact|fork"),
                seconds: 10,
            },
            hook("SessionEnd", "session-end", 30),
            hook("PreCompact", "pre-compact", 10),
            hook("Stop", "stop", 5),
        ],
    },
    // A changed command asks the person for trust again, so these texts stay as they are.
    Contract {
        part: Part::Codex,
        kind: "codex",
        file: ".codex/hooks.json",
        folder: ".codex",
        instructions: "AGENTS.md",
        form: Form::Nested { units: 1 },
        silence: "true",
        hooks: &[
            Hook {
                event: "SessionStart",
                ours: "session-start",
                matcher: Some("startup|resume|clear|compact"),
                seconds: 10,
            },
            hook("SessionEnd", "session-end", 30),
            hook("PreCompact", "pre-compact", 10),
            hook("Stop", "stop", 5),
        ],
    },
    // Matchers of these events are exact texts, not patterns: none matches all. Standard output must be JSON.
    Contract {
        part: Part::Gemini,
        kind: "gemini",
        file: ".gemini/settings.json",
        folder: ".gemini",
        instructions: "GEMINI.md",
        form: Form::Nested { units: 1_000 },
        silence: "echo '{}'",
        hooks: &[
            hook("SessionStart", "session-start", 10),
            hook("SessionEnd", "session-end", 30),
            hook("PreCompress", "pre-compact", 10),
            hook("AfterAgent", "stop", 5),
        ],
    },
    Contract {
        part: Part::Cursor,
        kind: "cursor",
        file: ".cursor/hooks.json",
        folder: ".cursor",
        instructions: "AGENTS.md",
        form: Form::Flat,
        silence: "true",
        hooks: &[
            hook("sessionStart", "session-start", 10),
            hook("sessionEnd", "session-end", 30),
            hook("preCompact", "pre-compact", 10),
            hook("stop", "stop", 5),
        ],
    },
    Contract {
        part: Part::Copilot,
        kind: "copilot",
        file: ".github/hooks/headwater.json",
        folder: ".github/hooks",
        instructions: "AGENTS.md",
        form: Form::TwoShells,
        silence: "true",
        hooks: &[
            hook("sessionStart", "session-start", 10),
            hook("sessionEnd", "session-end", 30),
            hook("preCompact", "pre-compact", 10),
            hook("agentStop", "stop", 5),
        ],
    },
];

impl Contract {
    /// Whether entries stand in groups that have a matcher.
    pub(super) fn is_nested(&self) -> bool {
        matches!(self.form, Form::Nested { .. })
    }

    /// The entry of one hook, as it stands in the list of its event.
    pub(super) fn entry(&self, hook: &Hook) -> Value {
        let call = format!("headwater hook {} --agent-kind {}", hook.ours, self.kind);
        let command = format!("command -v headwater >/dev/null 2>&1 && {call} || {}", self.silence);
        match self.form {
            Form::Nested { units } => {
                let inner = json!({"type": "command", "command": command, "timeout": hook.seconds * units});
                match hook.matcher {
                    Some(matcher) => json!({"matcher": matcher, "hooks": [inner]}),
                    None => json!({"hooks": [inner]}),
                }
            }
            Form::Flat => json!({"command": command, "timeout": hook.seconds}),
            Form::TwoShells => {
                let find = "if (Get-Command headwater -ErrorAction SilentlyContinue)";
                let powershell = format!("{find} {{ {call} }}; exit 0");
                json!({
                    "type": "command", "bash": command, "powershell": powershell, "timeoutSec": hook.seconds,
                })
            }
        }
    }
}

/// Whether an entry calls this program, in this or an older way.
pub(super) fn is_ours(entry: &Value) -> bool {
    let calls = |key: &str| entry.get(key).and_then(Value::as_str).is_some_and(|text| text.contains("headwater hook "));
    ["command", "bash", "powershell"].into_iter().any(calls)
}

#[cfg(test)]
mod tests {
    use super::{CONTRACTS, is_ours};

    /// Agents ask for trust again where a command changes: these texts stay.
    #[test]
    fn commands_never_change() {
        for contract in &CONTRACTS {
            for hook in contract.hooks {
                let entry = contract.entry(hook).to_string();
                let command = format!(
                    "command -v headwater >/dev/null 2>&1 && headwater hook {} --agent-kind {} || ",
                    hook.ours, contract.kind
                );
                assert!(entry.contains(&command) && !entry.contains(env!("CARGO_PKG_VERSION")), "{entry}");
            }
        }
        let ours = ["session-start", "session-end", "pre-compact", "stop"];
        assert!(CONTRACTS.iter().all(|contract| contract.hooks.iter().map(|hook| hook.ours).eq(ours)));
    }

    #[test]
    fn every_entry_is_known_again() {
        for contract in &CONTRACTS {
            for hook in contract.hooks {
                let entry = contract.entry(hook);
                let inner = if contract.is_nested() { &entry["hooks"][0] } else { &entry };
                assert!(is_ours(inner), "{entry}");
                assert!(hook.seconds <= 60);
            }
        }
    }
}

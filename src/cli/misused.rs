//! Hooks that are called in a way that this version does not understand: they must stop no agent.
//!
//! To Claude Code and others the exit code 2 of a usage error means that the tool, or the agent, must not go on. So
//! a hook with strange options answers as without them, and one with an unknown name, of a later version, answers
//! nothing. Hooks of git are different: they may stop what git does.

use super::agent_hook::{self, Call};
use super::args::{Global, SessionHookArgs};
use super::error::Exit;
use crate::session::contract::{AgentKind, Hook, shorten};
use std::borrow::Cow;
use std::ffi::OsString;

/// The hooks that git calls.
const OF_GIT: [&str; 4] = ["pre-push", "post-merge", "post-rewrite", "post-checkout"];

/// Answers an agent's hook whose command line clap refuses; `None` for anything else.
pub(super) fn answer(args: &[OsString], error: &clap::Error) -> Option<Exit> {
    if !error.use_stderr() {
        return None;
    }
    let args = words(args);
    let rest = after_hook(&args)?;
    let (name, options) = rest.split_first().map_or(("", rest), |(name, options)| (name.as_ref(), options));
    if OF_GIT.contains(&name) {
        return None;
    }
    let hook = name.parse::<Hook>().ok();
    let text = error.render().to_string();
    let fault: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    let fault = fault.join(" ");
    let fault = fault.strip_prefix("error: ").unwrap_or(&fault);
    let misuse = if hook.is_some() {
        format!("options were ignored: {fault}")
    } else {
        format!("this version does not know the hook, and did nothing: {fault}")
    };
    let args = SessionHookArgs { agent_kind: kind(options), ..SessionHookArgs::default() };
    let name = shorten(name);
    Some(agent_hook::run(&Call { global: Global::default(), hook, name, args, misuse: Some(misuse) }))
}

/// Whether an agent's hook is called, of this version or another.
pub(super) fn is_of_agent(args: &[OsString]) -> bool {
    let args = words(args);
    after_hook(&args).is_some_and(|rest| rest.first().is_none_or(|name| !OF_GIT.contains(&name.as_ref())))
}

fn words(args: &[OsString]) -> Vec<Cow<'_, str>> {
    args.iter().skip(1).map(|arg| arg.to_string_lossy()).collect()
}

/// The words after the command `hook`, before which only global options may be.
fn after_hook<'a>(args: &'a [Cow<'a, str>]) -> Option<&'a [Cow<'a, str>]> {
    let mut rest = args;
    loop {
        let (first, after) = rest.split_first()?;
        rest = match first.as_ref() {
            "hook" => return Some(after),
            // Global options whose value is the next word.
            "--dir" | "--config" | "--format" | "--wait" => after.get(1..)?,
            option if option.starts_with('-') => after,
            _ => return None,
        };
    }
}

/// Who calls, as far as the options say so.
fn kind(options: &[Cow<'_, str>]) -> Option<AgentKind> {
    let next = options.iter().skip(1).map(Some).chain([None]);
    options.iter().zip(next).find_map(|(option, next)| match option.strip_prefix("--agent-kind")? {
        "" => next?.parse().ok(),
        value => value.strip_prefix('=')?.parse().ok(),
    })
}

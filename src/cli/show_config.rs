//! `headwater config`: the configuration in force.

use super::context::Context;
use super::error::{CliError, Exit};
use crate::config::pattern::Pattern;
use crate::config::{Namespace, ViewPolicy};
use crate::event::Span;
use crate::event::schema::{Identity, Merge, Section};
use crate::ledger::escape::safe_for_terminal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn run(context: &Context<'_>) -> Result<Exit, CliError> {
    let config = &context.config;
    let view = match config.view {
        ViewPolicy::Branch => "branch",
        ViewPolicy::DefaultBranch => "default-branch",
        ViewPolicy::Untracked => "untracked",
    };
    let age =
        |span: Option<Span>| span.map_or_else(|| "never".to_owned(), |span| format!("{}h", span.seconds() / 3_600));
    let section = |section: &Section| {
        let merge = match section.merge {
            Merge::Register => "register",
            Merge::Map => "map",
            Merge::Set => "set",
            Merge::List => "list",
        };
        let identity = (section.merge == Merge::Set).then_some(match section.identity {
            Identity::Words => "words",
            Identity::Exact => "exact",
        });
        let grouped = (section.merge == Merge::Set).then_some(section.grouped);
        let mut options = json!({"name": section.name, "title": section.title, "merge": merge, "identity": identity,
            "grouped": grouped, "closed_by": section.closed_by, "show": section.show.map(|span| age(Some(span)))});
        if let Some(options) = options.as_object_mut() {
            options.retain(|_, value| !value.is_null());
        }
        options
    };
    let sections: Vec<Value> = config.schema.sections().iter().map(section).collect();
    let ledgers: Vec<String> = context.ledgers.iter().map(|ledger| ledger.dir.path().display().to_string()).collect();
    let file = context.config_file.as_ref().map(|file| file.display().to_string());
    let sessions = json!({"silent_after": age(Some(config.silent_after))});
    let feed = json!({"cold": age(Some(config.feed_cold))});
    let archive = json!({"after": age(config.archive_after), "pack_after": age(config.pack_after)});
    let ids: serde_json::Map<String, Value> =
        config.ids.iter().map(|(name, namespace)| (name.clone(), namespace_json(namespace))).collect();
    let consents = context.consents()?;
    let mut granted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in consents.said() {
        granted.entry(key.trim_start_matches("headwater.")).or_default().push(value);
    }
    let lacking = consents.ungranted(config);
    let ungranted: Vec<Value> = lacking.iter().map(|one| json!({"what": one.what, "remedy": one.remedy})).collect();
    let value = json!({
        "schema": "headwater.config/1", "file": file, "ledger": config.ledgers, "resolved": ledgers, "view": view,
        "archive": archive, "triggers": config.triggers, "capture": config.capture, "sessions": sessions,
        "feed": feed, "ids": ids, "github": config.github, "collisions": config.collisions, "sections": sections,
        "consents": granted, "ungranted": ungranted,
    });
    if context.console.json {
        context.console.json(&value)?;
        return Ok(Exit::Done);
    }
    let source = file
        .map_or_else(|| "# no .headwater.yaml: the defaults are in force".to_owned(), |file| format!("# from {file}"));
    let mut text = format!("{}\n", safe_for_terminal(&source));
    let shown = json!({
        "ledger": config.ledgers, "view": view, "archive": archive, "triggers": config.triggers,
        "capture": config.capture, "sessions": sessions, "feed": feed, "ids": ids, "github": config.github,
        "collisions": config.collisions, "sections": sections,
    });
    let yaml = serde_yaml::to_string(&shown).map_err(|error| CliError::CannotTell(error.to_string()))?;
    text.push_str(yaml.trim_end());
    text.push_str("\n# what you agreed to in this clone (`git config headwater.*`):");
    if granted.is_empty() {
        text.push_str(" nothing");
    }
    for (key, values) in &granted {
        let _infallible = write!(text, "\n#   headwater.{key} {}", safe_for_terminal(&values.join(" ")));
    }
    for one in &lacking {
        let _infallible = write!(text, "\n# {}: `{}`", one.what, one.remedy);
    }
    context.console.result(&text)?;
    Ok(Exit::Done)
}

fn namespace_json(namespace: &Namespace) -> Value {
    let mut value = json!({
        "format": namespace.format.as_str(), "sources": namespace.sources,
        "files": namespace.files.as_ref().map(Pattern::as_str), "template": namespace.template, "log": namespace.log,
        "remote": namespace.remote, "ref": namespace.reference,
    });
    if let Some(options) = value.as_object_mut() {
        options.retain(|_, value| !value.is_null());
    }
    value
}

//! Hooks in an agent's JSON file, with everything else in it left as it stands: order, comments, white space.

use super::contracts::{Contract, is_ours};
use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};
use serde_json::Value;

const BOM: char = '\u{feff}';

/// What some agents read: JSON, comments and trailing commas, nothing looser.
const READ: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Puts the agent's hooks into a file's text; the same text if they are there.
///
/// # Errors
/// The text is no JSON object, or `hooks` is not what the agent reads: `:line:column: …`.
pub(super) fn install(text: &str, contract: &Contract) -> Result<String, String> {
    let root = parse(text)?;
    let is_new = root.value().is_none();
    let mut changed = is_new;
    if is_new {
        root.set_value(CstInputValue::Object(Vec::new()));
    }
    let object = root.object_value().ok_or(": it is no JSON object")?;
    if !contract.is_nested() && object.get("version").is_none() {
        object.insert(0, "version", CstInputValue::Number("1".to_owned()));
        changed = true;
    }
    let hooks = match member(&object, "hooks")? {
        None => object.object_value_or_create("hooks"),
        Some(node) => node.as_object(),
    };
    let hooks = hooks.ok_or(": `hooks` is no object")?;
    for property in hooks.properties() {
        let name = property.decoded_name().unwrap_or_default();
        if !contract.hooks.iter().any(|hook| hook.event == name)
            && let Some(list) = property.array_value()
            && remove_ours(&list)
        {
            changed = true;
            if list.elements().is_empty() {
                property.remove();
            }
        }
    }
    for hook in contract.hooks {
        let list = match member(&hooks, hook.event)? {
            None => hooks.array_value_or_create(hook.event),
            Some(node) => node.as_array(),
        };
        let list = list.ok_or_else(|| format!(": `hooks.{}` is no list", hook.event))?;
        let wanted = contract.entry(hook);
        let ours: Vec<Value> = list.elements().iter().filter_map(CstNode::to_serde_value).filter(holds_ours).collect();
        if ours.as_slice() == [wanted.clone()] {
            continue;
        }
        remove_ours(&list);
        list.append(input(&wanted));
        changed = true;
    }
    if !changed {
        return Ok(text.to_owned());
    }
    Ok(format!("{}{root}", bom(text)))
}

/// Takes the agent's hooks out of a file's text; the same text if there are none, `None` if nothing is left.
///
/// # Errors
/// As [`install`].
pub(super) fn remove(text: &str) -> Result<Option<String>, String> {
    let root = parse(text)?;
    let Some(object) = root.object_value() else { return Ok(Some(text.to_owned())) };
    let mut changed = false;
    if let Some(hooks) = object.object_value("hooks") {
        for property in hooks.properties() {
            let Some(list) = property.array_value() else { continue };
            if remove_ours(&list) {
                changed = true;
                if list.elements().is_empty() {
                    property.remove();
                }
            }
        }
        if changed
            && hooks.properties().is_empty()
            && let Some(property) = object.get("hooks")
        {
            property.remove();
        }
    }
    if !changed {
        return Ok(Some(text.to_owned()));
    }
    let rest = object.properties();
    let only_version = rest.iter().all(|property| property.decoded_name().as_deref() == Some("version"));
    let has_comments = root.to_string().contains("//") || root.to_string().contains("/*");
    Ok(if only_version && !has_comments { None } else { Some(format!("{}{root}", bom(text))) })
}

/// How many entries of ours there are.
///
/// # Errors
/// As [`install`].
pub(super) fn count(text: &str) -> Result<usize, String> {
    let root = parse(text)?;
    let hooks = root.object_value().and_then(|object| object.object_value("hooks"));
    let lists = hooks.iter().flat_map(CstObject::properties).filter_map(|property| property.array_value());
    let entries = lists.flat_map(|list| list.elements());
    Ok(entries.filter_map(|entry| entry.to_serde_value()).filter(holds_ours).count())
}

fn bom(text: &str) -> &'static str {
    if text.starts_with(BOM) { "\u{feff}" } else { "" }
}

fn parse(text: &str) -> Result<CstRootNode, String> {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    CstRootNode::parse(text, &READ)
        .map_err(|error| format!(":{}:{}: {}", error.line_display(), error.column_display(), error.kind()))
}

/// The value of a key that stands at most once.
fn member(object: &CstObject, key: &str) -> Result<Option<CstNode>, String> {
    let mut found = object.properties().into_iter().filter(|property| property.decoded_name().as_deref() == Some(key));
    let first = found.next();
    if found.next().is_some() {
        return Err(format!(": `{key}` stands there twice"));
    }
    Ok(first.and_then(|property| property.value()))
}

/// Whether an entry is ours, or a group that holds one.
fn holds_ours(entry: &Value) -> bool {
    is_ours(entry) || entry.get("hooks").and_then(Value::as_array).is_some_and(|hooks| hooks.iter().any(is_ours))
}

/// Removes our entries, and the groups that they leave empty.
fn remove_ours(list: &CstArray) -> bool {
    let mut removed = false;
    for node in list.elements() {
        let Some(value) = node.to_serde_value().filter(holds_ours) else { continue };
        removed = true;
        let inner = node.as_object().and_then(|group| group.array_value("hooks"));
        match inner.filter(|_| !is_ours(&value)) {
            None => node.remove(),
            Some(inner) => {
                for hook in inner.elements() {
                    if hook.to_serde_value().is_some_and(|hook| is_ours(&hook)) {
                        hook.remove();
                    }
                }
                if inner.elements().is_empty() {
                    node.remove();
                }
            }
        }
    }
    removed
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(yes) => CstInputValue::Bool(*yes),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key.clone(), input(value))).collect();
            // As the agents' own documents write them: what it is, what it does, how long it may take.
            let rank = |key: &str| ["matcher", "type", "bash", "powershell", "command"].iter().position(|k| *k == key);
            entries.sort_by_key(|(key, _)| rank(key).unwrap_or(usize::MAX));
            CstInputValue::Object(entries)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{count, install, remove};
    use crate::setup::contracts::CONTRACTS;
    use serde_json::Value;

    const FILES: [&str; 8] = [
        "{}",
        "{\n  \"model\": \"opus\"\n}\n",
        "{\"a\":1}",
        "{\r\n\t\"a\": [1, 2],\r\n\t\"hooks\": {\r\n\t\t\"Stop\": [\r\n\t\t\t{ \"hooks\": [ { \"type\": \"command\", \"command\": \"x\" } ] }\r\n\t\t]\r\n\t}\r\n}\r\n",
        "{\n      \"hooks\": {\n   \"SessionStart\": [{\"matcher\": \"startup\", \"hooks\": [{\"type\": \"command\", \"command\": \"mine\"}]}]\n  },\n\n \"z\": null}",
        "{\n  // keep\n  \"a\": 1, /* and */ \"b\": 2,\n}\n",
        "{\n    \"hooks\": {\n        \"sessionStart\": [\n            {\"command\": \"./mine\"}\n        ]\n    },\n    \"version\": 1\n}",
        "\u{feff}{\"z\": 1, \"a\": {\"hooks\": []}}\n",
    ];

    fn value(text: &str) -> Value {
        super::parse(text).unwrap().to_serde_value().unwrap()
    }

    #[test]
    fn what_stands_there_stays_and_twice_changes_nothing() {
        for contract in &CONTRACTS {
            for text in FILES {
                let once = install(text, contract).unwrap();
                assert_eq!(install(&once, contract).unwrap(), once);
                assert_eq!(count(&once).unwrap(), contract.hooks.len(), "{once}");
                // Every line that stood there stands there, in its order.
                let mut lines = once.lines();
                for line in text.lines().map(|line| line.trim_end_matches([',', ']', '}', ' '])) {
                    assert!(
                        lines.any(|now| now.starts_with(line)) || !text.trim().contains('\n'),
                        "{line:?} in\n{once}"
                    );
                }
                assert_eq!(once.contains("\r\n"), text.contains("\r\n"));
                if text.contains("\r\n") {
                    assert!(!once.replace("\r\n", "").contains('\n'), "{once:?}");
                }
                let mut back = remove(&once).unwrap().map_or(Value::Null, |text| value(&text));
                let mut before = value(text);
                for value in [&mut back, &mut before] {
                    if let Some(object) = value.as_object_mut() {
                        object.remove("version");
                    }
                }
                if back.is_null() {
                    assert!(before.as_object().unwrap().is_empty(), "{before}");
                } else {
                    assert_eq!(back, before, "{once}");
                }
            }
        }
    }

    #[test]
    fn an_older_entry_is_replaced_and_a_doubled_one_is_one() {
        let claude = &CONTRACTS[0];
        let text = r#"{"hooks": {"SessionStart": [
            {"matcher": "startup", "hooks": [{"type": "command", "command": "headwater hook session-start"}, {"type": "command", "command": "mine"}]},
            {"matcher": "startup", "hooks": [{"type": "command", "command": "headwater hook session-start"}]}],
          "Notification": [{"hooks": [{"type": "command", "command": "headwater hook old"}]}]}}"#;
        let now = value(&install(text, claude).unwrap());
        assert_eq!(
            now["hooks"]["SessionStart"][0]["hooks"],
            serde_json::json!([{"type": "command", "command": "mine"}])
        );
        assert_eq!(now["hooks"]["SessionStart"][1], claude.entry(&claude.hooks[0]));
        assert_eq!(now["hooks"]["SessionStart"].as_array().unwrap().len(), 2);
        assert!(now["hooks"].get("Notification").is_none());
    }

    #[test]
    fn what_cannot_be_understood_is_an_error_with_its_place() {
        for (text, says) in [
            ("{\n  \"a\": 1\n  \"b\": 2\n}", ":2:9: "),
            ("[]", "no JSON object"),
            ("{\"hooks\": []}", "`hooks` is no object"),
            ("{\"hooks\": {\"Stop\": {}}}", "`hooks.Stop` is no list"),
            ("{\"hooks\": {}, \"hooks\": {}}", "twice"),
        ] {
            let fault = install(text, &CONTRACTS[0]).unwrap_err();
            assert!(fault.contains(says), "{text}: {fault}");
        }
    }

    #[test]
    fn a_new_file_is_laid_out() {
        let text = install("", &CONTRACTS[3]).unwrap();
        assert!(text.starts_with("{\n  \"version\": 1,\n  \"hooks\": {\n    \"sessionStart\": [\n"), "{text}");
        assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
        assert_eq!(remove(&text).unwrap(), None);
    }
}

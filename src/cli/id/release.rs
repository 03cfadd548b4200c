//! `headwater id release`: ids that are given up, and never given again.

use super::Desk;
use super::args::IdsArgs;
use crate::cli::error::{CliError, Exit};
use crate::cli::origins::phrase;
use crate::config::Namespace;
use crate::ids::reserve::{Asking, digest};
use crate::store::remove_in_tree;
use crate::trust::path::InTree;

pub(super) fn run(desk: &Desk<'_>, args: &IdsArgs) -> Result<Exit, CliError> {
    let allocator = desk.allocator(true);
    let asking = desk.asking(args.agent.as_ref())?;
    // An id of an unknown form stops it before anything is given up.
    for id in &args.ids {
        allocator.namespace_of(id)?;
    }
    for namespace in desk.context.config.ids.values() {
        let ids: Vec<String> = args.ids.iter().filter(|id| namespace.format.read(id).is_some()).cloned().collect();
        if ids.is_empty() {
            continue;
        }
        let asking = Asking { nonce: format!("{}-{}", asking.nonce, namespace.name), ..asking.clone() };
        for (id, owner) in &allocator.release(namespace, &asking, &ids)? {
            if owner.agent != asking.agent {
                let by = phrase(&owner.agent, 24);
                desk.context.console.notice(&format!("{id} was reserved by {by} at {}", owner.at));
            }
            let Some((path, hash)) = &owner.file else { continue };
            let untouched = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok_and(|text| digest(text) == *hash);
            let removed = match made_for(namespace, id, path).then(|| InTree::file(&allocator.place.top, path)) {
                Some(Ok(place)) => remove_in_tree(&place, untouched)?,
                // Others write the log too: only what was made for this id is removed, and nowhere else.
                Some(Err(_)) | None => false,
            };
            let what = if removed { "was removed: nobody had changed it" } else { "is left as it is" };
            desk.context.console.notice(&format!("`{path}` {what}"));
        }
    }
    let console = desk.context.console;
    if console.json {
        console.json_line(&serde_json::json!({"released": args.ids}))?;
    } else {
        console.result(&format!("RELEASED: {}", args.ids.join(" ")))?;
    }
    Ok(Exit::Done)
}

/// Whether a path is that of the numbered file of an id.
fn made_for(namespace: &Namespace, id: &str, path: &str) -> bool {
    let of_path = namespace.files.as_ref().and_then(|files| files.read(path));
    let of_id = namespace.format.read(id);
    of_path.zip(of_id).is_some_and(|(path, id)| (path.scope, path.number) == (id.scope, id.number))
}

#[cfg(test)]
mod tests {
    use super::made_for;
    use crate::config::Config;

    #[test]
    fn file_of_another_number_or_place_is_not_made_for_an_id() {
        let text = "ids:\n  ADR: {format: \"ADR-{n:04}\", files: \"adr/{n:04}-{slug}.md\"}\n";
        let namespace = Config::parse(text).unwrap().ids.remove("ADR").unwrap();
        assert!(made_for(&namespace, "ADR-0007", "adr/0007-x.md"));
        for path in ["adr/0008-x.md", "../adr/0007-x.md", "/etc/0007-x.md", "adr/0007-a/../../x.md", "README.md"] {
            assert!(!made_for(&namespace, "ADR-0007", path), "{path}");
        }
    }
}

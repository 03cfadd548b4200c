//! `headwater id reserve`: ids that nobody else gets.

use super::Desk;
use super::args::{Reason, ReserveArgs};
use crate::cli::error::{CliError, Exit};
use crate::config::Namespace;
use crate::ids::reserve::{Wish, new_file};
use crate::ids::{Allocator, Reserved, sources};
use crate::store::{StoreError, create_in_tree};
use crate::trust::path::InTree;

/// What a new file begins with where no template is configured, by the ending of its name; others are empty.
const BEGINNINGS: [(&str, &str); 3] = [
    (".md", "# {id}: {title}\n\n- Status: Proposed\n- Date: {date}\n"),
    (".markdown", "# {id}: {title}\n\n- Status: Proposed\n- Date: {date}\n"),
    (".sql", "-- {id}: {title}\n"),
];

pub(super) fn run(desk: &Desk<'_>, args: &ReserveArgs) -> Result<Exit, CliError> {
    let allocator = desk.following(!args.reason.no_fetch, args.reason.jump.allow_jump);
    let namespace = allocator.namespace(&args.namespace)?;
    let template = if args.create { Some(template(&allocator, namespace, args)?) } else { None };
    let wish = Wish { count: args.count, template, ..wish(&args.reason)? };
    let reserved = allocator.reserve(namespace, &desk.asking(args.reason.agent.as_ref())?, &wish)?;
    say_repeated(desk, &reserved);
    let file = create(desk, &allocator, namespace, &reserved, &wish)?;
    print(desk, &reserved, file)
}

/// What the reasons come to.
pub(super) fn wish(reason: &Reason) -> Result<Wish, CliError> {
    if let Some(slug) = &reason.slug {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let starts = slug.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !starts || !slug.chars().all(plain) || slug.len() > 100 || slug.ends_with('.') {
            return Err(CliError::Usage(format!(
                "--slug: `{}` is no part of a file's name; use letters, digits, `-` and `_`, at most 100",
                slug.escape_debug()
            )));
        }
    }
    for (option, text) in [("--event", &reason.event), ("--note", &reason.note)] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty() || text.len() > 10_000) {
            return Err(CliError::Usage(format!("{option}: give a text of 1 to 10000 bytes")));
        }
    }
    let (event, slug, note) = (reason.event.clone(), reason.slug.clone(), reason.note.clone());
    Ok(Wish { count: 1, event, slug, note, template: None })
}

/// Says that a reservation was there already.
pub(super) fn say_repeated(desk: &Desk<'_>, reserved: &Reserved) {
    if reserved.repeated {
        let at = &reserved.anchor.at;
        desk.context.console.notice(&format!("{} was reserved at {at} by the same event", reserved.ids.join(" ")));
    }
}

/// The text of the file to be made; everything that could refuse it is asked before a number is spent.
fn template(allocator: &Allocator<'_>, namespace: &Namespace, args: &ReserveArgs) -> Result<String, CliError> {
    let usage = |text: String| Err(CliError::Usage(text));
    let Some(files) = &namespace.files else {
        return usage(format!("--create: {} has no `files:` in `.headwater.yaml`", namespace.name));
    };
    if args.count != 1 {
        return usage("--create makes one file; reserve one id at a time".to_owned());
    }
    if files.has_slug() && args.reason.slug.is_none() {
        return usage(format!("--create: `{files}` needs `--slug`"));
    }
    let Some(template) = &namespace.template else {
        let beginning = BEGINNINGS.iter().find(|(ending, _)| files.as_str().ends_with(ending));
        return Ok(beginning.map(|(_, text)| (*text).to_owned()).unwrap_or_default());
    };
    let missing = || CliError::Usage(format!("--create: there is no template `{template}`"));
    let bytes = sources::read_if_there(&allocator.place.top, template, false)?.ok_or_else(missing)?;
    String::from_utf8(bytes).map_err(|_not_utf8| CliError::Usage(format!("the template `{template}` is not UTF-8")))
}

/// Makes the file, exclusively; gives its path from the top of the work tree.
fn create(
    desk: &Desk<'_>,
    allocator: &Allocator<'_>,
    namespace: &Namespace,
    reserved: &Reserved,
    wish: &Wish,
) -> Result<Option<String>, CliError> {
    if wish.template.is_some() && reserved.ids != reserved.anchor.ids {
        let id = reserved.ids.join(" ");
        desk.context
            .console
            .notice(&format!("no file is made: {id} stands for what was reserved, see `headwater id show`"));
        return Ok(None);
    }
    let Some((path, text)) = new_file(namespace, &reserved.anchor, wish) else { return Ok(None) };
    let place = InTree::file(&allocator.place.top, &path).map_err(StoreError::from)?;
    if !create_in_tree(&place, text.as_bytes())? {
        let id = reserved.ids.join(" ");
        if !reserved.repeated {
            return Err(CliError::Usage(format!(
                "`{path}` is there already and was left as it is; {id} stays reserved"
            )));
        }
        desk.context.console.notice(&format!("`{path}` is there already"));
    }
    Ok(Some(path))
}

fn print(desk: &Desk<'_>, reserved: &Reserved, file: Option<String>) -> Result<Exit, CliError> {
    let console = desk.context.console;
    if console.plain {
        console.result(&reserved.ids.join(" "))?;
        return Ok(Exit::Done);
    }
    let mut value = serde_json::json!({"ids": reserved.ids, "reservedAt": reserved.anchor.at});
    if let Some(object) = value.as_object_mut() {
        if reserved.provisional {
            object.insert("provisional".to_owned(), true.into());
        }
        if reserved.repeated {
            object.insert("repeated".to_owned(), true.into());
        }
        if let Some(file) = file {
            object.insert("file".to_owned(), file.into());
        }
    }
    console.json_line(&value)?;
    Ok(Exit::Done)
}

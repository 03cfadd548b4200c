//! `headwater id with`: the reserved id where `{{ITEM_ID}}` stands.
#![expect(clippy::disallowed_methods, reason = "runs the command that the user names")]

use super::Desk;
use super::args::WithArgs;
use super::reserve::{say_repeated, wish};
use crate::cli::error::{CliError, Exit};
use crate::store::read_text;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

/// What the id is put for.
const MARK: &str = "{{ITEM_ID}}";

pub(super) fn run(desk: &Desk<'_>, args: &WithArgs) -> Result<Exit, CliError> {
    let usage = |text: String| CliError::Usage(text);
    let text = args.template.as_deref().map(read).transpose()?;
    let marked =
        text.as_ref().map_or_else(|| args.command.iter().any(|word| word.contains(MARK)), |text| text.contains(MARK));
    if !marked {
        return Err(usage(format!("there is no `{MARK}` to put the id for; nothing was reserved")));
    }
    let allocator = desk.following(!args.reason.no_fetch, args.reason.jump.allow_jump);
    let namespace = allocator.namespace(&args.namespace)?;
    let reserved = allocator.reserve(namespace, &desk.asking(args.reason.agent.as_ref())?, &wish(&args.reason)?)?;
    say_repeated(desk, &reserved);
    let id = reserved.ids.join(" ");
    if let Some(text) = text {
        desk.context.console.bytes(text.replace(MARK, &id).as_bytes())?;
        return Ok(Exit::Done);
    }
    let words: Vec<String> = args.command.iter().map(|word| word.replace(MARK, &id)).collect();
    let Some((program, rest)) = words.split_first() else { return Ok(Exit::Failed) };
    let status = Command::new(program).args(rest).env("HEADWATER_ITEM_ID", &id).status();
    let status = status.map_err(|error| usage(format!("cannot run `{program}`: {error}; {id} stays reserved")))?;
    if status.success() {
        return Ok(Exit::Done);
    }
    let how = status.code().map_or_else(|| "by a signal".to_owned(), |code| format!("with status {code}"));
    Err(usage(format!("`{program}` ended {how}; {id} stays reserved, `headwater id release {id}` gives it up")))
}

fn read(path: &Path) -> Result<String, CliError> {
    let shown = path.display();
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(CliError::Input)?;
        bytes
    } else {
        read_text(path)?.ok_or_else(|| CliError::Usage(format!("there is no `{shown}`")))?
    };
    String::from_utf8(bytes).map_err(|_not_utf8| CliError::Usage(format!("`{shown}` is not UTF-8")))
}

//! The files that a set-up writes or merges into, and what belongs into each, as functions of their text.

use super::block::{HASH, HTML, Marks};
use super::contracts::{CONTRACTS, Contract};
use super::{Part, json, precommit, texts};
use crate::config::ViewPolicy;
use crate::store::README_TEXT;

/// What a set-up depends on.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The ledgers, from the top of the work tree.
    pub ledgers: Vec<String>,
    /// Whether they are the default.
    pub is_default_ledger: bool,
    /// Where the view is committed.
    pub view: ViewPolicy,
    /// Whether ids are configured, so that agents are told to reserve them.
    pub ids: bool,
    /// The ignore files of the formatters that are used here, which are to leave the ledgers alone.
    pub ignore_files: Vec<&'static str>,
    /// What the user of this clone agrees to now.
    pub consents: Vec<super::Word>,
    /// The view of a ledger without events, where it is committed: a new ledger is not stale.
    pub first_view: Option<String>,
}

impl Settings {
    /// Whether a new configuration asks for what a transcript holds: the user agrees to it now.
    fn captures(&self) -> bool {
        self.consents.iter().any(|(key, _)| *key == "headwater.capture")
    }
}

/// A file of the work tree.
#[derive(Debug, Clone)]
pub(super) struct Managed {
    /// From the top of the work tree, with `/`.
    pub path: String,
    /// The part of the set-up that it belongs to.
    pub part: Part,
    /// What is in it, in words.
    pub what: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Written once, and the user's from then on.
    Seed(String),
    /// Ours as a whole, as long as nobody edits it.
    Own(String),
    /// A block in a file.
    Block(Marks, String),
    /// Hooks in an agent's file.
    Agent(&'static Contract),
    /// An entry in the pre-commit framework's file.
    PreCommit,
}

/// What comes of putting our part into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Installed {
    /// The file's text; perhaps the one that stands there.
    Text(String),
    /// It is left as it is; says why, and what to do by hand.
    Left(String),
}

/// All files of the chosen parts, without git's own.
pub(super) fn files(parts: &[Part], settings: &Settings) -> Vec<Managed> {
    let mut files = Vec::new();
    let mut add = |path: &str, part, what, kind| {
        files.push(Managed { path: path.to_owned(), part, what, kind });
    };
    let ledgers = &settings.ledgers;
    for part in parts {
        match part {
            Part::Ledger => {
                let config = texts::config(ledgers, settings.is_default_ledger, settings.captures());
                add(crate::config::FILE_NAME, *part, "the configuration, with comments", Kind::Seed(config));
                for ledger in ledgers {
                    let readme = format!("{ledger}/events/README.md");
                    add(&readme, *part, "the ledger's folder", Kind::Seed(README_TEXT.to_owned()));
                    if let Some(view) = &settings.first_view {
                        let path = format!("{ledger}/current.md");
                        add(&path, *part, "the view of a new ledger", Kind::Seed(view.clone()));
                    }
                }
                let ignored = texts::ignored(ledgers, settings.view);
                add(".gitignore", *part, "the lock is not tracked", Kind::Block(HASH, ignored));
                let attributes = texts::attributes(ledgers);
                add(".gitattributes", *part, "line ends, and the view's merge driver", Kind::Block(HASH, attributes));
                for file in &settings.ignore_files {
                    let unformatted = texts::unformatted(ledgers);
                    add(file, *part, "Prettier leaves the ledger alone", Kind::Block(HASH, unformatted));
                }
            }
            // Not in the work tree.
            Part::Git => {}
            Part::Claude | Part::Codex | Part::Gemini | Part::Cursor | Part::Copilot => {
                let Some(contract) = CONTRACTS.iter().find(|contract| contract.part == *part) else { continue };
                add(contract.file, *part, "hooks", Kind::Agent(contract));
                let paragraph = Kind::Block(HTML, texts::paragraph(settings.ids));
                add(contract.instructions, *part, "how to record decisions", paragraph);
                if *part == Part::Claude {
                    let path = ".claude/skills/synthesize-ledgers/SKILL.md";
                    add(path, *part, "the skill synthesize-ledgers", Kind::Own(texts::skill(settings.ids)));
                }
            }
            Part::GithubActions => {
                let check = Kind::Own(texts::check_workflow());
                add(".github/workflows/headwater.yml", *part, "checks pushes and pull requests", check);
                if settings.view == ViewPolicy::DefaultBranch {
                    let view = Kind::Own(texts::view_workflow());
                    add(".github/workflows/headwater-view.yml", *part, "writes the view after each merge", view);
                }
            }
            Part::Schedule => {
                let archive = Kind::Own(texts::archive_workflow());
                add(".github/workflows/headwater-archive.yml", *part, "archives once a day", archive);
            }
            Part::PreCommit => add(".pre-commit-config.yaml", *part, "a check before a push", Kind::PreCommit),
        }
    }
    files
}

impl Managed {
    /// Puts our part into the file's text.
    ///
    /// # Errors
    /// The text cannot be merged into: `: …` or `:line:column: …`.
    pub(super) fn install(&self, before: Option<&str>) -> Result<Installed, String> {
        let text = before.unwrap_or_default();
        Ok(Installed::Text(match &self.kind {
            Kind::Seed(seed) => before.unwrap_or(seed).to_owned(),
            Kind::Own(own) => match before {
                Some(text) if text.replace("\r\n", "\n") == *own => text.to_owned(),
                Some(text) if !texts::is_untouched(text) => {
                    return Ok(Installed::Left(
                        "was edited, or is not headwater's, and is left as it is; remove it to have it written anew"
                            .to_owned(),
                    ));
                }
                _ => own.clone(),
            },
            // An imported paragraph is read once.
            Kind::Block(HTML, _) if self.imports_instructions(text) => text.to_owned(),
            Kind::Block(marks, body) => marks.put(text, body)?,
            Kind::Agent(contract) => json::install(text, contract)?,
            Kind::PreCommit => match precommit::install(text)? {
                Some(whole) => whole,
                None => {
                    return Ok(Installed::Left(format!(
                        "cannot be merged into safely; add this below `repos:`\n{}",
                        precommit::BY_HAND.trim_end()
                    )));
                }
            },
        }))
    }

    /// Takes our part out of the file's text; `None` if the file was only ours.
    ///
    /// # Errors
    /// As [`Managed::install`].
    pub(super) fn remove(&self, text: &str, settings: &Settings) -> Result<Option<String>, String> {
        let unless_empty = |rest: String| if rest.trim().is_empty() && rest != text { None } else { Some(rest) };
        match &self.kind {
            Kind::Seed(seed) => {
                let ours = text.replace("\r\n", "\n") == *seed || texts::is_config(text, &settings.ledgers);
                Ok(if ours { None } else { Some(text.to_owned()) })
            }
            Kind::Own(_) => Ok(if texts::is_untouched(text) { None } else { Some(text.to_owned()) }),
            Kind::Block(marks, _) => Ok(unless_empty(marks.take(text)?)),
            Kind::Agent(_) => json::remove(text),
            Kind::PreCommit => precommit::remove(text),
        }
    }

    /// Whether the file holds a part of ours, in this or an older text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Seed(_) => true,
            Kind::Own(_) => texts::is_untouched(text) || text.contains("headwater"),
            Kind::Block(marks, _) => !matches!(marks.find(text), Ok(None)) || self.imports_instructions(text),
            Kind::Agent(_) => json::count(text).is_ok_and(|count| count > 0),
            Kind::PreCommit => !matches!(HASH.find(text), Ok(None)),
        }
    }

    /// Whether the file is there to be edited by its user, so that a change to it is no finding.
    pub(super) fn is_seed(&self) -> bool {
        matches!(self.kind, Kind::Seed(_))
    }

    /// Whether what it says counts wherever it is said, so that git is asked instead of the file.
    pub(super) fn is_shared_by_line(&self) -> bool {
        matches!(self.kind, Kind::Block(HASH, _))
    }

    /// Whether Claude Code's instructions are those of the other agents.
    fn imports_instructions(&self, text: &str) -> bool {
        self.part == Part::Claude
            && text
                .lines()
                .any(|line| line.split_whitespace().any(|word| word == "@AGENTS.md" || word == "@./AGENTS.md"))
            && matches!(HTML.find(text), Ok(None))
    }
}

#[cfg(test)]
mod tests {
    use super::{Installed, Settings, files};
    use crate::config::ViewPolicy;
    use crate::setup::Part;

    #[test]
    fn what_a_new_file_holds_is_all_ours() {
        let settings = Settings {
            ledgers: vec!["a".to_owned()],
            is_default_ledger: false,
            view: ViewPolicy::DefaultBranch,
            ids: true,
            consents: vec![("headwater.capture", "todos".to_owned())],
            ignore_files: vec![".prettierignore"],
            first_view: Some("view".to_owned()),
        };
        for file in files(&Part::ALL, &settings) {
            let Installed::Text(text) = file.install(None).unwrap() else { panic!("{}", file.path) };
            assert_eq!(file.install(Some(&text)).unwrap(), Installed::Text(text.clone()), "{}", file.path);
            assert!(file.is_in(&text), "{}", file.path);
            assert_eq!(file.remove(&text, &settings).unwrap(), None, "{}", file.path);
        }
    }
}

//! The texts that a set-up writes.

use crate::config::{Captured, ViewPolicy};
use crate::event::hex;
use sha2::{Digest as _, Sha256};

/// Where a file that is wholly ours says so.
const STAMP: &str = "{STAMP}";

/// What a stamp begins with; twelve hex digits of the rest of the file follow.
const STAMPED: &str = "written by `headwater init` ";

/// The instructions for agents.
const PARAGRAPH: &str = include_str!("texts/paragraph.md");

/// What is added where ids are configured.
const IDS: &str = "
An id (of a task, an ADR, a migration) is reserved before it is written: `headwater id reserve NAMESPACE` prints
it, with `--create --slug S` it makes the numbered file; `headwater id next NAMESPACE` only looks. Never take the
highest number that you see. An id that is called provisional may still change: `headwater id sync`.
";

/// The instructions for agents.
pub(super) fn paragraph(ids: bool) -> String {
    let ids = if ids { IDS } else { "" };
    format!("{}\n{ids}", PARAGRAPH.trim_end()).trim_end().to_owned()
}

/// The configuration.
pub(super) fn config(ledgers: &[String], is_default: bool, capture: bool) -> String {
    let quoted: Vec<String> = ledgers.iter().map(|ledger| format!("'{}'", ledger.replace('\'', "''"))).collect();
    let ledger = match (is_default, ledgers) {
        (true, _) => "# ledger: thoughts/shared/handoffs".to_owned(),
        (false, [one]) if one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte)) => {
            format!("ledger: {one}")
        }
        (false, _) => format!("ledger: [{}]", quoted.join(", ")),
    };
    let capture = if capture { "capture: [todos, request]" } else { "# capture: [todos, request]" };
    include_str!("texts/config.yaml").replace("{LEDGER}", &ledger).replace("{CAPTURE}", capture)
}

/// Every text of [`config`] that was written for these ledgers, whatever was asked for.
pub(super) fn is_config(text: &str, ledgers: &[String]) -> bool {
    let text = text.replace("\r\n", "\n");
    [(true, false), (true, true), (false, false), (false, true)]
        .into_iter()
        .any(|(is_default, capture)| text == config(ledgers, is_default, capture))
}

/// What `capture:` asks for when it is asked for.
pub const CAPTURE: [Captured; 2] = [Captured::Todos, Captured::Request];

/// The skill for Claude Code.
pub(super) fn skill(ids: bool) -> String {
    let ids = if ids { format!("\n## Before an id is written\n{IDS}") } else { String::new() };
    stamped(&include_str!("texts/skill.md").replace("{IDS}\n", &ids))
}

/// The workflow that checks pushes and pull requests.
pub(super) fn check_workflow() -> String {
    stamped(&pinned(include_str!("texts/check.yml")))
}

/// The workflow that archives old events on the default branch, once a day.
pub(super) fn archive_workflow() -> String {
    write_workflow(
        "headwater archive",
        "Moves old events to the archive, on the default branch, where no session works.",
        "  schedule:\n  - cron: '17 3 * * *'\n  workflow_dispatch:",
        "",
        "headwater synth --no-confirm --archive --commit",
    )
}

/// The workflow that writes the view after each merge, for `view: default-branch`.
pub(super) fn view_workflow() -> String {
    write_workflow(
        "headwater view",
        "Writes the view on the default branch after each merge: branches commit their events only.",
        "  push:",
        "    if: github.ref_name == github.event.repository.default_branch\n",
        "headwater synth --no-confirm --commit",
    )
}

fn write_workflow(name: &str, what: &str, on: &str, condition: &str, command: &str) -> String {
    let text = include_str!("texts/write.yml");
    let text = text.replace("{NAME}", name).replace("{WHAT}", what).replace("{ON}", on);
    stamped(&pinned(&text.replace("{IF}", condition).replace("{COMMAND}", command)))
}

/// A text that installs exactly this version of the program.
fn pinned(text: &str) -> String {
    text.replace("{VERSION}", env!("CARGO_PKG_VERSION"))
}

fn stamp(text: &str) -> String {
    let digest = hex(&Sha256::digest(text.as_bytes()));
    format!("{STAMPED}{}", digest.get(..12).unwrap_or_default())
}

fn stamped(text: &str) -> String {
    text.replacen(STAMP, &stamp(text), 1)
}

/// Whether nobody changed a file since this program, in any version, wrote it.
pub(super) fn is_untouched(text: &str) -> bool {
    let text = text.replace("\r\n", "\n");
    let Some(at) = text.find(STAMPED) else { return false };
    let end = at + STAMPED.len() + 12;
    let (Some(standing), Some(rest)) = (text.get(at..end), text.get(end..)) else { return false };
    let bare = format!("{}{STAMP}{rest}", text.get(..at).unwrap_or_default());
    stamp(&bare) == standing
}

/// What git must not track.
pub(super) fn ignored(ledgers: &[String], view: ViewPolicy) -> String {
    let mut lines = Vec::new();
    for ledger in ledgers {
        let ledger = escaped(ledger);
        lines.push(format!("/{ledger}/.synth.lock"));
        if view == ViewPolicy::Untracked {
            lines.push(format!("/{ledger}/current.md"));
        }
    }
    lines.join("\n")
}

/// What Prettier must not format: events are append-only, and the view is generated.
pub(super) fn unformatted(ledgers: &[String]) -> String {
    ledgers.iter().map(|ledger| format!("/{}/", escaped(ledger))).collect::<Vec<_>>().join("\n")
}

/// What git must know of the ledger's files: events are bytes, and the view is merged by its own driver.
pub(super) fn attributes(ledgers: &[String]) -> String {
    let mut lines = Vec::new();
    for ledger in ledgers {
        for (file, attributes) in
            [("**/*.md", "text eol=lf"), ("**/*.yaml", "text eol=lf"), ("current.md", "merge=headwater")]
        {
            let pattern = format!("/{}/{file}", escaped(ledger));
            let spaced = pattern.contains(|c: char| c.is_whitespace() || c == '"');
            let pattern =
                if spaced { format!("\"{}\"", pattern.replace('\\', "\\\\").replace('"', "\\\"")) } else { pattern };
            lines.push(format!("{pattern} {attributes}"));
        }
    }
    lines.join("\n")
}

/// A path as a pattern that means itself.
fn escaped(path: &str) -> String {
    let mut pattern = String::new();
    for character in path.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// The line for `crontab` that archives in a temporary work tree of the default branch, and touches none that a
/// session uses. Cron reads an unescaped `%` as the end of the command (crontab(5)).
pub(super) fn cron_line(common_dir: &str, branch: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let (remote, target) =
        (quoted(&format!("refs/remotes/origin/{branch}")), quoted(&format!("HEAD:refs/heads/{branch}")));
    let command = format!(
        "command -v headwater >/dev/null || exit 0; \
         cd {} && t=$(mktemp -d) && {{ git fetch -q origin && git worktree add -q --detach \"$t/w\" {remote} && \
         (cd \"$t/w\" && headwater synth -q --no-confirm --archive --commit && git push -q origin {target}); \
         git worktree remove --force \"$t/w\"; rmdir \"$t\"; }}",
        quoted(common_dir),
    );
    format!("17 3 * * * {}", command.replace('%', "\\%"))
}

/// The driver's name for people.
pub(super) const DRIVER_NAME: &str = "headwater: the view of the merged ledger";

/// The merge driver; a text merge where headwater is missing. Git's `%S`, `%X` and `%Y` need 2.44.
pub(super) const DRIVER: &str = "if command -v headwater >/dev/null 2>&1; \
then headwater merge-driver %O %A %B %P %S %X %Y; \
else git merge-file -L %X -L %S -L %Y --marker-size=%L %A %O %B; fi";

#[cfg(test)]
mod tests {
    use super::{
        CAPTURE, archive_workflow, attributes, check_workflow, config, ignored, is_config, is_untouched, skill,
        view_workflow,
    };
    use crate::config::{Config, ViewPolicy};
    use crate::event::Span;

    #[test]
    fn the_configuration_says_what_is_in_force() {
        let default = Config::default();
        for (is_default, capture) in [(true, false), (false, true)] {
            let text = config(&default.ledgers, is_default, capture);
            let read = Config::parse(&text).unwrap();
            assert_eq!(read.ledgers, default.ledgers);
            let wished: Vec<_> = read.capture.for_consent().iter().copied().collect();
            assert_eq!(wished, if capture { CAPTURE.to_vec() } else { vec![] });
            for name in ["this_session", "checkpoints"] {
                assert_eq!(read.schema.section(name).unwrap().show, Some(Span::hours(7 * 24)));
            }
            assert!(is_config(&text, &default.ledgers) && !is_config(&format!("{text}\n"), &default.ledgers));
        }
        let odd = ["a b/it's".to_owned(), "c".to_owned()];
        assert_eq!(Config::parse(&config(&odd, false, false)).unwrap().ledgers, odd);
    }

    /// What the comments show is what counts without them.
    #[test]
    fn the_commented_keys_are_the_defaults() {
        let text = config(&Config::default().ledgers, true, false);
        let keys: String = text
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| {
                let key = line.split(':').next().unwrap();
                line.starts_with("  ") || ["ledger", "view", "archive", "sessions", "triggers"].contains(&key)
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        assert_eq!(Config::parse(&keys).unwrap(), Config::default(), "{keys}");
    }

    #[test]
    fn a_changed_file_is_known_from_an_untouched_one() {
        for text in [skill(false), skill(true), check_workflow(), archive_workflow(), view_workflow()] {
            assert!(is_untouched(&text) && is_untouched(&text.replace('\n', "\r\n")), "{text}");
            assert!(!text.contains("{STAMP}"));
            for changed in [format!("{text}\n"), text.replacen("headwater", "tailwater", 1), text.replace("the", "The")]
            {
                assert!(!is_untouched(&changed));
            }
        }
        assert!(!is_untouched("written by `headwater init` é"));
    }

    #[test]
    fn workflows_are_yaml_and_put_no_expression_into_a_script() {
        for text in [check_workflow(), archive_workflow(), view_workflow()] {
            let workflow: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            let jobs = workflow.get("jobs").unwrap().as_mapping().unwrap();
            for (_, job) in jobs {
                for step in job.get("steps").unwrap().as_sequence().unwrap() {
                    if let Some(script) = step.get("run") {
                        assert!(!script.as_str().unwrap().contains("${{"), "{text}");
                    }
                }
            }
        }
    }

    /// What a registry hands out next must not run unasked, and what was installed must not be able to write.
    #[test]
    fn workflows_install_this_version_where_nothing_can_be_written() {
        for (text, writes) in [(check_workflow(), false), (archive_workflow(), true), (view_workflow(), true)] {
            let workflow: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            assert_eq!(workflow["permissions"]["contents"], "read");
            let pin = format!("cargo install --locked --version '={}' headwater", env!("CARGO_PKG_VERSION"));
            assert_eq!((text.matches("cargo install").count(), text.matches(&pin).count()), (1, 1), "{text}");
            let mut writers = 0;
            for (_, job) in workflow["jobs"].as_mapping().unwrap() {
                let steps = job["steps"].as_sequence().unwrap();
                let runs_ours = steps.iter().filter_map(|step| step["run"].as_str()).any(|script| {
                    script.lines().any(|line| line.trim().starts_with("headwater") || line.contains("cargo"))
                });
                let keeps_no_token = steps[0]["with"]["persist-credentials"] == false;
                let can_write = job.get("permissions").is_some();
                writers += usize::from(can_write);
                assert!(runs_ours != can_write && runs_ours == keeps_no_token, "{text}");
            }
            assert_eq!(writers, usize::from(writes));
        }
    }

    #[test]
    fn patterns_mean_the_path_itself() {
        let ledgers = ["a b/[x]".to_owned()];
        assert_eq!(ignored(&ledgers, ViewPolicy::Untracked), "/a b/\\[x\\]/.synth.lock\n/a b/\\[x\\]/current.md");
        assert!(attributes(&ledgers).starts_with("\"/a b/\\\\[x\\\\]/**/*.md\" text eol=lf\n"));
    }
}

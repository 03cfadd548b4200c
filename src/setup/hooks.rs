//! Git hooks: a block in a shell script, or a wrapper around anything else.
//!
//! What stands there keeps its arguments, its standard input and its exit status.

use super::block::{HASH, is_crlf, replaced};

/// The hooks that are set up.
pub(super) const HOOKS: [&str; 4] = ["pre-push", "post-merge", "post-rewrite", "post-checkout"];

/// What a hook that was there before is called beside a wrapper.
pub(super) const BEFORE: &str = ".before-headwater";

/// What the wrapper does in the end; a hook that git did not run, because it may not be, is not run now.
const WRAPPED: &str = "if [ -x \"$0.before-headwater\" ]; then exec \"$0.before-headwater\" \"$@\"; fi\n";

/// What stands under a hook's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing<'a> {
    Nothing,
    /// A symbolic link: its target is not ours to change.
    Link,
    File {
        bytes: &'a [u8],
        executable: bool,
    },
}

/// What must be done to a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// It gets this text, and may be run.
    Write(String),
    /// It is moved to its name with [`BEFORE`], and this wrapper takes its place.
    Wrap(String),
}

/// The lines between the marks. Only a check that failed stops a push: nothing else, such as an older
/// program, does. Where git writes to standard input, ours and the rest of the script read the same.
fn body(name: &str) -> String {
    let say = "# Added by `headwater init`, taken out by `headwater init --uninstall`.";
    let find = "command -v headwater >/dev/null 2>&1";
    let failed = match name {
        "pre-push" => Some("[ $? -ne 1 ] || exit 1"),
        "post-rewrite" => Some(":"),
        _ => None,
    };
    if let Some(failed) = failed {
        return format!(
            "{say}
if {find}; then
    headwater_input=$(cat)
    if [ -n \"$headwater_input\" ]; then
        printf '%s\\n' \"$headwater_input\" | headwater hook {name} \"$@\" || {failed}
        exec <<HEADWATER_INPUT
$headwater_input
HEADWATER_INPUT
    else
        exec </dev/null
    fi
fi"
        );
    }
    format!("{say}\nif {find}; then headwater hook {name} \"$@\" </dev/null || :; fi")
}

/// The block of a hook, to be put in by hand where this program must not.
pub(super) fn block(name: &str) -> String {
    HASH.around(&body(name), "")
}

/// A script that runs ours, and then the hook that was there before.
pub(super) fn wrapper(name: &str) -> String {
    format!("#!/bin/sh\n{}{WRAPPED}", block(name))
}

/// Finds what must be done so that a hook runs ours and then what stands there.
///
/// `sourced` scripts are run by a shell whatever they begin with and whether they may be run or not.
///
/// # Errors
/// The marks of a block are broken: `:line: …`.
pub(super) fn install(name: &str, standing: Standing<'_>, sourced: bool) -> Result<Change, String> {
    let shebang = if sourced { "" } else { "#!/bin/sh\n" };
    let (bytes, executable) = match standing {
        Standing::Nothing => return Ok(Change::Write(format!("{shebang}{}", block(name)))),
        Standing::Link => return Ok(Change::Wrap(wrapper(name))),
        Standing::File { bytes, executable } => (bytes, executable),
    };
    let Some(text) = script(bytes, sourced) else { return Ok(Change::Wrap(wrapper(name))) };
    let found = HASH.find(text)?;
    if !executable && !sourced && found.is_none() {
        // Git does not run it; with our block in it, it would.
        return Ok(Change::Wrap(wrapper(name)));
    }
    let whole = if let Some(range) = found {
        replaced(text, range, &block(name))
    } else {
        let first = text.split_inclusive('\n').next().filter(|line| line.starts_with("#!")).unwrap_or_default();
        let end = if first.is_empty() || first.ends_with('\n') { "" } else { "\n" };
        format!("{first}{end}{}{}", block(name), text.get(first.len()..).unwrap_or_default())
    };
    let runs = executable || sourced;
    Ok(if whole == text && runs { Change::Nothing } else { Change::Write(whole) })
}

/// Whether a hook has our block, whatever it says.
pub(super) fn is_installed(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| HASH.find(text).is_ok_and(|found| found.is_some()))
}

/// Whether a hook is our wrapper and nothing else, in this or an older text.
pub(super) fn is_wrapper(text: &str) -> bool {
    HASH.take(text).is_ok_and(|rest| rest == format!("#!/bin/sh\n{WRAPPED}"))
}

/// The text of a hook without our block; `None` if nothing is left.
///
/// # Errors
/// As [`install`].
pub(super) fn remove(text: &str) -> Result<Option<String>, String> {
    let rest = HASH.take(text)?;
    let nothing = rest != text && matches!(rest.as_str(), "" | "#!/bin/sh\n");
    Ok(if nothing { None } else { Some(rest) })
}

/// The text of a shell script that our lines can stand in.
fn script(bytes: &[u8], sourced: bool) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0') && !is_crlf(text))?;
    let Some(line) = text.lines().next().and_then(|line| line.strip_prefix("#!")) else {
        // Git hands a script without a first line to `sh`.
        return Some(text);
    };
    let mut words = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let mut program = words.next()?;
    if program == "env" {
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    }
    let program = program.strip_suffix(".exe").unwrap_or(program);
    (sourced || matches!(program, "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{Change, Standing, block, install, is_wrapper, remove};

    fn file(text: &str) -> Standing<'_> {
        Standing::File { bytes: text.as_bytes(), executable: true }
    }

    #[test]
    fn the_block_stands_after_the_first_line_and_comes_out_again() {
        for text in ["#!/bin/sh\ngit lfs pre-push \"$@\"\n", "#!/usr/bin/env -S bash -e\nexit 3", "npm test\n"] {
            let Change::Write(whole) = install("pre-push", file(text), false).unwrap() else { panic!("{text}") };
            let first = text
                .lines()
                .next()
                .filter(|line| line.starts_with("#!"))
                .map_or(String::new(), |line| format!("{line}\n"));
            assert!(whole.starts_with(&format!("{first}{}", block("pre-push"))), "{whole}");
            assert_eq!(install("pre-push", file(&whole), false).unwrap(), Change::Nothing);
            assert_eq!(remove(&whole).unwrap().as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_shell_script_is_wrapped() {
        let python = "#!/usr/bin/env python3\nprint()\n";
        let not_run = Standing::File { bytes: b"#!/bin/sh\nexit 1\n", executable: false };
        let crlf = file("#!/bin/sh\r\nexit 1\r\n");
        for standing in [file(python), file("\0ELF"), not_run, crlf, Standing::Link] {
            let Change::Wrap(wrapper) = install("post-merge", standing, false).unwrap() else { panic!("{standing:?}") };
            assert!(is_wrapper(&wrapper));
            assert_eq!(install("post-merge", file(&wrapper), false).unwrap(), Change::Nothing);
        }
    }

    #[test]
    fn an_older_block_is_replaced_and_a_right_is_given_back() {
        let Change::Write(whole) = install("pre-push", Standing::Nothing, false).unwrap() else { panic!() };
        let older = whole.replace("headwater hook pre-push", "headwater synth --check");
        assert_eq!(install("pre-push", file(&older), false).unwrap(), Change::Write(whole.clone()));
        let not_run = Standing::File { bytes: whole.as_bytes(), executable: false };
        assert_eq!(install("pre-push", not_run, false).unwrap(), Change::Write(whole.clone()));
        assert_eq!(remove(&whole).unwrap(), None);
    }
}

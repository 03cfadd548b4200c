//! The only place that prints: results on standard output, everything else on standard error.

use super::args::{Format, Global};
use super::error::{CliError, Exit, FAILED};
use crate::ledger::escape::safe_for_terminal;
use anstyle::{AnsiColor, Style};
use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::process::ExitCode;

/// Where a command prints.
#[derive(Debug)]
pub(super) struct Console {
    quiet: bool,
    /// Whether results are for programs.
    pub(super) json: bool,
    /// Whether results are bare words.
    pub(super) plain: bool,
    /// Whether the reader of standard output has gone.
    gone: Cell<bool>,
}

/// How titles look.
pub(super) const BOLD: Style = Style::new().bold();
/// How agents look.
pub(super) const AGENT: Style = AnsiColor::Cyan.on_default();
/// How findings look.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();

/// A text in a style; anstream takes the style out again where nobody wants it.
pub(super) fn styled(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// A message for the page of a pull request: its level, its file and line if it has any, its title.
///
/// Source: "Workflow commands for GitHub Actions", setting an error message.
pub(super) fn annotation(level: &str, place: Option<(&str, &str)>, title: &str, message: &str) -> String {
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    let place = place.map(|(file, line)| format!("file={},line={},", property(file), property(line)));
    format!("::{level} {}title={}::{}", place.unwrap_or_default(), property(title), escape(message))
}

#[expect(clippy::unused_self, reason = "whoever prints or asks holds the console")]
impl Console {
    /// Makes the console that the options ask for.
    #[must_use]
    pub(super) fn new(global: &Global) -> Self {
        Self {
            quiet: global.quiet,
            json: global.format == Format::Json,
            plain: global.format == Format::Plain,
            gone: Cell::new(false),
        }
    }

    /// Prints a result; texts from events must have been made safe.
    pub(super) fn result(&self, text: &str) -> Result<(), CliError> {
        let mut out = anstream::stdout().lock();
        self.heard(writeln!(out, "{text}").and_then(|()| out.flush()))
    }

    /// Whether anybody reads the results still, as far as printing has shown.
    pub(super) fn is_heard(&self) -> bool {
        !self.gone.get()
    }

    /// A reader that has gone is no error, and the work goes on without it.
    fn heard(&self, printed: io::Result<()>) -> Result<(), CliError> {
        match printed {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone.set(true);
                Ok(())
            }
            other => other.map_err(CliError::Output),
        }
    }

    /// Prints the bytes of a result as they are.
    pub(super) fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        self.heard(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Prints a result for programs.
    pub(super) fn json(&self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Output(error.into()))?;
        self.bytes(escape_json(&text).as_bytes())?;
        self.bytes(b"\n")
    }

    /// Prints a result for programs on one line.
    pub(super) fn json_line(&self, value: &serde_json::Value) -> Result<(), CliError> {
        self.bytes(format!("{}\n", escape_json(&value.to_string())).as_bytes())
    }

    /// Says something beside the result, unless that is not wanted.
    pub(super) fn notice(&self, text: &str) {
        if !self.quiet {
            self.warning(text);
        }
    }

    /// Says something that must not be missed.
    pub(super) fn warning(&self, text: &str) {
        let mut err = anstream::stderr().lock();
        let _nobody_listens = writeln!(err, "headwater: {}", safe_for_terminal(text));
    }

    /// Says something in exactly these words.
    pub(super) fn said(&self, text: &str) {
        let mut err = anstream::stderr().lock();
        let _nobody_listens = writeln!(err, "{}", safe_for_terminal(text));
    }

    /// Whether a person can be asked.
    pub(super) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether long work may show its progress.
    pub(super) fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Asks a question that an empty answer says yes to.
    pub(super) fn ask(&self, question: &str) -> bool {
        self.ask_or(question, true)
    }

    /// Asks a question, with what an empty answer says; the end of the input says no.
    pub(super) fn ask_or(&self, question: &str, default: bool) -> bool {
        let mut err = anstream::stderr().lock();
        let choice = if default { "[Y/n]" } else { "[y/N]" };
        let _nobody_listens = write!(err, "{question} {choice} ").and_then(|()| err.flush());
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        match answer.trim().to_ascii_lowercase().as_str() {
            _ if !matches!(read, Ok(1..)) => false,
            "" => default,
            answer => matches!(answer, "y" | "yes"),
        }
    }

    /// Says why something could not be done.
    pub(super) fn error(&self, error: &CliError) {
        self.warning(&format!("error: {}", error.chain()));
    }

    /// Ends the program: prints an error, and gives the exit code.
    #[must_use]
    pub(super) fn finish(&self, done: Result<Exit, CliError>) -> ExitCode {
        match done {
            Ok(Exit::Done) => ExitCode::SUCCESS,
            Ok(Exit::Finding) => ExitCode::from(1),
            Ok(Exit::Failed) => ExitCode::from(FAILED),
            Err(error) => {
                self.error(&error);
                ExitCode::from(FAILED)
            }
        }
    }
}

/// Escapes invisible characters, which can only stand in strings, the way JSON does.
fn escape_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let separator = matches!(character, '\u{2028}' | '\u{2029}');
        if separator || (character != '\n' && crate::event::text::is_unsafe_to_show(character)) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _infallible = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

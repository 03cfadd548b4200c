//! `headwater doctor`: what is missing, wrong or stale, and the command that mends it.

use super::console::{WARNING, styled};
use super::context::Context;
use super::environment;
use super::error::{CliError, Exit};
use super::init::settings;
use super::origins::counted;
use crate::ledger::escape::safe_for_terminal;
use crate::setup::{self, Finding};
use serde_json::json;

/// Something that looks at one thing, and changes nothing.
type Source = fn(&Context<'_>) -> Result<Vec<Finding>, CliError>;

/// Where findings come from.
const SOURCES: [Source; 1] = [set_up];

pub(super) fn run(context: &Context<'_>) -> Result<Exit, CliError> {
    context.git_for("`headwater doctor`")?;
    let findings = findings(context);
    if context.console.json {
        let list: Vec<_> = findings
            .iter()
            .map(|finding| json!({"code": finding.code, "what": finding.what, "remedy": finding.remedy}))
            .collect();
        context.console.json(&json!({"schema": "headwater.doctor/1", "findings": list}))?;
    } else if findings.is_empty() {
        context.console.result("nothing is wrong")?;
    } else {
        for finding in &findings {
            let (what, remedy) = (safe_for_terminal(&finding.what), safe_for_terminal(&finding.remedy));
            context.console.result(&format!("{}: {what}\n    {remedy}", styled(finding.code, WARNING)))?;
        }
        context.console.notice(&counted(findings.len(), "finding"));
    }
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Finding })
}

/// All findings; a source that cannot look is one itself, and hides no other.
pub(super) fn findings(context: &Context<'_>) -> Vec<Finding> {
    let from = |source: &Source| {
        source(context).unwrap_or_else(|error| {
            let remedy = "mend that, and run `headwater doctor` again".to_owned();
            vec![Finding { code: "cannot-look", what: error.chain(), remedy }]
        })
    };
    SOURCES.iter().flat_map(from).collect()
}

fn set_up(context: &Context<'_>) -> Result<Vec<Finding>, CliError> {
    let git = context.git_for("`headwater doctor`")?;
    Ok(setup::inspect(&git, &settings(context)?, environment::has_program("headwater"))?)
}

//! `headwater status`: who is doing what.

use super::console::{AGENT, styled};
use super::context::{Context, Ledger};
use super::error::{CliError, Exit};
use super::inspect::{fold, report_left_out};
use super::origins::{agents, phrase};
use super::synth::report_faults;
use serde_json::json;

pub(super) fn run(context: &Context<'_>, ledger: &Ledger) -> Result<Exit, CliError> {
    let (folded, outside) = fold(context, ledger)?;
    report_faults(context, &folded);
    report_left_out(context, &outside);
    let agents = agents(&folded.state);
    if context.console.json {
        context.console.json(&json!({"schema": "headwater.status/1", "ledger": ledger.name, "agents": agents}))?;
        return Ok(Exit::Done);
    }
    for agent in &agents {
        let branch = agent.branch.as_deref().map_or_else(|| "-".to_owned(), |branch| phrase(branch, 40));
        let name = styled(&phrase(&agent.name, 24), AGENT);
        let now = agent.now.as_deref().map_or_else(|| "-".to_owned(), |now| phrase(now, 80));
        context.console.result(&format!("{}  {name}  {branch}  {now}", agent.last_seen))?;
    }
    Ok(Exit::Done)
}

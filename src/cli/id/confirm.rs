//! `headwater id confirm`: provisional ids, one by one.

use super::Desk;
use super::args::IdsArgs;
use super::sync::{add, report};
use crate::cli::error::{CliError, Exit};
use crate::cli::origins::phrase;
use crate::ids::fold::State;
use crate::ids::reserve::Asking;
use crate::ids::{IdsError, Row, Settled};

pub(super) fn run(desk: &Desk<'_>, args: &IdsArgs) -> Result<Exit, CliError> {
    let allocator = desk.allocator(true);
    let asking = desk.asking(args.agent.as_ref())?;
    let mut settled = Settled::default();
    for (place, id) in args.ids.iter().enumerate() {
        let namespace = allocator.namespace_of(id)?;
        let rows = allocator.rows(namespace)?;
        let mut found = rows.iter().filter(|row| row.claim.id == *id).peekable();
        if found.peek().is_none() {
            return Err(IdsError::UnknownId { id: id.clone() }.into());
        }
        // What this clone reserved is meant, where another one has the number as well.
        let (own, _) = allocator.books(namespace)?;
        let (ours, others): (Vec<&Row>, Vec<&Row>) = found.partition(|row| own.holds(&row.anchor.nonce));
        let Some(row) = ours.first().or(others.first()) else { continue };
        if !own.holds(&row.anchor.nonce) {
            let by = phrase(&row.anchor.agent, 24);
            desk.context.console.notice(&format!("{id} was reserved by {by} at {}, in another clone", row.anchor.at));
        }
        match &row.claim.state {
            State::Pending => {
                let asking = Asking { nonce: format!("{}-{place}", asking.nonce), ..asking.clone() };
                add(&mut settled, allocator.sync(namespace, &asking, Some(std::slice::from_ref(id)))?);
            }
            State::Confirmed => settled.confirmed.push(id.clone()),
            State::Amended(by) => settled.amended.push((id.clone(), by.clone())),
            State::Released => {
                let what = format!("`{id}` was released and cannot be confirmed; reserve another one");
                return Err(CliError::Usage(what));
            }
        }
    }
    report(desk, &settled)
}

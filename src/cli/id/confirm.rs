//! `headwater id confirm`: provisional ids, one by one.

use super::Desk;
use super::args::IdsArgs;
use super::sync::{add, report};
use crate::cli::error::{CliError, Exit};
use crate::ids::fold::State;
use crate::ids::reserve::Asking;
use crate::ids::{IdsError, Settled};

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
        let states: Vec<&State> = found.map(|row| &row.claim.state).collect();
        if states.contains(&&State::Pending) {
            let asking = Asking { nonce: format!("{}-{place}", asking.nonce), ..asking.clone() };
            add(&mut settled, allocator.sync(namespace, &asking, Some(std::slice::from_ref(id)))?);
        } else if states.contains(&&State::Confirmed) {
            settled.confirmed.push(id.clone());
        } else if let Some(State::Amended(by)) = states.first() {
            settled.amended.push((id.clone(), by.clone()));
        } else {
            return Err(CliError::Usage(format!("`{id}` was released and cannot be confirmed; reserve another one")));
        }
    }
    report(desk, &settled)
}

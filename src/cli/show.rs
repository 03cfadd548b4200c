//! `headwater show`: what stands.

use super::console::{BOLD, WARNING, styled};
use super::context::{Context, Ledger};
use super::error::{CliError, Exit};
use super::inspect::{Outside, fold, label, report_left_out, shown};
use super::synth::{report_faults, unreadable_json};
use crate::event::Label;
use crate::ledger::escape::escape;
use crate::ledger::{Contested, Rows, SectionView, View};
use serde_json::{Value, json};

pub(super) fn run(context: &Context<'_>, ledger: &Ledger) -> Result<Exit, CliError> {
    let (folded, outside) = fold(context, ledger)?;
    let view = View::new(&folded.state, folded.unreadable.clone(), context.schema());
    if context.console.json {
        let sections: Vec<Value> = view.sections.iter().map(|section| section_json(section, &outside)).collect();
        context.console.json(&json!({
            "schema": "headwater.show/1",
            "ledger": ledger.name,
            "sections": sections,
            "unreadable": unreadable_json(&folded),
            "event_count": view.footer.event_count,
            "latest_ts": view.footer.latest_ts.map(|ts| ts.to_string()),
            "events_sha256": view.footer.events_sha256,
        }))?;
        return Ok(Exit::Done);
    }
    report_faults(context, &folded);
    report_left_out(context, &outside);
    for section in &view.sections {
        show_section(context, section, &outside)?;
    }
    if view.sections.is_empty() {
        context.console.notice("the ledger is empty");
    }
    Ok(Exit::Done)
}

fn show_section(context: &Context<'_>, section: &SectionView<'_>, outside: &Outside) -> Result<(), CliError> {
    let title = styled(&section.heading(), BOLD);
    let contested = |rows: &[Contested<'_>]| -> Vec<String> {
        let line = |write: &Contested<'_>| {
            format!("     {} {} {}", styled("contested:", WARNING), shown(write.value), outside.by(write.origin))
        };
        rows.iter().map(line).collect()
    };
    let mut lines = Vec::new();
    match &section.rows {
        Rows::Register(row) => {
            lines.push(format!("{title}: {} {}", escape(row.text), outside.by(row.origin)));
            lines.extend(contested(&row.contested));
        }
        Rows::Map(earlier, rows) => {
            lines.push(title);
            for (number, row) in (1..).zip(rows) {
                lines.push(format!(
                    "{number:>3}. {}: {} {}",
                    escape(row.key),
                    shown(row.value),
                    outside.by(row.origin)
                ));
                lines.extend(contested(&row.contested));
            }
            lines.extend((*earlier > 0).then(|| format!("     … {earlier} earlier")));
        }
        Rows::Items(earlier, rows) => {
            lines.push(title);
            lines.extend(
                rows.iter()
                    .zip(1..)
                    .map(|(row, number)| format!("{number:>3}. {} {}", escape(row.text), outside.by(row.origin))),
            );
            lines.extend((*earlier > 0).then(|| format!("     … {earlier} earlier")));
        }
        Rows::Steps(earlier, rows) => {
            lines.push(title);
            lines.extend(
                rows.iter().map(|row| format!("  {} {} {}", row.time, label(row.label), outside.by(row.origin))),
            );
            lines.extend((*earlier > 0).then(|| format!("     … {earlier} earlier")));
        }
    }
    context.console.result(&lines.join("\n"))
}

fn section_json(section: &SectionView<'_>, outside: &Outside) -> Value {
    let contested = |rows: &[Contested<'_>]| -> Vec<Value> {
        rows.iter().map(|write| json!({"value": write.value, "by": outside.json(write.origin)})).collect()
    };
    let (merge, earlier, rows): (&str, usize, Vec<Value>) = match &section.rows {
        Rows::Register(row) => (
            "register",
            0,
            vec![json!({"text": row.text, "by": outside.json(row.origin), "contested": contested(&row.contested)})],
        ),
        Rows::Map(earlier, rows) => {
            let row = |row: &crate::ledger::MapRow<'_>| json!({"key": row.key, "value": row.value, "by": outside.json(row.origin), "contested": contested(&row.contested)});
            ("map", *earlier, rows.iter().map(row).collect())
        }
        Rows::Items(earlier, rows) => (
            "set",
            *earlier,
            rows.iter().map(|row| json!({"text": row.text, "by": outside.json(row.origin)})).collect(),
        ),
        Rows::Steps(earlier, rows) => {
            let row = |row: &crate::ledger::StepRow<'_>| match row.label {
                Label::Text(text) => {
                    json!({"time": row.time.to_string(), "text": text, "by": outside.json(row.origin)})
                }
                Label::Phase { phase, status, rest } => {
                    json!({"time": row.time.to_string(), "phase": phase, "status": status, "rest": rest, "by": outside.json(row.origin)})
                }
            };
            ("list", *earlier, rows.iter().map(row).collect())
        }
    };
    json!({"name": section.name, "title": section.title, "merge": merge, "earlier": earlier, "rows": rows})
}

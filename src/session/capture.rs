//! From what a span left behind to the sections of its event. Pure; nothing here is asked of the agent.

use super::reflog::Commit;
use crate::event::encode::{entry, list, scalar};
use crate::event::schema::Schema;
use crate::event::text::{collapse, counted, is_empty};
use crate::event::yaml::Entry;
use crate::secrets::mask;
use std::collections::BTreeSet;

/// What a span left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    /// The branch at its end.
    pub branch: Option<String>,
    /// The commits that were made, oldest first.
    pub commits: Vec<Commit>,
    /// The files that were changed and not committed, by their paths.
    pub uncommitted: Vec<String>,
    /// Items of the to-do list that were finished.
    pub done: Vec<String>,
    /// Items that are open, the one in progress first.
    pub open: Vec<String>,
    /// What the agent was asked last.
    pub request: Option<String>,
}

/// What the agent said of the span itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The items of its own events, collapsed.
    pub items: BTreeSet<String>,
    /// Whether it said what it is doing now.
    pub now: bool,
}

/// How many commits are told one by one.
const COMMITS: usize = 50;

/// How many files are named.
const FILES: usize = 3;

/// The most characters of one text.
const LENGTH: usize = 300;

/// The section of open to-do items; closed by the key that the configuration gives it.
const OPEN: &str = "next";

impl Traces {
    /// Whether anything happened; a request alone is nothing that was done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.commits.is_empty() && self.uncommitted.is_empty() && self.done.is_empty()
    }

    /// The sections of the event, without what was told already; none where nothing is left to tell.
    #[must_use]
    pub fn body(&self, told: &Told, schema: &Schema) -> Vec<Entry<'static>> {
        if self.is_empty() {
            return Vec::new();
        }
        let new = |text: &String| !is_empty(text) && !told.items.contains(collapse(text).trim());
        let mut did: Vec<String> = self.told_commits();
        did.extend(self.done.iter().map(|text| shown(text)));
        did.extend(self.told_files());
        let mut seen = BTreeSet::new();
        did.retain(|text| new(text) && seen.insert(text.clone()));
        if did.is_empty() {
            return Vec::new();
        }
        let mut body = Vec::new();
        if !told.now {
            body.push(entry("now", scalar(self.now())));
        }
        body.push(entry("this_session", texts(did)));
        let open: Vec<String> = self.open.iter().map(|text| shown(text)).filter(new).collect();
        if !open.is_empty() {
            body.push(entry(OPEN, texts(open)));
        }
        let closing = schema.section(OPEN).and_then(|section| section.closed_by.clone());
        let done: Vec<String> = self.done.iter().map(|text| shown(text)).filter(|text| !is_empty(text)).collect();
        if let Some(closing) = closing.filter(|_| !done.is_empty()) {
            body.push(entry(closing, texts(done)));
        }
        body
    }

    /// One phrase for where the work stands.
    fn now(&self) -> String {
        let branch = self.branch.as_deref().map(|branch| format!(" on {branch}")).unwrap_or_default();
        let last = self.commits.last().map(|commit| commit.subject.as_str());
        let work = self.open.first().or(self.request.as_ref()).map(String::as_str);
        let files = counted(self.uncommitted.len(), "file");
        let text = match (work, last, self.uncommitted.is_empty()) {
            (Some(work), _, _) => work.to_owned(),
            (None, Some(last), true) => format!("last commit{branch}: {last}"),
            (None, Some(last), false) => format!("{files} uncommitted{branch}, after the commit: {last}"),
            (None, None, false) => format!("{files} uncommitted{branch}: {}", self.named_files()),
            (None, None, true) => self.done.last().cloned().unwrap_or_default(),
        };
        shown(&text)
    }

    fn told_commits(&self) -> Vec<String> {
        let skipped = self.commits.len().saturating_sub(COMMITS);
        let told = self.commits.iter().skip(skipped).map(|commit| shown(&commit.subject));
        (skipped > 0).then(|| format!("{skipped} earlier commits")).into_iter().chain(told).collect()
    }

    fn told_files(&self) -> Option<String> {
        let count = counted(self.uncommitted.len(), "file");
        let branch = self.branch.as_deref().map(|branch| format!(" on {branch}")).unwrap_or_default();
        (!self.uncommitted.is_empty())
            .then(|| shown(&format!("{count} left uncommitted{branch}: {}", self.named_files())))
    }

    fn named_files(&self) -> String {
        let named: Vec<&str> = self.uncommitted.iter().take(FILES).map(String::as_str).collect();
        let more = self.uncommitted.len().saturating_sub(FILES);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{rest}", named.join(", "))
    }
}

/// One line of at most [`LENGTH`] characters, with secrets masked before it is cut.
fn shown(text: &str) -> String {
    let masked = mask(text);
    let line = collapse(&masked);
    if line.chars().count() <= LENGTH {
        return line.into_owned();
    }
    let cut: String = line.chars().take(LENGTH - 1).collect();
    format!("{}…", cut.trim_end())
}

fn texts(texts: Vec<String>) -> crate::event::yaml::Node<'static> {
    list(texts.into_iter().map(scalar).collect())
}

#[cfg(test)]
mod tests {
    use super::{Told, Traces};
    use crate::config::Config;
    use crate::event::schema::Schema;
    use crate::session::reflog::Commit;

    fn said(traces: &Traces, told: &Told) -> Vec<String> {
        let body = traces.body(told, &Schema::default());
        body.iter().map(|entry| format!("{} = {}", entry.key, entry.node.text())).collect()
    }

    fn commit(subject: &str) -> Commit {
        Commit { oid: "0".repeat(40), subject: subject.to_owned() }
    }

    #[test]
    fn nothing_happened() {
        let traces = Traces { request: Some("do it".to_owned()), open: vec!["x".to_owned()], ..Traces::default() };
        assert!(said(&traces, &Told::default()).is_empty());
    }

    #[test]
    fn commits_and_files() {
        let files = ["a", "b", "c", "d", "e"].map(ToOwned::to_owned).to_vec();
        let traces = Traces {
            branch: Some("feat/x".to_owned()),
            commits: vec![commit("Add a"), commit("Add b")],
            uncommitted: files,
            ..Traces::default()
        };
        assert_eq!(
            said(&traces, &Told::default()),
            [
                "now = 5 files uncommitted on feat/x, after the commit: Add b",
                "this_session = Add a, Add b, 5 files left uncommitted on feat/x: a, b, c and 2 more"
            ]
        );
    }

    #[test]
    fn what_the_agent_told_is_not_told_again() {
        let traces = Traces { commits: vec![commit("Add  a"), commit("Add b")], ..Traces::default() };
        let told = Told { items: ["Add a".to_owned()].into(), now: true };
        assert_eq!(said(&traces, &told), ["this_session = Add b"]);
        let told = Told { items: ["Add a".to_owned(), "Add b".to_owned()].into(), now: true };
        assert!(said(&traces, &told).is_empty());
    }

    #[test]
    fn to_do_items_open_and_close() {
        let config = Config::parse("sections: [{name: next, closed_by: finished}]").unwrap();
        let traces = Traces {
            done: vec!["one".to_owned()],
            open: vec!["two".to_owned(), "three".to_owned()],
            request: Some("all of it".to_owned()),
            ..Traces::default()
        };
        let body = traces.body(&Told::default(), &config.schema);
        let said: Vec<String> = body.iter().map(|entry| format!("{} = {}", entry.key, entry.node.text())).collect();
        assert_eq!(said, ["now = two", "this_session = one", "next = two, three", "finished = one"]);
    }

    #[test]
    fn many_commits_and_long_texts() {
        let mut commits: Vec<Commit> = (0..60).map(|number| commit(&format!("c{number}"))).collect();
        commits.push(commit(&"x".repeat(1_000)));
        let traces = Traces { commits, ..Traces::default() };
        let body = traces.body(&Told::default(), &Schema::default());
        let text = body[1].node.text();
        assert!(text.starts_with("11 earlier commits, c11, "), "{text}");
        assert!(text.ends_with('…') && text.len() < 1_000, "{text}");
    }

    #[test]
    fn secrets_are_masked() {
        let traces =
            Traces { commits: vec![commit("use ghp_0123456789abcdefghijABCDEFGHIJ012345")], ..Traces::default() };
        let text = said(&traces, &Told::default()).join("\n");
        assert!(!text.contains("ghp_0123") && text.contains("[masked]"), "{text}");
    }
}

//! Ledgers of any size for the benches: events of about 0.8 KB, the same ones every time.

use std::fmt::Write as _;

const WORDS: [&str; 16] = [
    "merge", "ledger", "agent", "worktree", "commit", "index", "view", "archive", "parser", "quote", "shell", "path",
    "hook", "session", "stale", "check",
];
const AGENTS: [&str; 6] = ["toast", "waffle", "crisp", "rye", "brioche", "naan"];

/// A sequence of numbers that is the same on every machine (a linear congruential generator).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % below
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| WORDS[self.next(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }
}

/// The file name and the text of the event with this number.
pub(crate) fn event(number: usize) -> (String, String) {
    let mut numbers = Numbers(u64::try_from(number).unwrap_or_default() ^ 0x9e37_79b9);
    let (day, hour, minute, second) = (number / 86_400, number / 3_600 % 24, number / 60 % 60, number % 60);
    let (month, day) = (day / 28 % 12 + 1, day % 28 + 1);
    let ts = format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    let agent = AGENTS[numbers.next(AGENTS.len())];
    let mut text = format!(
        "---\nts: {ts}\nagent: {agent}\nbranch: feat/{}\ntype: session_end\nreason: clear\n---\n\n",
        numbers.words(1)
    );
    let _infallible = write!(text, "now: {}\n\nthis_session:\n", numbers.words(7));
    for _ in 0..5 {
        let _infallible = writeln!(text, "- {} {}", numbers.words(9), numbers.next(1_000_000));
    }
    text.push_str("\ndecisions:\n");
    for key in 0..2 {
        let _infallible =
            writeln!(text, "  {}_{key}_{}: \"{}\"", numbers.words(1), numbers.next(500), numbers.words(8));
    }
    let phase = numbers.next(9);
    let _infallible = write!(text, "\ncheckpoints:\n- phase: {phase}\n  status: validated\n  updated: {ts}\n");
    let _infallible = writeln!(text, "\nopen_questions:\n- {} {}?", numbers.words(6), numbers.next(10_000));
    (format!("{}_{agent}_{number}.md", ts.replace(':', "-")), text)
}

//! Runs the tests against each mutant and reports the outcome.

use crate::candidates::Form;
use crate::tiers::{MODULES, Module};
use crate::workspace::{Mutant, Programs};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How a mutant came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A test failed; its name.
    Killed(String),
    /// The tests did not end in time.
    Hung,
    /// All tests passed.
    Survived,
}

/// How long a tier may take: ten times what it needs, for mutants that loop.
const LIMIT: Duration = Duration::from_secs(200);

/// One line that names a mutant.
pub fn described(root: &Path, mutant: &Mutant) -> String {
    let source = fs::read_to_string(root.join("src").join(&mutant.file)).unwrap_or_default();
    let original = one_line(source.get(mutant.candidate.range.clone()).unwrap_or_default());
    let changed = one_line(&mutant.candidate.text);
    let change = match mutant.candidate.form {
        Form::Expression => format!("`{original}` -> `{changed}`"),
        Form::Entry => format!("body -> `{changed}`"),
        Form::Statement => format!("removed `{original}`"),
    };
    format!("src/{}:{} {}: {change}", mutant.file, mutant.candidate.line, mutant.candidate.function)
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > 110 { line.chars().take(110).chain(['…']).collect() } else { line }
}

/// Mutants that no test can tell from the original, and why: `file function: change` TAB reason.
pub fn equivalents(root: &Path) -> io::Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(root.join("tests/mutants/equivalent.tsv"))?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    Ok(lines
        .filter_map(|line| line.split_once('\t'))
        .map(|(key, reason)| (key.to_owned(), reason.to_owned()))
        .collect())
}

/// The key of a mutant in the list of equivalents: its line number left out.
fn key(description: &str) -> String {
    let (place, rest) = description.split_once(' ').unwrap_or((description, ""));
    format!("{} {rest}", place.rsplit_once(':').map_or(place, |(file, _)| file))
}

/// Tries all mutants, several at a time.
pub fn all(to: &Path, programs: &Programs, tried: &[&Mutant], jobs: usize) -> io::Result<BTreeMap<usize, Verdict>> {
    let mut modules: Vec<usize> = tried.iter().map(|mutant| mutant.module).collect();
    modules.sort_unstable();
    modules.dedup();
    for module in modules {
        let module = &MODULES[module];
        let started = Instant::now();
        let verdict = tier(to, programs, module, 0)?;
        eprintln!("{}: {:?} without a mutant, {:.1} s", module.name, verdict, started.elapsed().as_secs_f32());
        if verdict != Verdict::Survived {
            return Err(io::Error::other(format!("the tests of {} fail without a mutant", module.name)));
        }
    }
    let (next, verdicts) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(mutant) = tried.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = tier(to, programs, &MODULES[mutant.module], mutant.number);
                    let verdict = verdict.unwrap_or_else(|error| Verdict::Killed(error.to_string()));
                    eprintln!("{:4} {:?}", mutant.number, verdict);
                    verdicts.lock().expect("no thread panics").insert(mutant.number, verdict);
                }
            });
        }
    });
    Ok(verdicts.into_inner().expect("no thread panics"))
}

fn tier(to: &Path, programs: &Programs, module: &Module, number: usize) -> io::Result<Verdict> {
    for (program, filters) in [(&programs.unit, module.unit), (&programs.suite, module.suite)] {
        if filters.is_empty() {
            continue;
        }
        let verdict = tests(to, program, filters, number)?;
        if verdict != Verdict::Survived {
            return Ok(verdict);
        }
    }
    Ok(Verdict::Survived)
}

/// Runs tests until the first one fails.
fn tests(to: &Path, program: &Path, filters: &[&str], number: usize) -> io::Result<Verdict> {
    let mut command = Command::new(program);
    command.current_dir(to).args(filters).arg("--test-threads=2").env("HEADWATER_MUTANT", number.to_string());
    command.env("CARGO_MANIFEST_DIR", to).env("PROPTEST_FAILURE_PERSISTENCE", "off");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let (sender, lines) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
    }
    let started = Instant::now();
    let verdict = loop {
        match lines.recv_timeout(LIMIT.saturating_sub(started.elapsed())) {
            Ok(line) if line.starts_with("test ") && line.ends_with("FAILED") => {
                break Verdict::Killed(line.split(' ').nth(1).unwrap_or_default().to_owned());
            }
            Ok(_) => {}
            Err(mpsc::RecvTimeoutError::Timeout) => break Verdict::Hung,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let ended = child.wait()?;
                return Ok(if ended.success() {
                    Verdict::Survived
                } else {
                    Verdict::Killed("the test program".to_owned())
                });
            }
        }
    };
    child.kill().ok();
    child.wait()?;
    Ok(verdict)
}

/// Prints the table and the survivors; whether none is left.
pub fn report(
    root: &Path,
    mutants: &[Mutant],
    verdicts: &BTreeMap<usize, Verdict>,
    equivalents: &BTreeMap<String, String>,
    offered: &BTreeMap<usize, usize>,
) -> bool {
    println!("\n| module | offered | do not compile | tried | killed | of these hung | equivalent | survived |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut left = Vec::new();
    let mut total = [0; 6];
    for (index, module) in MODULES.iter().enumerate().filter(|(index, _)| offered.contains_key(index)) {
        let mut row = [0; 6];
        for mutant in mutants.iter().filter(|mutant| mutant.module == index) {
            row[0] += usize::from(mutant.refused);
            let Some(verdict) = verdicts.get(&mutant.number) else { continue };
            row[1] += 1;
            match verdict {
                Verdict::Killed(_) => row[2] += 1,
                Verdict::Hung => {
                    row[2] += 1;
                    row[3] += 1;
                }
                Verdict::Survived => {
                    let description = described(root, mutant);
                    match equivalents.get(&key(&description)) {
                        Some(_) => row[4] += 1,
                        None => {
                            row[5] += 1;
                            left.push(format!("{:4} {description}", mutant.number));
                        }
                    }
                }
            }
        }
        let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
        println!("| {} | {} | {} |", module.name, offered[&index], cells.join(" | "));
        total.iter_mut().zip(row).for_each(|(sum, part)| *sum += part);
    }
    let cells: Vec<String> = total.iter().map(ToString::to_string).collect();
    println!("| all | {} | {} |", offered.values().sum::<usize>(), cells.join(" | "));
    if !left.is_empty() {
        println!("\nSurvivors:");
        left.iter().for_each(|line| println!("{line}"));
    }
    left.is_empty()
}

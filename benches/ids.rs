//! `headwater id reserve` against `sqlite3` doing one durable insert, in turn: a table on standard output.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::disallowed_methods, reason = "a bench starts programs and writes scratch files")]
#![expect(clippy::indexing_slicing, reason = "a bench may stop at a fault of its own")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 41;

fn main() -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let run = |command: &mut Command| -> std::io::Result<Duration> {
        let started = Instant::now();
        let status = command.stdout(Stdio::null()).status()?;
        assert!(status.success(), "{command:?}");
        Ok(started.elapsed())
    };
    run(Command::new("git").args(["init", "-q"]).current_dir(folder.path()))?;
    std::fs::write(folder.path().join(".headwater.yaml"), "ids: {DEV: {}, SEC: {sources: [TASKS.md]}}\n")?;
    let rows = (0..1_000).fold(String::new(), |rows, n| rows + &format!("| SEC-{n} | Task {n} | ready |\n"));
    std::fs::write(folder.path().join("TASKS.md"), rows)?;
    run(&mut headwater(folder.path(), &["init"]))?;
    let database = folder.path().join("bench.sqlite3");
    let table =
        "CREATE TABLE r(id TEXT UNIQUE, namespace TEXT, scope TEXT, number INTEGER, UNIQUE(namespace, scope, number));";
    run(&mut sqlite(&database, &format!("PRAGMA journal_mode=WAL;{table}")))?;
    let mut times = [const { Vec::new() }; 5];
    for turn in 0..RUNS {
        let insert = format!(
            "PRAGMA synchronous=FULL;BEGIN IMMEDIATE;INSERT INTO r VALUES('DEV-{turn}','DEV','',{turn});COMMIT;"
        );
        times[0].push(run(&mut sqlite(&database, &insert))?);
        times[1].push(run(&mut headwater(folder.path(), &["reserve", "DEV"]))?);
        times[2].push(run(&mut headwater(folder.path(), &["reserve", "DEV", "100"]))?);
        times[3].push(run(&mut headwater(folder.path(), &["reserve", "SEC"]))?);
        times[4].push(run(&mut headwater(folder.path(), &["--version"]))?);
    }
    let [insert, one, hundred, sources, nothing] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e3
    });
    println!("whole process, median of {RUNS} runs in turn, ms\n");
    println!("| what | ms | against |");
    println!("|---|---:|---|");
    println!("| sqlite3, one durable insert (WAL, FULL) | {insert:.1} | |");
    println!("| id reserve, no sources | {one:.1} | {:.2} x sqlite3 (goal: at most 2) |", one / insert);
    println!("| id reserve 100 | {hundred:.1} | {:.2} x one (goal: at most 1.3) |", hundred / one);
    println!("| id reserve, a source of 1,000 rows | {sources:.1} | {:.2} x sqlite3 |", sources / insert);
    println!("| --version | {nothing:.1} | |");
    Ok(())
}

fn headwater(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.current_dir(folder);
    if arguments != ["--version"] {
        command.arg("id");
    }
    command.args(arguments);
    command
}

fn sqlite(database: &Path, text: &str) -> Command {
    let mut command = Command::new("sqlite3");
    command.arg(database).arg(text);
    command
}

//! `headwater id reserve` against `sqlite3` doing one durable insert, in turn; 64 processes at once against one;
//! what an uncontended reservation asks of a git remote: tables on standard output.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::disallowed_methods, reason = "a bench starts programs and writes scratch files")]
#![expect(clippy::indexing_slicing, reason = "a bench may stop at a fault of its own")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 41;

/// How many processes reserve at once, and how many ids each of them, one after the other.
const PROCESSES: u32 = 64;
const EACH: u32 = 10;

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
    many(folder.path())?;
    remote(folder.path())
}

/// Ids per second of one process after the other, and of many at once; each of them must succeed.
fn many(folder: &Path) -> std::io::Result<()> {
    let reserve = |count: u32| -> std::io::Result<()> {
        for _ in 0..count {
            let output = headwater(folder, &["reserve", "DEV"]).output()?;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    };
    let rate = |started: Instant| f64::from(PROCESSES * EACH) / started.elapsed().as_secs_f64();
    let started = Instant::now();
    reserve(PROCESSES * EACH)?;
    let one = rate(started);
    let started = Instant::now();
    std::thread::scope(|scope| -> std::io::Result<()> {
        let threads: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(|| reserve(EACH))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(std::io::Error::other("failed"))))
    })?;
    let all = rate(started);
    println!("\n{} ids each way, none failed\n\n| what | ids/s | against |\n|---|---:|---|", PROCESSES * EACH);
    println!("| one process after the other | {one:.0} | |");
    println!("| {PROCESSES} processes at once | {all:.0} | {:.2} x one (goal: at least 0.5) |", all / one);
    Ok(())
}

/// The git processes of one reservation in a log on a remote, as git itself traces them.
fn remote(folder: &Path) -> std::io::Result<()> {
    let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(folder).status();
    git(&["init", "-q", "--bare", "remote.git"])?;
    git(&["remote", "add", "origin", "remote.git"])?;
    std::fs::write(folder.join(".headwater.yaml"), "ids: {CMB: {log: git}}\n")?;
    let trace = folder.join("trace");
    assert!(headwater(folder, &["init"]).stdout(Stdio::null()).status()?.success());
    let started = Instant::now();
    let done = headwater(folder, &["reserve", "CMB"]).env("GIT_TRACE2", &trace).stdout(Stdio::null()).status()?;
    let took = started.elapsed().as_secs_f64() * 1e3;
    assert!(done.success());
    let text = std::fs::read_to_string(trace)?;
    // Processes that this program starts, not those that git starts for itself.
    let names = text.lines().filter_map(|line| line.split_once(" cmd_name ")?.1.trim().split_once(" ("));
    let own: Vec<&str> = names.filter(|(name, path)| *path == format!("{name})")).map(|(name, _)| name).collect();
    let count = |wanted: &str| own.iter().filter(|name| **name == wanted).count();
    println!("\none uncontended reservation on a bare remote in the same file system: {took:.0} ms\n");
    println!("| git processes | of them fetches | pushes |\n|---:|---:|---:|");
    println!("| {} | {} (goal: 1) | {} (goal: 1) |", own.len(), count("fetch"), count("push"));
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

//! The whole program against `cat`, in turn, on ledgers of growing size: a table on standard output.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::disallowed_methods, reason = "a bench writes its own ledgers and starts the program")]
#![expect(clippy::indexing_slicing, reason = "a bench may stop at a fault of its own")]

mod generate;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 7;

fn main() -> std::io::Result<()> {
    let largest = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    println!("whole process, median of {RUNS} runs in turn, ms; the view is up to date in `synth`\n");
    println!("| events | cat | synth | synth / cat | --check | --check / cat | first synth |");
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for count in [100, 1_000, 10_000, 100_000].into_iter().filter(|count| *count <= largest) {
        let folder = tempfile::tempdir()?;
        let events = folder.path().join("events");
        std::fs::create_dir(&events)?;
        for number in 0..count {
            let (name, text) = generate::event(number);
            std::fs::write(events.join(name), text)?;
        }
        row(count, folder.path())?;
    }
    Ok(())
}

fn row(count: usize, folder: &Path) -> std::io::Result<()> {
    let program = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
        command.arg("--dir").arg(folder).args(arguments);
        command
    };
    let synth = || program(&["--no-confirm"]);
    let check = || program(&["--check"]);
    let cat = || {
        let mut command = Command::new("sh");
        command.arg("-c").arg("find events -type f | xargs cat").current_dir(folder);
        command
    };
    let first = time(synth())?;
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..RUNS {
        for (times, command) in times.iter_mut().zip([cat(), synth(), check()]) {
            times.push(time(command)?);
        }
    }
    let [cat, synth, check] = times.map(median);
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
    let ratio = |time: Duration| format!("{:.2}", time.as_secs_f64() / cat.as_secs_f64());
    println!(
        "| {count} | {} | {} | {} | {} | {} | {} |",
        ms(cat),
        ms(synth),
        ratio(synth),
        ms(check),
        ratio(check),
        ms(first)
    );
    Ok(())
}

fn time(mut command: Command) -> std::io::Result<Duration> {
    let started = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    assert!(status.success(), "{command:?}");
    Ok(started.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

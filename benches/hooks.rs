//! The agents' hooks, whole process, in a repository with 500 live events: a table on standard output.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::disallowed_methods, reason = "a bench makes its own repositories and starts the programs")]
#![expect(clippy::indexing_slicing, reason = "a bench may stop at a fault of its own")]

mod generate;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 21;
const EVENTS: u32 = 500;
const LEDGER: &str = "thoughts/shared/handoffs";

type Result<T> = std::io::Result<T>;

fn main() -> Result<()> {
    println!("whole process, median of {RUNS} runs, ms; {EVENTS} live events, committed with their view\n");
    println!(
        "| other worktrees | session-start | session-end | the same git calls | beyond git | end of an idle session |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    for siblings in [0, 3] {
        let folder = tempfile::tempdir()?;
        let bench = Bench::new(folder.path(), siblings)?;
        let mut times = [const { Vec::new() }; 4];
        for run in 0..RUNS {
            times[0].push(bench.hook("session-start", &format!("s{run}"))?);
            bench.work(run)?;
            times[1].push(bench.hook("session-end", &format!("s{run}"))?);
            times[2].push(bench.same_git_calls(run)?);
            bench.hook("session-start", &format!("idle{run}"))?;
            times[3].push(bench.hook("session-end", &format!("idle{run}"))?);
        }
        let [start, end, git, idle] = times.map(median);
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        println!(
            "| {siblings} | {} | {} | {} | {} | {} |",
            ms(start),
            ms(end),
            ms(git),
            ms(end.saturating_sub(git)),
            ms(idle)
        );
    }
    Ok(())
}

struct Bench {
    top: PathBuf,
}

impl Bench {
    fn new(folder: &Path, siblings: u32) -> Result<Self> {
        let bench = Self { top: folder.join("top") };
        let events = bench.top.join(LEDGER).join("events");
        std::fs::create_dir_all(&events)?;
        for number in 0..EVENTS {
            let (name, text) = generate::event(number as usize);
            std::fs::write(events.join(name), text)?;
        }
        std::fs::write(bench.top.join(".gitignore"), ".synth.lock\n")?;
        bench.git(&["init", "-q", "-b", "main"], "")?;
        finish(&mut bench.command(env!("CARGO_BIN_EXE_headwater"), &["--no-confirm", "-q"]), "")?;
        bench.git(&["add", "-A"], "")?;
        bench.git(&["commit", "-q", "-m", "start"], "")?;
        for number in 0..siblings {
            let name = format!("sibling{number}");
            bench.git(&["worktree", "add", "-q", "-b", &name, &format!("../{name}")], "")?;
        }
        Ok(bench)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.top);
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "A"),
            ("GIT_AUTHOR_EMAIL", "a@example.org"),
            ("GIT_COMMITTER_NAME", "A"),
            ("GIT_COMMITTER_EMAIL", "a@example.org"),
            ("GIT_OPTIONAL_LOCKS", "0"),
        ] {
            command.env(name, value);
        }
        command.env("HEADWATER_SESSION_PID", std::process::id().to_string());
        command
    }

    fn git(&self, arguments: &[&str], stdin: &str) -> Result<String> {
        finish(&mut self.command("git", arguments), stdin)
    }

    fn hook(&self, hook: &str, session: &str) -> Result<Duration> {
        let input =
            format!("{{\"session_id\": \"{session}\", \"cwd\": \"{}\", \"source\": \"startup\"}}", self.top.display());
        let started = Instant::now();
        finish(&mut self.command(env!("CARGO_BIN_EXE_headwater"), &["hook", hook]), &input)?;
        Ok(started.elapsed())
    }

    /// What a session does.
    fn work(&self, run: usize) -> Result<()> {
        std::fs::write(self.top.join("work.txt"), run.to_string())?;
        self.git(&["add", "work.txt"], "")?;
        self.git(&["commit", "-q", "-m", &format!("Work {run}")], "")?;
        Ok(())
    }

    /// The processes that a session's end starts, in its order, on one more event and its view.
    fn same_git_calls(&self, run: usize) -> Result<Duration> {
        let text = format!("by hand, {run}");
        let arguments = ["record", "-q", "--agent", "hand", "--did", &text];
        finish(&mut self.command(env!("CARGO_BIN_EXE_headwater"), &arguments), "")?;
        finish(&mut self.command(env!("CARGO_BIN_EXE_headwater"), &["--no-confirm", "-q"]), "")?;
        let (events, archive, view) =
            (format!("{LEDGER}/events"), format!("{LEDGER}/archive"), format!("{LEDGER}/current.md"));
        let paths = [events.as_str(), &archive, &view];
        let index = self.top.join(".git/bench-index");
        let scratch = |arguments: &[&str], stdin: &str| {
            finish(self.command("git", arguments).env("GIT_INDEX_FILE", &index), stdin)
        };
        let started = Instant::now();
        self.git(&["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all"], "")?;
        self.git(&["ls-files", "-z", "-t", "--stage", "--modified", "--deleted", "--", &view], "")?;
        let head = self.git(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], "")?;
        let flags = ["ls-files", "-z", "-t", "--stage", "--others", "--modified", "--deleted", "--exclude-standard"];
        let listing = self.git(&[&flags[..], &["--"], &paths].concat(), "")?;
        self.git(&[&["diff-index", "--cached", "-z", "--name-only", &head, "--"][..], &paths].concat(), "")?;
        scratch(&["read-tree", &head], "")?;
        let new = listing.split('\0').filter_map(|line| line.strip_prefix("? "));
        let changed: Vec<&str> = new.chain([view.as_str()]).collect();
        scratch(&["update-index", "--add", "--remove", "-z", "--stdin"], &(changed.join("\0") + "\0"))?;
        let tree = scratch(&["write-tree"], "")?;
        self.git(&["rev-parse", "--verify", &format!("{head}^{{tree}}")], "")?;
        let entries = scratch(&[&["ls-files", "-z", "--stage", "--"][..], &paths].concat(), "")?;
        let entries: Vec<&str> =
            entries.split('\0').filter(|entry| changed.iter().any(|path| entry.ends_with(path))).collect();
        self.git(&["config", "--type=bool", "--get", "commit.gpgsign"], "")?;
        let commit = self.git(&["commit-tree", "-p", &head, &tree], "headwater: update the ledger\n")?;
        self.git(&["update-index", "-z", "--index-info"], &(entries.join("\0") + "\0"))?;
        self.git(&["update-ref", "-m", "bench", "HEAD", &commit, &head], "")?;
        let took = started.elapsed();
        let state = self.git(&["status", "--porcelain"], "")?;
        assert!(state.is_empty(), "{state}");
        Ok(took)
    }
}

/// Runs a program to its end, and gives what it printed.
fn finish(command: &mut Command, stdin: &str) -> Result<String> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(stdin.as_bytes()).ok();
    }
    let output = child.wait_with_output()?;
    let may_find_nothing = command.get_args().next().is_some_and(|argument| argument == "config");
    assert!(output.status.success() || may_find_nothing, "{command:?}");
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

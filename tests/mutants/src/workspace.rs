//! The copy of the project that carries the changes: written, built, and cleaned of what does not compile.

use crate::candidates::{self, Candidate};
use crate::instrument::{self, Instrumented, Numbered};
use crate::random::Random;
use crate::tiers::Module;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One change of the run.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// Its number, from 1.
    pub number: usize,
    /// Its module.
    pub module: usize,
    /// Its file, below `src/`.
    pub file: String,
    /// The change.
    pub candidate: Candidate,
    /// Whether the compiler refuses it.
    pub refused: bool,
}

/// The candidates of a module in drawn order, and how many of them are wanted.
#[derive(Debug)]
pub struct Pool {
    drawn: Vec<(String, Candidate)>,
    next: usize,
    /// How many the module offers.
    pub offered: usize,
}

/// Draws the candidates of a module.
pub fn pool(root: &Path, module: &Module, seed: u64) -> io::Result<Pool> {
    let mut drawn = Vec::new();
    for source in module.sources {
        let path = root.join("src").join(source);
        let mut files = Vec::new();
        if path.is_dir() {
            collect(&path, &mut files)?;
        } else if path.is_file() {
            files.push(path);
        } else {
            return Err(io::Error::other(format!("{} is missing; correct tests/mutants/src/tiers.rs", path.display())));
        }
        files.sort();
        for file in files {
            let name = file.strip_prefix(root.join("src")).unwrap_or(&file).to_string_lossy().into_owned();
            // Whole files of tests are named so, or are compiled for tests only.
            if ["tests.rs", "laws.rs", "schedules.rs", "conformance.rs"].iter().any(|end| name.ends_with(end)) {
                continue;
            }
            let text = fs::read_to_string(&file)?;
            let found = candidates::of(&text).map_err(|error| io::Error::other(format!("{name}: {error}")))?;
            drawn.extend(found.into_iter().map(|candidate| (name.clone(), candidate)));
        }
    }
    let offered = drawn.len();
    Random::new(seed, module.name).shuffle(&mut drawn);
    Ok(Pool { drawn, next: 0, offered })
}

impl Pool {
    /// The next candidate, if there is one.
    pub fn draw(&mut self) -> Option<(String, Candidate)> {
        let drawn = self.drawn.get(self.next).cloned();
        self.next += 1;
        drawn
    }
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The switch that every change asks.
const SWITCH: &str = r#"//! Which change is switched on: one number in the environment.

/// Whether the change of this number is on.
#[expect(clippy::disallowed_methods, reason = "only in the copy that scripts/mutants builds")]
pub fn is_on(number: usize) -> bool {
    static ON: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    number == *ON.get_or_init(|| std::env::var("HEADWATER_MUTANT").ok().and_then(|text| text.parse().ok()).unwrap_or(0))
}
"#;

/// Copies the tracked files of the project, and those not ignored.
pub fn copy(root: &Path, to: &Path) -> io::Result<()> {
    let listed = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    for part in ["src", "tests"] {
        if to.join(part).exists() {
            fs::remove_dir_all(to.join(part))?;
        }
    }
    for name in names.split('\0').filter(|name| !name.is_empty() && root.join(name).is_file()) {
        let target = to.join(name);
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        fs::copy(root.join(name), target)?;
    }
    Ok(())
}

/// Writes the changed sources; where each change is.
pub fn write(root: &Path, to: &Path, mutants: &[Mutant]) -> io::Result<BTreeMap<String, Instrumented>> {
    let mut files: BTreeMap<String, Vec<Numbered>> = BTreeMap::new();
    for mutant in mutants {
        let changes = files.entry(mutant.file.clone()).or_default();
        if !mutant.refused {
            changes.push(Numbered { number: mutant.number, candidate: mutant.candidate.clone() });
        }
    }
    let mut written = BTreeMap::new();
    for (file, changes) in files {
        let source = fs::read_to_string(root.join("src").join(&file))?;
        let instrumented = instrument::apply(&source, &changes);
        let target = to.join("src").join(&file);
        if fs::read_to_string(&target)? != instrumented.text {
            fs::write(&target, &instrumented.text)?;
        }
        written.insert(file, instrumented);
    }
    fs::write(to.join("src/mutant.rs"), SWITCH)?;
    let library = to.join("src/lib.rs");
    let text = fs::read_to_string(root.join("src/lib.rs"))?;
    fs::write(
        library,
        text + "\n#[expect(missing_docs, reason = \"only in the copy that scripts/mutants builds\")]\npub mod mutant;\n",
    )?;
    Ok(written)
}

/// The programs of a build.
#[derive(Debug, Default)]
pub struct Programs {
    /// The unit tests.
    pub unit: PathBuf,
    /// The process tests.
    pub suite: PathBuf,
}

/// Builds the copy. `Err` lists the numbers of the changes that the compiler refuses.
pub fn build(to: &Path, written: &BTreeMap<String, Instrumented>) -> io::Result<Result<Programs, BTreeSet<usize>>> {
    let mut command = Command::new("cargo");
    command.current_dir(to).args([
        "test",
        "--no-run",
        "--locked",
        "--lib",
        "--bins",
        "--test",
        "suite",
        "--message-format=json",
    ]);
    command.env("CARGO_PROFILE_DEV_DEBUG", "0").stderr(Stdio::inherit());
    let output = command.output()?;
    let (mut programs, mut refused, mut unplaced) = (Programs::default(), BTreeSet::new(), Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        if let Some(path) = message["executable"].as_str() {
            match (message["target"]["kind"][0].as_str(), message["profile"]["test"].as_bool()) {
                (Some("lib"), Some(true)) => programs.unit = PathBuf::from(path),
                (Some("test"), _) => programs.suite = PathBuf::from(path),
                _ => {}
            }
        }
        let diagnostic = &message["message"];
        if diagnostic["level"] == "error" {
            let before = refused.len();
            for span in diagnostic["spans"].as_array().into_iter().flatten() {
                refused.extend(at(written, span));
            }
            if refused.len() == before && diagnostic["spans"].as_array().is_some_and(|spans| !spans.is_empty()) {
                unplaced.push(diagnostic["rendered"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    if output.status.success() {
        return Ok(Ok(programs));
    }
    if refused.is_empty() {
        return Err(io::Error::other(format!(
            "the copy does not compile, and no change is the cause:\n{}",
            unplaced.join("\n")
        )));
    }
    Ok(Err(refused))
}

/// The innermost changes at a place of a diagnostic.
fn at(written: &BTreeMap<String, Instrumented>, span: &serde_json::Value) -> Option<usize> {
    let file = span["file_name"].as_str()?.strip_prefix("src/")?;
    let start = usize::try_from(span["byte_start"].as_u64()?).ok()?;
    let places = &written.get(file)?.places;
    let around = places.iter().filter(|(_, range)| range.contains(&start));
    around.min_by_key(|(_, range)| range.len()).map(|(number, _)| *number)
}

//! Generates one-line mutants from the syntax tree, builds all of them into one program, and runs a tier of
//! tests against each.

mod candidates;
mod instrument;
mod judge;
mod random;
mod tiers;
mod workspace;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use tiers::MODULES;
use workspace::Mutant;

const HELP: &str = "mutants [--seed N] [--each N] [--module NAME]... [--jobs N] [--number N]... [--list]

--seed N       draw other mutants (default 1)
--each N       mutants for each module (default 32)
--module NAME  only this module
--jobs N       mutants that are tried at the same time (default 2)
--number N     build all drawn ones and try only this one
--list         print what is drawn and stop
";

struct Options {
    seed: u64,
    each: usize,
    modules: Vec<String>,
    jobs: usize,
    numbers: Vec<usize>,
    list: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options { seed: 1, each: 32, modules: Vec::new(), jobs: 2, numbers: Vec::new(), list: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("`{text}` is not a number"));
        match word.as_str() {
            "--seed" => options.seed = number(value()?)? as u64,
            "--each" => options.each = number(value()?)?,
            "--jobs" => options.jobs = number(value()?)?,
            "--number" => options.numbers.push(number(value()?)?),
            "--module" => options.modules.push(value()?),
            "--list" => options.list = true,
            _ => return Err(format!("unknown argument `{word}`\n\n{HELP}")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let done = options().map_err(io::Error::other).and_then(|options| run(&options));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::from(2)
        }
    }
}

/// Tries the mutants; whether all were killed or are known to be equivalent.
fn run(options: &Options) -> io::Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let to = root.join("target/mutants/tree");
    let mut pools = Vec::new();
    for module in &MODULES {
        let wanted = options.modules.is_empty() || options.modules.iter().any(|name| name == module.name);
        pools.push(if wanted { Some(workspace::pool(&root, module, options.seed)?) } else { None });
    }
    let mut mutants: Vec<Mutant> = Vec::new();
    for (module, pool) in pools.iter_mut().enumerate() {
        for _ in 0..options.each {
            draw(&mut mutants, module, pool.as_mut());
        }
    }
    if options.list {
        mutants.iter().for_each(|mutant| println!("{}", judge::described(&root, mutant)));
        return Ok(true);
    }
    std::fs::create_dir_all(&to)?;
    workspace::copy(&root, &to)?;
    let programs = loop {
        let written = workspace::write(&root, &to, &mutants)?;
        match workspace::build(&to, &written)? {
            Ok(programs) => break programs,
            Err(refused) => {
                eprintln!("mutants: {} do not compile; others are drawn", refused.len());
                for number in refused {
                    let Some(mutant) = mutants.get_mut(number - 1) else { continue };
                    mutant.refused = true;
                    let module = mutant.module;
                    draw(&mut mutants, module, pools.get_mut(module).and_then(Option::as_mut));
                }
            }
        }
    };
    let tried: Vec<&Mutant> = mutants
        .iter()
        .filter(|mutant| !mutant.refused && (options.numbers.is_empty() || options.numbers.contains(&mutant.number)))
        .collect();
    let equivalents = judge::equivalents(&root)?;
    let verdicts = judge::all(&to, &programs, &tried, options.jobs)?;
    let offered: BTreeMap<usize, usize> =
        pools.iter().enumerate().filter_map(|(module, pool)| Some((module, pool.as_ref()?.offered))).collect();
    Ok(judge::report(&root, &mutants, &verdicts, &equivalents, &offered))
}

fn draw(mutants: &mut Vec<Mutant>, module: usize, pool: Option<&mut workspace::Pool>) {
    if let Some((file, candidate)) = pool.and_then(workspace::Pool::draw) {
        let number = mutants.len() + 1;
        mutants.push(Mutant { number, module, file, candidate, refused: false });
    }
}

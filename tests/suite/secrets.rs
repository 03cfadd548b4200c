//! Secrets: how much of two sets of texts is masked, and what `record`, `lint`, checks and hooks do with one.

use headwater::secrets::{Certainty, MASK, find, mask, mask_at_least, rules};
use std::collections::{BTreeMap, BTreeSet};

const SECRETS: &str = include_str!("secrets/secrets.txt");
const INNOCENTS: &str = include_str!("secrets/innocents.txt");

/// Numbers that look random and are the same in every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap()
    }

    fn from(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| alphabet[self.next(alphabet.len())]).collect()
    }

    /// Characters of an alphabet, by its letter in a template.
    fn of(&mut self, kind: char, length: usize) -> String {
        let (small, capitals) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        let alphabet = match kind {
            'A' => format!("{small}{capitals}0123456789"),
            'b' => format!("{small}{capitals}0123456789-_"),
            'B' => format!("{small}{capitals}0123456789+/"),
            'h' => "0123456789abcdef".to_owned(),
            'u' => format!("{capitals}0123456789"),
            'z' => format!("{small}0123456789"),
            'l' => format!("{small}{capitals}"),
            'w' => small.to_owned(),
            'd' => "123456789".to_owned(),
            'c' => format!("{capitals}234567"),
            's' => "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".to_owned(),
            'n' => "023456789acdefghjklmnpqrstuvwxyz".to_owned(),
            'U' => return [8, 4, 4, 4, 12].map(|length| self.of('h', length)).join("-"),
            other => panic!("no alphabet {other}"),
        };
        // Dashes at an end would be a sentence's.
        let plain = format!("{small}{capitals}0123456789");
        let mut text = self.from(&alphabet, length);
        if kind == 'b' && length > 1 {
            let (first, last) = (self.from(&plain, 1), self.from(&plain, 1));
            text = format!("{first}{}{last}", &text[1..length - 1]);
        }
        text
    }

    /// A template's text.
    fn expand(&mut self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let name = after.split_once('}').filter(|(name, _)| is_field(name));
            if let Some((name, behind)) = name {
                let kind = name.chars().next().unwrap();
                text.push_str(&self.of(kind, name[1..].parse().unwrap_or_default()));
                rest = behind;
            } else {
                text.push('{');
                rest = after;
            }
        }
        (text + rest).replace('⏎', "\n")
    }
}

fn is_field(name: &str) -> bool {
    name == "U"
        || name.len() > 1
            && name[..1].chars().all(|c| c.is_ascii_alphabetic())
            && name[1..].bytes().all(|b| b.is_ascii_digit())
}

/// A text with secrets: its kind, itself, what masking should leave, and the secrets.
struct Sample {
    kind: String,
    text: String,
    masked: String,
    secrets: Vec<String>,
}

fn samples(file: &str, seed: u64) -> Vec<Sample> {
    let mut numbers = Numbers(seed);
    let lines = file.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut sample = |line: &str| {
        let (kind, template) = line.split_once('\t').unwrap_or_else(|| panic!("no kind: {line}"));
        let (mut text, mut masked, mut secrets) = (String::new(), String::new(), Vec::new());
        let expanded = numbers.expand(template);
        for (at, part) in expanded.split(['⟦', '⟧']).enumerate() {
            text.push_str(part);
            masked.push_str(if at % 2 == 0 { part } else { MASK });
            secrets.extend((at % 2 == 1).then(|| part.to_owned()));
        }
        Sample { kind: kind.to_owned(), text, masked, secrets }
    };
    lines.map(&mut sample).collect()
}

fn innocents(file: &str, seed: u64) -> Vec<String> {
    let mut numbers = Numbers(seed);
    file.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| numbers.expand(line)).collect()
}

/// How many secrets of each kind there are, how many were masked whole with all else left, and which were not.
fn measure(samples: &[Sample]) -> (BTreeMap<&str, [usize; 2]>, Vec<String>) {
    let (mut kinds, mut missed) = (BTreeMap::<&str, [usize; 2]>::new(), Vec::new());
    for sample in samples {
        let masked = mask(&sample.text);
        let whole = masked == sample.masked;
        let counts = kinds.entry(&sample.kind).or_default();
        counts[0] += sample.secrets.len();
        counts[1] += if whole { sample.secrets.len() } else { 0 };
        if !whole {
            missed.push(format!("{}: {}\n    {masked}", sample.kind, sample.text));
        }
    }
    (kinds, missed)
}

#[test]
fn secrets_of_every_kind_are_masked_whole() {
    let (mut all, mut whole) = (0, 0);
    for seed in 0..5 {
        let samples = samples(SECRETS, seed);
        let (kinds, missed) = measure(&samples);
        if seed == 0 {
            for (kind, [all, whole]) in &kinds {
                println!("| {kind} | {all} | {whole} |");
            }
            assert!(kinds.len() >= 60, "{} kinds", kinds.len());
            assert!(samples.len() >= 150, "{} samples", samples.len());
        }
        missed.iter().for_each(|text| println!("seed {seed}, not whole: {text}"));
        all += kinds.values().map(|[all, _]| all).sum::<usize>();
        whole += kinds.values().map(|[_, whole]| whole).sum::<usize>();
    }
    println!("secrets: {whole} of {all} masked whole");
    assert!(100 * whole >= 99 * all, "{whole} of {all}");
}

#[test]
fn innocents_are_left_unchanged() {
    let mut touched = Vec::new();
    let mut all = 0;
    for seed in 0..5 {
        let texts = innocents(INNOCENTS, seed);
        assert!(texts.len() >= 150, "{} innocents", texts.len());
        all += texts.len();
        touched.extend(texts.into_iter().filter(|text| mask(text) != text.as_str()));
    }
    touched.iter().for_each(|text| println!("touched: {text}\n    {}", mask(text)));
    println!("innocents: {} of {all} touched", touched.len());
    assert!(1000 * touched.len() <= 2 * all, "{} of {all}", touched.len());
}

/// A rule that no sample needs is one that nothing would miss.
#[test]
fn every_rule_finds_one_of_the_samples() {
    let mut used = BTreeSet::new();
    for sample in samples(SECRETS, 0) {
        used.extend(find(&sample.text, Certainty::Likely).into_iter().map(|finding| finding.rule));
    }
    let unused: Vec<&str> = rules().map(|(name, _)| name).filter(|name| !used.contains(name)).collect();
    assert_eq!(unused, [""; 0]);
}

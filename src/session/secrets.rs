//! Masking what looks like a secret. `docs/secrets.md` tells users how far it goes.
//!
//! Passes over the text until one finds nothing, so that masking twice is masking once. At each place the rules are
//! asked in turn, and the first that finds something wins; what was masked is never a secret again.

use std::borrow::Cow;
use std::ops::Range;

/// What stands where a secret was.
const MASK: &str = "[masked]";

/// How many passes there are at most; two are the rule.
const PASSES: usize = 16;

/// The greatest length of a key.
const KEY_LIMIT: usize = 64;

/// The least length of a value behind a key.
const VALUE_LEAST: usize = 6;

/// The least length of random-looking base64.
const RANDOM_LEAST: usize = 40;

/// How services begin their tokens.
struct Token {
    prefix: &'static str,
    /// How many characters must follow.
    least: usize,
    /// Which characters follow, besides letters and digits.
    more: &'static str,
    /// Whether ordinary words may begin so too. Then no letter or digit may stand before it, and a digit or a
    /// capital must follow.
    wordlike: bool,
}

const fn token(prefix: &'static str, least: usize, more: &'static str) -> Token {
    Token { prefix, least, more, wordlike: false }
}

const fn wordlike(prefix: &'static str, least: usize, more: &'static str) -> Token {
    Token { prefix, least, more, wordlike: true }
}

const TOKENS: [Token; 31] = [
    token("ghp_", 20, ""),
    token("gho_", 20, ""),
    token("ghs_", 20, ""),
    token("ghu_", 20, ""),
    token("ghr_", 20, ""),
    token("github_pat_", 20, "_"),
    token("glpat-", 16, "_-."),
    token("gldt-", 16, "_-"),
    token("glrt-", 16, "_-"),
    wordlike("sk-", 16, "_-"),
    token("sk_live_", 10, ""),
    token("sk_test_", 10, ""),
    token("rk_live_", 10, ""),
    token("whsec_", 16, "+/="),
    wordlike("xoxa-", 10, "-"),
    wordlike("xoxb-", 10, "-"),
    wordlike("xoxe-", 10, "-"),
    wordlike("xoxp-", 10, "-"),
    wordlike("xoxr-", 10, "-"),
    wordlike("xoxs-", 10, "-"),
    wordlike("xapp-", 10, "-"),
    wordlike("AKIA", 16, ""),
    wordlike("ASIA", 16, ""),
    wordlike("AIza", 30, "_-"),
    wordlike("ya29.", 20, "_-."),
    token("npm_", 30, ""),
    wordlike("pypi-", 16, "_-"),
    token("dop_v1_", 32, ""),
    wordlike("hf_", 20, ""),
    wordlike("SG.", 20, "_-."),
    token("hooks.slack.com/services/", 20, "/"),
];

/// What the names of secrets end in: in lower case, without `_`, `-` and `.`.
const KEYS: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "accesskeyid",
    "secretkey",
    "privatekey",
    "authkey",
    "credential",
    "credentials",
];

/// Words before a credential in a header.
const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "apikey"];

/// Replaces what looks like a secret by `[masked]`.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    let Some(mut masked) = mask_once(text) else { return Cow::Borrowed(text) };
    // What a secret leaves beside it may look like one by itself.
    for _ in 1..PASSES {
        let Some(again) = mask_once(&masked) else { break };
        masked = again;
    }
    Cow::Owned(masked)
}

/// One pass; `None` if it finds nothing.
fn mask_once(text: &str) -> Option<String> {
    let mut masked = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
        match secret_at(text, at) {
            Some(secret) => {
                masked.push_str(text.get(kept..secret.start)?);
                masked.push_str(MASK);
                (kept, at) = (secret.end, secret.end);
            }
            None => at += next.len_utf8(),
        }
    }
    (kept > 0).then(|| masked + text.get(kept..).unwrap_or_default())
}

/// The secret that is found at a place: there or a little later.
fn secret_at(text: &str, at: usize) -> Option<Range<usize>> {
    let (before, rest) = text.split_at_checked(at)?;
    let before = before.chars().next_back();
    if let Some(key) = private_key(rest) {
        return Some(at + key.start..at + key.end);
    }
    let found = url_password(rest)
        .or_else(|| token_at(before, rest))
        .or_else(|| json_web_token(before, rest))
        .or_else(|| assigned(before, rest))
        .or_else(|| bearer(before, rest))
        .or_else(|| random(before, rest, text.get(..at)?))?;
    let value = rest.get(found.clone()).unwrap_or_default();
    (!value.is_empty() && !value.contains(MASK)).then_some(at + found.start..at + found.end)
}

/// How many bytes at the head of a text are of a kind.
fn run(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is(c)).unwrap_or(text.len())
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// A private key in PEM, to its end or the text's.
fn private_key(rest: &str) -> Option<Range<usize>> {
    let header = rest.strip_prefix("-----BEGIN ")?;
    let label = run(header, |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ');
    let (label, body) = header.split_at_checked(label)?;
    if !label.contains("PRIVATE KEY") || !body.starts_with("-----") {
        return None;
    }
    let end = format!("-----END {label}-----");
    Some(0..rest.find(&end).map_or(rest.len(), |at| at + end.len()))
}

/// The password in `scheme://user:password@host`.
fn url_password(rest: &str) -> Option<Range<usize>> {
    let authority = rest.strip_prefix("://")?;
    let end = run(authority, |c| !c.is_whitespace() && !"/?#\"'`<>".contains(c));
    let (user, _) = authority.get(..end)?.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let start = "://".len() + name.len() + 1;
    Some(start..start + password.len())
}

/// A token that begins as a known service's do.
fn token_at(before: Option<char>, rest: &str) -> Option<Range<usize>> {
    let of = |token: &Token| {
        let tail = rest.strip_prefix(token.prefix)?;
        let length = run(tail, |c| is_word(c) || token.more.contains(c));
        let tail = tail.get(..length)?;
        let tail = tail.trim_end_matches(['.', '-', '/']);
        let random = tail.contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase());
        let plausible = !token.wordlike || random && !before.is_some_and(is_word);
        (plausible && tail.len() >= token.least).then(|| 0..token.prefix.len() + tail.len())
    };
    TOKENS.iter().find_map(of)
}

/// A JSON web token: `eyJ….….…`.
fn json_web_token(before: Option<char>, rest: &str) -> Option<Range<usize>> {
    if !rest.starts_with("eyJ") || before.is_some_and(is_word) {
        return None;
    }
    let length = run(rest, |c| is_word(c) || "_-.=".contains(c));
    let token = rest.get(..length)?.trim_end_matches('.');
    let mut parts = token.split('.');
    let long = parts.next()?.len() >= 12 && parts.next()?.len() >= 8;
    long.then_some(0..token.len())
}

/// How a value stands behind its key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Binding {
    /// `key=value`: nothing but an assignment looks so.
    Tight,
    /// `key: value`, `key = value`, `--key value`: prose may look so.
    Loose,
}

/// The value of a key that names a secret: `password=…`, `"token": "…"`, `--api-key …`, `Authorization: Bearer …`.
fn assigned(before: Option<char>, rest: &str) -> Option<Range<usize>> {
    let is_key = |c: char| is_word(c) || "_-.".contains(c);
    if before.is_some_and(is_key) && before != Some('-') || !rest.starts_with(is_word) {
        return None;
    }
    let length = rest.bytes().take(KEY_LIMIT + 1).take_while(|byte| is_key(char::from(*byte))).count();
    let (key, behind) = rest.split_at_checked(length)?;
    let key: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let header = key.ends_with("authorization");
    if !header && !KEYS.iter().any(|name| key.ends_with(name)) {
        return None;
    }
    let (binding, value) = bound(before, behind)?;
    let value = if header { behind_scheme(value) } else { value };
    let start = rest.len() - value.len();
    let (quoted, found) = value_of(value)?;
    let text = value.get(found.clone())?;
    // Only an assignment or a quoted key has a value of several words.
    let words = text.contains(char::is_whitespace) && binding == Binding::Loose;
    let plausible = header || binding == Binding::Tight || quoted && !words || is_unlike_words(text);
    let secret = text.chars().count() >= VALUE_LEAST && !stands_for_another(text) && plausible;
    secret.then_some(start + found.start..start + found.end)
}

/// What follows a key up to its value.
fn bound(before: Option<char>, behind: &str) -> Option<(Binding, &str)> {
    let unquoted = behind.strip_prefix("\\\"").or_else(|| behind.strip_prefix(['"', '\'', '`'])).unwrap_or(behind);
    let spaced = unquoted.trim_start_matches([' ', '\t']);
    let value = ["=>", ":=", "=", ":"].iter().find_map(|sign| spaced.strip_prefix(sign));
    match value {
        Some(value) if value.starts_with(['=', ':']) => None,
        Some(value) => {
            let trimmed = value.trim_start_matches([' ', '\t']);
            let quoted_key = unquoted.len() < behind.len();
            let tight = spaced.starts_with('=') && spaced.len() == unquoted.len() && trimmed.len() == value.len();
            Some((if tight || quoted_key { Binding::Tight } else { Binding::Loose }, trimmed))
        }
        // An option of a command.
        None if before == Some('-') && spaced.len() < unquoted.len() => Some((Binding::Loose, spaced)),
        None => None,
    }
}

/// A header's value without the word before the credential.
fn behind_scheme(value: &str) -> &str {
    let (word, rest) = value.split_at_checked(run(value, is_word)).unwrap_or((value, ""));
    let known = SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
    if known && rest.starts_with(' ') { rest.trim_start_matches(' ') } else { value }
}

/// Where a value is, and whether it is quoted.
fn value_of(value: &str) -> Option<(bool, Range<usize>)> {
    let opening = ["\\\"", "\"", "'", "`"].iter().find(|quote| value.starts_with(**quote));
    if let Some(quote) = opening {
        let inner = value.get(quote.len()..)?;
        let end = inner.find(quote).unwrap_or_else(|| run(inner, |c| !c.is_whitespace()));
        return Some((true, quote.len()..quote.len() + end));
    }
    let length = run(value, |c| !c.is_whitespace() && !"\"'`&;<>".contains(c));
    let length = value.get(..length)?.trim_end_matches(['.', ',', ')', ']', '}', ':', '!', '?', '\\']).len();
    Some((false, 0..length))
}

/// Whether a value names a secret rather than being one: a variable, a placeholder, a path.
fn stands_for_another(value: &str) -> bool {
    let variable = value.strip_prefix('$').is_some_and(|name| {
        name.starts_with(['{', '(']) || name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    });
    let path = ["/", "./", "../", "~/"].iter().any(|start| value.starts_with(start));
    let dots = value.chars().all(|c| "*.xX…-_".contains(c));
    variable || path || dots || value.starts_with(['{', '%', '[', '<'])
}

/// Whether a value is neither a word nor a path nor a number: letters and digits mixed, or signs that words lack.
fn is_unlike_words(value: &str) -> bool {
    let file = value.rsplit('/').next().is_some_and(|name| name != value && name.contains('.'));
    let letters = value.contains(char::is_alphabetic);
    let mixed = letters && value.contains(|c: char| c.is_ascii_digit());
    let signs = letters && value.contains(|c: char| "!@#$%^&*+=~".contains(c));
    !file && (mixed || signs)
}

/// What follows a `Bearer` that stands alone.
fn bearer(before: Option<char>, rest: &str) -> Option<Range<usize>> {
    let behind = rest.strip_prefix("Bearer ").or_else(|| rest.strip_prefix("bearer "))?;
    let value = behind.get(..run(behind, |c| is_word(c) || "_-.~+/=".contains(c)))?.trim_end_matches('.');
    let start = rest.len() - behind.len();
    let secret = value.len() >= 16 && is_unlike_words(value) && !before.is_some_and(is_word);
    secret.then_some(start..start + value.len())
}

/// A long run of base64 in which capitals, small letters and digits change as often as chance has it. Object names
/// and digests in hexadecimal have no capitals; words and paths change less.
fn random(before: Option<char>, rest: &str, head: &str) -> Option<Range<usize>> {
    let is_base64 = |c: char| is_word(c) || c == '+' || c == '/';
    let names = ["sha256-", "sha384-", "sha512-", "SHA256:"];
    let digest = names.iter().find_map(|name| head.strip_suffix(name)).is_some_and(|head| !head.ends_with(is_base64));
    if before.is_some_and(is_base64) || digest {
        return None;
    }
    let length = run(rest, is_base64);
    if length < RANDOM_LEAST {
        return None;
    }
    let value = rest.get(..length)?;
    let kind = |byte: u8| (byte.is_ascii_uppercase(), byte.is_ascii_lowercase(), byte.is_ascii_digit());
    let kinds: Vec<_> = value.bytes().filter(u8::is_ascii_alphanumeric).map(kind).collect();
    let changes = kinds.iter().zip(kinds.iter().skip(1)).filter(|(a, b)| a != b).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let padding = run(rest.get(length..)?, |c| c == '=');
    let capitals = value.contains(|c: char| c.is_ascii_uppercase());
    (capitals && digits >= 2 && 5 * changes >= 2 * length).then_some(0..length + padding)
}

#[cfg(test)]
mod tests {
    use super::{MASK, mask};
    use proptest::prelude::*;
    use std::borrow::Cow;

    /// A tail as long as services make them; put together here so that no scanner takes this file for a leak.
    const TAIL: &str = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7k";

    #[test]
    fn tokens_are_masked_wherever_they_stand() {
        let digits = "1234567890";
        let tokens = [
            format!("ghp_{TAIL}"),
            format!("gho_{TAIL}"),
            format!("ghs_{TAIL}"),
            format!("ghu_{TAIL}"),
            format!("github_pat_11{TAIL}_{TAIL}"),
            format!("glpat-{}", &TAIL[..20]),
            format!("sk-{TAIL}"),
            format!("sk-proj-{TAIL}-x_y"),
            format!("sk-ant-api03-{TAIL}-{TAIL}AA"),
            format!("xoxb-{digits}-{digits}-{TAIL}"),
            format!("xoxp-{digits}-{TAIL}"),
            format!("xapp-1-A{digits}-{digits}"),
            format!("AKIA{}", &TAIL.to_uppercase()[..16]),
            format!("ASIA{}", &TAIL.to_uppercase()[..16]),
            format!("AIza{}", &TAIL[..35]),
            format!("ya29.a0{TAIL}"),
            format!("npm_{}", &TAIL[..36]),
            format!("pypi-AgEIcHlwaS5vcmc{TAIL}"),
            format!("dop_v1_{}", "0f".repeat(32)),
            format!("hf_{}", &TAIL[..34]),
            format!("SG.{}.{TAIL}", &TAIL[..22]),
            format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{TAIL}"),
            format!("wJalrXUtnFEMI/{}bPxRfiCYzzEX4K7M", &TAIL[..12]),
            format!("-----BEGIN RSA PRIVATE KEY-----\nMII{TAIL}\n-----END RSA PRIVATE KEY-----"),
            format!("-----BEGIN OPENSSH PRIVATE KEY----- {TAIL} and cut off"),
        ];
        for token in tokens {
            for (left, right) in [("", ""), ("Use ", ""), ("(", ""), ("\"", "")] {
                assert_eq!(mask(&format!("{left}{token}{right}")), format!("{left}{MASK}{right}"));
            }
            let cut_off = token.ends_with("off");
            assert!(cut_off || mask(&format!("é {token}. Then ü")) == format!("é {MASK}. Then ü"), "{token}");
        }
    }

    #[test]
    fn values_are_masked_and_their_keys_stay() {
        for (text, masked) in [
            ("postgres://app:hunter2@db.example.org/x?y", "postgres://app:[masked]@db.example.org/x?y"),
            ("https://u:p@ss@host and https://u:b@h", "https://u:[masked]@host and https://u:[masked]@h"),
            ("redis://:secret@localhost:6379", "redis://:[masked]@localhost:6379"),
            ("password=hunter, and more", "password=[masked], and more"),
            ("DB_PASSWORD='correct horse'", "DB_PASSWORD='[masked]'"),
            ("{\"apiKey\": \"abcdef\", \"x\": 1}", "{\"apiKey\": \"[masked]\", \"x\": 1}"),
            ("{\\\"token\\\":\\\"abcdef\\\"}", "{\\\"token\\\":\\\"[masked]\\\"}"),
            ("token: abc123def", "token: [masked]"),
            ("client_secret = s3cr3t-value", "client_secret = [masked]"),
            ("Passwd: Tr0ub4dor&3", "Passwd: [masked]&3"),
            ("curl --api-key abc123 --token=abcdef x", "curl --api-key [masked] --token=[masked] x"),
            ("GET /?access_token=abcdef&page=2", "GET /?access_token=[masked]&page=2"),
            ("Authorization: Bearer abcdefgh", "Authorization: Bearer [masked]"),
            ("-H 'authorization: Basic dXNlcjpwYXNz'", "-H 'authorization: Basic [masked]'"),
            ("sent Bearer abcdef0123456789 along", "sent Bearer [masked] along"),
            ("X-Api-Key: 0a1b2c3d", "X-Api-Key: [masked]"),
            ("password: \"abcdef", "password: \"[masked]"),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "Fix the parser, then test it",
            "token_count: 512345",
            "tokens: 500000, max_tokens=200000",
            "The next token: identifier or keyword",
            "fix(token): reset password: done at last",
            "Error at token: \"unexpected end of file\"",
            "Passwords are hashed; the secret is kept",
            "token=ab",
            "password=$PASSWORD and password=${PASSWORD} and token=<token> and token=[masked]",
            "password: ********, secret=xxxxxxxx",
            "secret: docs/secrets2.md; pwd=/home/me/project1",
            "Read the token: src/lexer/token2.rs",
            "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 is a digest",
            "550e8400-e29b-41d4-a716-446655440000",
            "integrity sha512-aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7kaB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5==",
            "/home/someone/Projects2026/HeadwaterSession/Sources/SecretsMasking/Tests",
            "AbstractSingletonProxyFactoryBeanConfiguration2Test42",
            "https://github.com/o/r/blob/main/a@b.rs and git@github.com:o/r.git and http://localhost:8080/@x",
            "task-based sk-learn-like-estimators-and-transformers, risk-free",
            "hf_transformers_are_not_tokens, npm_config_registry, pypi-publish-workflow-for-releases",
            "eyJ is how they begin; AKIA too; ghp_ and glpat- are prefixes",
            "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
            "a::token::b, x.token == y, Bearer tokens expire, the bearer authentication-service",
            "if token == expected_token2 { return }",
        ] {
            assert!(matches!(mask(text), Cow::Borrowed(_)), "{text}\n{}", mask(text));
        }
    }

    /// Pieces of secrets, keys, signs and words, so that rules meet and overlap.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "ghp_",
                "sk-",
                "AKIA",
                "eyJ",
                "SG.",
                "xoxb-",
                "://",
                "@",
                ":",
                "=",
                "=>",
                " ",
                "\"",
                "'",
                "\\\"",
                "&",
                "[",
                "]",
                MASK,
                "[masked",
                "masked]",
                "password",
                "--token",
                "API_KEY",
                "Authorization",
                "Bearer ",
                "Basic ",
                "-----BEGIN PRIVATE KEY-----",
                "-----END PRIVATE KEY-----",
                "user",
                "$X",
                "/",
                ".",
                "-",
                "é",
                "\n",
                "sha256-",
            ])
            .prop_map(str::to_owned),
            "[a-z0-9]{1,9}",
            "[A-Za-z0-9+/]{16,45}",
        ];
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn masking_twice_is_masking_once(text in prop_oneof![pieces(), ".{0,60}"]) {
            let once = mask(&text).into_owned();
            prop_assert_eq!(mask(&once), once.as_str());
        }

        #[test]
        fn words_are_left_alone(words in prop::collection::vec("[a-zäé]{1,12}|[0-9]{1,5}|[0-9a-f]{40}|[a-z]{1,5}/[a-z]{1,5}\\.rs", 0..20)) {
            let text = words.join(" ");
            prop_assert!(matches!(mask(&text), Cow::Borrowed(_)));
        }

        /// What is masked is gone, and what stands before and behind it is not.
        #[test]
        fn a_token_never_survives(before in "[a-z ]{0,20}", tail in "[A-Za-z0-9]{36}", after in "[a-z ]{0,20}") {
            let told = mask(&format!("{before} ghp_{tail} {after}")).into_owned();
            prop_assert_eq!(told, format!("{before} {MASK} {after}"));
        }
    }
}

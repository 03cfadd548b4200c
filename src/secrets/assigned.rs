//! Values behind names: `PASSWORD=…`, `"apiKey": "…"`, `--token …`, `the password is …`.

use super::shapes::begins_public;
use super::value::{Value, stands_for_another, value_at, window};
use super::words::{entropy, is_chance, is_hex, is_made, is_mixed, is_of_words};
use regex::bytes::Captures;
use std::ops::Range;

/// Names of secrets and what binds a value to them; group 2 is the name, 3 and 5 quotes and spaces, 4 the sign.
pub(super) const ASSIGNED: &str = concat!(
    r"(?i:(pass(?:wor[dt]|wd|phrase|code|ord)|kennwort|mot[ _-]de[ _-]passe|mdp|contrase(?:\xC3\xB1|n)a|senha|pwd|pass|pw|psk",
    r"|secret|geheimnis|token|jeton|credentials?|key[_-]?base|key|cl(?:\xC3\xA9|e)|schl(?:\xC3\xBC|ue)ssel|auth|salt",
    r"|pat|sonar[._-]login|sid|session(?:[_-]?id)?|sessid|cookie|signature|seed|mnemonic|userpwd))",
    r#"(\\?["'`]?\]?(?:\*\*|__)?[ \t]{0,12})(===?|!=|=>|:=|\?=|=|%3[dD]|:?[ \t]{0,4}(?:&(?:'static )?)?(?i:str|string|text|varchar|char|const char)[ \t]{0,4}:?=|::|:|,|\()((?:\*\*|__)?[ \t]{0,12}(?:[|>][+-]?)?(?:[ \t]*\r?\n(?:\r?\n)?[ \t]*)?)"#
);

/// An option of a command and what separates its value; group 2 is the name.
pub(super) const OPTION: &str = concat!(
    r#"(?:^|[\s"'`\[(,])--?(?i:[a-z0-9-]{0,40}?(pass(?:word|wd|phrase)?|pwd|secret|token|key|auth|pat|credentials?|storepass|keypass))"#,
    r#"["',]{0,2}[ \t]+"#
);

/// A sentence that gives a secret; group 2 is the name.
pub(super) const SENTENCE: &str = concat!(
    r"(?i:\b(pass(?:word|wort|phrase|code)|kennwort|mot de passe|contrase(?:\xC3\xB1|n)a|token|jeton|secret|api[ -]?key|pin|seed|(?:db|root|admin|user|ssh|ftp|smtp)[ -]pass",
    r"|(?:api|access|secret|encryption|signing|private|license|client|admin|master|service|account|auth|deploy)[ -]key",
    r"|(?:[a-z0-9]+-)?schl(?:\xC3\xBC|ue)ssel|cl(?:\xC3\xA9|e)(?: d'api)?)\b[^\n.;:=]{0,30}?",
    r"(?:\b(?:is|ist|lautet|hei(?:\xC3\x9F|ss)t|war|was|est|es|to|auf|with|now|jetzt|nun)[ \t]*:?|\b(?:f(?:\xC3\xBC|ue)r|for|of|de|du|zu|zum)[ \t][^\n.;:=]{1,30}?:)[ \t]+)"
);

/// A name and its value next to each other.
pub(super) const WORD_PAIR: &str = concat!(
    r"(?i:\b(?:password|passwort|kennwort|passphrase|passwd|(?:(?:api|access|auth|bot)[ -])?token|jeton|api[ -]?key|api-schl\xC3\xBCssel|secret",
    // Configurations of servers.
    r"|requirepass|masterauth|rootpw|bindpw|psk|rpcpassword)[ \t]+)"
);

/// A name of a secret; what chance made in the rest of its line may be it, whatever stands between.
pub(super) const NEAR: &str = concat!(
    r"(?i:(pass(?:wor[dt]|wd|phrase|code)|kennwort|[_ .-]pass\b|\b(?:pw|pwd|pin)\b|secret|token|credentials?|api[ _-]?key",
    r"|access[ _-]?key|schl(?:\xC3\xBC|ue)ssel|authorization|identified[ ]by|zugang|login",
    r"|add_user|user[ ]add|alias[ ]set|\b(?:key|sk)[ \t]*[=:]))"
);

/// What a name promises of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Anything that people think of.
    Password,
    /// Made by a machine.
    Token,
    /// Made by a machine, and the name is often that of something else.
    Key,
}

/// How a value is bound to its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    /// `key=value`, `"key": …`: only an assignment looks so.
    Tight,
    /// `key: value`, `key = value`, `--key value`: prose and code may look so.
    Loose,
}

/// What makes a key's name one of a secret.
const SECRET_KEYS: [&str; 34] = [
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "master",
    "signing",
    "encryption",
    "account",
    "storage",
    "service",
    "subscription",
    "admin",
    "license",
    "app",
    "client",
    "consumer",
    "deploy",
    "session",
    "webhook",
    "jwt",
    "ssh",
    "shared",
    "write",
    "read",
    "ingest",
    "integration",
    "rails",
    "django",
    "server",
    "maps",
    "crypt",
    "cipher",
    "hmac",
];

/// What makes a name one of something else.
const OTHER: [&str; 50] = [
    "public",
    "pub",
    "primary",
    "foreign",
    "cache",
    "sort",
    "partition",
    "shard",
    "lookup",
    "index",
    "idempotency",
    "unique",
    "composite",
    "group",
    "map",
    "object",
    "s3",
    "row",
    "hot",
    "short",
    "event",
    "translation",
    "i18n",
    "json",
    "dict",
    "natural",
    "candidate",
    "routing",
    "queue",
    "name",
    "issue",
    "project",
    "host",
    "publishable",
    "site",
    "mon",
    "don",
    "tur",
    "page",
    "next",
    "sync",
    "continuation",
    "cancel",
    "cancellation",
    "stop",
    "pad",
    "max",
    "lexer",
    "anon",
    "restore",
];

/// A value behind a name and a sign.
pub(super) fn assigned(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let (name, quote, sign, space) = (captures.get(2)?, captures.get(3)?, captures.get(4)?, captures.get(5)?);
    if sign.as_bytes() == b"::" {
        return None;
    }
    // `password == "…"`: names of columns and variables are compared, too.
    let compared = matches!(sign.as_bytes(), b"==" | b"===" | b"!=");
    // `api_key: &str = "…"`.
    let encoded = sign.as_bytes().starts_with(b"%");
    let typed = sign.len() > 3;
    let key = key_of(text, name.range());
    // A user in an address, a part of a resource's name.
    let before = text.get(..name.start())?.strip_suffix(key.as_str())?;
    let switch = before.ends_with(" /");
    if sign.as_bytes() == b":"
        && !switch
        && before.ends_with(['/', ':'])
        && space.is_empty()
        && !before.ends_with("//")
        && !key.contains('_')
        || sign.as_bytes() == b":" && before.ends_with("://")
    {
        return None;
    }
    let class = class_of(text, &key, name.range())?;
    let is_quoted = quote.as_bytes().iter().any(|byte| b"\"'`".contains(byte));
    let close = quote.as_bytes().iter().all(|byte| !b" \t".contains(byte)) && space.is_empty();
    let tight =
        is_quoted || typed || compared || encoded || close && matches!(sign.as_bytes(), b"=" | b":=" | b"=>" | b"?=");
    let binding = if tight { Binding::Tight } else { Binding::Loose };
    // An argument is in quotes: reading each of many calls would cost the rest of the text each.
    let begins = text.get(space.end()..)?.chars().take(3).any(|c| "\"'`\\“„«‘".contains(c));
    if matches!(sign.as_bytes(), b"," | b"(") && !begins {
        return None;
    }
    let mut value = value_at(text, space.end())?;
    if encoded && let Some(at) = text.get(value.range.clone())?.find("%26") {
        value.range.end = value.range.start + at;
    }
    let found = text.get(value.range.clone())?;
    let made = is_mixed(found) && !is_of_words(found) && found.len() >= 8;
    // A value in the next line that is not set in is a part of a text.
    let below = text.get(space.range())?.ends_with('\n');
    if (typed || compared) && !value.quoted || (compared || below) && !made {
        return None;
    }
    // Arguments of a call: `define('DB_PASSWORD', '…')`, `.password("…")`.
    let call = sign.as_bytes() == b"," && is_quoted
        || sign.as_bytes() == b"("
            && !is_quoted
            && (key.ends_with('.')
                || key.is_empty() && !before.ends_with(char::is_alphanumeric)
                || made && found.len() >= 12);
    match sign.as_bytes() {
        b"," | b"("
            if !call || !value.quoted || !is_mixed(found) || is_of_words(found) && found.contains(['.', '-', ' ']) =>
        {
            return None;
        }
        _ => {}
    }
    if text.get(name.range())?.to_ascii_lowercase().starts_with("session") && binding == Binding::Loose {
        return None;
    }
    is_secret(text, class, binding, &value).then_some(value.range)
}

/// A value behind a name and a sign that only a machine makes.
pub(super) fn assigned_token(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = assigned(text, captures)?;
    let value = text.get(found.clone())?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let has = |is: fn(&char) -> bool| value.chars().filter(is).count() >= 2;
    let cases = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit);
    let long = value.len() >= 32 && is_mixed(value);
    let made = value.len() >= 20
        && value.chars().all(is_token)
        && (cases || long)
        && !value.split(['-', '_', '/']).all(is_of_words);
    (made && entropy(value) >= if cases { 3.5 } else { 3.0 }).then_some(found)
}

/// A value that follows its name without a sign: `password aB3dE5gH`.
pub(super) fn word_pair(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let value = value_at(text, captures.get(0)?.end())?;
    let found = text.get(value.range.clone())?;
    let made = found.len() >= 8 && is_made(found) && entropy(found) >= 2.8 && !found.starts_with("0x");
    let matched = text.get(captures.get(0)?.range())?;
    let another = found.contains(['/', '.', '(', ':', '=', '<', '[', ' ', '-', '_'])
        || is_hex(found) && found.len() != 32 && !matched.to_ascii_lowercase().contains("api");
    (made && !another && !stands_for_another(found)).then_some(value.range)
}

/// A value behind an option of a command.
pub(super) fn option(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let name = captures.get(2)?;
    let class = class_of(text, &key_of(text, name.range()), name.range())?;
    let value = value_at(text, captures.get(0)?.end())?;
    (is_secret(text, class, Binding::Loose, &value) && !text.get(value.range.clone())?.starts_with('-'))
        .then_some(value.range)
}

/// A value that a sentence gives.
pub(super) fn sentence(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let value = value_at(text, captures.get(0)?.end())?;
    let found = text.get(value.range.clone())?;
    let words =
        is_of_words(found) && (found.contains(['-', ':', '/', '.']) || found.starts_with(|c: char| c.is_ascii_digit()));
    let signs = found.chars().filter(|c| c.is_alphanumeric()).count() >= 5;
    let secret = found.len() >= 6
        && (is_mixed(found.trim_end_matches(['!', '?'])) || is_made(found))
        && !words
        && signs
        && !stands_for_another(found);
    (secret && !found.contains(char::is_whitespace)).then_some(value.range)
}

/// Chance with signs between, as base64 has it: no name or path that ends in a digest.
fn is_joined_chance(found: &str) -> bool {
    let has = |is: fn(&u8) -> bool| found.bytes().any(|byte| is(&byte));
    let cases = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    found.len() >= 24 && cases && !found.split(['-', '_', '/', '+']).any(|part| part.len() >= 7 && is_hex(part))
}

/// What chance made in the same line, soon after a name.
pub(super) fn near(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let start = captures.get(2)?.end();
    let rest = window(text, start);
    let rest = rest.get(..(0..=200.min(rest.len())).rev().find(|end| rest.is_char_boundary(*end))?)?;
    let line = rest.get(..rest.find(['\n', '\r']).unwrap_or(rest.len()))?;
    let sign = |c: char| !c.is_alphanumeric() && !"+/_-.~$@%".contains(c);
    let mut at = 0;
    for word in line.split_inclusive(sign) {
        let found = word.trim_end_matches(sign).trim_end_matches('.');
        // What names the next text: a digest, an id, another thing.
        let lower = found.to_ascii_lowercase();
        let other = [
            "hash",
            "sha",
            "digest",
            "checksum",
            "integrity",
            "public",
            "commit",
            "fingerprint",
            "id",
            "ids",
            "rev",
            "h1",
        ];
        if at > 80 || other.iter().any(|name| lower.ends_with(name)) && !is_chance(found) {
            return None;
        }
        let bare: String = found.chars().filter(|c| !"+/_-".contains(*c)).collect();
        let digest =
            ["sha1-", "sha256-", "sha384-", "sha512-", "sha256/", "0x"].iter().any(|name| found.starts_with(name))
                || begins_public(found);
        // A call, a path of a program.
        let code = word.ends_with(['(', '<']) || text.get(start + at + found.len()..)?.starts_with("::");
        if !digest && !code && is_chance(&bare) && (bare.len() == found.len() || is_joined_chance(found)) {
            let padding = text.get(start + at + found.len()..)?.bytes().take_while(|byte| *byte == b'=').count();
            return Some(start + at..start + at + found.len() + if padding <= 2 { padding } else { 0 });
        }
        at += word.len();
    }
    None
}

/// The letters before a name that belong to its key, in lower case.
fn key_of(text: &str, name: Range<usize>) -> String {
    let before = text.get(..name.start).unwrap_or_default();
    let is_key = |c: &char| c.is_ascii_alphanumeric() || "_-.".contains(*c);
    let mut key: Vec<char> = before.chars().rev().take(48).take_while(is_key).collect();
    key.reverse();
    key.into_iter().collect()
}

/// What a name promises; `None` where it is a part of another word, or of a name of something else.
fn class_of(text: &str, before: &str, name: Range<usize>) -> Option<Class> {
    let range = name;
    let name = text.get(range.clone())?;
    let lower = name.to_ascii_lowercase();
    let joined = before.chars().next_back().is_some_and(|c| c.is_ascii_alphabetic());
    let hump = joined
        && before.ends_with(|c: char| c.is_ascii_lowercase())
        && name.starts_with(|c: char| c.is_ascii_uppercase());
    let stem = before.to_ascii_lowercase();
    let stem = stem.trim_end_matches(['_', '-', '.']);
    if OTHER
        .iter()
        .any(|other| stem.ends_with(other) && (stem.len() == other.len() || !joined || hump || *other != "pub"))
    {
        return None;
    }
    let named = SECRET_KEYS.iter().any(|known| stem.ends_with(known));
    let free = !joined || hump;
    match lower.as_str() {
        "pwd" | "pass" | "pw" | "psk" | "mdp" | "senha" => {
            (free || stem.ends_with("db") || stem.ends_with("ssh")).then_some(Class::Password)
        }
        "secret" | "token" | "geheimnis" | "jeton" | "credential" | "credentials" | "key_base" | "keybase"
        | "key-base" => Some(Class::Token),
        "key" | "clé" | "cle" | "schlüssel" | "schluessel" if named => Some(Class::Token),
        "key" => (free && !stem.is_empty() || is_in_query(text, before, &range)).then_some(Class::Key),
        // `PHPSESSID`, `JSESSIONID`.
        "sessid" | "sessionid" if ["php", "j", "asp"].contains(&stem) => Some(Class::Key),
        "sid" if !["", "connect", "session", "php", "auth"].contains(&stem) => None,
        "sonar.login" | "sonar-login" | "sonar_login" => Some(Class::Key),
        "auth" | "salt" | "pat" | "sid" | "cookie" | "signature" | "seed" | "mnemonic" | "sessid" => {
            free.then_some(Class::Key)
        }
        "clé" | "cle" | "schlüssel" | "schluessel" => None,
        _ if lower.starts_with("session") => free.then_some(Class::Key),
        _ => Some(Class::Password),
    }
}

/// Whether a name stands alone in a query: `?key=…`.
fn is_in_query(text: &str, before: &str, name: &Range<usize>) -> bool {
    before.is_empty() && text.get(..name.start).is_some_and(|text| text.ends_with(['?', '&']))
}

/// Whether a value is a secret, where its name and its binding say that it may be.
fn is_secret(text: &str, class: Class, binding: Binding, value: &Value) -> bool {
    let Some(found) = text.get(value.range.clone()) else { return false };
    if stands_for_another(found) {
        return false;
    }
    let length = found.chars().count();
    let digits = found.chars().all(|c| c.is_ascii_digit() || "., %".contains(c));
    let several = found.contains(char::is_whitespace);
    match class {
        Class::Password if several => value.quoted && length >= 8 && (binding == Binding::Tight && !is_label(found)),
        Class::Password if digits => binding == Binding::Tight && length >= 6,
        Class::Password if binding == Binding::Tight => length >= 4 && (length >= 6 || is_mixed(found)),
        Class::Password => {
            length >= 4
                && (value.quoted && length >= 6
                    || length >= 5 && is_mixed(found.trim_end_matches(['!', '?']))
                    || length >= 8 && !is_of_words(found))
        }
        Class::Token => {
            let made = length >= 8 && !is_of_words(found) || is_joined(found);
            let long = length >= 16 && entropy(found) >= 3.2 && is_mixed(found) && !found.contains('-');
            !several && !digits && (made || long || value.quoted && is_random_word(found))
        }
        Class::Key => {
            !several && length >= 8 && !digits && is_mixed(found) && !is_of_words(found) && entropy(found) >= 2.6
        }
    }
}

/// `user:password`, as in `AUTH=`; no `host:port` or `package:2`.
fn is_joined(value: &str) -> bool {
    let parts = value.split_once(':');
    parts.is_some_and(|(user, rest)| user.len() >= 2 && rest.len() >= 6 && is_mixed(rest) && !rest.contains(':'))
}

/// Letters and a number that no word has so long.
fn is_random_word(value: &str) -> bool {
    value.len() >= 20 && !value.contains(['-', '_', '.', '/']) && is_mixed(value) || value.len() >= 32 && is_hex(value)
}

/// A text for people behind a quoted name, as in the files of translators.
fn is_label(value: &str) -> bool {
    value.starts_with(char::is_uppercase) && !value.contains(|c: char| c.is_ascii_digit() || "!@#$%^&*".contains(c))
        || value.split_whitespace().count() > 6
}

//! Forms that no single service owns: keys, addresses, headers, files of tools.

use super::Certainty::{Certain, Likely};
use super::assigned::{
    ASSIGNED, NEAR, OPTION, SENTENCE, WORD_PAIR, assigned, assigned_token, near, option, sentence, word_pair,
};
use super::rule::{Form, Rule};
use super::value::{stands_for_another, value_at, window};
use super::words::{entropy, is_chance, is_hex, is_made, is_mixed, is_of_words, tail};
use regex::bytes::Captures;
use std::ops::Range;

type Find = fn(&str, &Captures<'_>) -> Option<Range<usize>>;

const fn certain(name: &'static str, keywords: &'static [&'static str], pattern: &'static str, find: Find) -> Rule {
    Rule { name, keywords, pattern, certainty: Certain, form: Form::Found(find) }
}

const fn likely(name: &'static str, keywords: &'static [&'static str], pattern: &'static str, find: Find) -> Rule {
    Rule { name, keywords, pattern, certainty: Likely, form: Form::Found(find) }
}

const NAMES: &[&str] = &[
    "pass",
    "pwd",
    "pw",
    "kennwort",
    "mdp",
    "contrase",
    "senha",
    "secret",
    "geheimnis",
    "token",
    "jeton",
    "credential",
    "key",
    "cl\u{e9}",
    "cle",
    "schl",
    "auth",
    "salt",
    "pat",
    "sid",
    "sess",
    "cookie",
    "signature",
    "seed",
    "sonar",
    "mnemonic",
];

const NEAR_NAMES: &[&str] = &[
    "pass",
    "pw",
    "pin",
    "kennwort",
    "secret",
    "token",
    "credential",
    "key",
    "schl",
    "authorization",
    "identified",
    "zugang",
    "login",
    "user",
    "alias set",
    "sk",
];

/// The rule that knows nothing but chance.
pub(super) const RANDOM: &str = "random";

/// Every row; a sample of each is in `tests/suite/secrets/`.
pub(super) const SHAPES: &[Rule] = &[
    certain(
        "private-key",
        &["-----begin"],
        r"-----BEGIN[ A-Z0-9_-]{0,80}(?:PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----",
        private_key,
    ),
    certain(
        "putty-key",
        &["private-lines:"],
        r"Private-Lines: [0-9]+(?:\s|\\[rn])+((?:[A-Za-z0-9+/]{16,64}={0,2}(?:\s|\\[rn])+)*[A-Za-z0-9+/]{16,64}={0,2})(?:\s|\\|$)",
        group,
    ),
    certain("go-dsn", &["@tcp(", "@unix("], r#"[A-Za-z0-9_.-]+:([^\s"'`@]{3,})@(?:tcp|unix)\("#, group),
    certain(
        "aws-secret-key",
        &["secret"],
        r#"(?i:aws[_.-]?secret[_.-]?(?:access[_.-]?)?key|secret_?access_?key)[\\"'\]]{0,3}[ \t]{0,4}[:=]?[ \t]{0,4}[\\"']{0,2}([A-Za-z0-9+/]{40})(?:[^A-Za-z0-9+/]|$)"#,
        group,
    ),
    likely(
        "password-hash",
        &["$"],
        r"(?:^|[\s\x22'])[A-Za-z0-9_.@-]+[\x22']?[ \t]*[:=][ \t]*[\x22']?(\$(?:1|2[abxy]|5|6|7|y|gy|apr1|argon2(?:id?|d)|pbkdf2-sha[0-9]+|scrypt)\$[A-Za-z0-9./$=,+-]{20,})",
        group,
    ),
    likely(
        "url-code",
        &["code="],
        r"(?i:[?&](?:code|authorization_code|auth_?code)=)([A-Za-z0-9_.~%/+-]{20,}={0,2})",
        plausible_run,
    ),
    likely(
        "call-credentials",
        &["auth", "credential", "login", "connect", "client", "search", "pdo"],
        r#"(?i:(?:auth|authentication|credentials?|login|connect(?:ion)?|client|search|pdo)[ \t]*(?:=[ \t]*)?\()(?:[ \t]*(?:["'][^"'\n]*["']|[A-Za-z0-9_.$]+)[ \t]*,)+[ \t]*["']([^"'\n]{8,})["']"#,
        plausible_run,
    ),
    likely(
        "login-pair",
        &["credential", "creds", "zugang", "anmeldedaten", "log in", "logged in", "login", "sign in", "anmelden"],
        r"(?i:\b(?:credentials?|creds|zugang(?:sdaten)?|anmeldedaten|login|(?:log|logged|sign) in (?:as|with)|anmelden (?:als|mit))\b[ \t:=]*(?:(?:is|are|sind|lauten)[ \t:]+)?)[A-Za-z0-9_.@+-]{2,40}[ \t]?[/:|][ \t]?([^\s,;\x22'`<>]{6,})",
        plausible_run,
    ),
    likely(
        "stored-secret",
        &["put-parameter", "secret"],
        r"(?i:\b(?:put-parameter|put-secret-value|(?:create|update)-secret|secrets?[ \t]+(?:set|put|create|add))\b[^\n|;]{0,200}?[ \t]--(?:value|secret-string|body|data)[ \t=]+)",
        named_value,
    ),
    likely(
        "license-key",
        &["licen", "lizenz", "serial", "product", "activation"],
        r"(?i:licen[sc]e|lizenz|serial|product|activation)[^\n]{0,24}?[ \t:=\x22']([A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6}){3,7})\b",
        license_key,
    ),
    likely("openssl-key", &["openssl"], r"\bopenssl\b[^\n|;]{0,200}?[ \t]-[kK][ \t]+([^\s\x22']{6,})", plausible),
    likely(
        "variable-default",
        &["variable"],
        r#"(?i:\bvariable[ \t]+"[a-z0-9_-]*(?:password|passwd|secret|token|key)"[ \t]*\{[^}]{0,200}?\bdefault[ \t]*=[ \t]*)"#,
        named_value,
    ),
    likely(
        "config-login",
        &["config"],
        r"(?i:\b(?:bundle|poetry|composer)[ \t]+config[ \t]+(?:--?[a-z-]+[ \t]+)*(?:set[ \t]+)?[^\s]+[ \t]+[A-Za-z0-9_.@-]+(?::|[ \t]+))([^\s\x22']{6,})",
        plausible_run,
    ),
    likely("secure-string", &["securestring"], r"(?i:\bConvertTo-SecureString[ \t]+(?:-String[ \t]+)?)", named_value),
    likely(
        "net-use",
        &["net use"],
        r"(?i:\bnet use[ \t]+(?:[a-z]:[ \t]+|\*[ \t]+)?\\\\[^\s]+[ \t]+)([^\s/][^\s]{3,})",
        plausible,
    ),
    likely(
        "webhook-path",
        &["hook", "/incoming/"],
        r"(?i:https?://[^\s\x22'<>?#]{1,200}?/(?:(?:web-?)?hooks?|incoming)/)((?:[A-Za-z0-9_-]{1,64}/){0,3}[A-Za-z0-9_-]{16,})",
        plausible_run,
    ),
    likely(
        "csv-column",
        &["password", "passwort", "kennwort", "secret", "token"],
        r#"(?:^|\n)([A-Za-z0-9_ "]{1,40}(?:[,;\t][A-Za-z0-9_ "]{1,40}){1,20})\r?\n"#,
        table_cell,
    ),
    likely("table-column", &["|"], r"(?:^|\n)[ \t]*(\|[^\n]*\|)[ \t]*\r?\n[ \t]*\|[ \t:|-]+\|[ \t]*\r?\n", table_cell),
    certain("url-password", &["://"], r#"://[^\s/?#"'`<>:@\[]*:([^\s/?#"'`<>]+)@([^\s/?#"'`<>@]*)"#, url_password),
    certain(
        "url-password",
        &["://"],
        r#"://[^\s/?#"'`<>:@\[]+:([^\s0-9/@"'`<>][^\s@"'`<>]*)@[A-Za-z0-9]"#,
        url_password,
    ),
    certain("url-token", &["://"], r#"://([^\s/?#"'`<>:@\[]{16,})(?::[A-Za-z-]{0,20})?@"#, url_token),
    certain(
        "json-web-token",
        &["eyj"],
        r"(?:^|[^A-Za-z0-9])(eyJ[A-Za-z0-9_=-]{8,}(?:\.[A-Za-z0-9_=-]*){1,4})",
        json_web_token,
    ),
    certain("json-web-token-encoded", &["zxlk"], r"(?:^|[^A-Za-z0-9+/])(ZXlK[A-Za-z0-9+/_-]{60,}={0,2})", group),
    certain(
        "authorization-header",
        &["authorization"],
        r#"(?i:authorization)\\?["'`]?[ \t]*[:=,][ \t]*\\?["'`]?[ \t]*(?i:((?:bearer|basic|token|api-?key|key|digest|negotiate|ntlm|aws4-hmac-sha256|ssws|geniekey|bot|oauth|splunk|zoho-oauthtoken|dpop|hawk|sharedkey(?:lite)?|klaviyo-api-key|discogs|hmac-sha256|signature|snowflake token)[ \t]+)?)"#,
        authorization,
    ),
    likely("bearer", &["bearer"], r"(?i:\bbearer)[ \t:]+", bearer),
    likely("assigned", NAMES, ASSIGNED, assigned),
    likely("option", NAMES, OPTION, option),
    likely("sentence", NAMES, SENTENCE, sentence),
    likely(
        "user-option",
        &["-u", "--user", "--proxy-user", "-a"],
        r#"(?:^|[\s"'`])(?:-u|-U|--user|--proxy-user|-a|--auth)["',]{0,2}(?:[ \t=]+|)["'`$]?([A-Za-z0-9_.@+-]{1,64}|\$\{?[A-Z_]+\}?)[:%,]"#,
        user_option,
    ),
    likely(
        "password-option",
        &["-p", "-w", "-a", "-storepass", "pass:"],
        r"(?i:\b(?:sshpass|mysql(?:dump|admin|import)?|mariadb(?:-dump)?|docker[ ]login|podman[ ]login|redis-cli|ldap[a-z]+|mongo(?:sh|dump|restore|import|export)?|sqlcmd|bcp|7z|zip|unzip|az[ ]login|cqlsh|mosquitto_[a-z]+|influx|htpasswd|smbclient|clickhouse-client|openssl|keytool|jarsigner|oc[ ]login|rclone|unrar|ipmitool|snmp[a-z]+|wput|expect|plink|pscp))\b[^\n|;]{0,200}?[ \t]-(?:(?:passin|passout|pass|k)[ \t]+pass:|(?:storepass|keypass|pw)[ \t]|[pPwaA][ \t]?)",
        password_option,
    ),
    likely(
        "netrc",
        &["password", "passwd"],
        r"(?i:\b(?:login|user(?:name)?|default)[ \t\n]+[^\s]{1,100}[ \t\n]+(?:account[ \t]+[^\s]+[ \t\n]+)?(?:password|passwd)[ \t\n]+)",
        netrc,
    ),
    likely(
        "pgpass",
        &[":5432:", ":6432:", ":5433:", ":*:"],
        r#"(?:^|[\s"'`])[A-Za-z0-9_.*-]+:(?:5432|6432|5433|\*):[A-Za-z0-9_*-]+:[A-Za-z0-9_*-]+:([^\s"'`]{4,})"#,
        group,
    ),
    likely(
        "xml-element",
        &["</"],
        r"(?i:<[a-z0-9_.:-]*(?:password|passwd|passphrase|secret|token|api-?key|access-?key|pwd)>[ \t]*([^<>\s]{4,})[ \t]*</)",
        plausible,
    ),
    likely(
        "xml-attribute",
        &["value="],
        r#"(?i:key=["'][a-z0-9_.:-]*(?:password|passwd|secret|token|key|pwd)["'][ \t]+value=["']([^"'<>\s]{6,})["'])"#,
        plausible,
    ),
    likely(
        "named-value",
        &["name"],
        r#"(?i:name["']?[ \t]*[:=][ \t]*["']?[a-z0-9_.-]*(?:password|passwd|secret|token|key|pwd)["']?,?[ \t]*\r?\n?[ \t]*["']?value["']?[ \t]*[:=][ \t]*)"#,
        named_value,
    ),
    likely(
        "set-command",
        &["set", "env", "config"],
        r"(?i:(?:\bset[xa-z-]*|\bENV|\bconfig|\badd)[ \t]+(?:--?[a-z-]+[ \t]+)*[A-Za-z0-9_.:/@-]*(?:password|passwd|secret|token|key|pwd)[ \t]+(?:(?:--body|-b)[ \t]+|(?:--value|-v)[ \t]+)?)",
        named_value,
    ),
    likely(
        "sql-password",
        &["identified", "password"],
        r"(?i:\b(?:identified(?: with [a-z0-9_]+)? by|password(?: for [a-z0-9_]+ =)?)(?:[ \t]+password)?[ \t]+'([^'\n]{4,})')",
        plausible,
    ),
    likely("cookie-header", &["cookie:"], r#"(?i:cookie:)[ \t]*([A-Za-z0-9_.-]+=[^"'`\n]{8,})"#, cookie),
    likely("json-web-key", &["\"d\""], r#""d"[ \t]*:[ \t]*"([A-Za-z0-9_-]{40,})""#, group),
    likely("kubernetes-secret", &["secret"], r#"(?i:kind["']?:[ \t]*["']?secret\b["']?)"#, kubernetes),
    likely(
        "vault-legacy-token",
        &["s."],
        r"(?:^|[^A-Za-z0-9_.])(s\.[A-Za-z0-9]{24})(?:[^A-Za-z0-9_.(]|$)",
        random_token,
    ),
    likely(
        "airtable-legacy-key",
        &["key"],
        r"(?:^|[^A-Za-z0-9_.])(key[A-Za-z0-9]{14})(?:[^A-Za-z0-9_.(]|$)",
        random_token,
    ),
    certain("jdbc-password", &["jdbc:oracle"], r#"jdbc:oracle:[a-z0-9]+:[A-Za-z0-9_]+/([^\s@"'/]+)@"#, group),
    likely("word-pair", NAMES, WORD_PAIR, word_pair),
    likely("login-command", &["login", "auth"], r"(?i:\b(?:login|auth)[ \t]+(?:login[ \t]+)?)", login),
    likely(
        "sudo-password",
        &["sudo"],
        r#"(?:echo|printf)[ \t]+(?:-n[ \t]+)?["']?([^\s"']{4,})["']?[ \t]*\|[ \t]*sudo[ \t]+-S"#,
        group,
    ),
    likely(
        "expect-password",
        &["send"],
        r#"(?i:password:?[^\n]{0,20}?send(?:_user)?[ \t]+(?:--[ \t]+)?"([^"\\]{4,})\\[rn]")"#,
        group,
    ),
    likely(
        "htpasswd-command",
        &["htpasswd"],
        r#"htpasswd[ \t]+-[A-Za-z0-9]*b[A-Za-z0-9]*[ \t]+[^\s]+[ \t]+[^\s]+[ \t]+["']?([^\s"']{4,})"#,
        group,
    ),
    likely(RANDOM, &[], r"(?:^|[^A-Za-z0-9+/_-])([A-Za-z0-9+][A-Za-z0-9+/_-]{39,199}={0,2})", random),
];

/// What knows no form: every other rule gives its name first.
pub(super) const LAST: &[Rule] = &[
    certain(
        "token-header",
        &["x-", "-token", "-key", "-secret"],
        r#"(?i:(?:^|[\s"'`{(,])(?:x-[a-z0-9-]{0,30}|[a-z0-9-]{0,30}(?:api|auth|access|private|app|application|subscription|client)-)(?:token|key|secret))\\?["']?:[ \t]*\\?["']?"#,
        header,
    ),
    certain("assigned-token", NAMES, ASSIGNED, assigned_token),
    likely("near-name", NEAR_NAMES, NEAR, near),
    likely(
        "short-option",
        &[" -"],
        r"[ \t]-[pPtkKwasA][ \t=]{0,2}[\x22']?([A-Za-z0-9]{10,120})(?:[\x22'\s]|$)",
        chance,
    ),
];

fn secret(captures: &Captures<'_>) -> Option<Range<usize>> {
    captures.get(2).map(|found| found.range())
}

/// The match, unless it is a placeholder.
fn group(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    (!stands_for_another(text.get(found.clone())?)).then_some(found)
}

/// A key in PEM to its end; one that is cut to the end of the text. A header alone is not a key.
fn private_key(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let header = captures.get(1)?;
    let label = text.get(header.range())?.strip_prefix("-----BEGIN")?.to_owned();
    let rest = text.get(header.end()..)?;
    let end = format!("-----END{label}");
    // A longer key there is none, and many headers without an end must not cost the whole text each.
    let near = rest.as_bytes().get(..rest.len().min(1 << 18)).unwrap_or_default();
    if let Some(at) = memchr::memmem::find(near, end.as_bytes()) {
        return Some(header.start()..header.end() + at + end.len());
    }
    let run = |line: &str| {
        line.len() >= 16 && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    };
    let body = rest.get(..rest.len().min(400)).or_else(|| rest.get(..0))?;
    let is_cut =
        body.split(|c: char| c.is_whitespace() || "\\\"'".contains(c)).any(|line| run(line.trim_start_matches('n')));
    is_cut.then_some(header.start()..text.len())
}

/// The password in `scheme://user:password@host`.
fn url_password(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    let value = text.get(found.clone())?;
    let before = text.get(captures.get(1)?.start() + 3..found.start.checked_sub(1)?)?;
    let host = captures.get(3).and_then(|host| text.get(host.range()));
    let port = value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit());
    // `http://localhost:8080@v2`, `registry.example:5000@sha256:…`
    let version = host.is_some_and(|host| {
        host.is_empty()
            || host.starts_with("sha256:")
            || host.strip_prefix('v').unwrap_or(host).bytes().all(|b| b.is_ascii_digit() || b == b'.')
    });
    let address = port && (before == "localhost" || before.contains('.') || version);
    // GitHub's word behind a token that is the user.
    (!address && value != "x-oauth-basic" && !stands_for_password(value)).then_some(found)
}

/// A variable or a placeholder in the place of a password.
fn stands_for_password(value: &str) -> bool {
    let variable = value.starts_with("${")
        || value.starts_with("$(")
        || value.starts_with('{')
        || value.starts_with('<')
        || value.starts_with("%s")
        || value
            .strip_prefix('$')
            .is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    variable
        || value.contains(super::MASK)
        || value.chars().all(|c| "*.xX…•".contains(c))
        // A page that shows the form.
        || ["password", "passwd", "pass", "pwd", "passwort", "kennwort", "secret", "token"]
            .contains(&value.to_ascii_lowercase().as_str())
        || value.starts_with("%24%7B")
}

/// A token in the place of a user.
fn url_token(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    let value = text.get(found.clone())?;
    (!is_of_words(value) && is_mixed(value) && !value.contains('.') && !stands_for_another(value)).then_some(found)
}

/// `eyJ….….…`, and the five parts of an encrypted one; two parts are what is left of a cut one.
fn json_web_token(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    let value = text.get(found.clone())?.trim_end_matches('.');
    let mut parts = value.split('.');
    let long = parts.next()?.len() >= 12 && parts.map(str::len).sum::<usize>() >= 8;
    let public = text.get(..found.start)?.ends_with("pk.");
    (long && !public).then(|| found.start..tail(text, found.start + value.len()))
}

/// The credential of a header, behind its scheme.
fn authorization(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let start = captures.get(0)?.end();
    let scheme = !captures.get(2)?.is_empty();
    let rest = window(text, start);
    let rest = rest.get(..rest.find('\n').unwrap_or(rest.len()))?;
    let whole = text.get(captures.get(2)?.range())?.to_ascii_lowercase();
    // Schemes with parameters: `Credential=…, Signature=…`.
    if ["digest", "aws4", "hawk", "oauth ", "signature", "hmac", "token "].iter().any(|name| whole.starts_with(name))
        && rest.contains('=')
    {
        let end = rest.find(['\n', '`', '\'']).unwrap_or(rest.len());
        let line = rest.get(..end)?;
        let quoted = line.find("=\"").is_some_and(|at| at < 24);
        let line = if quoted { line } else { line.get(..line.find('"').unwrap_or(line.len()))? };
        if line.contains(", ") && !line.contains(super::MASK) {
            return Some(start..start + line.trim_end().len());
        }
    }
    let value = value_at(text, start)?;
    let found = text.get(value.range.clone())?;
    let enough = if scheme { found.len() >= 6 } else { found.len() >= 12 && is_mixed(found) };
    let prose = is_of_words(found) && !is_mixed(found) && found.len() < 20;
    (enough && !prose && !stands_for_another(found) && !found.contains(char::is_whitespace)).then_some(value.range)
}

/// What follows a `Bearer` that stands alone.
fn bearer(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let value = value_at(text, captures.get(0)?.end())?;
    let found = text.get(value.range.clone())?;
    let made = found.len() >= 16 && is_mixed(found) && !is_of_words(found);
    (made && !stands_for_another(found) && !found.contains(char::is_whitespace)).then_some(value.range)
}

/// `-u user:password`.
fn user_option(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let start = captures.get(0)?.end();
    let matched = text.get(captures.get(0)?.range())?;
    let quote = matched.get(1..)?.chars().find(|c| "\"'`".contains(*c) && !matched.contains("\","));
    let closed = quote.and_then(|quote| window(text, start).find(quote)).map(|length| start..start + length);
    let range = closed.or_else(|| value_at(text, start).map(|value| value.range))?;
    let found = text.get(range.clone())?;
    let before = text.get(start.saturating_sub(200)..start).unwrap_or_default();
    let known = ["curl", "wget", "lftp", "smbclient", "rpcclient", "http ", "https ", "xh ", "svn"]
        .iter()
        .any(|tool| before.contains(tool));
    let ids = found.bytes().all(|byte| byte.is_ascii_digit()) && !known;
    let plausible = known && found.len() >= 3 || is_mixed(found) && found.len() >= 5;
    (plausible && !ids && !found.is_empty() && !stands_for_another(found)).then_some(range)
}

/// `mysql -pX`, `sshpass -p X`.
fn password_option(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = captures.get(0)?;
    let value = value_at(text, found.end())?;
    let text_of = text.get(value.range.clone())?;
    let spaced = text.get(found.range())?.ends_with([' ', '\t']);
    let matched = text.get(found.range())?;
    let sshpass = matched.contains("sshpass");
    let attached =
        ["mysql", "mariadb", "7z", "rar", "sqlcmd", "bcp", "sshpass"].iter().any(|tool| matched.contains(tool));
    if !spaced && !matched.ends_with(':') && !attached {
        return None;
    }
    let ports = text_of.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let long = text_of.len() >= 4 && !text_of.starts_with('-');
    let plausible = value.quoted || sshpass || !spaced || is_mixed(text_of) || text_of.len() >= 6;
    (long && plausible && !ports && !stands_for_another(text_of)).then_some(value.range)
}

/// `login user password …` in a `.netrc`.
fn netrc(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let value = value_at(text, captures.get(0)?.end())?;
    let found = text.get(value.range.clone())?;
    let machine = text
        .get(..captures.get(0)?.start())
        .is_some_and(|before| before.trim_end().rsplit(char::is_whitespace).nth(1) == Some("machine"));
    (found.len() >= 3 && (machine || is_mixed(found)) && !stands_for_another(found)).then_some(value.range)
}

/// A value of the match that does not stand for another, and is not a word alone where it is short.
fn plausible(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    let value = text.get(found.clone())?;
    (!stands_for_another(value) && (is_mixed(value) || value.len() >= 6)).then_some(found)
}

/// What chance made.
fn chance(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    is_chance(text.get(found.clone())?).then_some(found)
}

/// `7QLAL-955T3-KDTKB-DYVOV`
fn license_key(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    let value = text.get(found.clone())?;
    (value.bytes().filter(u8::is_ascii_digit).count() >= 2 && value.bytes().any(|byte| byte.is_ascii_uppercase()))
        .then_some(found)
}

/// A value that a machine made, in a place where secrets are.
fn plausible_run(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    let value = text.get(found.clone())?.trim_end_matches(['.', ',', ')', ':']);
    (value.len() >= 6 && is_made(value) && !stands_for_another(value)).then(|| found.start..found.start + value.len())
}

/// The credential of a header of a service: `X-Vault-Token: …`.
fn header(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let value = value_at(text, captures.get(0)?.end())?;
    let found = text.get(value.range.clone())?;
    let made = found.len() >= 16 && is_mixed(found) && !is_of_words(found) && !found.contains(char::is_whitespace);
    (made && !stands_for_another(found)).then_some(value.range)
}

/// The first value below a table's heading that names a secret; the next ones are found when it is masked.
fn table_cell(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let heading = text.get(captures.get(2)?.range())?.to_ascii_lowercase();
    let names = ["password", "passwort", "kennwort", "passwd", "secret", "token", "api key", "pin"];
    let separator = ['|', ';', '\t', ','].into_iter().find(|sign| heading.contains(*sign))?;
    let names_secret = |cell: &str| names.iter().any(|name| cell.trim_matches([' ', '"']).ends_with(name));
    let column = heading.split(separator).position(names_secret)?;
    let start = captures.get(0)?.end();
    let mut at = start;
    for row in window(text, start).split_inclusive('\n').take(8).take_while(|row| row.contains(separator)) {
        let before: usize = row.split(separator).take(column).map(|cell| cell.len() + 1).sum();
        let cell = row.split(separator).nth(column).unwrap_or_default();
        let value = cell.trim().trim_matches(['`', '"']);
        if value.len() >= 6 && is_made(value) && !stands_for_another(value) {
            let first = at + before + cell.find(value).unwrap_or_default();
            return Some(first..first + value.len());
        }
        at += row.len();
    }
    None
}

/// The value of a pair `name:`, `value:`, or of a command that sets one.
fn named_value(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let value = value_at(text, captures.get(0)?.end())?;
    let found = text.get(value.range.clone())?;
    let made = found.len() >= 6
        && (is_mixed(found) || !is_of_words(found))
        && !found.contains(char::is_whitespace)
        && !found.starts_with('-');
    (made && !stands_for_another(found)).then_some(value.range)
}

/// The pairs of a `Cookie:` header, if one of them is made by a machine.
fn cookie(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    let line = text.get(found.clone())?;
    let made = |pair: &str| {
        pair.split_once('=').is_some_and(|(_, value)| {
            value.len() >= 8 && is_mixed(value) && !is_of_words(value) && !value.contains(super::MASK)
        })
    };
    let lower = line.to_ascii_lowercase();
    let attributes = ["; path", "; httponly", "; secure", "; samesite", "; max-age", "; expires", "; domain"];
    let end = attributes.iter().filter_map(|name| lower.find(name)).min().unwrap_or(line.len());
    let line = line.get(..end)?.trim_end();
    line.split("; ").any(made).then(|| found.start..found.start + line.len())
}

/// The data of a Kubernetes secret, to the end of its mapping.
fn kubernetes(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let start = captures.get(0)?.end();
    let rest = window(text, start);
    let data = rest.find("\ndata:").map(|at| at + 6).or_else(|| rest.find("\nstringData:").map(|at| at + 12))?;
    let lines = rest.get(data..)?;
    let body = lines.strip_prefix('\n')?;
    let inside =
        body.split_inclusive('\n').take_while(|line| line.starts_with([' ', '\t'])).map(str::len).sum::<usize>();
    let first = start + data + 1;
    let found = text.get(first..first + inside)?.trim_end();
    let begin = first + (found.len() - found.trim_start().len());
    let whole = text.get(begin..first + found.len())?;
    (whole.contains(':') && !whole.contains(super::MASK) && !whole.contains("{{")).then_some(begin..first + found.len())
}

/// What a command logs in with: a token, no name of a person or a host.
fn login(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let value = value_at(text, captures.get(0)?.end())?;
    let found = text.get(value.range.clone())?;
    let token = found.len() >= 20
        && !found.starts_with('-')
        && !found.contains(['.', '/', '@', ':', ' '])
        && !is_of_words(found)
        && is_mixed(found);
    (token && !stands_for_another(found)).then_some(value.range)
}

/// A token of letters and digits without a distinctive prefix.
fn random_token(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let found = secret(captures)?;
    let value = text.get(found.clone())?;
    let mixed = value.contains(|c: char| c.is_ascii_uppercase()) && value.contains(|c: char| c.is_ascii_lowercase());
    (mixed && entropy(value) >= 3.3 && !is_of_words(value.get(2..)?)).then_some(found)
}

/// Public keys, certificates, images and names by content begin so.
const PUBLIC: [&str; 15] = [
    "AAAA",
    "MII",
    "iVBOR",
    "Qm",
    "R0lGOD",
    "/9j/",
    "PHN2Zy",
    "UklGR",
    "bafy",
    "LS0tLS1CRUdJTiBQVUJMSUM",
    "LS0tLS1CRUdJTiBDRVJ",
    "age1",
    "RWQ",
    "RWS",
    "RWT",
];

/// Whether a text begins as one that everybody may read.
pub(super) fn begins_public(value: &str) -> bool {
    PUBLIC.iter().any(|start| value.starts_with(start))
}

/// What long texts are that are not secrets, by what stands before them.
const DIGESTS: [&str; 32] = [
    "-id",
    "_id",
    "-id-2",
    "sha1-",
    "sha256-",
    "sha384-",
    "sha512-",
    "sha1:",
    "sha256:",
    "sha384:",
    "sha512:",
    "md5:",
    "h1:",
    "base64,",
    "sha256/",
    "integrity",
    "checksum",
    "digest",
    "hash",
    "fingerprint",
    "narhash",
    "ssh-rsa ",
    "ssh-ed25519 ",
    "public",
    "public_key",
    "public-key",
    "publickey",
    "pubkey",
    "ipfs",
    "etag",
    "nonce-",
    "hash =",
];

/// Whether a run is a part of an address, or of a certificate, a public key or a hash that names itself.
fn is_public(text: &str, run: &Range<usize>) -> bool {
    let back = |length: usize| {
        let start =
            (run.start.saturating_sub(length)..=run.start).find(|at| text.is_char_boundary(*at)).unwrap_or(run.start);
        text.get(start..run.start).unwrap_or_default()
    };
    let word = back(300);
    let address =
        word.rsplit(char::is_whitespace).next().is_some_and(|word| word.contains("://") && !word.contains('?'));
    let block = back(16_384)
        .rfind("-----BEGIN ")
        .is_some_and(|at| !back(16_384).get(at..).unwrap_or_default().contains("-----END "));
    let value = text.get(run.clone()).unwrap_or_default();
    address
        || block
        || ["phc_", "sha256/", "sha512/", "sha384/", "sha1-", "sha256-", "sha384-", "sha512-"]
            .iter()
            .any(|start| value.starts_with(start))
}

/// A long run of base64 in which capitals, small letters and digits change as often as chance has it. Object names
/// and digests in hexadecimal have no capitals; words and paths change less.
fn random(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let mut found = secret(captures)?;
    // A longer run than the pattern takes.
    let run = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/_-=".contains(byte);
    found.end += window(text, found.end).bytes().take_while(run).count();
    // What follows it in a path.
    while let Some((start, last)) = text.get(found.clone())?.rsplit_once('/') {
        if !is_of_words(last) || last.ends_with('=') {
            break;
        }
        found.end = found.start + start.len();
    }
    let value = text.get(found.clone())?;
    if value.len() < 40
        || is_public(text, &found)
        || value.split(['-', '_']).any(|part| part.len() >= 16 && is_hex(part))
    {
        return None;
    }
    let before = text.get(found.start.saturating_sub(32)..found.start).unwrap_or_default().to_ascii_lowercase();
    if begins_public(value)
        || DIGESTS.iter().any(|name| {
            before.trim_end_matches([' ', '"', '\'', '=', ':']).ends_with(name.trim_end_matches([' ', ':', '=']))
        })
    {
        return None;
    }
    let kind = |byte: u8| (byte.is_ascii_uppercase(), byte.is_ascii_lowercase(), byte.is_ascii_digit());
    let kinds: Vec<_> = value.bytes().filter(u8::is_ascii_alphanumeric).map(kind).collect();
    let changes = kinds.iter().zip(kinds.iter().skip(1)).filter(|(a, b)| a != b).count();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let capitals = value.contains(|c: char| c.is_ascii_uppercase());
    let path = value.contains('/') && value.split('/').filter(|part| part.len() >= 4).all(is_of_words);
    let secret =
        capitals && digits >= 2 && 5 * changes >= 2 * value.len() && entropy(value) >= 3.8 && !is_hex(value) && !path;
    secret.then_some(found)
}

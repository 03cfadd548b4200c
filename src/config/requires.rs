//! `requires:`: which versions of the program may read a configuration.

use serde::Deserialize;

/// What is read of a configuration before anything else of it, which a later version may write differently.
#[derive(Debug, Deserialize)]
struct Head {
    requires: Option<serde_yaml::Value>,
}

/// Checks what a configuration requires of this program; a configuration that is no YAML requires nothing.
///
/// # Errors
/// The requirement is not met, or cannot be read; says which version is needed and how to get it.
pub(super) fn check(text: &str, version: &str) -> Result<(), String> {
    let Ok(Head { requires: Some(value) }) = serde_yaml::from_str(text) else { return Ok(()) };
    let unreadable = |shown: &str| {
        Err(format!("`requires` must be a text such as `\">=0.2\"`, not `{}`; {}", shown.escape_debug(), upgrade()))
    };
    let Some(required) = value.as_str() else { return unreadable("another value") };
    let Ok(wanted) = semver::VersionReq::parse(required) else {
        return unreadable(required.get(..40).unwrap_or(required));
    };
    let met = semver::Version::parse(version).is_ok_and(|own| wanted.matches(&own));
    if met {
        return Ok(());
    }
    let required = required.escape_debug();
    Err(format!("`requires: \"{required}\"` is not met by headwater {version}; {}", upgrade()))
}

fn upgrade() -> &'static str {
    "install a version that meets it (`cargo install headwater`, see docs/setup.md), or correct the line"
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn requirement_is_met_unmet_or_unreadable() {
        for met in [
            "",
            "view: branch",
            "requires: \">=0.2\"",
            "requires: \">=0.2, <0.4\"",
            "requires: \"0.3\"",
            "a: [",
            "requires:",
        ] {
            assert_eq!(check(met, "0.3.1"), Ok(()), "{met:?}");
        }
        for (text, expected) in [
            ("requires: \">=0.4\"", "is not met by headwater 0.3.1"),
            ("later: {x: y}\nrequires: \"<0.3\"", "is not met"),
            ("requires: later", "not `later`"),
            ("requires: [\">=0.2\"]", "not `another value`"),
            ("requires: 2", "another value"),
        ] {
            let fault = check(text, "0.3.1").unwrap_err();
            assert!(fault.contains(expected) && fault.contains("cargo install headwater"), "{text:?}: {fault}");
        }
    }
}

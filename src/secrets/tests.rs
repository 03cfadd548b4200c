use super::{Certainty, MASK, find, mask, mask_at_least, rules_in_order};
use proptest::prelude::*;
use std::borrow::Cow;

#[test]
fn every_pattern_compiles_and_is_named_well() {
    for rule in rules_in_order() {
        assert!(rule.compile().is_some(), "{}", rule.name);
        assert!(rule.keywords.iter().all(|word| word.to_lowercase() == **word), "{}", rule.name);
    }
    assert!(rules_in_order().count() > 200 && MASK == "[masked]");
}

#[test]
fn certain_secrets_are_told_from_likely_ones() {
    let text = format!("PASSWORD=hunter2 and postgres://u:{}@h", "hunter3");
    let certain = mask_at_least(&text, Certainty::Certain);
    assert_eq!(certain.text, "PASSWORD=hunter2 and postgres://u:[masked]@h");
    assert_eq!(certain.rules.into_iter().collect::<Vec<_>>(), ["url-password"]);
    assert_eq!(mask(&text), "PASSWORD=[masked] and postgres://u:[masked]@h");
    assert!(find(&text, Certainty::Certain).len() < find(&text, Certainty::Likely).len());
}

/// Pieces of secrets, keys, signs and words, so that rules meet and overlap.
fn pieces() -> impl Strategy<Value = String> {
    const PIECES: [&str; 46] = [
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
        "Cookie: ",
        "« ",
        " »",
        "(",
        ",",
        "curl -u ",
        "mysql -p",
        "login ",
        "kind: Secret\ndata:\n  ",
    ];
    let piece = prop_oneof![
        prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
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
    fn findings_are_in_order_and_apart(text in prop_oneof![pieces(), ".{0,60}"]) {
        let found = find(&text, Certainty::Likely);
        prop_assert!(found.iter().all(|it| text.get(it.range.clone()).is_some_and(|it| !it.is_empty())));
        prop_assert!(found.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
    }

    #[test]
    fn words_are_left_alone(words in prop::collection::vec("[a-zäé]{1,12}|[0-9]{1,5}|[0-9a-f]{40}|[a-z]{1,5}/[a-z]{1,5}\\.rs", 0..20)) {
        let text = words.join(" ");
        prop_assert!(matches!(mask(&text), Cow::Borrowed(_)), "{}", mask(&text));
    }

    /// What is masked is gone, and what stands before and behind it is not.
    #[test]
    fn a_token_never_survives(before in "[a-z ]{0,20}", tail in "[A-Za-z0-9]{18}[A-Z][a-z][0-9][A-Za-z0-9]{15}", after in "[a-z ]{0,20}") {
        let text = format!("{before} ghp_{tail} {after}");
        prop_assert_eq!(mask(&text), format!("{before} {MASK} {after}"));
    }
}

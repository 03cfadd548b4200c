use super::{MASK, rules_in_order};

#[test]
fn every_pattern_compiles_and_is_named_well() {
    for rule in rules_in_order() {
        assert!(rule.compile().is_some(), "{}", rule.name);
        assert!(rule.keywords.iter().all(|word| word.to_ascii_lowercase() == **word), "{}", rule.name);
    }
    assert!(rules_in_order().count() > 200 && MASK == "[masked]");
}

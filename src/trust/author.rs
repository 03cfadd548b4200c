//! Whose words these are: text for an agent comes only from authors that this clone trusts.

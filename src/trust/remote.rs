//! Remotes that the user configured, the only ones that are contacted.

//! What the user of this clone agreed to: stored in git's configuration, never in a branch.

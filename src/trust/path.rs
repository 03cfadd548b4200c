//! Paths inside the worktree, resolved component by component; symbolic links on the way are refused.

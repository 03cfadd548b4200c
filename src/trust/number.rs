//! Numbers that a branch or a log names: a jump far above the log is reported and never followed silently.

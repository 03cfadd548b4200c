//! Ends the process with an exit code where it would be aborted: by a lack of memory, or a fault of the program's own.

/// From now on an abort ends the process with this exit code instead of a signal. What went wrong has been printed then.
///
/// Without memory nothing can be done any more, and no code of ours runs; but an agent takes a signal for a failure of
/// its hook, and a script cannot tell it from being killed.
#[cfg(unix)]
pub fn exit_with(code: u8) {
    use signal_hook::consts::SIGABRT;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    let always = Arc::new(AtomicBool::new(true));
    let _as_before = signal_hook::flag::register_conditional_shutdown(SIGABRT, i32::from(code), always);
}

/// Does nothing here.
#[cfg(not(unix))]
pub fn exit_with(_: u8) {}

//! What a terminal shows of work that takes long.

use super::context::Context;
use crate::config::{LogKind, Namespace};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What takes less than this is done without a word.
pub(super) const WORTH_SHOWING: Duration = Duration::from_secs(1);

/// Asks the log of a namespace. That of an issue shows by itself what it waits for.
pub(super) fn asking_log<T>(context: &Context<'_>, namespace: &Namespace, work: impl FnOnce() -> T) -> T {
    match namespace.log {
        LogKind::Git => {
            let remote = namespace.remote.as_deref().unwrap_or("the remote");
            with_progress(context, &format!("asking {remote}"), work)
        }
        LogKind::Local | LogKind::Github => work(),
    }
}

/// Does something, and shows on a terminal that it is going on once it takes long.
pub(super) fn with_progress<T>(context: &Context<'_>, message: &str, work: impl FnOnce() -> T) -> T {
    if !context.console.shows_progress() {
        return work();
    }
    let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_message(message.to_owned());
    let (shown, (done, ends)) = (&spinner, mpsc::channel::<()>());
    let worked = thread::scope(|scope| {
        // Without a thread nothing is shown.
        let _shown = thread::Builder::new().spawn_scoped(scope, move || {
            if ends.recv_timeout(WORTH_SHOWING) == Err(mpsc::RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(200));
            }
        });
        let worked = work();
        drop(done);
        worked
    });
    spinner.finish_and_clear();
    worked
}

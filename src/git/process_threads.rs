//! Talks to the pipes of one started process where pipes cannot be polled: with a thread for each.

use super::process::{COMPLAINT_BYTES, Finished, Left};
use std::io::{self, Read, Write as _};
use std::process::Child;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

enum Pipe {
    Out(io::Result<Vec<u8>>),
    Err(io::Result<Vec<u8>>),
}

/// Writes `input`, reads everything and waits for the end; `None` when no time is left.
pub(super) fn talk(
    child: &mut Child,
    input: Option<Vec<u8>>,
    most: usize,
    left: Left<'_>,
) -> io::Result<Option<Finished>> {
    let pipes = connect(child, input, most)?;
    finish(child, &pipes, left)
}

/// Starts a thread for each pipe, so that no full pipe can stop the conversation.
fn connect(child: &mut Child, input: Option<Vec<u8>>, most: usize) -> io::Result<Receiver<Pipe>> {
    let (sender, receiver) = mpsc::channel();
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        // A process that stops reading says why in its status.
        thread::Builder::new().spawn(move || stdin.write_all(&input).ok())?;
    }
    if let Some(stdout) = child.stdout.take() {
        listen(stdout, most, Pipe::Out, sender.clone())?;
    }
    if let Some(stderr) = child.stderr.take() {
        listen(stderr, COMPLAINT_BYTES, Pipe::Err, sender)?;
    }
    Ok(receiver)
}

fn listen(
    mut pipe: impl Read + Send + 'static,
    keep: usize,
    wrap: fn(io::Result<Vec<u8>>) -> Pipe,
    sender: Sender<Pipe>,
) -> io::Result<()> {
    let read = move || {
        let mut bytes = Vec::new();
        let result = pipe.by_ref().take(keep as u64).read_to_end(&mut bytes);
        let result = result.and_then(|_| io::copy(&mut pipe, &mut io::sink()));
        // Nobody listens any more when the time was up.
        sender.send(wrap(result.map(|_| bytes))).ok();
    };
    thread::Builder::new().spawn(read).map(drop)
}

/// Waits until the pipes are closed and the process has ended; `None` when no time is left.
fn finish(child: &mut Child, pipes: &Receiver<Pipe>, left: Left<'_>) -> io::Result<Option<Finished>> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        match pipes.recv_timeout(left()) {
            Ok(Pipe::Out(bytes)) => stdout = bytes?,
            Ok(Pipe::Err(bytes)) => stderr = bytes?,
            Err(mpsc::RecvTimeoutError::Timeout) => return Ok(None),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
    }
    // With its pipes closed it is about to end: the first look nearly always suffices.
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(Finished { status, stdout, stderr }));
        }
        if left().is_zero() {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

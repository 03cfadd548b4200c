//! Reads standard input for a bounded time, and up to a bounded size.

use std::time::{Duration, Instant};

/// What came on standard input.
#[derive(Debug, Default)]
pub struct Input {
    /// The first bytes, at most one more than were wanted.
    pub bytes: Vec<u8>,
    /// Whether it ended.
    pub ended: bool,
}

/// Reads standard input to its end, at most for `limit`, and keeps at most one byte more than `most`.
///
/// What is too much is read all the same: an agent is not to find its pipe broken.
#[cfg(unix)]
#[must_use]
pub fn read(limit: Duration, most: usize) -> Input {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    let (started, stdin, mut input) = (Instant::now(), std::io::stdin(), Input::default());
    let mut piece = vec![0; 1 << 14];
    loop {
        let left = limit.saturating_sub(started.elapsed());
        let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut watched, Timespec::try_from(left).ok().as_ref()) {
            Err(Errno::INTR) => continue,
            Ok(0) | Err(_) => return input,
            Ok(_) => {}
        }
        match rustix::io::read(&stdin, &mut piece) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return input,
            Ok(0) => return Input { ended: true, ..input },
            Ok(length) => {
                let room = (most + 1).saturating_sub(input.bytes.len());
                input.bytes.extend_from_slice(piece.get(..length.min(room)).unwrap_or_default());
            }
        }
        if left.is_zero() {
            return input;
        }
    }
}

/// Reads standard input to its end, at most for `limit`, and keeps at most one byte more than `most`.
#[cfg(not(unix))]
#[must_use]
pub fn read(limit: Duration, most: usize) -> Input {
    use std::io::Read as _;
    use std::sync::mpsc::{RecvTimeoutError, channel};
    let (sender, receiver) = channel();
    let read = move || {
        let (mut stdin, mut piece) = (std::io::stdin().lock(), vec![0; 1 << 14]);
        while let Ok(length @ 1..) = stdin.read(&mut piece) {
            let _late = sender.send(piece.get(..length).unwrap_or_default().to_vec());
        }
    };
    let (started, mut input) = (Instant::now(), Input::default());
    if std::thread::Builder::new().spawn(read).is_err() {
        return input;
    }
    loop {
        match receiver.recv_timeout(limit.saturating_sub(started.elapsed())) {
            Ok(piece) => {
                let room = (most + 1).saturating_sub(input.bytes.len());
                input.bytes.extend(piece.iter().take(room));
            }
            Err(RecvTimeoutError::Disconnected) => return Input { ended: true, ..input },
            Err(RecvTimeoutError::Timeout) => return input,
        }
    }
}

//! An issue's comments as GitHub serves them, on the loopback interface, with faults on demand.
//!
//! Source: docs.github.com/rest/issues/comments.
#![allow(dead_code, reason = "unit tests and process tests use different parts of it")]

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing.
    Fine,
    /// This status with these headers and this message; nothing is done.
    Status(u16, Vec<(&'static str, String)>, &'static str),
    /// The connection is cut; nothing is done.
    Cut,
    /// It is done, and then the connection is cut.
    DoneThenCut,
    /// It is done, and then this status is answered.
    DoneThenStatus(u16),
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
}

/// What the server holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) comments: Vec<Comment>,
    pub(crate) next: u64,
    /// How many comments a page holds.
    pub(crate) page: usize,
    /// Whether the comments of a page are answered backwards.
    pub(crate) backwards: bool,
    pub(crate) get_faults: VecDeque<Fault>,
    pub(crate) post_faults: VecDeque<Fault>,
    /// Comments of others that come in just before the next ones that are sent.
    pub(crate) rivals: VecDeque<Option<(String, String)>>,
    /// The requests so far: method and path.
    pub(crate) requests: Vec<String>,
}

impl State {
    /// Adds a comment.
    pub(crate) fn add(&mut self, author: &str, body: &str) -> u64 {
        let id = self.next;
        self.next += 3;
        self.comments.push(Comment { id, author: author.to_owned(), body: body.to_owned() });
        id
    }
}

/// A running server; its one issue is `o/r#5`, and the token `alice-token` is alice's.
#[derive(Debug)]
pub(crate) struct Server {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // Ids beyond 32 bits, as they are by now.
        let state = Arc::new(Mutex::new(State { next: 4_294_967_290, page: 100, ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if Arc::strong_count(&shared) == 1 {
                    break;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &shared, address));
            }
        });
        Self { state, address }
    }

    /// The root of its interface.
    pub(crate) fn api(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state = Arc::new(Mutex::new(State::default()));
        // Wakes the listener, which ends.
        drop(TcpStream::connect(self.address));
    }
}

struct Asked {
    method: String,
    path: String,
    login: Option<String>,
    body: String,
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let (mut length, mut login) = (0, None);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => {
                login = value
                    .trim()
                    .strip_prefix("Bearer ")
                    .and_then(|token| token.strip_suffix("-token"))
                    .map(str::to_owned);
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, login, body: String::from_utf8(body).ok()? })
}

fn answer(mut stream: &TcpStream, status: u16, headers: &[(&str, String)], body: &str) {
    let mut text = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers {
        text.extend([*name, ": ", value, "\r\n"]);
    }
    let _gone = stream.write_all(format!("{text}\r\n{body}").as_bytes());
}

fn serve(stream: &TcpStream, state: &Mutex<State>, address: SocketAddr) {
    let Some(asked) = read(stream) else { return };
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.requests.push(format!("{} {}", asked.method, asked.path));
    let message = |text: &str| serde_json::json!({ "message": text }).to_string();
    let Some(login) = asked.login else { return answer(stream, 401, &[], &message("Bad credentials")) };
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    if path != "/repos/o/r/issues/5/comments" {
        return answer(stream, 404, &[], &message("Not Found"));
    }
    let posts = asked.method == "POST";
    let fault = if posts { state.post_faults.pop_front() } else { state.get_faults.pop_front() };
    let fault = fault.unwrap_or(Fault::Fine);
    match &fault {
        Fault::Status(status, headers, text) => return answer(stream, *status, headers, &message(text)),
        Fault::Cut => return,
        Fault::Fine | Fault::DoneThenCut | Fault::DoneThenStatus(_) => {}
    }
    let one = |comment: &Comment| {
        serde_json::json!({"id": comment.id, "body": comment.body, "user": {"login": comment.author},
            "created_at": "2026-02-19T18:00:00Z", "updated_at": "2026-02-19T18:00:00Z"})
    };
    let (status, headers, text) = if posts {
        let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
        if let Some(Some((author, body))) = state.rivals.pop_front() {
            state.add(&author, &body);
        }
        state.add(&login, body["body"].as_str().unwrap());
        (201, Vec::new(), one(state.comments.last().unwrap()).to_string())
    } else {
        let page: usize = query.split('&').find_map(|part| part.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
        let pages = state.comments.chunks(state.page).collect::<Vec<_>>();
        let mut list: Vec<_> = pages.get(page - 1).copied().unwrap_or_default().iter().map(one).collect();
        if state.backwards {
            list.reverse();
        }
        let link = format!("<http://{address}{path}?per_page=100&page={}>; rel=\"next\"", page + 1);
        let headers = if page < pages.len() { vec![("Link", link)] } else { Vec::new() };
        (200, headers, serde_json::Value::from(list).to_string())
    };
    drop(state);
    match fault {
        Fault::DoneThenCut => {}
        Fault::DoneThenStatus(status) => answer(stream, status, &[], &message("Server Error")),
        Fault::Fine | Fault::Status(..) | Fault::Cut => answer(stream, status, &headers, &text),
    }
}

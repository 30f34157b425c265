//! A server on loopback that answers as a test says, and notes what it was asked.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// One request to a server.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// What it answers.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// How many bytes of the body are promised and not sent.
    pub(crate) missing: usize,
}

pub(crate) fn reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply {
        status,
        body: body.into(),
        ..Reply::default()
    }
}

impl Reply {
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A server, and what it was asked.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) asked: Arc<Mutex<Vec<Ask>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Ask) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let Some(ask) = read(&connection) else {
                    continue;
                };
                log.lock().unwrap().push(ask.clone());
                let reply = answer(&ask);
                let headers: Vec<_> = reply
                    .headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}\r\n"))
                    .collect();
                let headers = headers.concat();
                let head = format!(
                    "HTTP/1.1 {} Reason\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
                    reply.status,
                    reply.body.len() + reply.missing
                );
                // A client that has heard enough may be gone.
                let _ = connection.write_all(head.as_bytes());
                if ask.method != "HEAD" {
                    let _ = connection.write_all(&reply.body);
                }
            }
        });
        Self { address, asked }
    }

    /// The paths that were asked for with a user or a token, and these.
    pub(crate) fn authorized(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter_map(|ask| Some(format!("{} {}", ask.path, ask.authorization.as_ref()?)))
            .collect()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|ask| ask.path.clone()).collect()
    }
}

fn read(connection: &TcpStream) -> Option<Ask> {
    let mut reader = BufReader::new(connection);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Ask {
        method,
        path,
        authorization: headers.remove("authorization"),
        body,
    })
}

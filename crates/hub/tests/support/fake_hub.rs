//! A hub for tests, on this machine alone: it answers as the Hugging Face hub does, says what it was asked, and fails on
//! demand. Large files come from a second host, as there.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The commit of every repository here.
pub const COMMIT: &str = "722cf37b1afa9454edce342e7895e588b6ff1d59";

/// What goes wrong, once, where a file's bytes or a revision are asked for.
#[derive(Clone, Debug)]
pub enum Fault {
    /// A status instead of an answer, and headers with it.
    Status(u16, &'static [(&'static str, &'static str)]),
    /// The connection ends after so many bytes of what was promised.
    CutAfter(usize),
    /// Other bytes.
    Bytes(Vec<u8>),
    /// All bytes, whatever was asked for.
    Everything,
    /// Nothing for some time, then the answer.
    Late(Duration),
}

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `hub` or `cdn`.
    pub host: &'static str,
    pub method: String,
    pub path: String,
    pub range: Option<String>,
    pub authorization: Option<String>,
}

pub struct FakeRepo {
    pub revisions: Vec<&'static str>,
    /// The files' bytes by name, and whether they lie in LFS.
    pub files: BTreeMap<String, (Vec<u8>, bool)>,
    /// The token without which nothing is given.
    pub token: Option<&'static str>,
    pub gated: bool,
}

#[derive(Default)]
struct State {
    cdn: String,
    repos: BTreeMap<String, FakeRepo>,
    faults: Vec<(String, Fault)>,
    seen: Vec<Seen>,
}

pub struct FakeHub {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl FakeRepo {
    /// A repository with a branch; large files are those that end as weights and tables do.
    pub fn new(revision: &'static str, files: &[(&str, &[u8])]) -> Self {
        let lfs = |name: &str| name.ends_with(".safetensors") || name.ends_with(".parquet");
        let files = files
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), (bytes.to_vec(), lfs(name))));
        Self {
            revisions: vec![revision],
            files: files.collect(),
            token: None,
            gated: false,
        }
    }
}

impl FakeHub {
    /// Starts to listen. `repos` by their paths: `roberta-large`, `datasets/nyu-mll/glue`.
    pub fn new(repos: Vec<(&str, FakeRepo)>) -> Self {
        let [hub, cdn] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let url = |of: &TcpListener| format!("http://{}", of.local_addr().unwrap());
        let repos = repos
            .into_iter()
            .map(|(path, repo)| (path.to_owned(), repo));
        let state = State {
            cdn: url(&cdn),
            repos: repos.collect(),
            ..State::default()
        };
        let this = Self {
            url: url(&hub),
            state: Arc::new(Mutex::new(state)),
        };
        listen(hub, "hub", &this.state);
        listen(cdn, "cdn", &this.state);
        this
    }

    /// Lets something go wrong the next time that `what` is asked for: the name of a file, or a revision.
    pub fn fault(&self, what: &str, fault: Fault) {
        self.state().faults.push((what.to_owned(), fault));
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// The ranges of the requests for a file's bytes that got them or should have.
    pub fn ranges(&self, host: &str) -> Vec<Option<String>> {
        let of_host = |seen: &Seen| seen.host == host && seen.method == "GET";
        let seen = self.seen().into_iter().filter(of_host);
        seen.map(|seen| seen.range).collect()
    }

    pub fn repo(&self, path: &str, change: impl FnOnce(&mut FakeRepo)) {
        change(self.state().repos.get_mut(path).unwrap());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn listen(listener: TcpListener, host: &'static str, state: &Arc<Mutex<State>>) {
    let state = Arc::clone(state);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let state = Arc::clone(&state);
            thread::spawn(move || {
                // A client that goes away in the middle is what some tests are about.
                let _ = serve(&stream.unwrap(), host, &state);
            });
        }
    });
}

fn serve(stream: &TcpStream, host: &'static str, state: &Mutex<State>) -> std::io::Result<()> {
    let seen = read_request(stream, host)?;
    let answer = {
        let mut state = state.lock().unwrap();
        state.seen.push(seen.clone());
        match host {
            "hub" => state.hub(&seen),
            _ => state.cdn(&seen),
        }
    };
    thread::sleep(answer.late);
    answer.write(stream, seen.method == "HEAD")
}

fn read_request(stream: &TcpStream, host: &'static str) -> std::io::Result<Seen> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    let mut words = first.split(' ').map(str::to_owned);
    let mut seen = Seen {
        host,
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        range: None,
        authorization: None,
    };
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("range") => {
                seen.range = Some(value.to_owned());
            }
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                seen.authorization = Some(value.to_owned());
            }
            Some(_) => {}
            None => break,
        }
    }
    Ok(seen)
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    cut: Option<usize>,
    late: Duration,
}

impl Answer {
    fn new(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            status,
            headers: headers.iter().map(owned).collect(),
            body: body.to_vec(),
            cut: None,
            late: Duration::ZERO,
        }
    }

    fn error(status: u16, code: &str) -> Self {
        Self::new(status, &[("X-Error-Code", code)], b"{}")
    }

    fn write(&self, mut stream: &TcpStream, head: bool) -> std::io::Result<()> {
        let mut text = format!(
            "HTTP/1.1 {} Some reason\r\nConnection: close\r\n",
            self.status
        );
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        stream.write_all(text.as_bytes())?;
        if !head {
            let body = &self.body[..self.cut.unwrap_or(self.body.len()).min(self.body.len())];
            stream.write_all(body)?;
        }
        stream.flush()
    }
}

impl State {
    fn take_fault(&mut self, what: &str) -> Option<Fault> {
        let at = self.faults.iter().position(|(of, _)| of == what)?;
        Some(self.faults.remove(at).1)
    }

    /// The repository that a path is of, and the rest of the path.
    fn repo_of<'a>(&self, path: &'a str) -> Option<(&FakeRepo, &'a str)> {
        let of = |name: &String| path.strip_prefix(name.as_str())?.strip_prefix('/');
        let mut found = self
            .repos
            .iter()
            .filter_map(|(name, repo)| Some((repo, of(name)?)));
        found.next()
    }

    fn hub(&mut self, seen: &Seen) -> Answer {
        let path = seen.path.trim_start_matches('/').to_owned();
        let path = path
            .trim_start_matches("api/")
            .trim_start_matches("models/");
        let path = path.trim_start_matches("resolve-cache/");
        let Some((repo, rest)) = self.repo_of(path) else {
            return match seen.authorization {
                Some(_) => Answer::error(404, "RepoNotFound"),
                None => Answer::error(401, "RepoNotFound"),
            };
        };
        let sent = seen.authorization.as_deref();
        let sent = sent.map(|sent| sent.trim_start_matches("Bearer "));
        if repo.token.is_some() && repo.token != sent {
            let code = if repo.gated {
                "GatedRepo"
            } else {
                "RepoNotFound"
            };
            return Answer::error(if sent.is_some() { 403 } else { 401 }, code);
        }
        match rest.split_once('/') {
            Some(("revision", revision)) => self.revision(path, &revision.replace("%2F", "/")),
            Some(("resolve", rest)) => {
                let (_, file) = rest.split_once('/').unwrap();
                self.resolve(path, &file.replace("%20", " "), seen)
            }
            _ => Answer::error(404, "EntryNotFound"),
        }
    }

    fn revision(&mut self, path: &str, revision: &str) -> Answer {
        if let Some(Fault::Status(status, headers)) = self.take_fault(revision) {
            return Answer::new(status, headers, b"");
        }
        let (repo, _) = self.repo_of(path).unwrap();
        if revision != COMMIT && !repo.revisions.contains(&revision) {
            return Answer::error(404, "RevisionNotFound");
        }
        let names = repo.files.keys();
        let files: Vec<String> = names
            .map(|name| format!("{{\"rfilename\":{name:?}}}"))
            .collect();
        let text = format!(
            "{{\"sha\":\"{COMMIT}\",\"siblings\":[{}]}}",
            files.join(",")
        );
        Answer::new(
            200,
            &[("Content-Type", "application/json")],
            text.as_bytes(),
        )
    }

    fn resolve(&mut self, path: &str, file: &str, seen: &Seen) -> Answer {
        let (repo, _) = self.repo_of(path).unwrap();
        let Some((bytes, lfs)) = repo.files.get(file).cloned() else {
            return Answer::error(404, "EntryNotFound");
        };
        if lfs {
            let (etag, size) = (format!("\"{}\"", sha256(&bytes)), bytes.len().to_string());
            let to = format!("{}/{}?signature=secret", self.cdn, sha256(&bytes));
            return Answer::new(
                302,
                &[
                    ("Location", &to),
                    ("ETag", "\"of-the-pointer\""),
                    ("X-Linked-ETag", &etag),
                    ("X-Linked-Size", &size),
                    ("X-Repo-Commit", COMMIT),
                ],
                b"Found. Redirecting",
            );
        }
        if !seen.path.contains("resolve-cache") {
            let to = format!("/api/resolve-cache{}", seen.path);
            return Answer::new(307, &[("Location", &to)], b"");
        }
        let etag = format!("W/\"{}\"", git_sha1(&bytes));
        if seen.method == "HEAD" {
            return Answer::new(200, &[("ETag", &etag)], &bytes);
        }
        let fault = self.take_fault(file);
        bytes_answer(&bytes, &etag, seen, fault)
    }

    fn cdn(&mut self, seen: &Seen) -> Answer {
        let hash = seen.path.trim_start_matches('/').split('?').next().unwrap();
        let files = self.repos.values().flat_map(|repo| &repo.files);
        let found = files
            .map(|(name, (bytes, _))| (name.clone(), bytes.clone()))
            .find(|(_, bytes)| sha256(bytes) == hash);
        let Some((name, bytes)) = found else {
            return Answer::error(404, "");
        };
        let fault = self.take_fault(&name);
        bytes_answer(&bytes, "\"of-the-cdn\"", seen, fault)
    }
}

fn bytes_answer(bytes: &[u8], etag: &str, seen: &Seen, fault: Option<Fault>) -> Answer {
    let bytes = match &fault {
        Some(Fault::Status(status, headers)) => return Answer::new(*status, headers, b""),
        Some(Fault::Bytes(other)) => other,
        _ => bytes,
    };
    let range = seen
        .range
        .as_deref()
        .filter(|_| !matches!(fault, Some(Fault::Everything)));
    let from: Option<usize> = range.map(|range| {
        let from = range.trim_start_matches("bytes=").trim_end_matches('-');
        from.parse().unwrap()
    });
    let mut answer = match from {
        None => Answer::new(200, &[("ETag", etag)], bytes),
        Some(from) if from >= bytes.len() => Answer::new(416, &[], b""),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            Answer::new(206, &[("Content-Range", &range)], &bytes[from..])
        }
    };
    match fault {
        Some(Fault::CutAfter(count)) => answer.cut = Some(count),
        Some(Fault::Late(late)) => answer.late = late,
        _ => {}
    }
    answer
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

/// Git's hash of a file.
pub fn git_sha1(bytes: &[u8]) -> String {
    let whole = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
    hex(Sha1::digest(&whole).as_slice())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

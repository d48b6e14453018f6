//! Cases of components that serve HTTP: what is sent to them, and what has to come back.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::manifest;

/// The most that is read of an answer.
const MAX_ANSWER: u64 = 16 << 20;

/// The cases of one component.
#[derive(Debug)]
pub struct Served {
    /// The name of the manifest, which is that of the WASI package it is about.
    pub package: String,
    /// The component's file.
    pub component: PathBuf,
    /// Whether the file is too large to be in the repository, and there only where it was built.
    pub built: bool,
    /// Its cases.
    pub cases: Vec<ServedCase>,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct ServedCase {
    /// Its name, which the request's path tells the guest.
    pub name: String,
    /// What it checks, for people.
    pub checks: String,
    /// What is sent, as it is.
    pub request: String,
    /// The status: a number, or `5xx` and the like.
    pub status: String,
    /// Header fields that have to be there, among others.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// The trailers that have to be there.
    pub trailers: BTreeMap<String, String>,
    /// The answer must be recognisable as incomplete, whatever there is of it.
    pub broken: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    component: String,
    #[serde(default)]
    built: bool,
    case: Vec<RawCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: String,
    checks: String,
    request: Option<String>,
    status: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Not compared where the status is not 200.
    body: Option<String>,
    body_times: Option<usize>,
    #[serde(default)]
    trailers: BTreeMap<String, String>,
    #[serde(default)]
    broken: bool,
}

/// A request without body for this path.
pub fn plain_request(path: &str) -> String {
    format!("GET /{path} HTTP/1.1\r\nhost: suite.test\r\nconnection: close\r\n\r\n")
}

/// Reads all manifests of components that serve, in the order of their names.
///
/// # Errors
/// A text that names the file, if one can't be read or is not well formed.
pub fn load_served(suite: &Path) -> Result<Vec<Served>, String> {
    manifest::read(&suite.join("served"), |name, text| {
        let raw: RawManifest = toml::from_str(text).map_err(|e| e.to_string())?;
        let cases = raw.case.into_iter().map(|case| ServedCase {
            request: case.request.unwrap_or_else(|| plain_request(&case.name)),
            name: case.name,
            checks: case.checks,
            status: case.status.unwrap_or_else(|| "200".into()),
            headers: case.headers,
            body: case.body.unwrap_or_default().repeat(case.body_times.unwrap_or(1)),
            trailers: case.trailers,
            broken: case.broken,
        });
        Ok(Served {
            package: format!("{name}-served"),
            component: manifest::component(suite, &raw.component, raw.built),
            built: raw.built,
            cases: cases.collect(),
        })
    })
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status, 0 if there is no answer.
    pub status: u16,
    /// Header fields in lower case; the values of a name are joined with `, `.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// The trailers.
    pub trailers: BTreeMap<String, String>,
    /// Whether the end of the body is there.
    pub whole: bool,
}

/// Sends a request on a connection of its own and reads the answer until the connection ends.
///
/// # Errors
/// If there is no connection, or the answer does not end in time.
pub fn exchange(address: SocketAddr, request: &str, timeout: Duration) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    match stream.take(MAX_ANSWER).read_to_end(&mut bytes) {
        // What came before that counts.
        Err(e) if e.kind() != io::ErrorKind::ConnectionReset => return Err(e),
        _ => {}
    }
    let has_body = !request.starts_with("HEAD ");
    Ok(parse(&String::from_utf8_lossy(&bytes), has_body))
}

fn parse(text: &str, has_body: bool) -> Answer {
    let mut answer = Answer::default();
    let Some((head, rest)) = text.split_once("\r\n\r\n") else {
        return answer;
    };
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    answer.status = status.unwrap_or(0);
    answer.headers = fields(lines);
    if !has_body {
        answer.whole = rest.is_empty();
    } else if answer
        .headers
        .get("transfer-encoding")
        .is_some_and(|coding| coding == "chunked")
    {
        unchunk(rest, &mut answer);
    } else {
        let length = answer.headers.get("content-length").map(|length| length.parse());
        answer.whole = length.is_none_or(|length| length == Ok(rest.len()));
        answer.body = rest.into();
    }
    answer
}

fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::<String, String>::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let all = fields.entry(name.to_ascii_lowercase()).or_default();
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(value.trim());
    }
    fields
}

fn unchunk(mut text: &str, answer: &mut Answer) {
    while let Some((line, rest)) = text.split_once("\r\n") {
        let size = line.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(size, 16) else {
            return;
        };
        if size == 0 {
            answer.whole = rest.ends_with("\r\n");
            answer.trailers = fields(rest.lines());
            return;
        }
        let Some(data) = rest.get(..size) else {
            answer.body.push_str(rest);
            return;
        };
        answer.body.push_str(data);
        text = rest
            .get(size..)
            .and_then(|rest| rest.strip_prefix("\r\n"))
            .unwrap_or("");
    }
}

/// Nothing if the case passed, otherwise what was wrong.
///
/// # Errors
/// A text for people.
pub fn judge_answer(case: &ServedCase, answer: &Answer) -> Result<(), String> {
    if case.broken {
        // An error in the place of an answer that could not be begun is as clear.
        return match answer.whole && answer.status < 500 {
            true => Err(format!("the answer looks whole: {}", short(&answer.body))),
            false => Ok(()),
        };
    }
    let mut wrong = Vec::new();
    let status = answer.status.to_string();
    let is_expected = match case.status.strip_suffix("xx") {
        Some(class) => status.len() == 3 && status.starts_with(class),
        None => status == case.status,
    };
    if !is_expected {
        wrong.push(format!("expected status {}, got {status}", case.status));
    }
    for (kind, expected, got) in [
        ("header", &case.headers, &answer.headers),
        ("trailer", &case.trailers, &answer.trailers),
    ] {
        for (name, value) in expected {
            if got.get(name) != Some(value) {
                wrong.push(format!(
                    "expected {kind} {name}: {value:?}, got {:?}",
                    got.get(name)
                ));
            }
        }
    }
    if case.status == "200" && answer.body != case.body {
        wrong.push(match case.body.as_str() {
            "" => short(&answer.body),
            body => format!("expected the body {}, got {}", short(body), short(&answer.body)),
        });
    }
    if !answer.whole {
        wrong.push("the answer is not whole".into());
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.join("\n")),
    }
}

/// The beginning of a text.
fn short(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((at, _)) => format!(
            "{:?}... ({} bytes)",
            text.get(..at).unwrap_or_default(),
            text.len()
        ),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(status: &str, body: &str) -> ServedCase {
        ServedCase {
            name: "a".into(),
            checks: String::new(),
            request: plain_request("a"),
            status: status.into(),
            headers: BTreeMap::new(),
            body: body.into(),
            trailers: BTreeMap::new(),
            broken: false,
        }
    }

    #[test]
    fn answers_are_taken_apart() {
        let chunked = "HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n";
        let answer = parse(chunked, true);
        assert_eq!(
            (answer.status, answer.body.as_str(), answer.whole),
            (200, "abc", true)
        );
        assert_eq!(
            (answer.headers["a"].as_str(), answer.trailers["x"].as_str()),
            ("1, 2", "y")
        );
        for cut in [1, 7, 12, 20] {
            assert!(!parse(&chunked[..chunked.len() - cut], true).whole, "{cut}");
        }
        let sized = "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nab";
        assert!(!parse(sized, true).whole && parse(&format!("{sized}c"), true).whole);
        assert_eq!(parse("", true), Answer::default());
    }

    #[test]
    fn answers_have_to_be_what_the_manifest_says() {
        let answer = parse("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", true);
        assert!(judge_answer(&case("200", "ok"), &answer).is_ok());
        assert!(judge_answer(&case("2xx", ""), &answer).is_ok());
        assert!(judge_answer(&case("200", "no"), &answer).is_err());
        assert!(judge_answer(&case("5xx", ""), &answer).is_err());
        assert!(judge_answer(&case("200", ""), &Answer::default()).is_err());
        let mut broken = case("200", "");
        broken.broken = true;
        assert!(judge_answer(&broken, &answer).is_err());
        assert!(judge_answer(&broken, &Answer::default()).is_ok());
    }
}

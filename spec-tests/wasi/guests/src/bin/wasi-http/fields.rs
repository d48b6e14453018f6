//! `fields`.

use wasi_conformance::{Case, check, check_eq, check_err, ok};
use wasip2::http::types::{Fields, HeaderError, OutgoingRequest, OutgoingResponse};

pub const CASES: &[Case] = &[
    ("fields-empty", empty),
    ("fields-from-list", from_list),
    ("fields-case", case),
    ("fields-set", set),
    ("fields-append", append),
    ("fields-delete", delete),
    ("fields-invalid", invalid),
    ("fields-immutable", immutable),
    ("fields-clone", clone),
    ("fields-bytes", bytes),
    ("fields-casing", casing),
    ("fields-forbidden", forbidden),
    ("fields-unchanged-by-errors", unchanged),
];

/// Field names and values that no message can have.
const BAD_NAMES: [&str; 7] = ["", " ", "a b", "a:b", "a\n", "größe", "a\0"];
const BAD_VALUES: [&[u8]; 4] = [b"a\nb", b"a\rb", b"a\0b", b"\r\n"];

fn pairs(fields: &Fields) -> Vec<(String, String)> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    fields.entries().into_iter().map(|(name, value)| (name, text(value))).collect()
}

fn list(entries: &[(&str, &str)]) -> Fields {
    let entries: Vec<_> = entries.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    ok!(Fields::from_list(&entries))
}

fn empty() {
    let fields = Fields::new();
    check!(fields.entries().is_empty());
    check!(fields.get("a").is_empty() && !fields.has("a"));
    ok!(fields.delete("a"));
    check!(ok!(Fields::from_list(&[])).entries().is_empty());
}

fn from_list() {
    let fields = list(&[("x-a", "1"), ("x-b", "2"), ("x-a", "3"), ("x-empty", "")]);
    check_eq!(fields.get("x-a"), [b"1".to_vec(), b"3".to_vec()]);
    check_eq!(fields.get("x-b"), [b"2".to_vec()]);
    // There with an empty value is not the same as not there.
    check_eq!(fields.get("x-empty"), [Vec::new()]);
    check!(fields.has("x-empty") && !fields.has("x-c"));
    check_eq!(fields.entries().len(), 4);
}

fn case() {
    let fields = list(&[("X-Name", "1")]);
    check!(fields.has("x-name") && fields.has("X-NAME"));
    check_eq!(fields.get("x-NAME"), [b"1".to_vec()]);
    ok!(fields.append("x-name", b"2"));
    check_eq!(fields.get("X-Name").len(), 2);
    ok!(fields.delete("X-NAME"));
    check!(fields.entries().is_empty());
}

fn set() {
    let fields = list(&[("x-a", "1"), ("x-a", "2"), ("x-b", "3")]);
    ok!(fields.set("x-a", &[b"4".to_vec()]));
    check_eq!(fields.get("x-a"), [b"4".to_vec()]);
    ok!(fields.set("x-c", &[b"5".to_vec(), b"6".to_vec()]));
    check_eq!(fields.get("x-c"), [b"5".to_vec(), b"6".to_vec()]);
    ok!(fields.set("x-b", &[]));
    check!(!fields.has("x-b"));
}

fn append() {
    let fields = Fields::new();
    for value in ["1", "2", "3"] {
        ok!(fields.append("x-a", value.as_bytes()));
    }
    check_eq!(fields.get("x-a"), [b"1".to_vec(), b"2".to_vec(), b"3".to_vec()]);
}

fn delete() {
    let fields = list(&[("x-a", "1"), ("x-b", "2"), ("x-a", "3")]);
    ok!(fields.delete("x-a"));
    ok!(fields.delete("x-a"));
    check_eq!(pairs(&fields), [("x-b".to_string(), "2".to_string())]);
}

fn invalid() {
    let fields = list(&[("x-a", "1")]);
    for name in BAD_NAMES {
        check_err!(fields.append(name, b"1"), HeaderError::InvalidSyntax);
        check_err!(fields.set(name, &[b"1".to_vec()]), HeaderError::InvalidSyntax);
        check_err!(fields.delete(name), HeaderError::InvalidSyntax);
        check_err!(Fields::from_list(&[(name.to_string(), b"1".to_vec())]), HeaderError::InvalidSyntax);
        // Asking is no error.
        check!(fields.get(name).is_empty() && !fields.has(name));
    }
    for value in BAD_VALUES {
        check_err!(fields.append("x-a", value), HeaderError::InvalidSyntax);
        check_err!(fields.set("x-a", &[value.to_vec()]), HeaderError::InvalidSyntax);
        check_err!(Fields::from_list(&[("x-a".to_string(), value.to_vec())]), HeaderError::InvalidSyntax);
    }
    check_eq!(pairs(&fields), [("x-a".to_string(), "1".to_string())]);
}

fn immutable() {
    let request = OutgoingRequest::new(list(&[("x-a", "1")]));
    let response = OutgoingResponse::new(list(&[("x-a", "1")]));
    for fields in [request.headers(), response.headers()] {
        check_eq!(fields.get("x-a"), [b"1".to_vec()]);
        check_err!(fields.set("x-a", &[b"2".to_vec()]), HeaderError::Immutable);
        check_err!(fields.append("x-b", b"2"), HeaderError::Immutable);
        check_err!(fields.delete("x-a"), HeaderError::Immutable);
        check_eq!(fields.entries().len(), 1);
        // A copy can be changed.
        let copy = fields.clone();
        ok!(copy.append("x-b", b"2"));
        check_eq!((copy.entries().len(), fields.entries().len()), (2, 1));
    }
}

fn clone() {
    let fields = list(&[("x-a", "1"), ("x-b", "2"), ("x-a", "3")]);
    let copy = fields.clone();
    check_eq!(pairs(&copy), pairs(&fields));
    ok!(copy.delete("x-a"));
    check!(fields.has("x-a") && !copy.has("x-a"));
}

fn bytes() {
    let value: Vec<u8> = (0x20..=0xff).filter(|byte| *byte != 0x7f).collect();
    let fields = Fields::new();
    // A value need not be text; a space at its end may be cut.
    ok!(fields.append("x-a", &value[1..]));
    check_eq!(fields.get("x-a"), [value[1..].to_vec()]);
}

fn casing() {
    let fields = list(&[("X-One", "1"), ("x-TWO", "2")]);
    ok!(fields.append("X-tHREE", b"3"));
    ok!(fields.set("X-Four", &[b"4".to_vec()]));
    // Names are told as they were given.
    let mut names: Vec<String> = pairs(&fields).into_iter().map(|(name, _)| name).collect();
    names.sort();
    check_eq!(names, ["X-Four", "X-One", "X-tHREE", "x-TWO"]);
    let copied = pairs(&fields.clone());
    check_eq!(copied, pairs(&fields));
}

fn forbidden() {
    // Which names are not for guests is up to the runtime, which has to be of one mind about each.
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host", "te", "http2-settings"] {
        let fields = list(&[("x-a", "1")]);
        let listed = Fields::from_list(&[(name.to_string(), b"x".to_vec())]);
        match fields.append(name, b"x") {
            Ok(()) => {
                check!(listed.is_ok() && fields.has(name));
                ok!(fields.set(&name.to_uppercase(), &[b"y".to_vec()]));
                check_eq!(fields.get(name), [b"y".to_vec()]);
            }
            Err(error) => {
                check!(matches!(error, HeaderError::Forbidden));
                check_err!(listed, HeaderError::Forbidden);
                check_err!(fields.set(&name.to_uppercase(), &[b"y".to_vec()]), HeaderError::Forbidden);
                check!(!fields.has(name));
            }
        }
        check_eq!(fields.get("x-a"), [b"1".to_vec()]);
    }
}

fn unchanged() {
    // What fails leaves everything as it was, also where only the last of several values is at fault.
    let fields = list(&[("x-a", "1"), ("x-a", "2")]);
    check_err!(fields.set("x-a", &[b"3".to_vec(), b"4\n".to_vec()]), HeaderError::InvalidSyntax);
    check_eq!(fields.get("x-a"), [b"1".to_vec(), b"2".to_vec()]);
    check_err!(fields.append("x-a", b"\r"), HeaderError::InvalidSyntax);
    check_err!(fields.delete("x a"), HeaderError::InvalidSyntax);
    check_eq!(fields.entries().len(), 2);
}

//! What `wasi:http/types` says about fields, requests and responses, tried out.

use wasip2::http::types::{
    Fields, HeaderError, Method, OutgoingBody, OutgoingRequest, OutgoingResponse, RequestOptions, Scheme,
};

/// Fails with the expression that is false.
macro_rules! check {
    ($($condition:expr),+ $(,)?) => {
        $(if !$condition {
            return Err(concat!(file!(), ": ", stringify!($condition)));
        })+
    };
}

pub fn run() -> Result<(), &'static str> {
    fields()?;
    requests()?;
    responses()?;
    options()
}

fn is(error: Result<(), HeaderError>, wanted: &str) -> bool {
    matches!(
        (error, wanted),
        (Err(HeaderError::InvalidSyntax), "syntax")
            | (Err(HeaderError::Forbidden), "forbidden")
            | (Err(HeaderError::Immutable), "immutable")
    )
}

fn fields() -> Result<(), &'static str> {
    let fields = Fields::new();
    check!(
        fields.append("X-Mixed", b"1").is_ok(),
        fields.append("other", b"2").is_ok(),
        fields.append("x-mixed", b"3").is_ok(),
        fields.get("x-MIXED") == [b"1".to_vec(), b"3".to_vec()],
        fields.has("OTHER") && !fields.has("absent") && !fields.has("not a name"),
        fields.get("not a name").is_empty(),
        fields.entries()[0] == ("X-Mixed".to_owned(), b"1".to_vec()),
        fields.set("x-mixed", &[b"4".to_vec()]).is_ok(),
        fields.get("x-mixed") == [b"4".to_vec()],
        fields.delete("other").is_ok() && !fields.has("other"),
    );
    check!(
        is(fields.append("a b", b"x"), "syntax"),
        is(fields.append("", b"x"), "syntax"),
        is(fields.append("a", b"x\r\ny: z"), "syntax"),
        is(fields.set("a", &[b"\n".to_vec()]), "syntax"),
        is(fields.delete("a:b"), "syntax"),
        is(fields.append("Connection", b"close"), "forbidden"),
        is(fields.append("transfer-encoding", b"chunked"), "forbidden"),
        is(fields.set("host", &[b"x".to_vec()]), "forbidden"),
        is(fields.delete("upgrade"), "forbidden"),
        is(fields.append("te", b"gzip"), "forbidden"),
        fields.append("te", b"trailers").is_ok(),
        is(fields.append("big", &vec![b'x'; 1 << 20]), "forbidden"),
    );
    let copy = fields.clone();
    check!(
        copy.append("only-here", b"1").is_ok(),
        !fields.has("only-here"),
        Fields::from_list(&[("a b".to_owned(), b"x".to_vec())]).is_err(),
        Fields::from_list(&[("keep-alive".to_owned(), b"x".to_vec())]).is_err(),
    );
    let listed = Fields::from_list(&[("a".to_owned(), b"1".to_vec()), ("a".to_owned(), b"2".to_vec())]);
    check!(listed.is_ok_and(|f| f.get("a").len() == 2));
    Ok(())
}

fn requests() -> Result<(), &'static str> {
    let headers = Fields::new();
    check!(headers.append("a", b"1").is_ok());
    let request = OutgoingRequest::new(headers);
    check!(
        matches!(request.method(), Method::Get),
        request.path_with_query().is_none() && request.authority().is_none() && request.scheme().is_none(),
        request.set_method(&Method::Other("PURGE".to_owned())).is_ok(),
        matches!(request.method(), Method::Other(name) if name == "PURGE"),
        request.set_method(&Method::Other("a b".to_owned())).is_err(),
        request.set_method(&Method::Other(String::new())).is_err(),
        request.set_path_with_query(Some("/a?b=c")).is_ok(),
        request.set_path_with_query(Some("/a b")).is_err(),
        request.set_path_with_query(Some("/a\r\nx")).is_err(),
        request.set_path_with_query(Some("/a#b")).is_err(),
        request.set_path_with_query(Some("a")).is_err(),
        request.path_with_query().as_deref() == Some("/a?b=c"),
        request.set_authority(Some("example.org:8080")).is_ok(),
        request.set_authority(Some("[::1]:80")).is_ok(),
        request.set_authority(Some("")).is_err(),
        request.set_authority(Some("a b")).is_err(),
        request.set_authority(Some("a/b")).is_err(),
        request.set_authority(Some("u:p@a")).is_err(),
        request.set_authority(Some("a:70000")).is_err(),
        request.set_authority(Some("a\r\nb")).is_err(),
        request.set_scheme(Some(&Scheme::Https)).is_ok(),
        request.set_scheme(Some(&Scheme::Other("a b".to_owned()))).is_err(),
        matches!(request.scheme(), Some(Scheme::Https)),
    );
    let view = request.headers();
    check!(
        view.get("a") == [b"1".to_vec()],
        is(view.append("b", b"2"), "immutable"),
        is(view.set("a", &[]), "immutable"),
        is(view.delete("a"), "immutable"),
        view.clone().append("b", b"2").is_ok(),
    );
    let body = request.body();
    check!(body.is_ok(), request.body().is_err());
    if let Ok(body) = body {
        check!(body.write().is_ok(), body.write().is_err());
    }
    Ok(())
}

fn responses() -> Result<(), &'static str> {
    let response = OutgoingResponse::new(Fields::new());
    check!(
        response.status_code() == 200,
        response.set_status_code(404).is_ok(),
        response.set_status_code(99).is_err(),
        response.set_status_code(600).is_err(),
        response.set_status_code(1000).is_err(),
        response.status_code() == 404,
        is(response.headers().append("a", b"b"), "immutable"),
    );
    let body = response.body();
    check!(body.is_ok(), response.body().is_err());
    // A body of a response that is never sent.
    if let Ok(body) = body {
        check!(OutgoingBody::finish(body, None).is_ok());
    }
    check!(crate::response_of(204).status_code() == 204);
    Ok(())
}

fn options() -> Result<(), &'static str> {
    let options = RequestOptions::new();
    check!(
        options.connect_timeout().is_none(),
        options.set_connect_timeout(Some(5)).is_ok(),
        options.set_first_byte_timeout(Some(6)).is_ok(),
        options.set_between_bytes_timeout(Some(7)).is_ok(),
        options.connect_timeout() == Some(5),
        options.first_byte_timeout() == Some(6),
        options.between_bytes_timeout() == Some(7),
        options.set_connect_timeout(None).is_ok() && options.connect_timeout().is_none(),
    );
    Ok(())
}

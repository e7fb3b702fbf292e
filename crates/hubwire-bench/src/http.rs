//! HTTP/1.1 as a client that keeps its connections: requests written, answers read where they were received.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use thiserror::Error;

use crate::error::{SILENCE, SwarmError};

/// More than any head of an answer here.
const HEADERS: usize = 32;

/// What no server here should have answered.
#[derive(Debug, Error)]
pub(crate) enum HttpError {
    #[error("no HTTP: {0}")]
    Head(#[from] httparse::Error),
    #[error("no chunk: {0:?}")]
    Chunk(String),
    #[error("an answer without a length")]
    Endless,
    #[error("{status} to {request}: {body}")]
    Status { status: u16, request: String, body: String },
}

/// The head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    body: Body,
    /// Where the body begins.
    pub(crate) length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Length(usize),
    Chunks,
    Endless,
}

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: Cow<'a, [u8]>,
}

/// Appends a request to `out`.
pub(crate) fn write(method: &str, path: &str, address: SocketAddr, body: &[u8], out: &mut Vec<u8>) {
    // A Vec takes all that is written.
    let _ = write!(out, "{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
    if method == "POST" {
        let length = body.len();
        let _ =
            write!(out, "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n");
    }
    out.extend(b"\r\n");
    out.extend(body);
}

/// The head that `received` begins with, or `None` while its end has not come.
pub(crate) fn read_head(received: &[u8]) -> Result<Option<Head>, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(received)? else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let mut body = Body::Endless;
    if status == 204 {
        body = Body::Length(0);
    }
    for header in response.headers {
        let value = str::from_utf8(header.value).unwrap_or_default();
        if header.name.eq_ignore_ascii_case("content-length") {
            body = value.parse().map_or(Body::Endless, Body::Length);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked" {
            body = Body::Chunks;
        }
    }
    Ok(Some(Head { status, body, length }))
}

/// The first answer of `received` and how many bytes it took, or `None` while its end has not come.
pub(crate) fn read(received: &[u8]) -> Result<Option<(Answer<'_>, usize)>, HttpError> {
    let Some(head) = read_head(received)? else { return Ok(None) };
    let Head { status, .. } = head;
    match head.body {
        Body::Length(length) => {
            let end = head.length + length;
            let body = received.get(head.length..end);
            Ok(body.map(|body| (Answer { status, body: Cow::Borrowed(body) }, end)))
        }
        Body::Chunks => {
            let mut body = Vec::new();
            let mut end = head.length;
            while let Some((chunk, taken)) = read_chunk(&received[end..])? {
                end += taken;
                if chunk.is_empty() {
                    return Ok(Some((Answer { status, body: Cow::Owned(body) }, end)));
                }
                body.extend(chunk);
            }
            Ok(None)
        }
        Body::Endless => Err(HttpError::Endless),
    }
}

/// The first chunk of `received` and how many bytes it took; the last one is empty.
pub(crate) fn read_chunk(received: &[u8]) -> Result<Option<(&[u8], usize)>, HttpError> {
    match httparse::parse_chunk_size(received) {
        Ok(httparse::Status::Complete((start, length))) => {
            let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
            let end = end.unwrap_or(usize::MAX - 2);
            let whole = received.get(start..end + 2);
            Ok(whole.map(|whole| (&whole[..whole.len() - 2], end + 2)))
        }
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err(HttpError::Chunk(String::from_utf8_lossy(received).into_owned())),
    }
}

/// A connection on which one request after another is awaited; opens clients.
#[derive(Debug)]
pub(crate) struct Exchange {
    address: SocketAddr,
    /// Connected when it is first needed.
    socket: Option<TcpStream>,
    received: Vec<u8>,
}

impl Exchange {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, socket: None, received: Vec::new() }
    }

    /// The body of a good answer.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, SwarmError> {
        let mut request = Vec::new();
        write(method, path, self.address, body, &mut request);
        self.send(&request)?;
        loop {
            if let Some((answer, taken)) = read(&self.received)? {
                let Answer { status, body } = answer;
                let body = body.into_owned();
                self.received.drain(..taken);
                if status != 200 {
                    let body = String::from_utf8_lossy(&body).into_owned();
                    let request = format!("{method} {path}");
                    return Err(HttpError::Status { status, request, body }.into());
                }
                return Ok(body);
            }
            self.receive()?;
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => none.insert(connect(self.address)?),
        };
        socket.write_all(bytes)
    }

    /// Waits for more.
    pub(crate) fn receive(&mut self) -> io::Result<()> {
        let mut some = [0; 2048];
        let socket = self.socket.as_mut().ok_or(ErrorKind::NotConnected)?;
        match socket.read(&mut some)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            length => {
                self.received.extend_from_slice(&some[..length]);
                Ok(())
            }
        }
    }

    /// What came and was not taken.
    pub(crate) fn received(&mut self) -> &mut Vec<u8> {
        &mut self.received
    }

    /// The socket, which waits for nothing from now on, and what came behind what was taken.
    pub(crate) fn into_parts(self) -> io::Result<(TcpStream, Vec<u8>)> {
        let socket = self.socket.ok_or(ErrorKind::NotConnected)?;
        socket.set_nonblocking(true)?;
        Ok((socket, self.received))
    }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(SILENCE))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(received: &[u8]) -> Option<(u16, Vec<u8>, usize)> {
        let (answer, taken) = read(received).unwrap()?;
        Some((answer.status, answer.body.into_owned(), taken))
    }

    #[test]
    fn reads_one_answer_and_leaves_the_next() {
        for (answer, expected) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"[..], &b"ab"[..]),
            (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
                b"abc",
            ),
        ] {
            let end = answer.len();
            let mut received = answer.to_vec();
            for end in 0..end {
                assert_eq!(body(&received[..end]), None, "{end} bytes");
            }
            received.extend(b"HTTP/1.1 ");
            let (_, said, taken) = body(&received).unwrap();
            assert_eq!((said.as_slice(), taken), (expected, end));
        }
    }

    #[test]
    fn refuses_what_has_no_end() {
        assert!(read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(read(b"SSH-2.0\r\n\r\n").is_err());
        assert!(read_chunk(b"x\r\n").is_err());
    }

    #[test]
    fn writes_requests() {
        let mut out = Vec::new();
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        write("GET", "/a", address, b"", &mut out);
        assert_eq!(out, b"GET /a HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n");
        write("POST", "/b", address, b"c", &mut out);
        assert!(out.ends_with(b"Content-Length: 1\r\n\r\nc"));
    }
}

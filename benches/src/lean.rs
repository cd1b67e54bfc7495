//! A client that takes as little of the processor as it can: requests made beforehand, plain HTTP/1.1 on a connection
//! that is kept, and of the answer only what says that it is whole and good.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::closed_loop::Client;
use crate::limits::REQUEST_MAX;

/// Whether a body is what was asked for.
pub type Good = fn(&[u8]) -> bool;

/// One connection and what is asked on it in turn.
#[derive(Debug)]
pub struct Lean {
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    good: Good,
    sent_count: usize,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Lean {
    /// Not connected yet.
    #[must_use]
    pub fn new(address: SocketAddr, requests: Vec<Vec<u8>>, good: Good) -> Self {
        Self { address, requests, good, sent_count: 0, stream: None, buffer: Vec::new() }
    }

    async fn exchange(&mut self) -> Result<()> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        let at = self.sent_count.checked_rem(self.requests.len()).unwrap_or(0);
        self.sent_count = self.sent_count.saturating_add(1);
        stream.write_all(self.requests.get(at).context("nothing to ask")?).await?;
        self.buffer.clear();
        let (head, whole) = loop {
            ensure!(stream.read_buf(&mut self.buffer).await? > 0, "closed in the middle of an answer");
            if let Some(lengths) = lengths(&self.buffer)? {
                break lengths;
            }
        };
        while self.buffer.len() < whole {
            ensure!(stream.read_buf(&mut self.buffer).await? > 0, "closed in the middle of a body");
        }
        let body = self.buffer.get(head..whole).unwrap_or_default();
        let text = || String::from_utf8_lossy(&self.buffer).into_owned();
        ensure!(self.buffer.starts_with(b"HTTP/1.1 200 "), "{}", text());
        ensure!((self.good)(body), "not what was asked for: {}", text());
        self.stream = Some(stream);
        Ok(())
    }
}

impl Client for Lean {
    async fn ask(&mut self) -> Result<()> {
        match timeout(REQUEST_MAX, self.exchange()).await {
            Ok(done) => done,
            Err(_) => bail!("no answer in time"),
        }
    }
}

/// The lengths of head and whole answer, once the head is there.
fn lengths(answer: &[u8]) -> Result<Option<(usize, usize)>> {
    const NAME: &[u8] = b"content-length:";
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = answer.get(..end).unwrap_or_default();
    let mut lines = head.split(|octet| *octet == b'\n');
    let line = lines.find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)));
    let value = line.and_then(|line| line.get(NAME.len()..)).context("an answer without its length")?;
    let body: usize = std::str::from_utf8(value)?.trim().parse()?;
    let head = end.saturating_add(4);
    Ok(Some((head, head.saturating_add(body))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_length_says_so() {
        let answer = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(lengths(answer).unwrap(), Some((49, 52)));
        assert_eq!(lengths(&answer[..30]).unwrap(), None);
        assert!(lengths(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}

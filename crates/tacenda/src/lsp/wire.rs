//! Messages on a stream: a header with their length, then JSON.

use std::io::{BufRead, Read};
use std::path::PathBuf;
use std::sync::mpsc::Sender;

use tacenda_scan::Report;

use super::message::Message;

/// No editor sends more at once; who does is none.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Headers are two short lines.
const MOST_HEADER: u64 = 4096;

/// What the server hears of.
#[derive(Debug)]
pub(super) enum Event {
    /// The editor says something.
    Message(Message),
    /// It says something that is no message.
    Malformed(&'static str),
    /// It says nothing more, for this reason.
    Closed(Option<&'static str>),
    /// What is found in a file, in the edition that was looked at.
    Told {
        /// The file.
        path: PathBuf,
        /// The edition.
        edition: u64,
        /// What is found.
        report: Box<Report>,
    },
    /// The scanner of this number is gone: it tells nothing any more.
    Gone(u64),
}

/// Reads messages until there are no more, or until it is not known where the next one begins.
pub(super) fn read_events(mut input: impl BufRead, events: &Sender<Event>) {
    loop {
        let event = match frame(&mut input) {
            Ok(None) => Event::Closed(None),
            Ok(Some(body)) => match serde_json::from_slice(&body) {
                Ok(message) => Event::Message(message),
                Err(error) if error.is_data() => Event::Malformed("this is no message"),
                Err(_) => Event::Malformed("this is no JSON"),
            },
            Err(reason) => Event::Closed(Some(reason)),
        };
        let last = matches!(event, Event::Closed(_));
        if events.send(event).is_err() || last {
            return;
        }
    }
}

/// The body of the next message.
fn frame(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, &'static str> {
    let mut length = None;
    let mut header = input.take(MOST_HEADER);
    loop {
        let mut line = String::new();
        match header.read_line(&mut line) {
            Ok(0) if length.is_none() && line.is_empty() && header.limit() == MOST_HEADER => {
                return Ok(None);
            }
            Ok(0) | Err(_) => return Err("a message has a header that does not end"),
            Ok(_) => {}
        }
        let Some(line) = line.strip_suffix('\n') else {
            return Err("a message has a header that does not end");
        };
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or("a header has no colon")?;
        if name.trim().eq_ignore_ascii_case("content-length") {
            let value = value.trim().parse::<usize>().ok();
            length = Some(value.ok_or("the length of a message is no number")?);
        }
    }
    let length = length.ok_or("a message comes without its length")?;
    if length > MOST_BYTES {
        return Err("a message is larger than 64 MiB");
    }
    let mut body = Vec::new();
    match header.into_inner().take(length as u64).read_to_end(&mut body) {
        Ok(read) if read == length => Ok(Some(body)),
        _ => Err("a message ends before its end"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<String> {
        let (events, received) = std::sync::mpsc::channel();
        read_events(bytes, &events);
        drop(events);
        received
            .iter()
            .map(|event| match event {
                Event::Message(_) => "message".to_owned(),
                Event::Malformed(why) => why.to_owned(),
                Event::Closed(why) => why.unwrap_or("end").to_owned(),
                Event::Told { .. } | Event::Gone(_) => unreachable!("nobody tells anything here"),
            })
            .collect()
    }

    #[test]
    fn what_is_no_message_is_told_and_the_next_one_is_read() {
        let good = r#"{"jsonrpc":"2.0","method":"a"}"#;
        let framed = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(read(framed(good).as_bytes()), ["message", "end"]);
        let two = format!("{}{}", framed("{nothing"), framed(good));
        assert_eq!(read(two.as_bytes()), ["this is no JSON", "message", "end"]);
        assert_eq!(read(framed("[1]").as_bytes()), ["this is no message", "end"]);
        assert_eq!(read(b""), ["end"]);
        for (bytes, why) in [
            (&b"hello\r\n\r\n"[..], "a header has no colon"),
            (b"Content-Length: -1\r\n\r\n", "the length of a message is no number"),
            (b"Content-Length: 99999999999\r\n\r\n", "a message is larger than 64 MiB"),
            (b"Content-Length: 5\r\n\r\n{}", "a message ends before its end"),
            (b"Content-Type: x\r\n\r\n{}", "a message comes without its length"),
            (b"Content-Length: 5", "a message has a header that does not end"),
            (b"\xff\xfe\r\n", "a message has a header that does not end"),
        ] {
            assert_eq!(read(bytes), [why]);
        }
        let long = format!("Content-Length: 2\r\nX: {}\r\n\r\n", "x".repeat(5000));
        assert_eq!(read(long.as_bytes()), ["a message has a header that does not end"]);
    }
}

//! What a message says of what is sent and received: requests, responses, messages of a protocol.

use super::spoken::{OF_ANYTHING, OF_OTHERS, Spoken};
use crate::label::Label;
use crate::lexicon::Class;

/// Words that go with what is sent and received.
const EXCHANGED: &[&str] =
    &["request", "response", "received", "sent", "raw", "post", "posted", "returned"];
/// What arrives piece by piece, and words that go with it.
pub(super) const PIECES: &[&str] =
    &["message", "msg", "notification", "frame", "packet", "event", "stanza", "envelope"];
const COMING: &[&str] = &[
    "received",
    "receiving",
    "send",
    "decrypted",
    "deserialized",
    "discarded",
    "dropped",
    "dropping",
    "outgoing",
    "incoming",
    "unknown",
    "unhandled",
    "unexpected",
    "sending",
    "sent",
    "raw",
    "got",
    "mqtt",
    "websocket",
    "ws",
];
/// Names of what arrived, and of what is sent.
const ARRIVED: &[&str] = &[
    "message",
    "msg",
    "event",
    "notification",
    "frame",
    "packet",
    "data",
    "resp",
    "response",
    "payload",
    "raw",
    "content",
    "log_message",
    "answer",
    "reply",
];
/// What is said of what goes over a wire.
const PASSED: &[&str] =
    &["send", "sending", "sent", "recv", "rcvd", "receive", "received", "receiving", "rx", "tx"];
/// How a message begins that tells what goes over a wire, and the last words of the names of that.
const SENDING: &[&str] = &[
    "send",
    "sending",
    "sent",
    "recv",
    "receive",
    "received",
    "receiving",
    "publish",
    "publishing",
    "queueing",
    "queuing",
    "enqueue",
    "enqueueing",
    "posting",
    "writing",
    "transmitting",
];
const SENT: &[&str] = &[
    "message", "msg", "data", "packet", "frame", "payload", "body", "telegram", "stanza", "lines",
    "text", "envelope", "datagram", "response",
];
/// Names of what is no more than yes or no.
const ANSWERS_TO_QUESTIONS: &[&str] = &["success", "succeeded", "done", "found", "okay"];

/// Whether what has this name goes over a wire: `lines`, `ws_message`.
pub(super) fn is_piece(name: &str) -> bool {
    let Some((of, last)) = name.rsplit_once('_') else { return name == "lines" };
    let of = of.rsplit('_').next().unwrap_or_default();
    PIECES.contains(&last)
        && (COMING.contains(&of) || matches!(of, "session" | "client" | "server"))
}

impl Spoken<'_> {
    /// `SEND: `, `>> `, before what goes over a wire.
    pub(super) fn is_passed(&self) -> Option<Label> {
        let word = self.colon && PASSED.contains(&self.last);
        let known = ARRIVED.contains(&self.name) || PIECES.contains(&self.name);
        let of_them = self.arrow && matches!(self.name, "info" | "line" | "reply" | "request");
        let alone = self.own_line && word && self.name == "request";
        let harmless = matches!(self.class, Class::Harmless | Class::Treated);
        let comes = self.arrives() && !matches!(self.last, "event" | "notification");
        let passed = (word || self.arrow || comes) && known || of_them || alone || self.is_sent();
        (passed && !harmless).then_some(Label::Body)
    }

    /// `sending the command: `, `queueing `, before what is called like that.
    fn is_sent(&self) -> bool {
        let mut words = self.message.split(|letter: char| !letter.is_alphanumeric());
        let first = words.find(|word| !word.is_empty()).unwrap_or_default();
        let last = self.name.rsplit('_').next().unwrap_or_default();
        let at_once = self.last == first;
        SENDING.contains(&first) && (self.colon || at_once) && SENT.contains(&last)
    }

    /// `received message `, `unknown message received: `
    fn arrives(&self) -> bool {
        PIECES.contains(&self.last) && COMING.contains(&self.of)
            || self.last == "received" && PIECES.contains(&self.of)
    }

    /// `request payload: `, `response: `, before a value whose own name tells nothing.
    pub(super) fn is_exchange(&self) -> Option<Label> {
        let telling = !matches!(self.class, Class::Plain) && !OF_ANYTHING.contains(&self.name);
        let last = self.name.rsplit('_').next().unwrap_or_default();
        let of_this = PIECES.contains(&last) && last == self.last;
        let known = ARRIVED.contains(&self.name) || self.name == self.of || of_this;
        let spoken = self.last == "message" && matches!(self.name, "text" | "body");
        // `unknown event %s`, before the name of one.
        let kind = !self.colon
            && self.last == "event"
            && matches!(self.of, "unknown" | "unhandled" | "unexpected");
        if self.arrives() && !kind && (known || spoken) && !matches!(self.class, Class::Harmless) {
            return Some(Label::Body);
        }
        // `bad data from client: `
        let by_other = self.colon
            && matches!(self.of, "from" | "to")
            && self.text.rsplit(&[' ', '\n'][..]).nth(2).is_some_and(|word| {
                word == "data" || PIECES.contains(&word) || EXCHANGED.contains(&word)
            });
        if by_other && ARRIVED.contains(&self.name) {
            return Some(Label::Body);
        }
        // `message:\n%s`: a value on lines of its own is no word about one.
        let shown = self.own_line && self.colon && PIECES.contains(&self.last);
        if shown && !OF_OTHERS.contains(&self.of) && matches!(self.class, Class::Plain) {
            return Some(Label::Body);
        }
        if !self.colon || ANSWERS_TO_QUESTIONS.contains(&self.name) {
            return None;
        }
        // `response from the hub: `, `post to %s:\n`
        let between = matches!(self.last, "from" | "to" | "for") && EXCHANGED.contains(&self.of);
        // `parsed request: `
        let parsed = matches!(self.last, "request" | "response")
            && matches!(self.of, "parsed" | "decoded")
            && matches!(self.name, "request" | "response" | "req" | "resp");
        if parsed || between && ARRIVED.contains(&self.name) {
            return Some(Label::Body);
        }
        // `the page content is: `, before `content`
        if self.last == "content" && self.name == "content" && matches!(self.of, "page" | "html") {
            return Some(Label::Body);
        }
        // `==== request ====`, on a line of its own
        if self.last == "request" && self.own_line && !OF_OTHERS.contains(&self.of) {
            return Some(Label::Body);
        }
        // `payload is {response}`
        if matches!(self.last, "payload" | "body") && matches!(self.name, "response" | "resp") {
            return Some(Label::Body);
        }
        if telling {
            return None;
        }
        match self.last {
            // Of a token, they tell what it was signed with.
            "headers" if matches!(self.of, "jwt" | "jws" | "jwe" | "jose") => None,
            "headers" => Some(Label::Headers),
            "payload" | "body" | "response" => Some(Label::Body),
            "data" | "json" | "content" | "text" if EXCHANGED.contains(&self.of) => {
                Some(Label::Body)
            }
            _ => None,
        }
    }
}

//! Against a witness of our own: small, over HTTPS, and as strict as C2SP tlog-witness wants it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::Hash;
use crate::support::Fixture;
use crate::verify::{Fault, Verifier};

const KEY: [u8; 32] = [7; 32];

/// What the witness has signed last.
type Seen = Arc<Mutex<(u64, Hash)>>;

fn key() -> VerifierKey {
    VerifierKey::of_witness("witness.example", SigningKey::from_bytes(&KEY).verifying_key())
}

/// Answers a request.
fn answer(body: &str, log: &VerifierKey, seen: &mut (u64, Hash)) -> Option<(u16, String)> {
    let (head, note) = body.split_once("\n\n")?;
    let mut lines = head.lines();
    let old: u64 = lines.next()?.strip_prefix("old ")?.parse().ok()?;
    let hash = |line: &str| BASE64_STANDARD.decode(line).ok()?.try_into().ok();
    let proof: Vec<Hash> = lines.map(hash).collect::<Option<_>>()?;
    let note = Note::parse(note.as_bytes())?;
    let checkpoint = Checkpoint::of(&note)?;
    if checkpoint.origin != log.name() {
        return Some((404, String::new()));
    }
    if !note.is_signed_by(log) {
        return Some((403, String::new()));
    }
    if old != seen.0 {
        return Some((409, format!("{}\n", seen.0)));
    }
    let new = (checkpoint.size, checkpoint.root);
    let begins = if old == 0 { proof.is_empty() } else { tree::is_consistent(*seen, new, &proof) };
    if old > checkpoint.size || !begins {
        return Some((422, String::new()));
    }
    *seen = new;
    let time = 1_700_000_000_u64;
    let text = format!(
        "cosignature/v1\ntime {time}\n{}\n{}\n{}\n",
        checkpoint.origin,
        checkpoint.size,
        BASE64_STANDARD.encode(checkpoint.root)
    );
    let signature = SigningKey::from_bytes(&KEY).sign(text.as_bytes()).to_bytes();
    let line = [key().id().as_slice(), &time.to_be_bytes(), &signature].concat();
    Some((200, format!("— {} {}\n", key().name(), BASE64_STANDARD.encode(line))))
}

/// Starts a witness; where it is, and the certificate to trust.
fn start(log: VerifierKey, seen: Seen) -> (String, String) {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let secret = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], secret)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            // Who does not trust it hangs up.
            let _ = talk(StreamOwned::new(session, stream.unwrap()), &log, &seen);
        }
    });
    (format!("https://localhost:{port}/w"), own.cert.pem())
}

fn talk(
    mut stream: StreamOwned<ServerConnection, std::net::TcpStream>,
    log: &VerifierKey,
    seen: &Seen,
) -> std::io::Result<()> {
    let (mut request, mut block) = (Vec::new(), [0; 4096]);
    let body = loop {
        let read = stream.read(&mut block)?;
        request.extend_from_slice(&block[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("POST /w/add-checkpoint HTTP/1.1\r\n"), "{head}");
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
        });
        if read == 0 || Some(body.len()) == length {
            break body.to_owned();
        }
    };
    let (status, text) = answer(&body, log, &mut seen.lock().unwrap()).unwrap_or_default();
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}"
    )?;
    stream.conn.send_close_notify();
    stream.flush()
}

struct Witnessing {
    fixture: Fixture,
    seen: Seen,
    https: Https,
    url: String,
}

impl Witnessing {
    fn new() -> Self {
        let fixture = Fixture::new();
        let seen = Seen::default();
        let log = fixture.reader().view.keys(1).0;
        let (url, certificate) = start(log, Arc::clone(&seen));
        let https = Https::new(&url, Some(certificate.as_bytes())).unwrap();
        Self { fixture, seen, https, url }
    }

    fn ask(&self) -> Result<String, JournalError> {
        self.fixture.reader().witness(&key(), &mut |text| self.https.send(text))
    }

    /// Places of what is found, for who knows the witness.
    fn findings(&self) -> Vec<(String, Fault)> {
        let verifier = Verifier { witnesses: vec![key()], ..self.fixture.verifier() };
        let report = verifier.verify(&self.fixture.path()).unwrap();
        report.findings.into_iter().map(|one| (one.place, one.fault)).collect()
    }
}

#[test]
fn a_witness_signs_a_log_that_only_grew() {
    let one = Witnessing::new();
    let unsigned = vec![("witness witness.example".to_owned(), Fault::Unsigned)];
    assert_eq!(one.findings(), unsigned);
    for segment in 0..4 {
        one.fixture.fill(segment * 3, segment * 3 + 3);
        let note = one.ask().unwrap();
        assert!(Note::parse(note.as_bytes()).unwrap().is_signed_by(&key()));
        assert_eq!(one.seen.lock().unwrap().0, segment + 2);
        assert_eq!(one.findings(), []);
    }
    // It does not know the log any more, and then knows an older state of it.
    *one.seen.lock().unwrap() = (0, [0; 32]);
    one.ask().unwrap();
    let leaves = one.fixture.reader().view.leaves.clone();
    *one.seen.lock().unwrap() = (2, tree::root(&leaves[..2]));
    one.ask().unwrap();
    let kept = one.fixture.reader().witnessed().unwrap();
    assert_eq!((kept[0].0.as_str(), kept[0].1.size), ("witness.example", 5));
}

#[test]
fn a_witness_does_not_sign_another_past() {
    let one = Witnessing::new();
    one.fixture.fill(0, 3);
    one.ask().unwrap();
    // What it saw was another log of the same size, then a longer one.
    one.seen.lock().unwrap().1 = [9; 32];
    one.fixture.fill(3, 6);
    let error = one.ask().unwrap_err().to_string();
    assert!(error.contains("rewritten"), "{error}");
    one.seen.lock().unwrap().0 = 100;
    let error = one.ask().unwrap_err().to_string();
    assert!(error.contains("rolled back"), "{error}");
    // What it signed before is still kept.
    assert_eq!(one.findings(), []);
}

#[test]
fn what_a_witness_signed_is_compared_with_the_log() {
    let one = Witnessing::new();
    one.fixture.fill(0, 3);
    one.ask().unwrap();
    let file = one.fixture.path().join("log/witnessed").join(super::name(&key()));
    let whole = std::fs::read(&file).unwrap();
    let place = format!("log/witnessed/{}", super::name(&key()));
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&file, changed).unwrap();
        assert!(one.findings().iter().any(|(found, _)| *found == place), "byte {at}");
    }
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(one.findings(), []);
    // It has seen more than there is by now.
    let other = Witnessing::new();
    other.fixture.fill(0, 3);
    let log = other.fixture.path().join("log/witnessed");
    crate::support::copy(&one.fixture.path().join("log/witnessed"), &log);
    assert!(other.findings().iter().any(|(at, _)| *at == place), "of another journal");
}

#[test]
fn only_a_trusted_witness_is_asked_and_only_its_signature_taken() {
    let one = Witnessing::new();
    one.fixture.fill(0, 1);
    let stranger = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let https = Https::new(&one.url, Some(stranger.cert.pem().as_bytes())).unwrap();
    let error = one.fixture.reader().witness(&key(), &mut |text| https.send(text)).unwrap_err();
    assert!(matches!(error, JournalError::Unreachable { .. }), "{error}");
    for url in ["http://localhost/w", "localhost"] {
        assert!(matches!(Https::new(url, None), Err(JournalError::BadSetting { .. })));
    }
    let answers = [(200, String::new()), (200, "— x AAAAAAAA\n".to_owned()), (500, String::new())];
    for answer in answers {
        let error = one.fixture.reader().witness(&key(), &mut |_| Ok(answer.clone())).unwrap_err();
        assert!(matches!(error, JournalError::Witness { .. }), "{error}");
    }
    assert_eq!(one.fixture.reader().witnessed().unwrap().len(), 0);
}

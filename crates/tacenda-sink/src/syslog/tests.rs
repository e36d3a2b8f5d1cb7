//! Against listeners of the test's own.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tacenda_policy::Host;

use super::*;
use crate::Output;

fn header(format: SyslogFormat) -> Header {
    Header { facility: Facility::Local3, format, program: "my app".to_owned() }
}

fn host(port: u16) -> Host {
    Host { name: "127.0.0.1".to_owned(), port }
}

fn record(text: &str) -> Record {
    Record::new(text.as_bytes(), Some(Output::Stderr))
}

/// What is before the message, as RFC 5424 has it: seven fields.
fn fields(message: &str) -> Vec<&str> {
    message.splitn(8, ' ').collect()
}

#[test]
fn a_message_is_one_of_rfc_5424() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let server = UnixDatagram::bind(&path).unwrap();
    let mut sink =
        SyslogSink::open(&SyslogServer::Socket(path), &header(SyslogFormat::Rfc5424), None)
            .unwrap();
    sink.write(&[record("ERROR it failed\tbadly"), record("ready")]).unwrap();
    let mut block = [0; 4096];
    let count = server.recv(&mut block).unwrap();
    let message = str::from_utf8(&block[..count]).unwrap();
    let all = fields(message);
    let process = std::process::id().to_string();
    // local3 is 19, error is 3.
    assert_eq!(all[0], "<155>1", "{message}");
    assert!(all[1].parse::<jiff::Timestamp>().is_ok() && all[1].len() == 27, "{message}");
    assert!(!all[2].is_empty() && all[2] != "-", "{message}");
    assert_eq!(all[3..], ["my_app", &process, "stderr", "-", "ERROR it failed\tbadly"]);
    let count = server.recv(&mut block).unwrap();
    assert!(block[..count].starts_with(b"<158>1 "), "info where no level is named");
}

#[test]
fn the_older_format_is_that_of_local_daemons() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let server = UnixDatagram::bind(&path).unwrap();
    let mut sink =
        SyslogSink::open(&SyslogServer::Socket(path), &header(SyslogFormat::Rfc3164), None)
            .unwrap();
    sink.write(&[record("ready")]).unwrap();
    let mut block = [0; 4096];
    let count = server.recv(&mut block).unwrap();
    let message = str::from_utf8(&block[..count]).unwrap();
    // <PRI>Mmm dd hh:mm:ss TAG: CONTENT
    let rest = message.strip_prefix("<158>").unwrap();
    assert_eq!(rest.as_bytes()[15], b' ', "{message}");
    assert_eq!(rest[16..], format!("my_app[{}]: ready", std::process::id()));
}

#[test]
fn a_daemon_that_is_not_there_is_an_error_and_one_that_comes_back_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let server = SyslogServer::Socket(path.clone());
    let open = || SyslogSink::open(&server, &header(SyslogFormat::Rfc5424), None);
    assert!(matches!(open(), Err(SyslogError::System(_))));
    let first = UnixDatagram::bind(&path).unwrap();
    let mut sink = open().unwrap();
    drop(first);
    std::fs::remove_file(&path).unwrap();
    let refusal = sink.write(&[record("lost?")]).unwrap_err();
    assert_eq!((refusal.taken, refusal.retry), (0, Retry::Later));
    let second = UnixDatagram::bind(&path).unwrap();
    sink.write(&[record("back")]).unwrap();
    let mut block = [0; 4096];
    let count = second.recv(&mut block).unwrap();
    assert!(block[..count].ends_with(b" back"));
}

#[test]
fn over_udp_a_long_record_is_several_messages() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let to = host(server.local_addr().unwrap().port());
    let server_of = SyslogServer::Remote(SyslogTransport::Udp, to);
    let mut sink = SyslogSink::open(&server_of, &header(SyslogFormat::Rfc5424), None).unwrap();
    let long: String = "éà".repeat(1500);
    sink.write(&[record(&long)]).unwrap();
    let (mut block, mut text) = (vec![0; 65536], String::new());
    while text.len() < long.len() {
        let count = server.recv(&mut block).unwrap();
        assert!(count <= LONGEST_DATAGRAM);
        let message = str::from_utf8(&block[..count]).unwrap();
        text.push_str(fields(message)[7]);
    }
    assert_eq!(text, long);
}

/// The messages of a connection, as RFC 6587 counts them.
fn counted(mut bytes: &[u8]) -> Vec<String> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ').unwrap();
        let length: usize = str::from_utf8(&bytes[..space]).unwrap().parse().unwrap();
        let message = &bytes[space + 1..][..length];
        messages.push(String::from_utf8(message.to_vec()).unwrap());
        bytes = &bytes[space + 1 + length..];
    }
    messages
}

#[test]
fn over_tcp_octets_are_counted_and_a_server_that_has_gone_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = host(listener.local_addr().unwrap().port());
    let server = SyslogServer::Remote(SyslogTransport::Tcp, to);
    let mut sink = SyslogSink::open(&server, &header(SyslogFormat::Rfc5424), None).unwrap();
    sink.write(&[record("one"), record("two é")]).unwrap();
    let (mut first, _) = listener.accept().unwrap();
    let mut block = [0; 4096];
    let mut bytes = Vec::new();
    while counted_len(&bytes) < 2 {
        let count = first.read(&mut block).unwrap();
        bytes.extend_from_slice(&block[..count]);
    }
    let messages = counted(&bytes);
    assert!(messages[0].ends_with(" one") && messages[1].ends_with(" two é"), "{messages:?}");
    // A server says nothing; if one does, it is not taken for an end.
    first.write_all(b"x").unwrap();
    drop(first);
    // Until the end has arrived: nothing else tells.
    for _ in 0..1000 {
        if sink.connection.as_mut().unwrap().has_ended().unwrap_or(true) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    sink.write(&[record("three")]).unwrap();
    let (mut second, _) = listener.accept().unwrap();
    drop(sink);
    let mut bytes = Vec::new();
    second.read_to_end(&mut bytes).unwrap();
    let messages = counted(&bytes);
    assert!(messages.len() == 1 && messages[0].ends_with(" three"), "{messages:?}");
}

/// Whole messages in what has come.
fn counted_len(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    usize::from(text.contains(" one")) + usize::from(text.contains(" two é"))
}

#[test]
fn a_server_that_is_away_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = host(listener.local_addr().unwrap().port());
    drop(listener);
    let server = SyslogServer::Remote(SyslogTransport::Tcp, to);
    let mut sink = SyslogSink::open(&server, &header(SyslogFormat::Rfc5424), None).unwrap();
    let refusal = sink.write(&[record("one")]).unwrap_err();
    assert_eq!((refusal.taken, refusal.retry), (0, Retry::Later));
    assert_eq!(refusal.why, "connection refused");
}

#[test]
fn a_message_that_is_too_long_is_skipped_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let server = UnixDatagram::bind(&path).unwrap();
    let mut sink =
        SyslogSink::open(&SyslogServer::Socket(path), &header(SyslogFormat::Rfc5424), None)
            .unwrap();
    let Some(Connection::Socket(socket)) = &sink.connection else { panic!("it is open") };
    // The system gives what it has at least, which is less than our longest message.
    rustix::net::sockopt::set_socket_send_buffer_size(socket, 1).unwrap();
    sink.longest = LONGEST;
    let records = [record("one"), record(&"x".repeat(8000)), record("three")];
    let refusal = sink.write(&records).unwrap_err();
    assert_eq!((refusal.taken, refusal.retry), (1, Retry::Skip));
    sink.write(&records[2..]).unwrap();
    let mut block = [0; 4096];
    for expected in [" one", " three"] {
        let count = server.recv(&mut block).unwrap();
        assert!(block[..count].ends_with(expected.as_bytes()));
    }
}

#[cfg(feature = "tls")]
mod tls {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use rcgen::{CertificateParams, DnType, KeyPair};
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::server::WebPkiClientVerifier;

    use super::*;

    /// A certificate that is signed with its own key.
    fn certificate(subject: &str, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, subject);
        (parameters.self_signed(&key).unwrap(), key)
    }

    /// A server with a certificate of this subject for this name, and what it has read when all has come: none if
    /// the end was not said.
    fn server(
        subject: &str,
        name: &str,
    ) -> (u16, CertificateDer<'static>, std::thread::JoinHandle<Option<Vec<u8>>>) {
        server_for(subject, name, None)
    }

    /// One that lets in only who shows this certificate.
    fn server_for(
        subject: &str,
        name: &str,
        client: Option<&CertificateDer<'static>>,
    ) -> (u16, CertificateDer<'static>, std::thread::JoinHandle<Option<Vec<u8>>>) {
        let (cert, key) = certificate(subject, name);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = crate::trust::provider();
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = match client {
            None => config.with_no_client_auth(),
            Some(client) => {
                let mut roots = rustls::RootCertStore::empty();
                roots.add(client.clone()).unwrap();
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let config = config.with_single_cert(vec![cert.der().clone()], key).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let session = rustls::ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, stream);
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).ok().map(|_| bytes)
        });
        (port, cert.der().clone(), thread)
    }

    fn sink(port: u16, trusted: CertificateDer<'static>) -> SyslogSink {
        sink_of(port, trusted, None)
    }

    fn sink_of(
        port: u16,
        trusted: CertificateDer<'static>,
        identity: Option<&Identity>,
    ) -> SyslogSink {
        let config = crate::trust::client(vec![trusted], identity).unwrap();
        let name = "127.0.0.1".try_into().unwrap();
        let header = message::Prepared::new(&header(SyslogFormat::Rfc5424));
        let way = Way::Tls(host(port), name, config);
        SyslogSink { way, longest: LONGEST, header, connection: None }
    }

    /// The files of an identity.
    fn identity(directory: &Path, certificate: &str, key: &str) -> Identity {
        let (cert, own) = (directory.join("own.pem"), directory.join("own.key"));
        std::fs::write(&cert, certificate).unwrap();
        std::fs::write(&own, key).unwrap();
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o600)).unwrap();
        Identity { certificate: cert, key: own }
    }

    #[test]
    fn a_server_that_asks_for_a_certificate_gets_one() {
        let directory = tempfile::tempdir().unwrap();
        let (cert, key) = certificate("client", "client.example");
        let own = identity(directory.path(), &cert.pem(), &key.serialize_pem());
        let (port, trusted, server) = server_for("a", "127.0.0.1", Some(cert.der()));
        let mut sink = sink_of(port, trusted, Some(&own));
        sink.write(&[record("one")]).unwrap();
        drop(sink);
        assert!(counted(&server.join().unwrap().expect("the end is said"))[0].ends_with(" one"));
    }

    #[test]
    fn a_server_that_does_not_get_its_certificate_takes_nothing_and_says_why() {
        let (cert, _) = certificate("client", "client.example");
        let (port, trusted, server) = server_for("a", "127.0.0.1", Some(cert.der()));
        let mut sink = sink(port, trusted);
        let first = sink.write(&[record("one")]);
        assert_eq!(server.join().unwrap(), None);
        // It may say so during the handshake or after it.
        let refusal = first.and_then(|()| sink.write(&[record("two")])).unwrap_err();
        assert_eq!((refusal.taken, refusal.retry), (0, Retry::Later));
        assert_eq!(refusal.why, "the server asks for a certificate of ours");
    }

    #[test]
    fn an_identity_that_is_none_is_refused_with_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let (cert, key) = certificate("client", "client.example");
        let (_, other) = certificate("other", "client.example");
        let refused = |certificate: &str, key: &str| {
            let own = identity(directory.path(), certificate, key);
            crate::trust::client(vec![cert.der().clone()], Some(&own)).unwrap_err().to_string()
        };
        let (pem, private) = (cert.pem(), key.serialize_pem());
        assert!(refused("none", &private).ends_with("own.pem: there is no certificate in it"));
        assert!(refused(&pem, "none").ends_with("own.key: there is no private key in it"));
        let pair = "the certificate and the private key do not belong together";
        assert_eq!(refused(&pem, &other.serialize_pem()), pair);

        let own = identity(directory.path(), &pem, &private);
        std::fs::set_permissions(&own.key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = crate::trust::client(vec![cert.der().clone()], Some(&own)).unwrap_err();
        assert!(error.to_string().ends_with("own.key: others may read the private key"));
        std::fs::remove_file(&own.certificate).unwrap();
        let error = crate::trust::client(vec![cert.der().clone()], Some(&own)).unwrap_err();
        assert!(error.to_string().ends_with("own.pem: no such file or directory"), "{error}");
    }

    #[test]
    fn over_tls_the_records_arrive_and_the_end_is_said() {
        let (port, certificate, server) = server("a", "127.0.0.1");
        let mut sink = sink(port, certificate);
        sink.write(&[record("one"), record("two")]).unwrap();
        sink.write(&[record("three")]).unwrap();
        drop(sink);
        let bytes = server.join().unwrap().expect("the end is said");
        let messages = counted(&bytes);
        assert!(messages.len() == 3 && messages[2].ends_with(" three"), "{messages:?}");
    }

    #[test]
    fn a_server_that_is_not_trusted_gets_nothing_and_is_not_quoted() {
        let (port, _, served) = server("a", "127.0.0.1");
        let (_, another, _unused) = server("b", "127.0.0.1");
        let refusal = sink(port, another).write(&[record("one")]).unwrap_err();
        assert_eq!((refusal.taken, refusal.retry), (0, Retry::Later));
        assert_eq!(refusal.why, "nobody who is trusted has signed the server's certificate");
        assert_eq!(served.join().unwrap(), None);

        let (port, certificate, served) = server("a", "name-of-the-peer.example");
        let refusal = sink(port, certificate).write(&[record("one")]).unwrap_err();
        assert_eq!(refusal.why, "the server's certificate is for another name");
        assert_eq!(served.join().unwrap(), None);
    }
}

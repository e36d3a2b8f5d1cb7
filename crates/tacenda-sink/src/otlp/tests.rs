//! Against an HTTP server of the test's own.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::Output;

/// The head and the body of a request.
type Asked = (String, Vec<u8>);

/// Answers requests one after another, each with one of these; gives what was asked.
fn server(answers: Vec<String>) -> (String, std::thread::JoinHandle<Vec<Asked>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let answer = |answer: String| {
            let (stream, _) = listener.accept().unwrap();
            let request = request(&stream);
            let close = "connection: close\r\n";
            let answer = answer.replacen("\r\n", &format!("\r\n{close}"), 1);
            (&stream).write_all(answer.as_bytes()).unwrap();
            request
        };
        answers.into_iter().map(answer).collect()
    });
    (url, thread)
}

fn request(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&lower);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

fn empty(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")
}

fn open(url: &str, variables: &[(&str, &str)]) -> Result<OtlpSink, OtlpError> {
    let variable = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    OtlpSink::open(Some(url), &Resource { program: "app".to_owned() }, &variable)
}

fn records(texts: &[&str]) -> Vec<Record> {
    texts.iter().map(|text| Record::new(text.as_bytes(), Some(Output::Stdout))).collect()
}

fn text_of(value: Option<&AnyValue>) -> &str {
    match value.and_then(|value| value.value.as_ref()) {
        Some(messages::Value::Text(text)) => text,
        _ => "",
    }
}

#[test]
fn records_arrive_with_their_level_output_and_resource() {
    let (url, server) = server(vec![empty("200 OK")]);
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20b"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=shop,deployment.environment.name=test"),
    ];
    let mut sink = open(&url, &variables).unwrap();
    sink.write(&records(&["WARNING low", "plain"])).unwrap();
    let (head, body) = server.join().unwrap().remove(0);
    for expected in [
        "post /v1/logs http/1.1\r\n",
        "content-type: application/x-protobuf\r\n",
        "content-encoding: gzip\r\n",
        "x-key: a b\r\n",
    ] {
        assert!(head.contains(expected), "{expected} {head}");
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut unpacked).unwrap();
    let request = ExportLogsServiceRequest::decode(unpacked.as_slice()).unwrap();
    let [logs] = &request.resource_logs[..] else { panic!("one resource") };
    let attributes = &logs.resource.as_ref().unwrap().attributes;
    let attribute = |key: &str| {
        text_of(attributes.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.as_ref()))
    };
    assert_eq!(attribute("service.name"), "shop");
    assert_eq!(attribute("deployment.environment.name"), "test");
    assert_ne!(attribute("host.name"), "");
    let [scope] = &logs.scope_logs[..] else { panic!("one scope") };
    let [low, plain] = &scope.log_records[..] else { panic!("two records") };
    assert_eq!((low.severity_number, low.severity_text.as_str()), (13, "WARNING"));
    assert_eq!(text_of(low.body.as_ref()), "WARNING low");
    assert_eq!(text_of(low.attributes[0].value.as_ref()), "stdout");
    assert_eq!((plain.severity_number, plain.severity_text.as_str()), (0, ""));
    assert!(plain.time_unix_nano > 1_600_000_000_000_000_000);
}

#[test]
fn what_may_be_tried_again_is_what_the_specification_says() {
    let statuses =
        ["429 Busy", "503 Away", "413 Large", "400 Bad", "401 No", "500 Error", "301 Moved"];
    let mut answers: Vec<String> = statuses.iter().map(|status| empty(status)).collect();
    answers[1] = answers[1].replace("\r\n\r\n", "\r\nretry-after: 7\r\n\r\n");
    answers[6] = answers[6].replace("\r\n\r\n", "\r\nlocation: http://127.0.0.1:1/\r\n\r\n");
    let (url, server) = server(answers);
    let mut sink = open(&url, &[]).unwrap();
    let retries = statuses.map(|_| sink.write(&records(&["a"])).unwrap_err().retry);
    let seven = Retry::After(Duration::from_secs(7));
    let never = Retry::Never;
    assert_eq!(retries, [Retry::Later, seven, Retry::Skip, never, never, never, never]);
    server.join().unwrap();
}

#[test]
fn what_is_too_large_together_is_not_given_up() {
    let (url, server) = server(vec![empty("413 Large")]);
    let refusal = open(&url, &[]).unwrap().write(&records(&["a", "b"])).unwrap_err();
    assert_eq!((refusal.taken, refusal.retry), (0, Retry::Fewer));
    server.join().unwrap();
}

#[test]
fn a_file_without_a_certificate_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "secret").unwrap();
    let variable = ("OTEL_EXPORTER_OTLP_CERTIFICATE", file.path().to_str().unwrap());
    let error = open("https://127.0.0.1:1", &[variable]).err().unwrap().to_string();
    assert_eq!(error, "the file of OTEL_EXPORTER_OTLP_CERTIFICATE holds no certificate");
}

#[test]
fn rejected_records_are_counted() {
    let partial = messages::ExportLogsPartialSuccess { rejected_log_records: 2 };
    let answer = ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let answer = String::from_utf8(answer).unwrap();
    let length = answer.len();
    let (url, server) =
        server(vec![format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{answer}")]);
    let refusal = open(&url, &[]).unwrap().write(&records(&["a", "b", "c"])).unwrap_err();
    assert_eq!((refusal.taken, refusal.retry), (1, Retry::Never));
    server.join().unwrap();
}

#[test]
fn a_receiver_that_is_away_is_tried_again_and_not_quoted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/key-never-issued", listener.local_addr().unwrap());
    drop(listener);
    let refusal = open(&url, &[]).unwrap().write(&records(&["a"])).unwrap_err();
    assert_eq!(refusal.retry, Retry::Later);
    assert!(!refusal.why.contains("never-issued"), "{}", refusal.why);
}

#[test]
fn variables_that_cannot_be_are_named_and_not_quoted() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "secret"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "secret"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/secret"),
        ("OTEL_RESOURCE_ATTRIBUTES", "secret"),
    ] {
        let error = open("http://127.0.0.1:1", &[(name, value)]).err().unwrap().to_string();
        assert!(error.contains(name) && !error.contains("secret"), "{error}");
    }
}

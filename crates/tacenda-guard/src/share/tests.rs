use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use tacenda_detect::{Limits, ProtectedSpan, ProtectedValues, Share, Trail};
use tacenda_policy::Kind;

use super::{Client, Server, listen};

const PROMPT: &str = "My heron is the teal one, it hums at the canary wharf, north of tides";

fn values() -> ProtectedValues {
    ProtectedValues::new(Limits::default(), Box::new(|_| [1, 2, 3]))
}

/// The process that values enter, with its client.
fn process(paths: Vec<std::path::PathBuf>) -> (ProtectedValues, Arc<Client>) {
    let (values, client) = (values(), Arc::new(Client::new(paths)));
    values.share(Box::new(Arc::clone(&client)));
    (values, client)
}

fn spans(values: &ProtectedValues, text: &str) -> Vec<ProtectedSpan> {
    let mut spans = Vec::new();
    values.scan(text.as_bytes(), &mut Trail::default(), &mut spans);
    spans
}

fn finds(values: &ProtectedValues, text: &str) -> bool {
    !spans(values, text).is_empty()
}

/// A filter that listens, and lets processes connect while `during` runs in another thread.
fn while_listening<T: Send>(server: &mut Server<'_>, during: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(during);
        while !thread.is_finished() {
            server.catch_up();
            std::thread::yield_now();
        }
        thread.join().unwrap()
    })
}

#[test]
fn what_was_told_before_something_was_written_is_known_when_it_is_read() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let (process, client) = process(vec![path]);
    let first =
        while_listening(&mut server, || process.protect(PROMPT, Kind::Prompt, Some(20), true));
    assert!(first.is_some() && client.connected() == (1, 1));

    // From here on nobody listens until a byte has gone through the pipe.
    for n in 0..200 {
        let value = format!("value {n} of the heron that hums at the wharf {}", n * 7919);
        process.protect(&value, Kind::Prompt, None, false).unwrap();
        server.catch_up();
        assert!(finds(&filter, &value), "{n}");
    }
    server.catch_up();
    assert_eq!(spans(&filter, &PROMPT.to_uppercase()), spans(&process, &PROMPT.to_uppercase()));
}

#[test]
fn a_value_goes_when_it_is_released_and_all_has_been_looked_at() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let (process, _client) = process(vec![path]);
    let protect = || process.protect(PROMPT, Kind::Prompt, None, true).unwrap();
    let id = while_listening(&mut server, protect);
    process.release(id, Duration::ZERO);
    server.catch_up();
    server.expire(false);
    assert!(finds(&filter, PROMPT), "what was written before has not been looked at");
    server.expire(true);
    assert!(!finds(&filter, PROMPT));
    // The next value is another one.
    process.protect(PROMPT, Kind::Prompt, None, false).unwrap();
    server.catch_up();
    assert!(finds(&filter, PROMPT));
}

#[test]
fn a_completion_is_known_while_it_grows() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let (process, _client) = process(vec![path]);
    let mut words = PROMPT.split_inclusive(' ');
    let id = while_listening(&mut server, || {
        let id = process.open_completion();
        process.extend_completion(id, words.next().unwrap());
        id
    });
    words.for_each(|word| process.extend_completion(id, word));
    server.catch_up();
    assert!(finds(&filter, PROMPT));
    process.close_completion(id);
    server.catch_up();
    let value = spans(&filter, PROMPT)[0].value.clone().unwrap();
    assert_eq!((value.kind, value.chars, value.tokens), (Kind::Completion, 69, Some(15)));
    assert_eq!(value.fingerprint, [1, 2, 3]);
}

#[test]
fn what_a_process_held_outlives_it() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    while_listening(&mut server, || {
        let (process, _client) = process(vec![path]);
        process.protect(PROMPT, Kind::Prompt, None, true).unwrap();
    });
    server.catch_up();
    server.expire(true);
    assert!(finds(&filter, PROMPT), "its children may still write it");
}

#[test]
fn a_successor_is_told_of_what_is_in_use() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let (process, client) = process(vec![path]);
    let held = "what a request holds, and nobody names again while it is served";
    let id = while_listening(&mut server, || {
        process.protect(held, Kind::Prompt, None, true);
        process.open_completion()
    });
    process.extend_completion(id, &PROMPT[..30]);
    let listener = server.close().unwrap();
    assert!(finds(&filter, &PROMPT[..30]), "what was sent before the end is taken in");

    let next = values();
    next.adopt(&filter.shared_key());
    let mut server = Server::new(&next, listener).unwrap();
    while_listening(&mut server, || process.extend_completion(id, &PROMPT[30..]));
    server.catch_up();
    assert!(finds(&next, PROMPT), "all of the completion, not its last part only");
    assert!(finds(&next, held), "and what is held");
    assert_eq!(client.connected(), (1, 1));
}

#[test]
fn without_a_filter_the_process_goes_on() {
    let (process, client) = process(vec!["/nowhere/values".into()]);
    process.protect(PROMPT, Kind::Prompt, None, true).unwrap();
    assert!(finds(&process, PROMPT));
    assert_eq!(client.connected(), (0, 1));
}

#[test]
fn a_filter_with_another_key_is_none() {
    let (one, other) = (values(), values());
    let (_directory, first, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&one, listener).unwrap();
    let (_directory, second, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut stranger = Server::new(&other, listener).unwrap();
    let (process, client) = process(vec![first, second]);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| process.protect(PROMPT, Kind::Prompt, None, true));
        while !thread.is_finished() {
            server.catch_up();
            stranger.catch_up();
        }
    });
    server.catch_up();
    assert!(finds(&one, PROMPT) && !finds(&other, PROMPT));
    assert_eq!(client.connected(), (1, 2));
}

#[test]
fn a_descriptor_that_is_somebody_elses_now_is_not_written_to() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let client = Client::new(Vec::new());
    client.add("/nowhere/values".into(), &ours, values().shared_key());
    let (mine, mut reader) = UnixStream::pair().unwrap();
    client.replace_descriptor(mine);
    assert_eq!(client.audience(), 0, "nobody, for nobody is at its place");
    let process = values();
    process.share(Box::new(client));
    process.protect(PROMPT, Kind::Prompt, None, true).unwrap();
    reader.set_nonblocking(true).unwrap();
    let read = std::io::Read::read(&mut reader, &mut [0; 8]);
    assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    drop(theirs);
}

#[test]
fn what_is_no_frame_ends_the_connection_alone() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let mut stranger = UnixStream::connect(&path).unwrap();
    std::io::Write::write_all(&mut stranger, &[0xff; 4096]).unwrap();
    let (process, _client) = process(vec![path]);
    while_listening(&mut server, || process.protect(PROMPT, Kind::Prompt, None, true));
    server.catch_up();
    assert!(finds(&filter, PROMPT));
    // The greeting, then the end.
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut stranger, &mut rest);
    assert!(rest.len() < 64);
}

fn bounded(max_bytes: usize, expire: Duration) -> ProtectedValues {
    let limits = Limits { max_bytes, expire, ..Limits::default() };
    ProtectedValues::new(limits, Box::new(|_| [0; 3]))
}

fn long_value(n: u32) -> String {
    let word = |word: u32| format!("{:x} ", (n * 1000 + word).wrapping_mul(2_654_435_761));
    (0..200).map(word).collect::<Vec<_>>().concat()
}

#[test]
fn what_a_process_knows_is_found_beyond_the_bound() {
    let filter = bounded(1000, Duration::from_secs(60));
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let (process, _client) = process(vec![path]);
    for (n, held) in [(1, true), (2, false), (3, true), (4, false)] {
        while_listening(&mut server, || {
            process.protect(&long_value(n), Kind::Prompt, None, held).unwrap();
        });
    }
    server.catch_up();
    server.expire(true);
    for n in 1..=4 {
        assert!(finds(&filter, &long_value(n)), "{n}");
    }
}

#[test]
fn what_a_process_lets_go_for_want_of_memory_goes_here_too() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let (process, client) = (bounded(100_000, Duration::from_secs(60)), Client::new(vec![path]));
    process.share(Box::new(client));
    while_listening(&mut server, || {
        for n in 0..20 {
            process.protect(&long_value(n), Kind::Prompt, None, false).unwrap();
        }
    });
    server.catch_up();
    server.expire(true);
    assert!(process.usage().evicted > 0);
    assert_eq!(filter.usage().values, process.usage().values);
    // So small a table doubles, and here it had more to hold before the others went.
    assert!(filter.usage().bytes <= process.usage().bytes * 2);
}

#[test]
fn when_memory_is_short_what_nobody_knows_any_more_goes() {
    let filter = bounded(100_000, Duration::from_secs(60));
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    for n in 0..20 {
        while_listening(&mut server, || {
            let (process, _client) = process(vec![path.clone()]);
            process.protect(&long_value(n), Kind::Prompt, None, true).unwrap();
        });
        server.catch_up();
        assert!(finds(&filter, &long_value(n)));
    }
    assert!(filter.usage().bytes <= 100_000, "{:?}", filter.usage());
}

#[test]
fn what_has_expired_here_is_told_anew_when_it_is_held() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let (process, client) = (bounded(1 << 20, Duration::ZERO), Client::new(vec![path]));
    process.share(Box::new(client));
    let id = while_listening(&mut server, || process.protect(PROMPT, Kind::Prompt, None, false));
    server.catch_up();
    server.expire(true);
    assert!(!finds(&filter, PROMPT));
    process.hold(id.unwrap());
    server.catch_up();
    assert!(finds(&filter, PROMPT));
}

#[test]
fn a_filter_that_has_ended_is_missed_before_it_is_needed() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let client = Client::new(Vec::new());
    client.add("/nowhere/values".into(), &ours, values().shared_key());
    drop(ours);
    assert_eq!(client.connected(), (1, 1));
    drop(theirs);
    assert_eq!(client.connected(), (0, 1));
}

#[test]
fn who_tells_much_does_not_wait_for_a_pause() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let (process, _client) = process(vec![path]);
    while_listening(&mut server, || process.protect(PROMPT, Kind::Prompt, None, true));
    let long: String = (0..60).map(long_value).collect();
    process.protect(&long[..12_000], Kind::Prompt, None, true).unwrap();
    server.catch_up();
    assert_eq!(server.fds().count(), 2, "the listener and the process");
}

#[test]
fn who_connects_does_not_wait_for_the_end_of_a_pause() {
    let filter = values();
    let (_directory, path, listener) = listen(&std::env::temp_dir()).unwrap();
    let mut server = Server::new(&filter, listener).unwrap();
    let (process, _client) = process(vec![path]);
    while_listening(&mut server, || process.protect(PROMPT, Kind::Prompt, None, true));
    server.catch_up();
    process.protect("and what the tide has left behind on the sand", Kind::Prompt, None, true);
    server.catch_up();
    assert_eq!(server.fds().count(), 1, "the listener alone");
}

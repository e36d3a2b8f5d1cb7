use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::support::{Fixture, numbers, options, record};
use crate::{Cause, Durability, Filter, Hold};

/// The messages of all records, in order.
fn messages(fixture: &Fixture) -> Vec<String> {
    let mut all = Vec::new();
    let read = fixture.reader().each(&Filter::default(), &mut |seen| {
        all.push(seen.record.field("message").unwrap().as_str().unwrap().to_owned());
        true
    });
    read.unwrap();
    all
}

fn open(fixture: &Fixture) -> Appender {
    Appender::open(&fixture.path(), &options()).unwrap()
}

#[test]
fn one_owns_the_journal_and_the_next_takes_its_place() {
    let fixture = Fixture::new();
    let (first, second) = (open(&fixture), open(&fixture));
    assert_eq!((first.is_owner(), second.is_owner()), (true, false));
    assert_eq!(second.append_all(vec![record(0), record(1)]).unwrap(), Some(0));
    assert_eq!(first.append_all(vec![record(2)]).unwrap(), Some(2));
    second.rotate().unwrap();
    assert_eq!(fixture.reader().segments().count(), 1);
    first.close().unwrap();
    assert!(!fixture.path().join(SOCKET).exists());
    assert_eq!(second.append_all(vec![record(3)]).unwrap(), Some(3));
    assert!(second.is_owner());
    let third = open(&fixture);
    third.append_all(vec![record(4)]).unwrap();
    drop((second, third));
    let expected: Vec<String> = (0..5).map(|number| format!("record {number}")).collect();
    assert_eq!(messages(&fixture), expected);
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn what_is_not_fit_is_told_to_who_sent_it() {
    let fixture = Fixture::new();
    let (owner, guest) = (open(&fixture), open(&fixture));
    let long = Record { level: "x".repeat(70_000), ..record(1) };
    let error = guest.append_all(vec![record(0), long]).unwrap_err();
    assert!(matches!(error, JournalError::BadRecord { .. }), "{error}");
    let forged = b"{\"message\":1}\n{\"seq\":7,\"message\":2}".to_vec();
    let forged = Record { fields: [Some(forged), None, None, None], ..record(1) };
    for appender in [&owner, &guest] {
        let error = appender.append_all(vec![forged.clone()]).unwrap_err();
        assert!(error.to_string().contains("no JSON object"), "{error}");
    }
    // Nor does the owner take it from who does not look.
    let request = Request::Append(std::slice::from_ref(&forged)).to_bytes();
    assert_eq!(frame::Asked::parse(request[1], &request[6..]), None);
    assert_eq!(guest.append_all(vec![record(0)]).unwrap(), Some(0));
    drop((guest, owner));
    assert_eq!(messages(&fixture), ["record 0"]);
}

#[test]
fn a_journal_is_lent_to_who_asks_for_it_and_nobody_misses_a_record() {
    let fixture = Fixture::with(|settings| settings.limits.interval_ms = 3_600_000);
    let (stop, begin) = (AtomicBool::new(false), Barrier::new(4));
    let written: Vec<u64> = thread::scope(|scope| {
        let writers: Vec<_> = (0..3_u64)
            .map(|writer| {
                let (fixture, stop, begin) = (&fixture, &stop, &begin);
                scope.spawn(move || {
                    let appender = open(fixture);
                    begin.wait();
                    let mut count = 0;
                    while !stop.load(Ordering::Relaxed) {
                        appender.append_all(vec![record(writer * 1_000_000 + count)]).unwrap();
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        begin.wait();
        for name in ["a", "b", "c"] {
            let journal = Journal::take_over(&fixture.path(), &options()).unwrap();
            let cause = Cause { reason: "a test".into(), who: "ines".into() };
            let hold = Hold { name: name.into(), times: (0, i64::MAX) };
            journal.hold(hold, cause).unwrap();
            journal.close().unwrap();
            // They go on.
            let before = fixture.reader().segments().count();
            while fixture.reader().active().unwrap().is_none_or(|(records, _)| records == 0)
                && fixture.reader().segments().count() == before
            {
                thread::yield_now();
            }
        }
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let expected: BTreeSet<String> = (0..3_u64)
        .zip(&written)
        .flat_map(|(writer, count)| {
            (0..*count).map(move |number| format!("record {}", writer * 1_000_000 + number))
        })
        .collect();
    let read = messages(&fixture);
    assert_eq!(read.len(), expected.len(), "once each");
    assert_eq!(read.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(fixture.reader().holds().count(), 3);
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn who_writes_alone_is_waited_for() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let folder = Folder::root(&fixture.path(), false, &[crate::Place::Temporary], None).unwrap();
    assert!(Client::connect(&folder, options().patience).is_none());
    thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let appender = open(&fixture);
            appender.append_all(vec![record(1)]).unwrap();
        });
        journal.append(record(0)).unwrap();
        journal.close().unwrap();
        appending.join().unwrap();
    });
    assert_eq!(messages(&fixture), ["record 0", "record 1"]);
}

#[test]
fn guests_wait_while_the_disk_does() {
    let fixture = Fixture::with(|settings| settings.durability = Durability::Record);
    let (slow, gate) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(())));
    let (switch, closed) = (Arc::clone(&slow), Arc::clone(&gate));
    let fault = move |step: crate::Step| {
        if step == crate::Step::Sync && switch.load(Ordering::Relaxed) {
            drop(lock(&closed));
        }
        Ok(())
    };
    let options = Options { fault: Some(Arc::new(fault)), ..options() };
    let owner = Appender::open(&fixture.path(), &options).unwrap();
    let guest = open(&fixture);
    guest.append_all(vec![record(0)]).unwrap();
    let acknowledged = AtomicBool::new(false);
    thread::scope(|scope| {
        let held = lock(&gate);
        slow.store(true, Ordering::Relaxed);
        scope.spawn(|| {
            guest.append_all(vec![record(1)]).unwrap();
            acknowledged.store(true, Ordering::Relaxed);
        });
        thread::sleep(Duration::from_millis(50));
        assert!(!acknowledged.load(Ordering::Relaxed), "it is not on the disk");
        slow.store(false, Ordering::Relaxed);
        drop(held);
    });
    assert!(acknowledged.load(Ordering::Relaxed));
    drop((guest, owner));
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), [0, 1]);
}

#[test]
fn an_owner_whose_disk_fails_hands_over_and_says_so() {
    let fixture = Fixture::with(|settings| settings.durability = Durability::Record);
    let fails = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&fails);
    let fault = move |step: crate::Step| {
        let fails = step == crate::Step::Sync && switch.load(Ordering::Relaxed);
        if fails { Err(std::io::ErrorKind::Other.into()) } else { Ok(()) }
    };
    let options = Options { fault: Some(Arc::new(fault)), ..options() };
    let owner = Appender::open(&fixture.path(), &options).unwrap();
    let guest = open(&fixture);
    guest.append_all(vec![record(0)]).unwrap();
    fails.store(true, Ordering::Relaxed);
    let error = guest.append_all(vec![record(1)]).unwrap_err();
    assert!(matches!(error, JournalError::Owner { .. }), "{error}");
    // The next to come owns it: the guest, whose disk does not fail.
    guest.append_all(vec![record(2)]).unwrap();
    assert_eq!((owner.is_owner(), guest.is_owner()), (false, true));
    fails.store(false, Ordering::Relaxed);
    owner.append_all(vec![record(3)]).unwrap();
    drop((owner, guest));
    let read = messages(&fixture);
    for number in [0, 2, 3] {
        assert!(read.contains(&format!("record {number}")), "{read:?}");
    }
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn who_is_hung_up_on_waits_before_the_next_try() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let listener = std::os::unix::net::UnixListener::bind(fixture.path().join(SOCKET)).unwrap();
    listener.set_nonblocking(true).unwrap();
    std::fs::set_permissions(
        fixture.path().join(SOCKET),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    thread::scope(|scope| {
        let appending = scope.spawn(|| {
            let appender = open(&fixture);
            appender.append_all(vec![record(0)]).unwrap();
        });
        let (over, mut tries) = (Instant::now() + Duration::from_millis(300), 0);
        while Instant::now() < over {
            tries += u32::from(listener.accept().is_ok());
        }
        assert!((2..30).contains(&tries), "{tries}");
        drop(listener);
        journal.close().unwrap();
        appending.join().unwrap();
    });
    assert_eq!(messages(&fixture), ["record 0"]);
}

/// Someone who appends through another owner, and has this much patience with it.
fn guest_of_one_who_has_ended(fixture: &Fixture, patience: Duration) -> Appender {
    let owner = open(fixture);
    let guest = Appender::open(&fixture.path(), &Options { patience, ..options() }).unwrap();
    guest.append_all(vec![record(0)]).unwrap();
    owner.close().unwrap();
    guest
}

/// Waits in vain, for about as long as it has patience.
fn wait_in_vain(work: impl Fn() -> Result<(), JournalError>, patience: Duration) {
    let begun = Instant::now();
    let error = work().unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
    let waited = begun.elapsed();
    assert!(patience <= waited && waited < 2 * patience + Duration::from_secs(5), "{waited:?}");
}

#[test]
fn an_owner_without_a_socket_is_not_waited_for_for_good() {
    let (fixture, patience) = (Fixture::new(), Duration::from_millis(200));
    let guest = guest_of_one_who_has_ended(&fixture, patience);
    let journal = fixture.open();
    wait_in_vain(|| guest.append_all(vec![record(1)]).map(drop), patience);
    wait_in_vain(|| guest.rotate(), patience);
    let options = Options { patience, ..options() };
    wait_in_vain(|| Appender::open(&fixture.path(), &options).map(drop), patience);
    journal.close().unwrap();
    guest.append_all(vec![record(2)]).unwrap();
    drop(guest);
    assert_eq!(messages(&fixture), ["record 0", "record 2"]);
}

#[test]
fn an_owner_that_takes_nobody_in_is_not_waited_for_for_good() {
    use std::os::unix::net::{UnixListener, UnixStream};
    let (fixture, patience) = (Fixture::new(), Duration::from_millis(200));
    let guest = guest_of_one_who_has_ended(&fixture, patience);
    let journal = fixture.open();
    let socket = fixture.path().join(SOCKET);
    let listener = UnixListener::bind(&socket).unwrap();
    // One that waits is enough: the next is not let in.
    rustix::net::listen(&listener, 0).unwrap();
    let _waits = UnixStream::connect(&socket).unwrap();
    wait_in_vain(|| guest.append_all(vec![record(1)]).map(drop), patience);
    drop(listener);
    journal.close().unwrap();
    guest.append_all(vec![record(2)]).unwrap();
    drop(guest);
    assert_eq!(messages(&fixture), ["record 0", "record 2"]);
}

#[test]
fn a_message_that_comes_byte_by_byte_has_its_time() {
    use std::io::{Read as _, Write as _};
    let (one, mut other) = std::os::unix::net::UnixStream::pair().unwrap();
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..20 {
                other.write_all(b"x").unwrap();
                thread::sleep(Duration::from_millis(20));
            }
        });
        let over = begun + Duration::from_millis(100);
        server::Until { stream: &one, over }.read_exact(&mut [0; 20]).unwrap_err();
        assert!(begun.elapsed() < Duration::from_millis(300));
    });
}

#[test]
fn a_request_that_was_begun_has_its_time() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    let fixture = Fixture::new();
    let owner = open(&fixture);
    let connect = || {
        let stream = UnixStream::connect(fixture.path().join(SOCKET)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    };
    let (mut silent, mut stopped) = (connect(), connect());
    stopped.write_all(&[1, 1, 0]).unwrap();
    assert_eq!(stopped.read(&mut [0]).unwrap(), 0, "it is hung up on");
    // Who has asked nothing yet is not.
    silent.write_all(&Request::Append(&[record(0)]).to_bytes()).unwrap();
    assert_eq!(Reply::read(&mut silent).unwrap(), Reply::Done(0));
    drop(owner);
}

#[test]
fn who_ends_has_answered_all_that_it_wrote() {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;
    let fixture = Fixture::new();
    let owner = open(&fixture);
    let mut guest = UnixStream::connect(fixture.path().join(SOCKET)).unwrap();
    // Asks until nobody reads it: the owner waits for its answers to be taken.
    guest.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let request = Request::Append(&[record(0)]).to_bytes();
    while guest.write_all(&request).is_ok() {}
    let reads = AtomicBool::new(false);
    let answered = thread::scope(|scope| {
        let closing = scope.spawn(|| {
            owner.close().unwrap();
            assert!(reads.load(Ordering::Relaxed), "it could have ended without an answer");
        });
        thread::sleep(Duration::from_millis(50));
        reads.store(true, Ordering::Relaxed);
        let mut answered = 0;
        while let Ok(Reply::Done(_)) = Reply::read(&mut guest) {
            answered += 1;
        }
        closing.join().unwrap();
        answered
    });
    assert_eq!(messages(&fixture).len(), answered);
}

#[test]
fn who_comes_while_the_journal_is_borrowed_waits() {
    let fixture = Fixture::new();
    let journal = Journal::take_over(&fixture.path(), &options()).unwrap();
    let options = Options { patience: Duration::from_secs(1), ..options() };
    let guest = Appender::open(&fixture.path(), &options).unwrap();
    assert!(!guest.is_owner());
    thread::scope(|scope| {
        let appending = scope.spawn(|| guest.append_all(vec![record(1)]).unwrap());
        // Longer than one would be waited for who says nothing.
        thread::sleep(options.patience * 3 / 2);
        assert!(!appending.is_finished());
        journal.append(record(0)).unwrap();
        journal.close().unwrap();
        assert_eq!(appending.join().unwrap(), Some(1));
    });
    assert!(guest.is_owner() && fixture.path().join(SOCKET).exists());
    drop(guest);
    assert_eq!(messages(&fixture), ["record 0", "record 1"]);
}

#[test]
fn the_socket_is_private_and_its_peer_has_to_be_of_the_same_user() {
    use std::os::unix::fs::MetadataExt as _;
    let fixture = Fixture::new();
    let owner = open(&fixture);
    let socket = fixture.path().join(SOCKET);
    assert_eq!(std::fs::metadata(&socket).unwrap().mode() & 0o777, 0o600);
    let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let own = rustix::process::geteuid().as_raw();
    assert!(server::is_of(&one, own));
    #[cfg(target_os = "linux")]
    assert!(!server::is_of(&one, own + 1));
    // Who sends what is no request is not answered.
    let mut stranger = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    std::io::Write::write_all(&mut stranger, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // Hung up on, perhaps with something unread.
    let _ = std::io::Read::read_to_end(&mut stranger, &mut answer);
    assert!(answer.is_empty());
    owner.append_all(vec![record(0)]).unwrap();
}

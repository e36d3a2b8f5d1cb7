use crate::support::{Fixture, options};
use crate::{Cause, Filter, Journal, JournalError};

#[test]
fn a_rewritten_segment_that_is_damaged_is_left_as_it_is() {
    let fixture = Fixture::new();
    fixture.fill(0, 5);
    let name = fixture.path().join("segments/0000000000.parquet");
    let whole = std::fs::read(&name).unwrap();
    let journal = fixture.open();
    let cause = Cause { reason: "a test".into(), who: "ines".into() };
    let filter = Filter { numbers: Some((1, 1)), ..Filter::default() };
    journal.erase(&fixture.reader(), &filter, &cause).unwrap();
    journal.close().unwrap();
    // Noted, not renamed, and a bit of it has turned.
    let erasing = name.with_extension("parquet.erasing");
    let mut damaged = std::fs::read(&name).unwrap();
    damaged[100] ^= 1;
    std::fs::copy(&name, &erasing).unwrap();
    std::fs::write(&erasing, &damaged).unwrap();
    let written = std::fs::read(&name).unwrap();
    std::fs::write(&name, &whole).unwrap();
    let error = Journal::open(&fixture.path(), &options()).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    assert!(std::fs::read(&name).unwrap() == whole && std::fs::read(&erasing).unwrap() == damaged);
    // Where the noted one is in its place, the other is a left-over.
    std::fs::write(&name, &written).unwrap();
    Journal::open(&fixture.path(), &options()).unwrap().close().unwrap();
    assert!(std::fs::read(&name).unwrap() == written && !erasing.exists());
}

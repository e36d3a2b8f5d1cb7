//! What a hold keeps, in a journal whose log somebody else has gone on with.

use tacenda_policy::Class;

use super::damage_tests::{add, cause};
use crate::entry::{Event, Written};
use crate::support::Fixture;

fn hold(fixture: &Fixture, name: &str) -> Event {
    let state = &fixture.reader().view.state;
    Event::Hold { name: name.into(), times: state.segments[&0].times.unwrap(), cause: cause() }
}

fn file(fixture: &Fixture) -> Written {
    let state = fixture.reader().view.state.segments[&0].clone();
    Written { sha256: state.sha256, bytes: state.bytes, tail: state.tail.unwrap() }
}

fn erase(fixture: &Fixture) -> Event {
    Event::Erase { segment: 0, records: vec![1], file: file(fixture), cause: cause() }
}

fn expire(fixture: &Fixture) -> Event {
    let classes = vec![Class::Internal];
    Event::Expire { segment: 0, classes, records: 1, file: file(fixture), cause: cause() }
}

fn delete(_: &Fixture) -> Event {
    Event::Delete { segments: (0, 0), records: 4, cause: cause() }
}

#[test]
fn what_a_hold_keeps_is_not_taken_out_by_an_entry() {
    let again = |fixture: &Fixture| hold(fixture, "case");
    let other = |fixture: &Fixture| hold(fixture, "other");
    let events: [fn(&Fixture) -> Event; 5] = [delete, erase, expire, other, again];
    for (number, event) in events.into_iter().enumerate() {
        for is_held in [false, true] {
            let fixture = Fixture::new();
            fixture.fill(0, 4);
            if is_held {
                add(&fixture, hold(&fixture, "case"));
            }
            let event = event(&fixture);
            let place = add(&fixture, event.clone());
            let found = fixture.verify().findings;
            let is_wrong = found.iter().any(|one| one.place == place);
            // One of another name holds, too.
            assert_eq!(is_wrong, is_held && number != 3, "{event:?}: {found:?}");
        }
    }
}

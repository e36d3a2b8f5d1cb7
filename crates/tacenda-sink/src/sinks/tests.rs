//! Sinks that take nothing, for a while or for good.

use std::sync::{Arc, Mutex};

use super::*;
use crate::{Refusal, Retry};

/// What a sink of the tests has taken, and why it takes nothing now.
#[derive(Clone, Default)]
struct Desk(Arc<Mutex<(Vec<String>, Option<Retry>)>>);

impl Desk {
    fn refuse(&self, retry: Option<Retry>) {
        self.0.lock().unwrap().1 = retry;
    }

    fn taken(&self) -> Vec<String> {
        self.0.lock().unwrap().0.clone()
    }
}

impl Sink for Desk {
    fn write(&mut self, records: &[Record]) -> Result<(), Refusal> {
        let mut desk = self.0.lock().unwrap();
        if let Some(retry) = desk.1 {
            return Err(Refusal { taken: 0, retry, why: "no room".to_owned() });
        }
        desk.0.extend(records.iter().map(|record| record.text.to_string()));
        Ok(())
    }
}

/// A sink that never comes back.
struct Stuck;

impl Sink for Stuck {
    fn write(&mut self, _: &[Record]) -> Result<(), Refusal> {
        loop {
            std::thread::park();
        }
    }
}

fn records(texts: &[&str]) -> Vec<Record> {
    texts.iter().map(|text| Record::new(text.as_bytes(), None)).collect()
}

fn queued(sink: Box<dyn Sink>, bytes: usize, wait: Duration) -> Sinks {
    let mut sinks = Sinks::default();
    sinks.queued("desk".to_owned(), sink, bytes, wait).unwrap();
    sinks
}

/// Waits until it holds: another thread is at work.
#[track_caller]
fn until(holds: impl Fn() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it does not come to hold");
}

#[test]
fn what_a_sink_loses_is_counted_and_told() {
    let desk = Desk::default();
    let mut sinks = Sinks::default();
    sinks.direct("desk".to_owned(), Box::new(desk.clone()));
    sinks.take(&records(&["a"]));
    desk.refuse(Some(Retry::Never));
    sinks.take(&records(&["b", "c"]));
    sinks.take(&records(&["d"]));
    desk.refuse(None);
    sinks.take(&records(&["e"]));
    assert_eq!(desk.taken(), ["a", "[tacenda: 3 records lost: no room]", "e"]);
    let loss = Loss { sink: "desk".to_owned(), records: 3, why: "no room".to_owned() };
    assert_eq!(sinks.finish(Duration::ZERO), [loss]);
}

#[test]
fn the_wait_at_the_end_is_cut_short_when_somebody_asks() {
    let mut sinks = queued(Box::new(Stuck), 1 << 20, Duration::from_secs(60));
    sinks.queued("too".to_owned(), Box::new(Stuck), 1 << 20, Duration::from_secs(60)).unwrap();
    sinks.take(&records(&["a", "b"]));
    let since = Instant::now();
    let mut asked = 0;
    let losses = sinks.finish_unless(Duration::from_secs(3600), || {
        asked += 1;
        asked == 3
    });
    assert!(since.elapsed() < Duration::from_secs(600), "the wait was not cut short");
    assert_eq!(losses.iter().map(|loss| loss.records).collect::<Vec<_>>(), [2, 2]);
    assert!(losses.iter().all(|loss| loss.why == "the wait for it was cut short"), "{losses:?}");
}

#[test]
fn one_that_fails_does_not_keep_others_from_their_records() {
    let (bad, good) = (Desk::default(), Desk::default());
    bad.refuse(Some(Retry::Never));
    let mut sinks = Sinks::default();
    sinks.direct("bad".to_owned(), Box::new(bad));
    sinks.direct("good".to_owned(), Box::new(good.clone()));
    sinks.take(&records(&["a"]));
    assert_eq!(good.taken(), ["a"]);
}

#[test]
fn what_was_refused_for_now_is_given_again_in_order() {
    let desk = Desk::default();
    desk.refuse(Some(Retry::Later));
    let mut sinks = queued(Box::new(desk.clone()), 1 << 20, Duration::from_secs(60));
    sinks.take(&records(&["a", "b"]));
    sinks.take(&records(&["c"]));
    assert!(sinks.room_at().is_none() && desk.taken().is_empty());
    desk.refuse(None);
    until(|| desk.taken().len() == 3);
    assert_eq!(desk.taken(), ["a", "b", "c"]);
    assert_eq!(sinks.finish(Duration::from_secs(60)), []);
}

#[test]
fn a_full_queue_is_waited_for_and_then_records_are_dropped_and_counted() {
    let desk = Desk::default();
    desk.refuse(Some(Retry::Later));
    let mut sinks = queued(Box::new(desk.clone()), 1, Duration::ZERO);
    assert!(sinks.room_at().is_none());
    sinks.take(&records(&["a"]));
    until(|| matches!(&sinks.feeds[0].way, Way::Queued(queue) if queue.is_refused()));
    assert!(sinks.room_at().is_some(), "it is full, and is waited for");
    assert!(sinks.room_at().is_none(), "but not for long");
    sinks.take(&records(&["b", "c"]));
    desk.refuse(None);
    until(|| desk.taken() == ["a"]);
    // Room is made once what was taken is off the queue.
    until(|| matches!(&sinks.feeds[0].way, Way::Queued(queue) if queue.is_empty()));
    sinks.take(&records(&["d"]));
    until(|| desk.taken().len() == 3);
    let taken = desk.taken();
    assert!(taken[0] == "a" && taken[2] == "d", "{taken:?}");
    // Why: as the sink has said, if it was asked before they came.
    assert!(taken[1].starts_with("[tacenda: 2 records lost: "), "{taken:?}");
    let losses = sinks.finish(Duration::from_secs(60));
    assert_eq!(losses.iter().map(|loss| loss.records).collect::<Vec<_>>(), [2]);
}

#[test]
fn the_end_waits_for_what_is_queued_but_for_no_sink_that_is_stuck() {
    let desk = Desk::default();
    let mut sinks = queued(Box::new(desk.clone()), 1 << 20, Duration::from_secs(60));
    sinks.take(&records(&["a"; 1000]));
    assert_eq!(sinks.finish(Duration::from_secs(60)), []);
    assert_eq!(desk.taken().len(), 1000);

    let mut sinks = queued(Box::new(Stuck), 1 << 20, Duration::from_secs(60));
    sinks.take(&records(&["a", "b"]));
    let losses = sinks.finish(Duration::from_millis(50));
    let loss = Loss { sink: "desk".to_owned(), records: 2, why: "it took too long".to_owned() };
    assert_eq!(losses, [loss]);
}

#[test]
fn a_sink_that_recovers_after_the_end_has_its_records_whatever_the_pauses_were() {
    let desk = Desk::default();
    desk.refuse(Some(Retry::Later));
    let mut sinks = queued(Box::new(desk.clone()), 1 << 20, Duration::from_secs(60));
    sinks.take(&records(&["a"]));
    // Until the pauses have grown beyond what is waited for at the end.
    std::thread::sleep(Duration::from_millis(3200));
    let recovers = desk.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        recovers.refuse(None);
    });
    assert_eq!(sinks.finish(Duration::from_millis(1200)), []);
    assert_eq!(desk.taken(), ["a"]);
    thread.join().unwrap();
}

#[test]
fn the_end_does_not_wait_for_what_comes_behind_it() {
    let desk = Desk::default();
    desk.refuse(Some(Retry::After(Duration::from_secs(120))));
    let mut sinks = queued(Box::new(desk.clone()), 1 << 20, Duration::from_secs(60));
    sinks.take(&records(&vec!["a"; 5000]));
    let since = Instant::now();
    let losses = sinks.finish(Duration::from_secs(60));
    assert!(since.elapsed() < Duration::from_secs(30), "it gives up at once");
    assert_eq!((losses[0].records, losses[0].why.as_str()), (5000, "no room"));
}

/// A sink that takes one record at a time.
struct Narrow(Desk);

impl Sink for Narrow {
    fn write(&mut self, records: &[Record]) -> Result<(), Refusal> {
        let why = "too much".to_owned();
        match records {
            [record] if &*record.text == "long" => {
                Err(Refusal { taken: 0, retry: Retry::Skip, why })
            }
            [_] => self.0.write(records),
            _ => Err(Refusal { taken: 0, retry: Retry::Fewer, why }),
        }
    }
}

#[test]
fn a_record_that_is_too_long_is_lost_alone() {
    let desk = Desk::default();
    let sink = Box::new(Narrow(desk.clone()));
    let mut sinks = queued(sink, 1 << 20, Duration::from_secs(60));
    sinks.take(&records(&["a", "b", "long", "c", "d"]));
    let losses = sinks.finish(Duration::from_secs(60));
    let loss = Loss { sink: "desk".to_owned(), records: 1, why: "too much".to_owned() };
    assert_eq!(losses, [loss]);
    let told = "[tacenda: 1 record lost: too much]";
    assert_eq!(desk.taken(), ["a", "b", told, "c", "d"]);
}

/// A sink that takes its time, and tells how much it was given at once.
struct Slow(Desk, Arc<Mutex<usize>>);

impl Sink for Slow {
    fn write(&mut self, records: &[Record]) -> Result<(), Refusal> {
        std::thread::sleep(Duration::from_millis(50));
        let bytes: usize = records.iter().map(|record| record.text.len()).sum();
        let mut most = self.1.lock().unwrap();
        *most = bytes.max(*most);
        drop(most);
        self.0.write(records)
    }

    fn gathers(&self) -> Duration {
        Duration::from_secs(3600)
    }
}

#[test]
fn one_that_is_slow_but_takes_something_is_waited_for_and_is_not_given_too_much() {
    let (desk, most) = (Desk::default(), Arc::default());
    let sink = Box::new(Slow(desk.clone(), Arc::clone(&most)));
    // The whole takes longer than `wait`, each step does not.
    let mut sinks = queued(sink, 1 << 10, Duration::from_millis(800));
    let line = "x".repeat(100 << 10);
    sinks.take(&records(&[line.as_str(); 40]));
    while let Some(at) = sinks.room_at() {
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
    }
    sinks.take(&records(&["last"]));
    assert_eq!(sinks.finish(Duration::from_secs(60)), []);
    assert_eq!(desk.taken().len(), 41);
    assert!(*most.lock().unwrap() <= 256 << 10);
}

#[test]
fn what_is_refused_for_good_is_not_given_again() {
    let desk = Desk::default();
    desk.refuse(Some(Retry::Never));
    let mut sinks = queued(Box::new(desk.clone()), 1 << 20, Duration::from_secs(60));
    sinks.take(&records(&["a"]));
    until(|| matches!(&sinks.feeds[0].way, Way::Queued(queue) if queue.is_empty()));
    desk.refuse(None);
    let losses = sinks.finish(Duration::from_secs(60));
    assert_eq!(losses[0].records, 1);
    assert_eq!(desk.taken(), ["[tacenda: 1 record lost: no room]"]);
}

//! Every sink and source of the models finds its examples and leaves its counter-examples.

use tacenda_scan::{Confidence, Source, model_examples, scan};

#[test]
fn every_model_does_what_its_examples_say() {
    let mut count = 0;
    for (id, examples, counter_examples) in model_examples() {
        count += 1;
        assert!(!examples.is_empty() && !counter_examples.is_empty(), "{id}");
        let found = |text: &str| {
            let report = scan(&[Source::text("example.py", text.to_owned())], 1);
            // What is weak by its nature is found as such.
            let weak = matches!(id, "request-parameters" | "arrays");
            let least = if weak { Confidence::Low } else { Confidence::Medium };
            report.findings.iter().any(|finding| finding.confidence >= least)
        };
        for example in examples {
            assert!(found(example), "{id} finds nothing in\n{example}");
        }
        for counter in counter_examples {
            assert!(!found(counter), "{id} finds something in\n{counter}");
        }
    }
    assert!(count > 15);
}

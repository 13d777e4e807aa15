//! The rules that runs followed, in a sentence each.

use std::collections::BTreeSet;

use crate::sweep_runs::SweepRuns;

/// A note for every protocol among the runs.
pub(crate) fn sentences(runs: &SweepRuns) -> Vec<String> {
    let protocols: BTreeSet<&str> = runs
        .manifests()
        .map(|manifest| manifest.protocol.as_str())
        .filter(|protocol| !protocol.is_empty())
        .collect();
    protocols.into_iter().map(sentence).collect()
}

fn sentence(protocol: &str) -> String {
    let meaning = match protocol {
        "paper" => "the method as the paper describes it",
        "reference-code" => {
            "what the paper's public code does, also where the paper says otherwise"
        }
        _ => "not known to this program",
    };
    format!("protocol {protocol}: {meaning} (docs/protocols.md)")
}

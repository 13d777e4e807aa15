//! Which runs may be trained together.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "together/runs.rs"]
mod runs;

use std::path::Path;

use common::spec;
use mezo_run::batch_key;
use mezo_spec::DeviceKind;
use mezo_sweep::plan::Resolver;
use runs::{LORA, PREFIX, text, train};

fn resolver(device: DeviceKind) -> Resolver {
    Resolver::new("a-sweep", Path::new("."), device)
}

/// The key of a spec's run.
fn key(resolver: &mut Resolver, text: &str) -> Option<String> {
    let manifest = resolver.resolve(&spec(text), Vec::new()).unwrap();
    batch_key(&manifest)
}

#[test]
fn a_key_is_of_all_that_a_pass_shares() {
    let mut cpu = resolver(DeviceKind::Cpu);
    let base = text(LORA, &train(13, 1e-3, 1e-3, 4));
    let expected = key(&mut cpu, &base).unwrap();
    assert_eq!(expected.len(), 16);
    for (what, becomes) in [
        ("seed = 13", "seed = 21"),
        ("k = 6", "k = 4"),
        ("lr = 0.001", "lr = 0.1"),
        ("eps = 0.001", "eps = 0.1"),
        ("batch_size = 4", "batch_size = 8"),
        ("steps = 12", "steps = 13"),
        ("eval_every = 4", "eval_every = 6"),
        ("test_cap = 16", "test_cap = 17"),
        ("[train]", "[train]\nschedule = \"linear\""),
        ("[train]", "[train]\noptimizer = \"adam\""),
    ] {
        let changed = base.replacen(what, becomes, 1);
        assert_ne!(changed, base, "{what}");
        let found = key(&mut cpu, &changed);
        assert_eq!(found.as_ref(), Some(&expected), "{becomes}");
    }
    let mut keys = vec![expected];
    for (what, becomes) in [
        ("model.", "protocol = \"reference-code\"\nmodel."),
        ("k = 6", "k = 6\nprompt = false"),
        ("k = 6", "k = 6\nmax_length = 64"),
        ("k = 6", "k = 6\ncut = \"sentences\""),
        ("k = 6", "k = 6\nlabel_words = { 1 = \"good\" }"),
        ("r = 2", "r = 3"),
        ("alpha = 4", "alpha = 5"),
        (LORA, PREFIX),
        ("[train]", "objective = \"accuracy\"\n[train]"),
        ("[train]", "estimator = \"one-point\"\n[train]"),
        ("[train]", "estimates = { count = 2 }\n[train]"),
        ("[train]", "scale = { by = \"parameter-norm\" }\n[train]"),
    ] {
        let changed = base.replacen(what, becomes, 1);
        assert_ne!(changed, base, "{what}");
        keys.push(key(&mut cpu, &changed).unwrap());
    }
    let coarse = format!("model.precision = \"bf16\"\n{base}");
    for text in [&base, &coarse] {
        keys.push(key(&mut resolver(DeviceKind::Gpu), text).unwrap());
    }
    let mut distinct = keys.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), keys.len(), "{keys:?}");
}

/// The public code draws a classifier by the run's seed and leaves it as it is: frozen, and of each run its own.
#[test]
fn a_frozen_head_of_its_own_has_no_key() {
    let mut cpu = resolver(DeviceKind::Cpu);
    let prefix = text(PREFIX, &train(13, 1e-3, 1e-3, 4));
    let reference = format!("protocol = \"reference-code\"\n{prefix}");
    let classifier = |text: &str| text.replacen("k = 6", "k = 6\nprompt = false", 1);
    assert!(key(&mut cpu, &reference).is_some());
    // The paper's trains it.
    assert!(key(&mut cpu, &classifier(&prefix)).is_some());
    assert_eq!(key(&mut cpu, &classifier(&reference)), None);
}

#[test]
fn what_trains_the_model_itself_has_no_key() {
    let mut cpu = resolver(DeviceKind::Cpu);
    let train = train(13, 1e-3, 1e-3, 4);
    for tuning in ["full", "head", "bias"] {
        let method = format!("tuning = \"{tuning}\"");
        let found = key(&mut cpu, &text(&method, &train));
        assert_eq!(found, None, "{tuning}");
    }
    let lora = text(LORA, &train);
    for (name, eps) in [("ft", ""), ("lp-mezo", "eps = 0.001")] {
        let other = lora
            .replace("name = \"mezo\"", &format!("name = \"{name}\""))
            .replace("eps = 0.001", eps);
        assert_eq!(key(&mut cpu, &other), None, "{name}");
    }
    let manifest = cpu.resolve(&spec(&lora), Vec::new()).unwrap();
    let zero_shot = cpu.zero_shot(&manifest).unwrap().unwrap();
    assert_eq!(batch_key(&zero_shot), None);
}

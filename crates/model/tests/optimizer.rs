//! Updates of a whole model: threads, states, and what is refused.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use std::path::Path;

use mezo_model::{
    Decay, DecayOn, Estimates, LoraConfig, Model, Optimizer, Philox, Rule, Term, Tuning,
};

const RULES: [Rule; 3] = [
    Rule::Sgd { momentum: 0.0 },
    Rule::Sgd { momentum: 0.9 },
    Rule::ADAM,
];

fn model() -> Model {
    let mut model = tiny::tiny().model;
    let lora = LoraConfig {
        rank: 8,
        alpha: 16.0,
    };
    model.attach_lora(lora, 3);
    model.train_only(Tuning::Lora, false);
    model
}

fn optimizer(rule: Rule) -> Optimizer {
    let decay = Decay {
        rate: 0.01,
        on: DecayOn::All,
    };
    Optimizer::new(rule, decay)
}

fn update(optimizer: &mut Optimizer, model: &mut Model, step: u64) {
    let gradient = Estimates {
        noise: &Philox,
        terms: vec![Term {
            seed: step,
            coefficient: 0.3,
        }],
        factors: None,
    };
    optimizer.update(model, &gradient, 1e-3);
}

#[test]
fn any_number_of_threads() {
    for rule in RULES {
        let trained = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                let (mut model, mut optimizer) = (model(), optimizer(rule));
                (1..4).for_each(|step| update(&mut optimizer, &mut model, step));
                model.trainable_tensors()
            })
        };
        assert_eq!(trained(1), trained(3), "{rule:?}");
    }
}

#[test]
fn a_state_taken_up_goes_on_as_if_nothing_had_been() {
    for rule in RULES {
        let (mut whole, mut optimizer_of_whole) = (model(), optimizer(rule));
        (1..6).for_each(|step| update(&mut optimizer_of_whole, &mut whole, step));

        let (mut parted, mut first) = (model(), optimizer(rule));
        (1..3).for_each(|step| update(&mut first, &mut parted, step));
        let state = first.state(&parted);
        let kinds = [0, 1, 2][RULES.iter().position(|it| *it == rule).unwrap()];
        assert_eq!(state.len(), kinds * parted.trainable_names().len());
        let mut second = optimizer(rule);
        second
            .restore(&parted, state, 2, Path::new("state"))
            .unwrap();
        (3..6).for_each(|step| update(&mut second, &mut parted, step));
        assert_eq!(parted.trainable_tensors(), whole.trainable_tensors());
        assert_eq!(second.state(&parted), optimizer_of_whole.state(&whole));
    }
}

#[test]
fn states_that_do_not_fit() {
    let (mut model, mut adam) = (model(), optimizer(Rule::ADAM));
    update(&mut adam, &mut model, 1);
    let restored = |change: &dyn Fn(&mut Vec<mezo_model::NamedTensor>)| {
        let mut state = adam.state(&model);
        change(&mut state);
        optimizer(Rule::ADAM)
            .restore(&model, state, 1, Path::new("state"))
            .unwrap_err()
            .to_string()
    };
    let name = "optimizer.second.roberta.encoder.layer.0.attention.self.query.lora_A";
    let missing = restored(&|state| state.retain(|tensor| tensor.name != name));
    assert!(missing.contains(name), "{missing}");
    let misshapen = restored(&|state| state[1].shape.reverse());
    assert!(misshapen.contains(name), "{misshapen}");
    let momentum = restored(&|state| state[0].name = "optimizer.momentum.x".into());
    assert!(momentum.contains("optimizer.first."), "{momentum}");
    let mut plain = optimizer(Rule::Sgd { momentum: 0.0 });
    let unknown = plain.restore(&model, adam.state(&model), 1, Path::new("state"));
    assert!(
        unknown
            .unwrap_err()
            .to_string()
            .contains("optimizer.first.")
    );
}

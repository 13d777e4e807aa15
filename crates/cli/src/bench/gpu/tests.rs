//! The page and the JSON as they are printed, of figures made up.

use mezo_train::Phases;
use mezo_train::gpu::{
    Agreement, Agreements, Alone, Ceiling, Check, Instrumented, Memory, Outcome, Part, PeerStep,
    Precision, ProductTime, Together, Trained, parts,
};
use mezo_train::{Shape, Tuned};

use super::measured::{Entry, Machine, Measured};
use super::page::markdown;

fn ceiling(floor_s: f64) -> Ceiling {
    Ceiling {
        multiply_adds: 2.5e11,
        products: vec![ProductTime {
            rows: 3638,
            input: 768,
            output: 768,
            times: 48,
            seconds: 2e-5,
        }],
        wait_s: 5e-6,
        tflops: 400.0,
        floor_s,
        bare_tflops: 500.0,
        bare_floor_s: 0.8 * floor_s,
    }
}

/// A step of this many seconds whose floor is half of it.
fn alone(step_s: f64) -> Alone {
    Alone {
        tokens: 1838.5,
        trained_scalars: 294_912,
        first_step_s: 12.5,
        steps: 400,
        step_s,
        mean_step_s: step_s,
        evaluated: 1024,
        evaluation_s: Some(0.05),
        run_s: Some(1e5 * step_s + 0.5),
        memory: Some(Memory {
            inference_bytes: 1000 << 20,
            step_bytes: 1100 << 20,
        }),
        ceiling: Some(ceiling(step_s / 2.0)),
    }
}

fn outcome(part: Part) -> Outcome {
    let check = |what: &str, difference, tolerance: Option<f64>| Check {
        what: what.into(),
        difference,
        tolerance,
        passed: tolerance.map(|most| difference <= most),
    };
    match part {
        Part::Normals => Outcome::Checks(vec![check("1000003 normals", 4.8e-7, Some(1e-5))]),
        Part::Scores => Outcome::Checks(vec![
            check("scores, f32", 2e-3, Some(1e-3)),
            check("scores, f16", 0.05, None),
        ]),
        Part::Goldens => Outcome::Skipped("no folder of recorded cases was named".into()),
        Part::Losses(Trained::Full) => Outcome::Failed("no kernel|\nfor it".into()),
        Part::Losses(_) | Part::Batched => Outcome::Checks(vec![check("losses", 0.0, Some(1e-4))]),
        Part::Alone(case) => Outcome::Alone(match (case.shape, case.tuned) {
            (Shape::Base, Tuned::Lora) => alone(0.005),
            (Shape::Base, Tuned::Full) => Alone {
                ceiling: None,
                memory: None,
                ..alone(0.01)
            },
            (Shape::Large, Tuned::Lora) => alone(0.02),
            (Shape::Large, Tuned::Full) => alone(0.04),
        }),
        Part::Gradients(_) => Outcome::Gradients(Agreements {
            batches: 64,
            eps: 1e-3,
            rms: 2.0,
            of: vec![Agreement {
                precision: Precision::F16,
                correlation: 0.5,
                rms_difference: 0.25,
                same_sign: 0.875,
            }],
        }),
        Part::Together(group) if group.runs == 8 => Outcome::Together(Together {
            tokens: 8.0 * 1838.5,
            first_step_s: 3.0,
            steps: 200,
            step_s: 0.02,
            mean_step_s: 0.02,
            run_steps_per_s: 400.0,
            reserved_bytes: Some(2000 << 20),
            ceiling: Some(ceiling(0.0125)),
        }),
        Part::Peer(Precision::F16) => Outcome::Peer(PeerStep {
            step_s: 0.0225,
            steps: 40,
            tokens_padded: 3680.0,
            peak_bytes: 1 << 30,
            torch: "2.15.0".into(),
            transformers: "5.23.0".into(),
        }),
        Part::Peer(_) => Outcome::Skipped("there is no torch".into()),
        Part::Phases(_) => Outcome::Phases(Instrumented {
            steps: 20,
            step_s: 0.0075,
            phases: Phases {
                noise_s: 0.0005,
                linear_s: 0.004,
                attention_s: 0.001,
                rest_s: 0.0015,
                update_s: 0.0005,
            },
        }),
        Part::Together(_) => Outcome::OutOfTime,
    }
}

fn measured() -> Measured {
    Measured {
        machine: Machine {
            device: "cuda:0".into(),
            name: Some("NVIDIA H200".into()),
            memory_bytes: Some(140 << 30),
            driver: Some("580.1".into()),
            date: Some("2026-11-26".into()),
            commit: Some("e39bfa0".into()),
        },
        quick: false,
        seconds: 412.4,
        parts: parts()
            .into_iter()
            .map(|part| Entry {
                part,
                seconds: 1.5,
                outcome: outcome(part),
            })
            .collect(),
    }
}

#[test]
fn everything_measured() {
    insta::assert_snapshot!(markdown(&measured()), @r"
    # NVIDIA H200 (driver 580.1, 140.0 GiB, mezo at e39bfa0, 2026-11-26)

    FAIL: scores; losses, all weights; 7 of 39 parts were not measured.

    ## Against the CPU and the reference

    | numbers | largest difference | at most |  |
    |---|--:|--:|--:|
    | 1000003 normals | 4.8e-7 | 1e-5 | pass |
    | scores, f32 | 2.0e-3 | 1e-3 | FAIL |
    | scores, f16 | 5.0e-2 |  |  |
    | recorded cases | not measured (no folder of recorded cases was named) |  |  |
    | losses | 0.0e0 | 1e-4 | pass |
    | losses, all weights | FAILED (no kernel/ for it) |  |  |
    | losses | 0.0e0 | 1e-4 | pass |
    | losses | 0.0e0 | 1e-4 | pass |

    ## Projected gradients by precision

    | projected gradients against f32's | batches | precision | correlation | rms of the difference over rms | same sign, % |
    |---|--:|--:|--:|--:|--:|
    | gradients: built-in model, LoRA, rms 2.000 | 64 | f16 | 0.50000 | 0.2500 | 87.5 |
    | gradients: built-in model, all weights, rms 2.000 | 64 | f16 | 0.50000 | 0.2500 | 87.5 |
    | gradients: base, random weights, LoRA, rms 2.000 | 64 | f16 | 0.50000 | 0.2500 | 87.5 |

    ## Steps alone

    | steps alone | first, s | median, ms | mean, ms | steps/s | evaluation, ms | 100000 steps and 10 evaluations, min | to reach |
    |---|--:|--:|--:|--:|--:|--:|--:|
    | base, LoRA, f16 | 12.5 | 5.00 | 5.00 | 200.0 | 50.00 | 8.3 | below 15 min: reached |
    | base, LoRA, tf32 | 12.5 | 5.00 | 5.00 | 200.0 | 50.00 | 8.3 | below 15 min: reached |
    | base, LoRA, f32 | 12.5 | 5.00 | 5.00 | 200.0 | 50.00 | 8.3 | below 15 min: reached |
    | large, LoRA, f16 | 12.5 | 20.00 | 20.00 | 50.0 | 50.00 | 33.3 | below 30 min: missed |
    | large, LoRA, tf32 | 12.5 | 20.00 | 20.00 | 50.0 | 50.00 | 33.3 | below 30 min: missed |
    | large, LoRA, f32 | 12.5 | 20.00 | 20.00 | 50.0 | 50.00 | 33.3 | below 30 min: missed |
    | base, all weights, f16 | 12.5 | 10.00 | 10.00 | 100.0 | 50.00 | 16.7 |  |
    | base, all weights, tf32 | 12.5 | 10.00 | 10.00 | 100.0 | 50.00 | 16.7 |  |
    | base, all weights, f32 | 12.5 | 10.00 | 10.00 | 100.0 | 50.00 | 16.7 |  |
    | large, all weights, f16 | 12.5 | 40.00 | 40.00 | 25.0 | 50.00 | 66.7 | below 2.5 of LoRA's step: 2.00, reached |
    | large, all weights, tf32 | 12.5 | 40.00 | 40.00 | 25.0 | 50.00 | 66.7 | below 2.5 of LoRA's step: 2.00, reached |
    | large, all weights, f32 | 12.5 | 40.00 | 40.00 | 25.0 | 50.00 | 66.7 | below 2.5 of LoRA's step: 2.00, reached |
    | base, LoRA, bf16 | 12.5 | 5.00 | 5.00 | 200.0 | 50.00 | 8.3 | below 15 min: reached |
    | base, all weights, bf16 | 12.5 | 10.00 | 10.00 | 100.0 | 50.00 | 16.7 |  |
    | large, LoRA, bf16 | 12.5 | 20.00 | 20.00 | 50.0 | 50.00 | 33.3 | below 30 min: missed |
    | large, all weights, bf16 | 12.5 | 40.00 | 40.00 | 25.0 | 50.00 | 66.7 | below 2.5 of LoRA's step: 2.00, reached |

    ## Runs together

    | LoRA runs together | first, s | a step of all, ms | run-steps/s | times as many as alone | of the ceiling, % | memory, MiB |
    |---|--:|--:|--:|--:|--:|--:|
    | base, f16, 8 runs | 3.0 | 20.00 | 400.0 | 2.00 | 50 | 2000 |
    | base, f16, 1 run | not measured (out of time) |  |  |  |  |  |
    | base, f16, 2 runs | not measured (out of time) |  |  |  |  |  |
    | base, f16, 4 runs | not measured (out of time) |  |  |  |  |  |
    | base, f16, 16 runs | not measured (out of time) |  |  |  |  |  |
    | base, tf32, 8 runs | 3.0 | 20.00 | 400.0 | 2.00 | 50 | 2000 |
    | large, f16, 8 runs | 3.0 | 20.00 | 400.0 | 8.00 | 50 | 2000 |
    | base, bf16, 8 runs | 3.0 | 20.00 | 400.0 | 2.00 | 50 | 2000 |

    ## Beside the products' ceiling

    The floor is what the multiply-adds that the losses cannot do without take at the rate of products of the step's own sizes, a few in a row; then the same with the time of a product of next to nothing taken off each.

    | step | 1e9 multiply-adds | products, TFLOP/s | floor, ms | step over it | less launching, TFLOP/s | floor, ms | step over it |
    |---|--:|--:|--:|--:|--:|--:|--:|
    | base, LoRA, f16 | 250.0 | 400.0 | 2.50 | 2.00 | 500.0 | 2.00 | 2.50 |
    | base, LoRA, tf32 | 250.0 | 400.0 | 2.50 | 2.00 | 500.0 | 2.00 | 2.50 |
    | base, LoRA, f32 | 250.0 | 400.0 | 2.50 | 2.00 | 500.0 | 2.00 | 2.50 |
    | base, f16, 8 runs | 250.0 | 400.0 | 12.50 | 1.60 | 500.0 | 10.00 | 2.00 |
    | large, LoRA, f16 | 250.0 | 400.0 | 10.00 | 2.00 | 500.0 | 8.00 | 2.50 |
    | large, LoRA, tf32 | 250.0 | 400.0 | 10.00 | 2.00 | 500.0 | 8.00 | 2.50 |
    | large, LoRA, f32 | 250.0 | 400.0 | 10.00 | 2.00 | 500.0 | 8.00 | 2.50 |
    | base, all weights, f16 | not measured (out of time) |  |  |  |  |  |  |
    | base, all weights, tf32 | not measured (out of time) |  |  |  |  |  |  |
    | base, all weights, f32 | not measured (out of time) |  |  |  |  |  |  |
    | large, all weights, f16 | 250.0 | 400.0 | 20.00 | 2.00 | 500.0 | 16.00 | 2.50 |
    | large, all weights, tf32 | 250.0 | 400.0 | 20.00 | 2.00 | 500.0 | 16.00 | 2.50 |
    | large, all weights, f32 | 250.0 | 400.0 | 20.00 | 2.00 | 500.0 | 16.00 | 2.50 |
    | base, f16, 1 run | not measured (out of time) |  |  |  |  |  |  |
    | base, f16, 2 runs | not measured (out of time) |  |  |  |  |  |  |
    | base, f16, 4 runs | not measured (out of time) |  |  |  |  |  |  |
    | base, f16, 16 runs | not measured (out of time) |  |  |  |  |  |  |
    | base, tf32, 8 runs | 250.0 | 400.0 | 12.50 | 1.60 | 500.0 | 10.00 | 2.00 |
    | large, f16, 8 runs | 250.0 | 400.0 | 12.50 | 1.60 | 500.0 | 10.00 | 2.00 |
    | base, bf16, 8 runs | 250.0 | 400.0 | 12.50 | 1.60 | 500.0 | 10.00 | 2.00 |
    | base, LoRA, bf16 | 250.0 | 400.0 | 2.50 | 2.00 | 500.0 | 2.00 | 2.50 |
    | base, all weights, bf16 | not measured (out of time) |  |  |  |  |  |  |
    | large, LoRA, bf16 | 250.0 | 400.0 | 10.00 | 2.00 | 500.0 | 8.00 | 2.50 |
    | large, all weights, bf16 | 250.0 | 400.0 | 20.00 | 2.00 | 500.0 | 16.00 | 2.50 |

    ## Memory

    | memory that the device's pools hold | forward passes, MiB | steps, MiB | over forward passes | to reach |
    |---|--:|--:|--:|--:|
    | base, LoRA, f16 | 1000 | 1100 | 1.100 |  |
    | base, LoRA, tf32 | 1000 | 1100 | 1.100 |  |
    | base, LoRA, f32 | 1000 | 1100 | 1.100 |  |
    | large, LoRA, f16 | 1000 | 1100 | 1.100 |  |
    | large, LoRA, tf32 | 1000 | 1100 | 1.100 |  |
    | large, LoRA, f32 | 1000 | 1100 | 1.100 |  |
    | base, all weights, f16 | the device does not tell |  |  |  |
    | base, all weights, tf32 | the device does not tell |  |  |  |
    | base, all weights, f32 | the device does not tell |  |  |  |
    | large, all weights, f16 | 1000 | 1100 | 1.100 | at most 1.15: reached |
    | large, all weights, tf32 | 1000 | 1100 | 1.100 | at most 1.15: reached |
    | large, all weights, f32 | 1000 | 1100 | 1.100 | at most 1.15: reached |
    | base, LoRA, bf16 | 1000 | 1100 | 1.100 |  |
    | base, all weights, bf16 | the device does not tell |  |  |  |
    | large, LoRA, bf16 | 1000 | 1100 | 1.100 |  |
    | large, all weights, bf16 | 1000 | 1100 | 1.100 | at most 1.15: reached |

    ## Against PyTorch

    The reference trains in f32, with the products of torch's own choice.

    | PyTorch's step, base, LoRA | ms | alone in f16, times as fast | to reach | together | each run, times as fast | to reach |
    |---|--:|--:|--:|--:|--:|--:|
    | f16, PyTorch 2.15.0 | 22.50 | 4.50 | at least 4: reached | 8 runs | 9.00 | at least 10: missed |
    | PyTorch, f32 | not measured (there is no torch) |  |  |  |  |  |

    ## What steps are made of

    The kernels wait for the device wherever a phase ends, so the sum is more than a step takes that nobody interrupts.

    | ms | noise | linear layers | attention | rest of the forward passes | update | sum | a step that nobody interrupts |
    |---|--:|--:|--:|--:|--:|--:|--:|
    | base, LoRA, f16 | 0.50 | 4.00 | 1.00 | 1.50 | 0.50 | 7.50 | 5.00 |
    | base, all weights, f16 | 0.50 | 4.00 | 1.00 | 1.50 | 0.50 | 7.50 | 10.00 |
    | large, LoRA, f16 | 0.50 | 4.00 | 1.00 | 1.50 | 0.50 | 7.50 | 20.00 |

    All of it took 412 s. In the first step of each kind kernels are compiled and chosen.
    ");
}

#[test]
fn a_quick_run_is_held_against_no_goal() {
    let mut measured = measured();
    measured.quick = true;
    let page = markdown(&measured);
    assert!(page.contains("A quick run"));
    // What the checks say holds on any sizes.
    assert!(
        !page.contains("reached") && !page.contains("missed"),
        "{page}"
    );
    assert!(page.contains("| FAIL |"));
}

#[test]
fn a_device_of_which_nothing_is_known() {
    let mut measured = measured();
    measured.machine = Machine {
        device: "vulkan:0".into(),
        name: None,
        memory_bytes: None,
        driver: None,
        date: None,
        commit: None,
    };
    let good = |entry: &Entry| !entry.outcome.is_bad();
    measured.parts.retain(good);
    assert!(!measured.is_bad());
    let page = markdown(&measured);
    let first: Vec<&str> = page.lines().take(3).collect();
    insta::assert_snapshot!(first.join("\n"), @r"
    # vulkan:0

    No check failed; 6 of 37 parts were not measured.
    ");
}

#[test]
fn the_same_for_programs() {
    let measured = measured();
    assert!(measured.is_bad());
    let json = serde_json::to_value(&measured).expect("numbers and words");
    assert_eq!(json["machine"]["name"], "NVIDIA H200");
    let first = &json["parts"][0];
    assert_eq!(first["part"], "normals");
    assert_eq!(first["outcome"]["checks"][0]["passed"], true);
    let base = &json["parts"][7];
    let case = serde_json::json!({ "shape": "base", "tuned": "lora", "precision": "f16" });
    assert_eq!(base["part"]["alone"], case);
    assert_eq!(base["outcome"]["alone"]["step_s"], 0.005);
    let read: Measured = serde_json::from_value(json).expect("what was written");
    assert_eq!(read, measured);
}

//! The page as it is printed, of figures made up.

use mezo_train::{NoiseTimes, Phases, StepTimes};

use super::super::peer::PeerTimes;
use super::machine::Machine;
use super::measured::{BuiltIn, Compared, Jobs, Large, Measured, Memory};
use super::report::markdown;

/// A step whose floor is a second.
fn times(step_s: f64) -> StepTimes {
    let phases = Phases {
        noise_s: 0.0,
        linear_s: 1.0,
        attention_s: 0.0625,
        rest_s: step_s - 1.0625,
        update_s: 0.0,
    };
    StepTimes {
        steps: 4,
        threads: 2,
        tokens: 1838.5,
        trained_scalars: 294_912,
        peak_bytes: Some(600 << 20),
        step_s,
        phases,
        floor_s: 1.0,
        step_over_floor: step_s,
        naive_floor_s: 1.25,
        step_over_naive_floor: step_s / 1.25,
        multiply_adds: 2e11,
        naive_multiply_adds: 2.5e11,
        product_gflops: 400.0,
    }
}

fn peer(step_s: f64) -> PeerTimes {
    PeerTimes {
        steps: 4,
        step_s,
        perturb_s: 0.25,
        tokens_padded: 3680.0,
        peak_bytes: 1 << 30,
        attention: "sdpa".into(),
        torch: "2.15.0".into(),
        transformers: "5.23.0".into(),
    }
}

fn measured() -> Measured {
    Measured {
        machine: Machine {
            cpu: "AMD EPYC (family 26, model 2)".into(),
            features: "avx2, fma, avx512f".into(),
            cores: 2,
            memory: "24 GiB".into(),
            system: "Debian 13, Linux 6.1.0".into(),
            rustc: "1.95.0".into(),
        },
        batch: 64,
        lora: Compared {
            ours: [1.125, 1.0625, 1.25].map(times).into(),
            peer_f32: [6.75, 8.5].map(peer).into(),
            peer_bf16: [2.25, 2.125, 2.5].map(peer).into(),
        },
        full: Compared {
            ours: [1.25; 2].map(times).into(),
            peer_f32: [2.5; 2].map(peer).into(),
            peer_bf16: vec![],
        },
        large: Large {
            lora: StepTimes {
                steps: 2,
                ..times(4.0)
            },
            full: times(5.0),
        },
        noise: NoiseTimes {
            threads: 2,
            scalars: 120_000_000,
            generate_s: 0.08,
            update_s: 0.1,
            update_over_generate: 1.25,
            perturbed_scalars: 80_000_000,
            perturb_s: 0.1,
        },
        memory: Memory {
            forward: 600 << 20,
            mezo: 660 << 20,
        },
        builtin: BuiltIn {
            run_s: vec![1.5, 1.375, 1.625],
            steps: [1.25; 3].map(times).into(),
            bare_s: vec![1.25; 3],
        },
        jobs: vec![
            Jobs {
                what: "two at once: built-in model",
                at_once: vec![150.0, 160.0],
                in_turn: vec![100.0, 130.0],
            },
            Jobs {
                what: "two at once: base",
                at_once: vec![0.5; 2],
                in_turn: vec![0.625; 2],
            },
        ],
    }
}

#[test]
fn everything_measured() {
    insta::assert_snapshot!(markdown(&measured()), @r"
    # What this processor reaches

    | machine | |
    |---|---|
    | processor | AMD EPYC (family 26, model 2) |
    | its instructions | avx2, fma, avx512f |
    | cores | 2 |
    | memory | 24 GiB |
    | system | Debian 13, Linux 6.1.0 |
    | Rust | 1.95.0 |
    | peer | PyTorch 2.15.0, transformers 5.23.0, attention: sdpa |

    | what | to reach | here | |
    |---|---|---|---|
    | LoRA step against PyTorch in bf16 | at least level | 2.00 (2.00 to 2.00) times as fast: 1.12 s against 2.25 s, at best 2.12 s | reached |
    | LoRA step against PyTorch in f32 | at least 2.3 times as fast | 7.00 (6.00 to 8.00) times as fast: 1.12 s against 7.62 s, at best 6.75 s | reached |
    | full-parameter step against PyTorch in f32 | at least 3 times as fast | 2.00 (2.00 to 2.00) times as fast: 1.25 s against 2.50 s, at best 2.50 s | missed |
    | LoRA step over the strict floor | at most 1.12 | 1.125 (1.062 to 1.250); over the naive floor 0.900 (0.850 to 1.000), reached | missed |
    | full-parameter step over the strict floor | at most 1.20 | 1.250 (1.250 to 1.250); over the naive floor 1.000 (1.000 to 1.000), reached | missed |
    | normals made and applied a second | at least 1.2 billion | 0.80 billion into perturbed copies, 1.20 billion into the weights | missed |
    | update of all weights over making as many normals without writing them | at most 1.3 | 1.25: 100 ms over 80 ms, 120.0 M weights | reached |
    | peak resident set of a full-parameter step over a forward pass | at most 1.15 | 1.10: 660 MiB over 600 MiB | reached |
    | built-in model, a run's step over its strict floor | at most 1.5 | 1.50 (1.38 to 1.62); over the naive floor 1.200 (1.100 to 1.300), reached; 1 steps/s, the floors 1 and 1; a run's step takes 1.20 of a bare one | reached |
    | two at once: built-in model | say which is faster | at once, as by default, by 1.37 (1.23 to 1.50): 155.0 steps/s at once, 115.0 in turn |  |
    | two at once: base | say which is faster | one after the other, `--jobs 1`, by 1.25 (1.25 to 1.25): 0.500 steps/s at once, 0.625 in turn |  |

    ## Steps on RoBERTa-base

    | step | s, median (range) | of it noise and update, s | tokens a batch | peak memory, MiB |
    |---|--:|--:|--:|--:|
    | LoRA, mezo | 1.12 (1.06 to 1.25) | 0.000 | 1838 | 600 |
    | LoRA, PyTorch f32 | 7.62 (6.75 to 8.50) | 0.250 | 3680 | 1024 |
    | LoRA, PyTorch bf16 | 2.25 (2.12 to 2.50) | 0.250 | 3680 | 1024 |
    | all weights, mezo | 1.25 (1.25 to 1.25) | 0.000 | 1838 | 600 |
    | all weights, PyTorch f32 | 2.50 (2.50 to 2.50) | 0.250 | 3680 | 1024 |

    ## Where a step's time goes

    | ms | base, LoRA | base, all weights | large, LoRA | large, all weights | built-in, all weights |
    |---|--:|--:|--:|--:|--:|
    | noise | 0.00 | 0.00 | 0.00 | 0.00 | 0.00 |
    | linear layers | 1000 | 1000 | 1000 | 1000 | 1000 |
    | attention | 62.50 | 62.50 | 62.50 | 62.50 | 62.50 |
    | rest of the forward passes | 62.50 | 188 | 2938 | 3938 | 188 |
    | update | 0.00 | 0.00 | 0.00 | 0.00 | 0.00 |
    | step | 1125 | 1250 | 4000 | 5000 | 1250 |
    | strict floor | 1000 | 1000 | 1000 | 1000 | 1000 |
    | step over strict floor | 1.125 | 1.250 | 4.000 | 5.000 | 1.250 |
    | naive floor | 1250 | 1250 | 1250 | 1250 | 1250 |
    | step over naive floor | 0.900 | 1.000 | 3.200 | 4.000 | 1.000 |
    | 1e9 multiply-adds | 200.0 | 200.0 | 200.0 | 200.0 | 200.0 |
    | products, GF/s | 400 | 400 | 400 | 400 | 400 |
    | tokens a batch | 1838 | 1838 | 1838 | 1838 | 1838 |

    ## How it was measured

    `mezo bench cpu`, all 2 cores, batch 64. Every measurement is a process of its own; those of steps first make one on every batch, untimed. RoBERTa-base had 3 rounds of LoRA and 2 of all weights, 4 timed steps each, through two batches of real lengths in turn; RoBERTa-large one round of 2, the built-in model 3 of 4, through an epoch. PyTorch took turns with it: 3 rounds of LoRA in bf16, 2 in f32, 2 of all weights, 4 timed steps each. Shown are medians and ranges over the rounds, ratios within a round; a round's step is each batch's median (of 2, and of 1 on RoBERTa-large) and the mean of these over the batches.

    The goals are held against the strict floor: only the multiply-adds that the two losses cannot do without, each product at the rate of its own sizes. The naive floor counts every layer on every token for both probes, at the same mean rate. `mezo bench step --help` says it in full, scripts/peer/README.md what PyTorch does. The built-in model's run is timed as the difference of a long and a short `mezo train` (all weights, journal and progress as ever), its floors on the batches of the same epoch, and its bare steps in a process that measures nothing else.
    ");
}

#[test]
fn without_pytorch() {
    let mut measured = measured();
    for compared in [&mut measured.lora, &mut measured.full] {
        compared.peer_f32.clear();
        compared.peer_bf16.clear();
    }
    let page = markdown(&measured);
    let lines = page
        .lines()
        .filter(|line| line.contains("PyTorch") || line.contains("peer"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    | peer | not measured |
    | LoRA step against PyTorch in bf16 | at least level | not measured |  |
    | LoRA step against PyTorch in f32 | at least 2.3 times as fast | not measured |  |
    | full-parameter step against PyTorch in f32 | at least 3 times as fast | not measured |  |
    The goals are held against the strict floor: only the multiply-adds that the two losses cannot do without, each product at the rate of its own sizes. The naive floor counts every layer on every token for both probes, at the same mean rate. `mezo bench step --help` says it in full, scripts/peer/README.md what PyTorch does. The built-in model's run is timed as the difference of a long and a short `mezo train` (all weights, journal and progress as ever), its floors on the batches of the same epoch, and its bare steps in a process that measures nothing else.
    ");
}

#[test]
fn a_slow_bf16_is_no_win() {
    let mut measured = measured();
    measured.lora.peer_bf16 = vec![peer(9.0); 3];
    let page = markdown(&measured);
    let line = page.lines().find(|line| line.contains("in bf16 |"));
    insta::assert_snapshot!(line.unwrap_or_default(), @r"
    | LoRA step against PyTorch in bf16 | at least level | 8.00 (7.20 to 8.47) times as fast: 1.12 s against 9.00 s, at best 9.00 s; PyTorch was slower in bf16 than in f32 |  |
    ");
}

//! What the paper searched for each method on RoBERTa-large.
//!
//! Malladi et al., arXiv 2305.17333v3, Table 15, with section 4 and appendix E.3. The best on dev was taken
//! for each seed.

/// What was searched for one method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Learning rates; none for linear probing, which has no steps.
    pub lr: &'static [f64],
    /// The perturbation scale, of MeZO.
    pub eps: Option<f64>,
    /// Weight decay, where it is stated.
    pub weight_decay: Option<f64>,
    /// Examples a step.
    pub batch_size: &'static [u64],
    /// Steps; none for linear probing.
    pub steps: Option<u64>,
    /// Rank and scale, for LoRA.
    pub lora: Option<(u64, f64)>,
    /// Tokens, for a prefix, which starts from real activations.
    pub prefix: Option<u64>,
}

/// LoRA's rank and scale.
const LORA: Option<(u64, f64)> = Some((8, 16.0));

/// Tokens of a prefix.
const PREFIX: Option<u64> = Some(5);

/// MeZO: a constant learning rate over 100,000 steps.
const MEZO: Grid = Grid {
    lr: &[1e-7, 1e-6, 1e-5],
    eps: Some(1e-3),
    weight_decay: Some(0.0),
    batch_size: &[64],
    steps: Some(100_000),
    lora: None,
    prefix: None,
};

/// Fine-tuning: a learning rate that falls to zero over 1,000 steps.
const FT: Grid = Grid {
    lr: &[1e-5, 3e-5, 5e-5],
    eps: None,
    weight_decay: Some(0.0),
    batch_size: &[2, 4, 8],
    steps: Some(1_000),
    lora: None,
    prefix: None,
};

/// The paper's grid for a method by its name in Table 18. For so few examples per class as 16 plain
/// fine-tuning takes smaller batches than for 512.
pub fn grid(method: &str, k: u64) -> Option<Grid> {
    let few = k < 512;
    let full_batches: &[u64] = if few { &[2, 4, 8] } else { &[8, 16, 32] };
    Some(match method {
        "MeZO" => MEZO,
        "MeZO (LoRA)" => Grid {
            lr: &[1e-5, 5e-5, 1e-4],
            weight_decay: Some(0.1),
            lora: LORA,
            ..MEZO
        },
        "MeZO (prefix)" => Grid {
            lr: &[1e-3, 5e-3, 1e-2],
            eps: Some(1e-1),
            prefix: PREFIX,
            ..MEZO
        },
        "MeZO-Adam" => Grid {
            lr: &[1e-6, 1e-5, 1e-4, 5e-4, 1e-3],
            ..MEZO
        },
        "FT" => Grid {
            batch_size: full_batches,
            ..FT
        },
        "FT (SGD)" => Grid {
            lr: &[1e-4, 5e-4, 1e-3, 5e-3, 1e-2],
            batch_size: full_batches,
            ..FT
        },
        "FT (LoRA)" => Grid {
            lr: &[1e-4, 3e-4, 5e-4],
            batch_size: &[4, 8, 16],
            weight_decay: None,
            lora: LORA,
            ..FT
        },
        "FT (prefix)" => Grid {
            lr: &[1e-2, 3e-2, 5e-2],
            batch_size: &[8, 16, 32],
            prefix: PREFIX,
            ..FT
        },
        "LP" => Grid {
            lr: &[],
            eps: None,
            weight_decay: None,
            batch_size: &[],
            steps: None,
            lora: None,
            prefix: None,
        },
        _ => return None,
    })
}

impl Grid {
    /// The learning rate's course.
    pub fn schedule(&self) -> &'static str {
        match self.eps {
            Some(_) => "constant",
            None => "linear",
        }
    }
}

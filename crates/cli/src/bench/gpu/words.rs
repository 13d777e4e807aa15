//! Parts and cases in words.

use mezo_train::gpu::{Case, Group, Part, Precision, Sight, Trained};
use mezo_train::{Shape, Tuned};

/// A part in a few words.
pub fn title(part: Part) -> String {
    match part {
        Part::Normals => "normals".into(),
        Part::Scores => "scores".into(),
        Part::Goldens => "recorded cases".into(),
        Part::Losses(trained) => format!(
            "losses, {}",
            match trained {
                Trained::Lora => "LoRA",
                Trained::Full => "all weights",
                Trained::Prefix => "prefix",
            }
        ),
        Part::Batched => "runs together against each alone".into(),
        Part::Alone(case) => case_name(case),
        Part::Gradients(sight) => match sight {
            Sight::BuiltinLora => "gradients: built-in model, LoRA".into(),
            Sight::BuiltinFull => "gradients: built-in model, all weights".into(),
            Sight::BaseLora => "gradients: base, random weights, LoRA".into(),
        },
        Part::Together(group) => group_name(group),
        Part::Peer(precision) => format!("PyTorch, {precision}"),
        Part::Phases(case) => format!("phases: {}", case_name(case)),
    }
}

pub fn case_name(case: Case) -> String {
    let tuned = match case.tuned {
        Tuned::Lora => "LoRA",
        Tuned::Full => "all weights",
    };
    format!("{}, {tuned}, {}", shape_name(case.shape), case.precision)
}

pub fn group_name(group: Group) -> String {
    let Group {
        shape,
        precision,
        runs,
    } = group;
    let plural = if runs == 1 { "" } else { "s" };
    format!("{}, {precision}, {runs} run{plural}", shape_name(shape))
}

fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Base => "base",
        Shape::Large => "large",
    }
}

/// LoRA on RoBERTa-base.
pub fn base_lora(precision: Precision) -> Case {
    Case {
        shape: Shape::Base,
        tuned: Tuned::Lora,
        precision,
    }
}

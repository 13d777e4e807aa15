//! What the name of a tensor says of it.

use mezo_spec::TuningName;

/// Whether the name is one of LoRA's tensors.
pub fn is_lora(name: &str) -> bool {
    name.ends_with(".lora_A") || name.ends_with(".lora_B")
}

/// Whether the name is one of the prefixes' tensors.
pub fn is_prefix(name: &str) -> bool {
    name.ends_with(".prefix_key") || name.ends_with(".prefix_value")
}

/// Whether the name belongs to an adapter, and not to the model that files hold whole.
pub fn is_adapter(name: &str) -> bool {
    is_lora(name) || is_prefix(name)
}

/// Whether the name is one of the head for words.
pub fn is_word_head(name: &str) -> bool {
    name.starts_with("lm_head.")
}

/// Whether the name is one of a head, for words or for classes.
pub fn is_head(name: &str) -> bool {
    is_word_head(name) || name.starts_with("classifier.")
}

/// Whether a tuning trains the tensor of this name; `with_head` trains the head beside LoRA, the prefixes or the biases, as
/// the reference does beside LoRA (run.py:939-942).
pub fn trains(tuning: TuningName, name: &str, with_head: bool) -> bool {
    match tuning {
        TuningName::Full => !is_adapter(name),
        TuningName::Head => is_head(name),
        _ if with_head && is_head(name) => true,
        TuningName::Lora => is_lora(name),
        TuningName::Prefix => is_prefix(name),
        TuningName::Bias => name.ends_with(".bias"),
    }
}

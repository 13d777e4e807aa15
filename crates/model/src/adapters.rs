//! What is put beside a frozen model and trained.

pub(crate) mod lora;
pub(crate) mod prefix;

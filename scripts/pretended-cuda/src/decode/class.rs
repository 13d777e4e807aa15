//! Which file of registers a type is in.

use crate::machine::registers::Class;

/// The file of registers of a type.
pub fn class_of(kind: &str) -> Option<Class> {
    match kind {
        "pred" => Some(Class::Predicate),
        "b8" | "u8" | "s8" | "b16" | "u16" | "s16" | "f16" | "bf16" => Some(Class::Word),
        "b32" | "u32" | "s32" | "f32" | "f16x2" | "bf16x2" => Some(Class::Word),
        "b64" | "u64" | "s64" | "f64" => Some(Class::Long),
        _ => None,
    }
}

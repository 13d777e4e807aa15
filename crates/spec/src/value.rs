//! The types that a key's value can have.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::literal::Literal;

/// What a key takes, before its range is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// A boolean.
    Flag,
    /// One of these words, each with what it means.
    Words(&'static [(&'static str, &'static str)]),
    /// Any string.
    Text,
    /// A path; a relative one starts at the spec's folder.
    Path,
    /// A table of strings under keys of the user's own.
    Texts,
}

/// A type that a key's value can have.
pub trait Value: Sized {
    /// What a spec writes for it.
    const KIND: Kind;

    /// The value that is written so; none where it is of another type.
    fn from_literal(literal: &Literal) -> Option<Self>;

    /// How it is written; none where nothing is.
    fn to_literal(&self) -> Option<Literal>;

    /// The value where the key is missing and has no default; none where it must be there.
    fn absent() -> Option<Self> {
        None
    }
}

macro_rules! whole {
    ($($type:ty),*) => { $(
        impl Value for $type {
            const KIND: Kind = Kind::Whole;

            fn from_literal(literal: &Literal) -> Option<Self> {
                match literal {
                    Literal::Whole(whole) => Self::try_from(*whole).ok(),
                    _ => None,
                }
            }

            fn to_literal(&self) -> Option<Literal> {
                Some(Literal::Whole(*self as i128))
            }
        }
    )* };
}

whole!(u32, u64, usize);

impl Value for f64 {
    const KIND: Kind = Kind::Number;

    fn from_literal(literal: &Literal) -> Option<Self> {
        literal.as_f64()
    }

    fn to_literal(&self) -> Option<Literal> {
        Some(Literal::Number(*self))
    }
}

impl Value for bool {
    const KIND: Kind = Kind::Flag;

    fn from_literal(literal: &Literal) -> Option<Self> {
        literal.as_bool()
    }

    fn to_literal(&self) -> Option<Literal> {
        Some(Literal::Flag(*self))
    }
}

impl Value for String {
    const KIND: Kind = Kind::Text;

    fn from_literal(literal: &Literal) -> Option<Self> {
        literal.as_str().map(str::to_owned)
    }

    fn to_literal(&self) -> Option<Literal> {
        Some(Literal::Text(self.clone()))
    }
}

impl Value for PathBuf {
    const KIND: Kind = Kind::Path;

    fn from_literal(literal: &Literal) -> Option<Self> {
        literal.as_str().map(Self::from)
    }

    fn to_literal(&self) -> Option<Literal> {
        Some(Literal::Text(self.to_string_lossy().into_owned()))
    }
}

impl Value for BTreeMap<String, String> {
    const KIND: Kind = Kind::Texts;

    fn from_literal(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Texts(texts) => Some(texts.clone()),
            _ => None,
        }
    }

    fn to_literal(&self) -> Option<Literal> {
        Some(Literal::Texts(self.clone()))
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: Kind = T::KIND;

    fn from_literal(literal: &Literal) -> Option<Self> {
        T::from_literal(literal).map(Some)
    }

    fn to_literal(&self) -> Option<Literal> {
        self.as_ref().and_then(T::to_literal)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// A word that none of a key's values is called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {}, found `{found}`", one_of(.known))]
pub struct UnknownWord {
    /// The words that there are.
    pub known: &'static [&'static str],
    /// The word.
    pub found: String,
}

/// `f32, tf32, f16 or bf16`
fn one_of(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        words => words.concat(),
    }
}

/// Declares an enum whose values are words of a spec.
macro_rules! words {
    ($(
        $(#[doc = $about:literal])*
        pub enum $name:ident {
            $( $(#[doc = $doc:literal])* $variant:ident = $word:literal ),* $(,)?
        }
    )*) => { $(
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[doc = $doc])* $variant ),*
        }

        impl $name {
            /// All of them, in the order of the docs.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            /// Its word in a spec and in a manifest.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $word ),*
                }
            }

            /// The one of this word.
            pub fn by_name(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|known| known.name() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::value::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::by_name(word).ok_or_else(|| $crate::value::UnknownWord {
                    known: &[$($word),*],
                    found: word.into(),
                })
            }
        }

        impl $crate::value::Value for $name {
            const KIND: $crate::value::Kind = $crate::value::Kind::Words(
                &[$( ($word, concat!($($doc),*)) ),*]
            );

            fn from_literal(literal: &$crate::literal::Literal) -> Option<Self> {
                Self::by_name(literal.as_str()?)
            }

            fn to_literal(&self) -> Option<$crate::literal::Literal> {
                Some($crate::literal::Literal::Text(self.name().into()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::by_name(&word).ok_or_else(|| {
                    serde::de::Error::unknown_variant(&word, &[$($word),*])
                })
            }
        }
    )* };
}

pub(crate) use words;

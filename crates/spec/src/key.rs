//! A key of a spec: everything that is known of it, declared once.
//!
//! The parser, the checks, the JSON schema, the tables of `docs/spec.md`, the label of a configuration and the Parquet
//! columns follow from these declarations.

use crate::literal::Literal;
use crate::tables::MethodName;
use crate::value::Kind;

/// A key of a spec.
#[derive(Debug)]
pub struct Key {
    /// Its path, `train.lr`.
    pub path: &'static str,
    /// What it is, in one sentence or a few.
    pub doc: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// The values it can have, where its type allows more.
    pub range: Range,
    /// Its value where the spec has none.
    pub default: Default,
    /// Its values in words, where type and range do not say all.
    pub values: Option<&'static str>,
    /// Its default in words, where it is decided elsewhere.
    pub default_words: Option<&'static str>,
    /// What it may be called in `[sweep]` beside its path.
    pub short: Option<&'static str>,
    /// What people call it elsewhere, so that an error can name it.
    pub others: &'static [&'static str],
    /// What it is called in front of its value in a table's row, where that is not its column with spaces.
    pub word: Option<&'static str>,
    /// Its place and name at the start of a configuration's label, as the reference code names its folders.
    pub label: Option<(u8, &'static str)>,
    /// What it is to whoever compares runs.
    pub role: Role,
}

/// What a key is to whoever compares runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It says which data and which model.
    Subject,
    /// A grid search varies it, as the paper's do (Tables 4 and 15).
    Searched,
    /// It belongs to a search without being varied alone: what is decayed goes with whether anything is.
    Beside,
    /// The method's name in a table says it.
    InMethodName,
    /// It says how a task is put to the model.
    Prompt,
    /// It says how a run goes on; a search has it the same for all its runs.
    Course,
    /// It tells runs of a configuration apart and is no part of it.
    Seed,
    /// It is a place on a disk, which changes no number.
    Place,
    /// None of these.
    Other,
}

/// The values a key can have, where its type allows more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// All.
    Any,
    /// 1 or more.
    Count,
    /// 0 or more.
    NotNegative,
    /// Above 0.
    Positive,
    /// Above 0 and a normal f32: the forward pass perturbs in f32.
    PositiveF32,
    /// 0 or more, less than 1.
    Share,
    /// What fits in 32 bits.
    Bits32,
}

/// A key's value where the spec has none.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// There is none: the key must be there.
    Needed,
    /// It is left open.
    Open,
    /// A whole number.
    Whole(i128),
    /// A number.
    Number(f64),
    /// A boolean.
    Flag(bool),
    /// A word.
    Word(&'static str),
    /// A word that depends on the method.
    ByMethod(fn(MethodName) -> &'static str),
}

impl Default {
    /// The default under a method; none where there is none.
    pub(crate) fn literal(self, method: Option<MethodName>) -> Option<Literal> {
        Some(match self {
            Self::Needed | Self::Open => return None,
            Self::Whole(whole) => Literal::Whole(whole),
            Self::Number(number) => Literal::Number(number),
            Self::Flag(flag) => Literal::Flag(flag),
            Self::Word(word) => Literal::Text(word.into()),
            Self::ByMethod(word) => Literal::Text(word(method?).into()),
        })
    }
}

impl Range {
    /// What is expected, where a value of the right type is outside.
    pub(crate) fn expected(self, literal: &Literal) -> Option<&'static str> {
        let number = literal.as_f64()?;
        let inside = match self {
            Self::Any => true,
            Self::Count => number >= 1.0,
            Self::NotNegative => number.is_finite() && number >= 0.0,
            Self::Positive => number.is_finite() && number > 0.0,
            Self::PositiveF32 => {
                if !(number.is_finite() && number > 0.0) {
                    return Some("a finite number above 0");
                }
                (number as f32).is_normal()
            }
            Self::Share => (0.0..1.0).contains(&number),
            Self::Bits32 => literal
                .as_u64()
                .is_some_and(|seed| u32::try_from(seed).is_ok()),
        };
        (!inside).then_some(match self {
            Self::Any => "",
            Self::Count => "1 or more",
            Self::NotNegative => "a finite number, 0 or more,",
            Self::Positive => "a finite number above 0",
            Self::PositiveF32 => "1.2e-38 to 3.4e38",
            Self::Share => "0 or more and less than 1",
            Self::Bits32 => "0 to 4294967295",
        })
    }

    /// The range in the docs' words; none where it is all of the type.
    pub(crate) fn words(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Count => Some("1 or more"),
            Self::NotNegative => Some("0 or more"),
            Self::Positive | Self::PositiveF32 => Some("above 0"),
            Self::Share => Some("0 or more, less than 1"),
            Self::Bits32 => Some("0 to 4294967295"),
        }
    }
}

impl Key {
    /// A key of this path and type that must be there and can have any value of its type.
    pub const fn new(path: &'static str, doc: &'static str, kind: Kind) -> Self {
        Self {
            path,
            doc,
            kind,
            range: Range::Any,
            default: Default::Needed,
            values: None,
            default_words: None,
            short: None,
            others: &[],
            word: None,
            label: None,
            role: Role::Other,
        }
    }

    /// The table it stands in, `train` of `train.lr`; empty at the top.
    pub fn table(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(table, _)| table)
    }

    /// Its name in its table, `lr` of `train.lr`.
    pub fn name(&self) -> &'static str {
        self.path
            .rsplit_once('.')
            .map_or(self.path, |(_, name)| name)
    }

    /// What it is called as a column, in a label and among settings: `lr`, `lora_r`, and `task` for `task.name`.
    pub fn column(&self) -> String {
        column(self.path)
    }
}

/// What the key of a path is called as a column.
pub fn column(path: &str) -> String {
    match path.split_once('.') {
        Some((table @ ("task" | "method"), "name")) => table.to_owned(),
        Some((_, rest)) => rest.replace('.', "_"),
        None => path.to_owned(),
    }
}

/// Declares a struct whose fields are keys of a spec, and parts that are such structs themselves.
macro_rules! keys {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $constant:ident = $path:literal => $field:ident: $type:ty $({ $($attribute:ident: $value:expr),* $(,)? })?;
            )*
        }
        $(parts { $( $(#[doc = $part_doc:literal])* $part:ident: $part_type:ty ),* $(,)? })?
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $field: $type, )*
            $($( $(#[doc = $part_doc])* pub $part: $part_type, )*)?
        }

        impl $name {
            $(
                $(#[doc = $doc])*
                pub const $constant: $crate::key::Key = $crate::key::Key {
                    $($( $attribute: $value, )*)?
                    ..$crate::key::Key::new($path, concat!($($doc),*), <$type as $crate::value::Value>::KIND)
                };
            )*
        }

        impl $crate::reader::Part for $name {
            fn keys(keys: &mut Vec<&'static $crate::key::Key>) {
                $($( <$part_type as $crate::reader::Part>::keys(keys); )*)?
                $( keys.push(const { &Self::$constant }); )*
            }

            fn read(reader: &mut $crate::reader::Reader<'_>) -> Option<Self> {
                $($( let $part = <$part_type as $crate::reader::Part>::read(reader); )*)?
                $( let $field = reader.value(const { &Self::$constant }); )*
                Some(Self { $( $field: $field?, )* $($( $part: $part?, )*)? })
            }

            fn write(&self, values: &mut $crate::values::Values) {
                $( values.put(const { &Self::$constant }, &self.$field); )*
                $($( $crate::reader::Part::write(&self.$part, values); )*)?
            }
        }
    };
}

pub(crate) use keys;

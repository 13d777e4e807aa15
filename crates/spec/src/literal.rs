//! A value of a key without its place: what stands in a spec, and in a run's manifest.

use std::collections::BTreeMap;

use serde_json::{Number, Value as Json};
use toml::de::DeValue;

/// A whole number beyond those that a key takes.
const TOO_LARGE: &str = "a number that is too large";

/// A value that a key can have.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Whole(i128),
    /// Any other number.
    Number(f64),
    /// A string.
    Text(String),
    /// A table of strings, as label words are.
    Texts(BTreeMap<String, String>),
    /// Something that no key takes, in words.
    Other(&'static str),
}

impl Literal {
    pub(crate) fn of_toml(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
                .map_or(Self::Other(TOO_LARGE), Self::Whole),
            DeValue::Float(number) => {
                Self::Number(number.as_str().parse().unwrap_or(f64::INFINITY))
            }
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Array(_) => Self::Other("a list"),
            DeValue::Table(table) => {
                let text = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                    let key: &std::borrow::Cow<'_, str> = key.get_ref();
                    Some((key.to_string(), value.get_ref().as_str()?.to_owned()))
                };
                let texts: Option<BTreeMap<_, _>> = table.iter().map(text).collect();
                texts.map_or(Self::Other("a table"), Self::Texts)
            }
        }
    }

    pub(crate) fn of_json(value: &Json) -> Self {
        match value {
            Json::Null => Self::Other("nothing"),
            Json::Bool(flag) => Self::Flag(*flag),
            Json::Number(number) => match number.as_i128() {
                Some(whole) => Self::Whole(whole),
                None => Self::Number(number.as_f64().unwrap_or(f64::INFINITY)),
            },
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(_) => Self::Other("a list"),
            Json::Object(table) => {
                let text = |(key, value): (&String, &Json)| {
                    Some((key.clone(), value.as_str()?.to_owned()))
                };
                let texts: Option<BTreeMap<_, _>> = table.iter().map(text).collect();
                texts.map_or(Self::Other("a table"), Self::Texts)
            }
        }
    }

    pub(crate) fn to_json(&self) -> Json {
        match self {
            Self::Flag(flag) => Json::Bool(*flag),
            Self::Whole(whole) => Number::from_i128(*whole).map_or(Json::Null, Json::Number),
            Self::Number(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
            Self::Text(text) => Json::String(text.clone()),
            Self::Texts(texts) => {
                let text = |(key, text): (&String, &String)| (key.clone(), text.clone().into());
                Json::Object(texts.iter().map(text).collect())
            }
            Self::Other(_) => Json::Null,
        }
    }

    /// What it is, in an error: `the number 3`, `the string "many"`.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Flag(flag) => format!("`{flag}`"),
            Self::Whole(whole) if *whole > i128::from(u64::MAX) => TOO_LARGE.into(),
            Self::Whole(whole) => format!("the number {whole}"),
            Self::Number(number) => format!("the number {number:?}"),
            Self::Text(text) => format!("the string {text:?}"),
            Self::Texts(_) => "a table".into(),
            Self::Other(words) => (*words).into(),
        }
    }

    /// Its number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Whole(whole) => Some(*whole as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Its whole number, if it is one of 0 or more.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Whole(whole) => u64::try_from(*whole).ok(),
            _ => None,
        }
    }

    /// Its text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its truth, if it is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

//! `[method]`: what is done. A method holds what it reads and nothing else.

use crate::key::{Key, Role};
use crate::reader::{Part, Reader};
use crate::tables::{FineTune, Lora, Mezo, Prefix, Protocol, TUNING, Training, Tuning, TuningName};
use crate::value::{Value, words};
use crate::values::Values;

words! {
    /// What is done.
    pub enum MethodName {
        /// Memory-efficient zeroth-order optimisation.
        Mezo = "mezo",
        /// Fine-tuning by backpropagation.
        Ft = "ft",
        /// Linear probing: logistic regression on frozen features.
        Lp = "lp",
        /// MeZO from where linear probing ends.
        LpMezo = "lp-mezo",
        /// No training at all.
        ZeroShot = "zero-shot",
    }
}

/// What is done.
pub const METHOD_NAME: Key = Key {
    role: Role::InMethodName,
    ..Key::new("method.name", "What is done.", MethodName::KIND)
};

/// What is done, with all that it reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// Training from losses alone.
    Mezo(Mezo),
    /// Fine-tuning by backpropagation.
    FineTune(FineTune),
    /// Logistic regression on frozen features.
    LinearProbe(LinearProbe),
    /// No training at all.
    ZeroShot(ZeroShot),
}

/// Logistic regression on frozen features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinearProbe {
    /// Picks the split.
    pub seed: u64,
}

/// No training at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZeroShot {
    /// Draws the head, without a prompt; with one there is none.
    pub seed: Option<u64>,
}

impl Method {
    /// No training, and nothing that a seed would decide.
    pub const ZERO_SHOT: Self = Self::ZeroShot(ZeroShot { seed: None });

    /// Its name.
    pub fn name(&self) -> MethodName {
        match self {
            Self::Mezo(mezo) => match mezo.start {
                super::Start::Model => MethodName::Mezo,
                super::Start::LinearProbe => MethodName::LpMezo,
            },
            Self::FineTune(_) => MethodName::Ft,
            Self::LinearProbe(_) => MethodName::Lp,
            Self::ZeroShot(_) => MethodName::ZeroShot,
        }
    }

    /// What training from losses alone reads.
    pub fn mezo(&self) -> Option<&Mezo> {
        match self {
            Self::Mezo(mezo) => Some(mezo),
            _ => None,
        }
    }

    /// What training by steps reads.
    pub fn training(&self) -> Option<&Training> {
        match self {
            Self::Mezo(mezo) => Some(&mezo.train),
            Self::FineTune(fine_tune) => Some(&fine_tune.train),
            Self::LinearProbe(_) | Self::ZeroShot(_) => None,
        }
    }

    /// Which parameters are trained; none where the model's own stay as they are.
    pub fn tuning(&self) -> Option<&Tuning> {
        match self {
            Self::Mezo(mezo) => Some(&mezo.tuning),
            Self::FineTune(fine_tune) => Some(&fine_tune.tuning),
            Self::LinearProbe(_) | Self::ZeroShot(_) => None,
        }
    }

    /// The seed, where there is one.
    pub fn seed(&self) -> Option<u64> {
        match self {
            Self::Mezo(mezo) => Some(mezo.train.seed),
            Self::FineTune(fine_tune) => Some(fine_tune.train.seed),
            Self::LinearProbe(probe) => Some(probe.seed),
            Self::ZeroShot(zero_shot) => zero_shot.seed,
        }
    }

    /// The keys that a method of this name reads, but for its name.
    pub fn keys_of(name: MethodName) -> Vec<&'static Key> {
        let mut keys = Vec::new();
        match name {
            MethodName::Mezo | MethodName::LpMezo => Mezo::keys(&mut keys),
            MethodName::Ft => FineTune::keys(&mut keys),
            MethodName::Lp => keys.push(&Training::SEED),
            MethodName::ZeroShot => {}
        }
        keys
    }

    /// Reads the method; `prompt` says whether a prompt asks the model.
    pub(crate) fn read(reader: &mut Reader<'_>, protocol: Protocol, prompt: bool) -> Option<Self> {
        let name = reader.value(&METHOD_NAME)?;
        reader.method = Some(name);
        Some(match name {
            MethodName::Mezo | MethodName::LpMezo => {
                let mut mezo = Mezo::read(reader)?;
                mezo.check(reader, protocol);
                check_reference(reader, protocol, &mezo.tuning, &mezo.train);
                Self::Mezo(mezo)
            }
            MethodName::Ft => {
                let mut fine_tune = FineTune::read(reader)?;
                fine_tune.check(reader, protocol);
                check_reference(reader, protocol, &fine_tune.tuning, &fine_tune.train);
                Self::FineTune(fine_tune)
            }
            MethodName::Lp => Self::LinearProbe(LinearProbe {
                seed: reader.value(&Training::SEED)?,
            }),
            // Without a prompt the seed draws the head.
            MethodName::ZeroShot => Self::ZeroShot(ZeroShot {
                seed: match prompt {
                    true => None,
                    false => Some(reader.value(&Training::SEED)?),
                },
            }),
        })
    }

    /// Writes its keys.
    pub(crate) fn write(&self, values: &mut Values) {
        values.put(&METHOD_NAME, &self.name());
        match self {
            Self::Mezo(mezo) => mezo.write(values),
            Self::FineTune(fine_tune) => fine_tune.write(values),
            Self::LinearProbe(probe) => values.put(&Training::SEED, &probe.seed),
            Self::ZeroShot(zero_shot) => values.put(&Training::SEED, &zero_shot.seed),
        }
    }
}

/// Why a key that is set is not read under this method, and the way out.
pub(crate) fn unread(
    key: &Key,
    method: MethodName,
    tuning: Option<TuningName>,
) -> (String, String) {
    let readers: Vec<String> = MethodName::ALL
        .iter()
        .filter(|name| {
            Method::keys_of(**name)
                .iter()
                .any(|known| known.path == key.path)
        })
        .map(|name| format!("`{name}`"))
        .collect();
    let table = [
        (Lora::R, TuningName::Lora),
        (Prefix::TOKENS, TuningName::Prefix),
    ];
    let needs = table.iter().find(|(known, _)| known.table() == key.table());
    if let (Some((_, needs)), Some(tuning)) = (needs, tuning) {
        return (
            format!(
                "`{TUNING}` is \"{tuning}\", which does not read it",
                TUNING = TUNING.path
            ),
            format!("set `tuning = \"{needs}\"` in [method], or remove it"),
        );
    }
    (
        format!("`method.name` is \"{method}\", which does not read it"),
        match readers.as_slice() {
            [] => "remove it".into(),
            readers => format!("remove it; it is read by {}", readers.join(", ")),
        },
    )
}

/// What the public code has no way to do, whatever the method.
fn check_reference(reader: &mut Reader<'_>, protocol: Protocol, tuning: &Tuning, train: &Training) {
    let reference = protocol == Protocol::ReferenceCode;
    let absent = [
        (
            TUNING.path,
            *tuning == Tuning::Bias,
            "trains no subset of biases",
        ),
        (
            Training::MOMENTUM.path,
            train.momentum > 0.0,
            "has no momentum",
        ),
    ];
    for (key, set, what) in absent {
        refuse_in_reference(reader, key, set && reference, what);
    }
}

/// Refuses what the public code does not do.
pub(crate) fn refuse_in_reference(reader: &mut Reader<'_>, key: &str, set: bool, what: &str) {
    if set {
        reader.rule(
            key,
            format!("protocol \"reference-code\" does what the public code does, which {what}"),
            "set `protocol = \"paper\"`, or choose what the public code has",
        );
    }
}

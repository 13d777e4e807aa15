//! The words of a spec: which keys there are, what they take, and what a run is resolved to.
//!
//! A key is declared once, in `tables/`; the parser, the checks, "which does not read it", the JSON schema, the tables of
//! `docs/spec.md`, labels and columns follow from the declaration. A [`Spec`] is read from TOML and expands to
//! [`Point`]s, each of which is a [`RunSpec`]; what that is resolved to is a [`RunConfig`], whose values by their keys
//! ([`Values`]) stand in a run's manifest. This crate reads no file but the spec, and knows no model and no data.

mod base;
mod brackets;
mod catalog;
mod check;
mod digits;
mod docs;
mod document;
mod error;
mod excerpt;
mod hint;
mod key;
mod literal;
mod parse;
mod points;
mod problem;
mod reader;
mod run;
mod schema;
mod source;
mod sweep;
mod tables;
mod trained;
mod value;
mod values;

pub use catalog::{TABLES, Table, key, keys};
pub use digits::grouped;
pub use docs::markdown;
pub use document::Spec;
pub use error::{SpecError, SpecErrors};
pub use excerpt::Excerpt;
pub use key::{Default, Key, Range, Role, column};
pub use literal::Literal;
pub use points::{Overrides, Point, Swept, label};
pub use problem::{MAX_RUNS, Problem};
pub use reader::{Fault, FaultKind, Lookup};
pub use run::{ConfigError, HubModel, ModelSource, NoCommit, RunConfig, RunSpec, TaskConfig};
pub use schema::{Names, schema};
pub use tables::{
    Cut, DecayOn, DeviceKind, Estimates, EstimatesSchedule, Estimator, FineTune, LinearProbe, Lora,
    Method, MethodName, Mezo, ModelSpec, Modifies, Objective, Optimizer, Precision, Prefix,
    PrefixInit, Protocol, Scale, ScaleBy, ScaleMeasured, Schedule, Start, TaskSpec, Training,
    Tuning, TuningName, ZeroShot,
};
pub use tables::{METHOD_NAME, PROTOCOL, TUNING};
pub use trained::{HeadKind, Trained};
pub use value::{Kind, UnknownWord, Value};
pub use values::Values;

//! What the tests of specs share.
#![allow(dead_code, clippy::unwrap_used)]

use mezo_spec::{Overrides, Point, RunSpec, Spec, SpecError, SpecErrors};

/// The keys that a run of MeZO needs, but for `[sweep]`'s usual ones and those in `[train]`.
pub const TABLES: &str = "name = \"demo\"\n[model]\nbuiltin = \"tiny\"\n[task]\nname = \"sst-2\"\nk = 16\n\
     [method]\nname = \"mezo\"\n[train]\n";

/// One error as a user sees it.
pub fn said_of(error: &SpecError) -> String {
    match error.hint() {
        Some(hint) => format!("error: {error}\nhint: {hint}"),
        None => format!("error: {error}"),
    }
}

/// All errors as a user sees them.
pub fn said(errors: &SpecErrors) -> String {
    let all: Vec<String> = errors.iter().map(said_of).collect();
    all.join("\n")
}

pub fn spec(text: &str) -> Spec {
    Spec::parse("spec.toml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The runs of a text, or what is wrong with it.
pub fn runs(text: &str) -> Result<Vec<RunSpec>, SpecErrors> {
    let spec = Spec::parse("spec.toml", text)?;
    let runs = spec.runs(&Overrides::default())?;
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// What is said of a text that is refused.
pub fn refused(text: &str) -> String {
    said(&runs(text).unwrap_err())
}

pub fn labels(text: &str) -> Vec<String> {
    spec(text).points().map(|point| point.label()).collect()
}

/// All points of a spec.
pub fn points(spec: &Spec) -> Vec<Point<'_>> {
    spec.points().collect()
}

//! From the lists of each grid to points, one for every combination, and from a point to a run.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::catalog;
use crate::document::{Spec, parents};
use crate::error::{SpecError, SpecErrors};
use crate::key::Key;
use crate::literal::Literal;
use crate::problem::Problem;
use crate::reader::{Fault, FaultKind, Lookup};
use crate::run::RunSpec;
use crate::sweep::axis::{Axis, AxisValue, path_of};
use crate::sweep::grid::Grid;
use crate::tables::{ModelSpec, TaskSpec};
use crate::value::Kind;

/// One swept key of a point and the value it has there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// The key's full path, `train.lr`.
    pub key: String,
    /// A number or boolean as the spec writes it (`1e-4` stays `1e-4`), the contents of a string.
    pub text: String,
}

impl Swept {
    /// What the key is called in a table or a label: `lr` for `train.lr`, `task` for `task.name`.
    pub fn column(&self) -> &str {
        let (table, last) = self.key.rsplit_once('.').unwrap_or(("", &self.key));
        let whole = last == "name" || (table == "model" && matches!(last, "builtin" | "path"));
        if whole && !table.is_empty() {
            table
        } else {
            last
        }
    }
}

/// Swept values in one line, `seed 13 lr 1e-4 eps 1e-3`: those of the keys that are asked for.
pub fn label(swept: &[Swept], key: impl Fn(&str) -> bool) -> String {
    let alone = |column: &str| {
        let same = swept.iter().filter(|other| other.column() == column);
        same.count() == 1
    };
    let name = |swept: &Swept| {
        if alone(swept.column()) {
            swept.column().to_owned()
        } else {
            swept.key.clone()
        }
    };
    swept
        .iter()
        .filter(|swept| key(&swept.key))
        .map(|swept| format!("{} {}", name(swept), swept.text))
        .collect::<Vec<_>>()
        .join(" ")
}

/// One combination of a grid: each of its keys with one of its values.
#[derive(Debug, Clone)]
pub struct Point<'s> {
    spec: &'s Spec,
    grid: &'s Grid,
    picked: Vec<(&'s Axis, &'s AxisValue)>,
}

/// What takes the place of a spec's own values, for all its runs.
#[derive(Debug, Clone, Default)]
pub struct Overrides(BTreeMap<&'static str, Option<Literal>>);

impl Overrides {
    /// The model in a folder, whatever model the spec names.
    pub fn model(mut self, folder: &Path) -> Self {
        self.0.extend([
            (ModelSpec::BUILTIN.path, None),
            (ModelSpec::HUB.path, None),
            (ModelSpec::REVISION.path, None),
        ]);
        self.set(&ModelSpec::PATH, folder)
    }

    /// The data in a folder, whatever folder the spec names.
    pub fn data(self, folder: &Path) -> Self {
        self.set(&TaskSpec::DATA, folder)
    }

    fn set(mut self, key: &Key, folder: &Path) -> Self {
        let text = folder.to_string_lossy().into_owned();
        self.0.insert(key.path, Some(Literal::Text(text)));
        self
    }
}

impl Spec {
    /// Every combination of the values of `[sweep]` that it does not leave out, in the order of the
    /// file: its first key varies slowest, and with it those that go beside it. Several grids, each
    /// a `[[sweep]]`, give their points one after the other. Without `[sweep]` there is one point.
    pub fn points(&self) -> impl Iterator<Item = Point<'_>> {
        self.grids().iter().flat_map(move |grid| {
            grid.points().map(move |number| Point {
                spec: self,
                grid,
                picked: picked(grid, number),
            })
        })
    }

    /// The runs of the spec, each with the point it is, in the order of [`Spec::points`]; `overrides` take the place of
    /// what the spec says.
    ///
    /// # Errors
    /// With every rule that a run breaks, each thing once for all runs.
    pub fn runs(&self, overrides: &Overrides) -> Result<Vec<(Point<'_>, RunSpec)>, SpecErrors> {
        let (mut runs, mut told) = (Vec::new(), Told::default());
        for point in self.points() {
            match point.read(overrides) {
                Ok(run) => runs.push((point, run)),
                Err(faults) => told.add(&point, faults),
            }
        }
        match told.errors.is_empty() {
            true => Ok(runs),
            false => Err(SpecErrors::new(told.errors)),
        }
    }
}

/// Errors at a place of a spec.
impl Spec {
    /// An error about the value that `key` (`train.lr` or a short name) has at `point`: at the
    /// swept value, else at the key's own, else at its table.
    pub fn error_at(
        &self,
        point: Option<&Point<'_>>,
        key: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> SpecError {
        let message = message.into();
        self.problem_at(point, path_of(key), Problem::Value { message, hint })
    }

    pub(crate) fn problem_at(
        &self,
        point: Option<&Point<'_>>,
        key: &str,
        problem: Problem,
    ) -> SpecError {
        let own = |key: &str| self.base.places.get(key).cloned();
        let span = match point {
            Some(point) => point.span_of(key),
            None => self.axis_span(key),
        };
        let span = span
            .or_else(|| own(key))
            .or_else(|| point.and_then(|point| point.span_within(key)))
            .or_else(|| parents(key).find_map(own));
        self.source.error(span, problem)
    }

    /// An error about a key or a table of a point, whatever its values: where it is swept, else where it stands.
    pub(crate) fn problem_at_key(
        &self,
        point: &Point<'_>,
        key: &str,
        problem: Problem,
    ) -> SpecError {
        match point.key_span(key) {
            Some(span) if !self.base.places.contains_key(key) => {
                self.source.error(Some(span), problem)
            }
            _ => self.problem_at(Some(point), key, problem),
        }
    }
}

fn picked(grid: &Grid, number: usize) -> Vec<(&Axis, &AxisValue)> {
    let dimensions = grid.dimensions.iter().zip(grid.picks(number));
    dimensions
        .flat_map(|(dimension, pick)| {
            let axes = dimension.axes.iter();
            axes.map(move |axis| (axis, &axis.values[pick]))
        })
        .collect()
}

/// The rules that the runs of a spec break that is wrong otherwise: what is not there may just be misspelt.
pub(crate) fn faults_of(spec: &Spec) -> Vec<SpecError> {
    let mut told = Told::default();
    for point in spec.points() {
        let Err(mut faults) = point.read(&Overrides::default()) else {
            continue;
        };
        let is_rule =
            |kind: &FaultKind| matches!(kind, FaultKind::Rule { .. } | FaultKind::Unread { .. });
        faults.retain(|fault| is_rule(&fault.kind));
        told.add(&point, faults);
    }
    told.errors
}

/// Errors of many runs, each once.
#[derive(Default)]
struct Told {
    seen: BTreeSet<(Option<(usize, usize)>, String)>,
    errors: Vec<SpecError>,
}

impl Told {
    fn add(&mut self, point: &Point<'_>, faults: Vec<Fault>) {
        for fault in faults {
            let error = point.error(fault);
            let place = error
                .excerpt()
                .map(|excerpt| (excerpt.line(), excerpt.column()));
            if self.seen.insert((place, error.problem().to_string())) {
                self.errors.push(error);
            }
        }
    }
}

impl Point<'_> {
    /// The swept keys with their values here, in the order of `[sweep]`.
    pub fn swept(&self) -> Vec<Swept> {
        let swept = |(axis, value): &(&Axis, &AxisValue)| Swept {
            key: axis.key.clone(),
            text: value.text.clone(),
        };
        self.picked.iter().map(swept).collect()
    }

    /// The swept values in one line: `seed 13 lr 1e-4 eps 1e-3`.
    pub fn label(&self) -> String {
        self.label_of(|_| true)
    }

    /// The same of some keys alone, which are given by their full paths.
    pub fn label_of(&self, key: impl Fn(&str) -> bool) -> String {
        label(&self.swept(), key)
    }

    /// The run that the point is.
    fn read(&self, overrides: &Overrides) -> Result<RunSpec, Vec<Fault>> {
        RunSpec::read(&Overridden {
            point: self,
            overrides,
        })
    }

    /// What is wrong, at its place in the spec.
    fn error(&self, fault: Fault) -> SpecError {
        let problem = match fault.kind {
            FaultKind::Unread { message, hint } => {
                let hint = Some(hint);
                let problem = Problem::Value { message, hint };
                return self.spec.problem_at_key(self, &fault.key, problem);
            }
            FaultKind::Missing => {
                let (table, key) = match fault.key.rsplit_once('.') {
                    Some((table, key)) => (Some(table.to_owned()), key.to_owned()),
                    None => (None, fault.key.clone()),
                };
                // Of several grids, what lacks may lack in this one alone.
                let several = self.spec.grids().len() > 1;
                let sweep = several.then(|| self.spec.source().line(self.grid.start));
                Problem::MissingKey { table, key, sweep }
            }
            FaultKind::Value => Problem::Value {
                message: format!("`{}` has a value that it cannot have", fault.key),
                hint: None,
            },
            FaultKind::Lacks { message, hint } | FaultKind::Rule { message, hint } => {
                Problem::Value {
                    message,
                    hint: Some(hint),
                }
            }
        };
        self.spec.problem_at(Some(self), &fault.key, problem)
    }

    /// Where `key` has its value here, if it is swept.
    pub(crate) fn span_of(&self, key: &str) -> Option<Range<usize>> {
        let mut picked = self.picked.iter();
        picked
            .find(|(axis, _)| axis.key == key)
            .map(|(_, value)| value.span.clone())
    }

    /// Where the first swept value below the table `key` stands.
    pub(crate) fn span_within(&self, key: &str) -> Option<Range<usize>> {
        let below = |axis: &Axis| parents(&axis.key).any(|parent| parent == key);
        let mut picked = self.picked.iter();
        picked
            .find(|(axis, _)| below(axis))
            .map(|(_, value)| value.span.clone())
    }

    /// Where a key is swept here, or the first key below it as a table.
    pub(crate) fn key_span(&self, key: &str) -> Option<Range<usize>> {
        let is_meant =
            |axis: &Axis| axis.key == key || parents(&axis.key).any(|parent| parent == key);
        let mut picked = self.picked.iter();
        picked
            .find(|(axis, _)| is_meant(axis))
            .map(|(axis, _)| axis.span.clone())
    }

    /// A table of the user's own keys with those in it that are swept.
    fn texts(&self, path: &str) -> Option<Literal> {
        let mut all = match self.spec.own(path) {
            Some(Literal::Texts(texts)) => texts.clone(),
            _ => BTreeMap::new(),
        };
        for (axis, value) in &self.picked {
            let name = axis
                .key
                .strip_prefix(path)
                .and_then(|rest| rest.strip_prefix('.'));
            if let (Some(name), Literal::Text(text)) = (name, &value.literal) {
                all.insert(name.to_owned(), text.clone());
            }
        }
        (!all.is_empty() || self.spec.stands(path)).then_some(Literal::Texts(all))
    }
}

/// A point with what takes the place of its own values.
struct Overridden<'p> {
    point: &'p Point<'p>,
    overrides: &'p Overrides,
}

impl Lookup for Overridden<'_> {
    fn literal(&self, path: &str) -> Option<Literal> {
        if let Some(literal) = self.overrides.0.get(path) {
            return literal.clone();
        }
        if catalog::key(path).is_some_and(|key| key.kind == Kind::Texts) {
            return self.point.texts(path);
        }
        let mut picked = self.point.picked.iter();
        match picked.find(|(axis, _)| axis.key == path) {
            Some((_, value)) => Some(value.literal.clone()),
            None => self.point.spec.own(path).cloned(),
        }
    }

    fn has_table(&self, path: &str) -> bool {
        self.point.spec.stands(path) || self.point.span_within(path).is_some()
    }
}

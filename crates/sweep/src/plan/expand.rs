//! From a spec to the runs it stands for, every one checked, and resolved where its model and its data are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mezo_run::{RunPlan, batch_key};
use mezo_spec::{
    DeviceKind, Method, MethodName, ModelSpec, Point, Precision, RunSpec, Spec, SpecError, Swept,
};

use super::Places;
use super::cost::Work;
use super::disk::disk_bytes;
use super::error::{PlanError, ResolveError};
use super::missing::Reasons;
use super::pace::Kind;
use super::resolve::Resolver;
use super::sizes::Sizes;
use crate::state::Run;

/// A run and the plan whose manifest its directory gets.
pub struct Planned {
    /// The run.
    pub run: Run,
    /// Its plan.
    pub plan: RunPlan,
}

/// A run of a spec, planned or not.
pub struct Entry {
    /// What sets it apart in its sweep.
    pub label: String,
    /// Whether it is a zero-shot run that stands beside others.
    pub beside: bool,
    /// The values of the swept keys.
    pub swept: Vec<Swept>,
    /// What it has to do.
    pub work: Work,
    /// What decides its pace.
    pub(super) kind: Kind,
    /// What was found of what it names.
    pub found: Found,
}

/// What was found of what a run names.
pub enum Found {
    /// All of it.
    Resolved(Box<Planned>),
    /// Not all of it, for these reasons.
    Unresolved(Vec<usize>),
}

impl Entry {
    /// The planned run; none where it is unresolved.
    pub fn run(&self) -> Option<&Run> {
        match &self.found {
            Found::Resolved(planned) => Some(&planned.run),
            Found::Unresolved(_) => None,
        }
    }

    /// What its files take once it is finished; none where it is unresolved.
    pub fn disk_bytes(&self) -> Option<u64> {
        match &self.found {
            Found::Resolved(planned) => Some(disk_bytes(&planned.plan)),
            Found::Unresolved(_) => None,
        }
    }

    /// Its id; none where it is unresolved.
    pub fn id(&self) -> Option<&str> {
        Some(&self.run()?.id)
    }
}

/// The runs of a spec, the zero-shot ones first.
pub struct Expanded {
    /// The sweep's name.
    pub sweep: String,
    /// `runs/<sweep>`.
    pub folder: PathBuf,
    /// The runs.
    pub entries: Vec<Entry>,
    /// Why some of them are unresolved.
    pub reasons: Reasons,
    /// The sizes of the data that were read, by their hash.
    pub sizes: BTreeMap<String, Sizes>,
    /// What a user should hear of the data before a run starts, each thing once.
    pub notes: Vec<String>,
}

/// What becomes of a spec that names what is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// It is refused.
    Refuse,
    /// Its runs are unresolved.
    Keep,
}

/// The repositories on the hub that a spec's models are from, each with its revision.
///
/// # Errors
/// If the spec cannot be.
pub fn hub_models(
    spec: &Path,
    places: &Places<'_>,
) -> Result<BTreeSet<(String, String)>, PlanError> {
    let spec = Spec::read(spec)?;
    let mut models = BTreeSet::new();
    for (_, run) in spec.runs(&places.overrides())? {
        let model = run.model.on_hub();
        models.extend(model.map(|(repo, revision)| (repo.to_owned(), revision.to_owned())));
    }
    Ok(models)
}

/// The runs of a spec. Nothing is written.
///
/// # Errors
/// If the spec, or what it names, cannot be.
pub fn expand(
    spec: &Path,
    places: &Places<'_>,
    kind: DeviceKind,
    lacking: Lacking,
) -> Result<Expanded, PlanError> {
    let spec = Spec::read(spec)?;
    // Every value is looked at before the first model is read, which may take a while.
    let runs = spec.runs(&places.overrides())?;
    check_precisions(&spec, &runs, kind)?;
    let mut expansion = Expansion::new(&spec, places, kind, lacking);
    for (point, run) in &runs {
        expansion.add(point, run)?;
    }
    Ok(expansion.done())
}

/// Swept precisions that a kind of device computes in one and the same would make one run of several.
fn check_precisions(
    spec: &Spec,
    runs: &[(Point<'_>, RunSpec)],
    kind: DeviceKind,
) -> Result<(), SpecError> {
    let mut asked: BTreeMap<Precision, Precision> = BTreeMap::new();
    for (point, run) in runs {
        let Some(precision) = run.model.precision else {
            continue;
        };
        let effect = Precision::in_effect(Some(precision), kind);
        let first = *asked.entry(effect).or_insert(precision);
        if first != precision {
            return Err(spec.error_at(
                Some(point),
                ModelSpec::PRECISION.path,
                format!("{first} and {precision} are both computed in {effect} on the processor"),
                Some("sweep precisions on a GPU (--devices cuda:0), or name one".into()),
            ));
        }
    }
    Ok(())
}

/// A spec on its way to its runs.
struct Expansion<'s> {
    spec: &'s Spec,
    places: &'s Places<'s>,
    lacking: Lacking,
    dir: PathBuf,
    resolver: Resolver,
    /// Ids of the runs so far, and of unresolved ones what they say.
    seen: BTreeSet<String>,
    /// The zero-shot runs by what they evaluate: a run that is resolved takes the place of one that is not.
    zero_shot: Vec<(String, Entry)>,
    others: Vec<Entry>,
    reasons: Reasons,
    sizes: BTreeMap<String, Sizes>,
}

impl<'s> Expansion<'s> {
    fn new(spec: &'s Spec, places: &'s Places<'s>, kind: DeviceKind, lacking: Lacking) -> Self {
        Self {
            spec,
            places,
            lacking,
            dir: places.runs_dir.join(spec.name()),
            resolver: Resolver::new(spec.name(), spec.folder(), kind),
            seen: BTreeSet::new(),
            zero_shot: Vec::new(),
            others: Vec::new(),
            reasons: Reasons::default(),
            sizes: BTreeMap::new(),
        }
    }

    /// Adds a point's run and the zero-shot run beside it.
    fn add(&mut self, point: &Point<'_>, run: &RunSpec) -> Result<(), PlanError> {
        let fail = |error: ResolveError| error.at(self.spec, point, self.places);
        let swept = point.swept();
        let plan = match self.resolver.resolve(run, swept.clone()) {
            Ok(plan) => plan,
            Err(error) if error.is_missing() && self.lacking == Lacking::Keep => {
                let base = self.spec.folder();
                let reasons = self.reasons.of(run, &error, base, self.places);
                return self.add_unresolved(point, run, swept, reasons);
            }
            Err(error) => return Err(fail(error)),
        };
        if let Some(beside) = self.resolver.zero_shot(&plan).map_err(fail)?
            && self.seen.insert(beside.id().to_owned())
        {
            let entry = self.resolved(beside, zero_shot_label(point));
            self.zero_shot.push((evaluated(run), entry));
        }
        if self.seen.insert(plan.id().to_owned()) {
            let entry = self.resolved(plan, label(self.spec, point));
            self.others.push(entry);
        }
        Ok(())
    }

    fn resolved(&mut self, plan: RunPlan, label: String) -> Entry {
        let sizes = self.resolver.sizes(&plan.config).unwrap_or_default();
        self.sizes
            .entry(plan.manifest.data_sha256.clone())
            .or_insert(sizes);
        let dir = self.dir.join(plan.id());
        let run = Run {
            id: plan.id().to_owned(),
            dir: dir.clone(),
            label: label.clone(),
            steps: plan.steps(),
            batch_key: batch_key(&plan),
        };
        Entry {
            label,
            beside: plan.manifest.swept.is_empty()
                && plan.config.method_name() == MethodName::ZeroShot,
            swept: plan.manifest.swept.clone(),
            work: Work::of(&plan.config.method, sizes),
            kind: Kind::of(&plan),
            found: Found::Resolved(Box::new(Planned {
                run,
                plan: plan.with_paths_from(self.spec.folder(), &dir),
            })),
        }
    }

    /// Adds a point that has no manifest yet. What the same words say is the same run.
    fn add_unresolved(
        &mut self,
        point: &Point<'_>,
        run: &RunSpec,
        swept: Vec<Swept>,
        reasons: Vec<usize>,
    ) -> Result<(), PlanError> {
        let task = &run.task;
        let sizes = Sizes::stated(&task.name, task.k, task.test_cap)
            .map_err(|error| error.at(self.spec, point, self.places))?;
        let beside = evaluated(run);
        if task.prompt && self.seen.insert(beside.clone()) {
            let entry = Entry {
                label: zero_shot_label(point),
                beside: true,
                swept: Vec::new(),
                work: Work::of(&Method::ZERO_SHOT, sizes),
                kind: Kind::of_zero_shot(run),
                found: Found::Unresolved(reasons.clone()),
            };
            self.zero_shot.push((beside, entry));
        }
        if run.method.name() == MethodName::ZeroShot || !self.seen.insert(format!("{run:?}")) {
            return Ok(());
        }
        self.others.push(Entry {
            label: label(self.spec, point),
            beside: false,
            swept,
            work: Work::of(&run.method, sizes),
            kind: Kind::of_spec(run),
            found: Found::Unresolved(reasons),
        });
        Ok(())
    }

    fn done(mut self) -> Expanded {
        let resolved = |(_, entry): &&(String, Entry)| matches!(entry.found, Found::Resolved(_));
        let have: BTreeSet<String> = self
            .zero_shot
            .iter()
            .filter(resolved)
            .map(|(evaluated, _)| evaluated.clone())
            .collect();
        self.zero_shot
            .retain(|own| resolved(&own) || !have.contains(&own.0));
        let zero_shot = self.zero_shot.into_iter().map(|(_, entry)| entry);
        let entries: Vec<Entry> = zero_shot.chain(self.others).collect();
        for entry in &entries {
            if let Found::Unresolved(reasons) = &entry.found {
                self.reasons.count(reasons);
            }
        }
        Expanded {
            sweep: self.spec.name().into(),
            folder: self.dir,
            entries,
            reasons: self.reasons,
            sizes: self.sizes,
            notes: self.resolver.notes().map(str::to_owned).collect(),
        }
    }
}

/// What a zero-shot run beside a point evaluates.
fn evaluated(run: &RunSpec) -> String {
    format!("{:?} {:?}", run.model, run.task)
}

/// What sets the point apart; the sweep's name where nothing varies.
fn label(spec: &Spec, point: &Point<'_>) -> String {
    match point.label() {
        empty if empty.is_empty() => spec.name().into(),
        label => label,
    }
}

/// The zero-shot run beside a point: what of it is neither training nor method.
fn zero_shot_label(point: &Point<'_>) -> String {
    let words = point.label_of(|key| key.starts_with("model.") || key.starts_with("task."));
    format!("zero-shot {words}").trim_end().to_owned()
}

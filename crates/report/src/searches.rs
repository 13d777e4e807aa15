//! Searches: the cells among which the paper's protocol selects.

use std::collections::{BTreeMap, BTreeSet};

use crate::cell::{Cell, DECAY_ON};
use crate::run_record::RunRecord;
use crate::sweep_runs::SweepRuns;
use mezo_run::Manifest;

/// Cells that differ only in what a grid search varies.
pub(crate) struct Search<'a> {
    group: &'a str,
    /// What its runs decay, those of them that do.
    decay_on: Option<&'a str>,
    pub(crate) cells: Vec<(&'a Cell, Vec<&'a RunRecord>)>,
}

impl<'a> Search<'a> {
    pub(crate) fn runs(&self) -> Vec<&'a RunRecord> {
        self.cells
            .iter()
            .flat_map(|(_, members)| members.iter().copied())
            .collect()
    }

    pub(crate) fn is_zero_shot(&self) -> bool {
        self.cells
            .first()
            .is_some_and(|(cell, _)| cell.is_zero_shot())
    }

    /// The method of all its cells, as the paper's Table 18 calls it.
    pub(crate) fn method(&self) -> &'a str {
        self.cells.first().map_or("", |(cell, _)| &cell.method)
    }

    /// The manifest of its first run: what a search does not vary is the same in all of them.
    pub(crate) fn manifest(&self) -> Option<&'a Manifest> {
        let (_, members) = self.cells.first()?;
        members.first()?.manifest()
    }

    /// Whether its runs go by steps, and so have a last one.
    pub(crate) fn has_steps(&self) -> bool {
        self.manifest().and_then(Manifest::steps).is_some()
    }

    /// The settings that all cells share, with the same text.
    pub(crate) fn shared_settings(&self) -> Vec<(String, String)> {
        let Some(((first, _), others)) = self.cells.split_first() else {
            return Vec::new();
        };
        let shared = |(name, text): &&(String, String)| {
            others
                .iter()
                .all(|(cell, _)| cell.setting(name) == Some(text))
        };
        let mut settings: Vec<_> = first.settings.iter().filter(shared).cloned().collect();
        if let Some(decay_on) = self.decay_on
            && settings.iter().all(|(name, _)| name != DECAY_ON)
        {
            settings.push((DECAY_ON.to_owned(), decay_on.to_owned()));
        }
        settings
    }

    /// The names of the others.
    pub(crate) fn varied_settings(&self) -> Vec<String> {
        let shared = self.shared_settings();
        let all = self.cells.iter().flat_map(|(cell, _)| &cell.settings);
        let mut names: Vec<String> = Vec::new();
        for (name, _) in all {
            if !names.contains(name) && shared.iter().all(|(known, _)| known != name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// The searches in the order of their first cells.
pub(crate) fn searches(runs: &SweepRuns) -> Vec<Search<'_>> {
    let cells = runs.cells();
    let mut decayed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (cell, _) in &cells {
        let of_group = decayed.entry(&cell.group).or_default();
        of_group.extend(cell.setting(DECAY_ON));
    }
    let mut searches: Vec<Search<'_>> = Vec::new();
    for (cell, members) in cells {
        let members = one_a_seed(&members);
        let group = cell.group.as_str();
        // A cell without decay stands beside those that have it: where there are several ways, in one search only.
        let decay_on = cell
            .setting(DECAY_ON)
            .or_else(|| decayed.get(group)?.last().copied());
        match searches
            .iter_mut()
            .find(|search| (search.group, search.decay_on) == (group, decay_on))
        {
            Some(search) => search.cells.push((cell, members)),
            None => searches.push(Search {
                group,
                decay_on,
                cells: vec![(cell, members)],
            }),
        }
    }
    searches
}

/// Of several runs with one seed the first by id, of those that ended where any did: a run that was
/// copied or done again is no further seed.
fn one_a_seed<'a>(members: &[&'a RunRecord]) -> Vec<&'a RunRecord> {
    members
        .chunk_by(|a, b| a.seed() == b.seed())
        .filter_map(|same| same.iter().find(|run| run.ended()).or(same.first()))
        .copied()
        .collect()
}

/// What all searches share of the things a reader looks for first.
pub(crate) fn heading(searches: &[Search<'_>], made_data: bool) -> String {
    const FIRST: [(&str, &str); 6] = [
        ("model", ""),
        ("task", ""),
        ("k", "k "),
        ("batch_size", "batch "),
        ("steps", "steps "),
        ("weight_decay", "weight decay "),
    ];
    let all: Vec<_> = searches.iter().map(Search::shared_settings).collect();
    let shared = |(name, words): &(&str, &str)| {
        let mut texts = all
            .iter()
            .filter_map(|settings| settings.iter().find(|(known, _)| known == name));
        let (_, text) = texts.next()?;
        texts
            .all(|(_, other)| other == text)
            .then(|| format!("{words}{text}"))
    };
    let mut parts: Vec<String> = FIRST.iter().filter_map(shared).collect();
    let trained = searches.iter().filter(|search| !search.is_zero_shot());
    let mut methods = trained.map(Search::method);
    if let Some(method) = methods.next()
        && methods.all(|other| other == method)
    {
        parts.insert(parts.len().min(3), method.to_owned());
    }
    if made_data {
        parts.push("made data".to_owned());
    }
    parts.join(", ")
}

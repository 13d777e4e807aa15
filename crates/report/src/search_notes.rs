//! What stands under the results table about its searches: in what each is not the paper's, and what it chose.

use crate::cell::configuration_words;
use crate::rows::{Row, RowKind};
use crate::varied::{Named, differs, is_of_training, setting_words, text, varied_searches};

/// What each search has that the paper's has not, or the other way round.
pub(crate) fn grids(rows: &[Row]) -> Vec<String> {
    let names = SearchNames::of(rows);
    let mut notes = Vec::new();
    let of_kind = |kind: RowKind| rows.iter().filter(move |row| row.kind == kind);
    // Without a number of the paper's beside it there is nothing to tell zero-shot apart from.
    let zero_shot: Vec<&Row> = of_kind(RowKind::ZeroShot).collect();
    let differing = zero_shot
        .iter()
        .filter(|row| row.paper.is_some() && !row.partial_grid.is_empty());
    let differing: Vec<&Row> = differing.copied().collect();
    if !differing.is_empty() {
        notes.push(format!(
            "{}, not the paper's: {}",
            names.part("zero-shot", &differing, &zero_shot),
            names.differences(&differing)
        ));
    }
    for (method, searches) in grouped(of_kind(RowKind::Selected), |row| row.method.clone()) {
        let (whole, partial): (Vec<&Row>, Vec<&Row>) =
            searches.iter().partition(|row| row.partial_grid.is_empty());
        if !whole.is_empty() {
            let who = names.part(&method, &whole, &searches);
            notes.push(format!("{who}: the paper's grid and seeds"));
        }
        if !partial.is_empty() {
            let who = names.part(&method, &partial, &searches);
            let differences = names.differences(&partial);
            notes.push(format!("{who}, partial grid: {differences}"));
        }
    }
    if rows.iter().any(|row| row.paper.is_some()) {
        notes.push(
            "paper: RoBERTa-large, arXiv 2305.17333v3, Table 18; it is selected per seed over the whole \
             grid, so that only the row selected as published stands beside it like for like"
                .to_owned(),
        );
    }
    notes
}

/// Which configuration each seed selected, and what the rows beside that are.
pub(crate) fn choices(rows: &[Row]) -> Vec<String> {
    let names = SearchNames::of(rows);
    let of_kind = |kind: RowKind| rows.iter().filter(move |row| row.kind == kind);
    let selected = of_kind(RowKind::Selected).filter(|row| !row.chosen.is_empty());
    let seeds = |row: &Row| {
        let seeds = row.chosen.iter();
        let seeds = seeds.map(|choice| format!("seed {}: {}", choice.seed, choice.cell));
        (row.method.clone(), seeds.collect::<Vec<_>>().join("; "))
    };
    let mut notes = Vec::new();
    let mut rule = " (per seed the configuration with the best dev accuracy)";
    for ((method, seeds), members) in grouped(selected, seeds) {
        let who = names.all(&method, &members, rows);
        notes.push(format!("{who}, selected as published{rule}: {seeds}"));
        rule = "";
    }
    if of_kind(RowKind::LastStep).next().is_some() {
        notes.push(
            "selected, last step: the same runs where their training ended, no step chosen"
                .to_owned(),
        );
    }
    notes.extend(fixed(&names, rows));
    notes
}

/// What the best fixed configuration is, and where there are several searches which one it is in each.
fn fixed(names: &SearchNames<'_>, rows: &[Row]) -> Option<String> {
    let words = |row: &Row| {
        let words = configuration_words(&row.settings, &row.method, &row.searched);
        (row.method.clone(), words)
    };
    let found = rows.iter().filter(|row| row.kind == RowKind::Fixed);
    let found = grouped(found, words);
    let parts: Vec<String> = found
        .iter()
        .map(|((method, words), members)| format!("{}: {words}", names.all(method, members, rows)))
        .collect();
    let rule = "best fixed configuration: the one with the best mean dev accuracy, for all seeds"
        .to_owned();
    match parts.as_slice() {
        [] => None,
        _ if names.varied.is_empty() => Some(rule),
        parts => Some(format!("{rule}; {}", parts.join("; "))),
    }
}

/// Rows with the same key, in the order of their first ones.
fn grouped<'a, K: PartialEq>(
    rows: impl Iterator<Item = &'a Row>,
    key: impl Fn(&Row) -> K,
) -> Vec<(K, Vec<&'a Row>)> {
    let mut groups: Vec<(K, Vec<&'a Row>)> = Vec::new();
    for row in rows {
        let own = key(row);
        match groups.iter_mut().find(|(known, _)| *known == own) {
            Some((_, members)) => members.push(row),
            None => groups.push((own, vec![row])),
        }
    }
    groups
}

fn named(row: &Row) -> Named<'_> {
    (&row.method, &row.settings)
}

/// What searches are called: by what tells them apart, which is nothing where there is one a method.
struct SearchNames<'a> {
    varied: Vec<&'a str>,
}

impl<'a> SearchNames<'a> {
    fn of(rows: &'a [Row]) -> Self {
        let searches = [RowKind::ZeroShot, RowKind::Selected];
        let named: Vec<Named<'a>> = rows
            .iter()
            .filter(|row| searches.contains(&row.kind))
            .map(named)
            .collect();
        Self {
            varied: varied_searches(&named),
        }
    }

    /// Some searches of a method, by the method alone where they are all it has.
    fn part(&self, method: &str, members: &[&Row], among: &[&Row]) -> String {
        if members.len() == among.len() {
            return method.to_owned();
        }
        self.join(method, members, among)
    }

    /// Some searches of a method, by rows of one kind, each named: `MeZO, sst-2, k 512`, or `MeZO, sst-2, trec`.
    fn all(&self, method: &str, members: &[&Row], rows: &[Row]) -> String {
        let kind = members.first().map(|row| row.kind);
        let among = rows.iter();
        let among: Vec<&Row> = among
            .filter(|row| Some(row.kind) == kind && row.method == method)
            .collect();
        self.join(method, members, &among)
    }

    fn join(&self, method: &str, members: &[&Row], among: &[&Row]) -> String {
        let words = self.words(members, among);
        if words.is_empty() {
            return method.to_owned();
        }
        format!("{method}, {words}")
    }

    /// By one of their settings if that is enough to tell them from the others, by the task before all and by the
    /// steps rather than by evaluations that go with them; by every one otherwise.
    fn words(&self, members: &[&Row], among: &[&Row]) -> String {
        let separator = if members.len() > 1 { " " } else { ", " };
        let key = |row: &Row, names: &[&str]| -> String {
            let words = names
                .iter()
                .filter_map(|name| Some(setting_words(name, text(&row.settings, name)?)));
            words.collect::<Vec<_>>().join(separator)
        };
        let keys = |names: &[&str]| -> Vec<String> {
            let mut keys: Vec<String> = Vec::new();
            for key in members.iter().map(|row| key(row, names)) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            keys
        };
        let enough = |name: &&&str| {
            let keys = keys(&[**name]);
            let told = among
                .iter()
                .filter(|row| keys.contains(&key(row, &[**name])));
            told.count() == members.len() && !keys.contains(&String::new())
        };
        let named: Vec<Named<'_>> = among.iter().map(|row| named(row)).collect();
        let tells = |name: &&str| !is_of_training(name) || differs(&named, name);
        let varied: Vec<&str> = self.varied.iter().copied().filter(tells).collect();
        let mut alone: Vec<&&str> = varied.iter().collect();
        alone.sort_by_key(|name| (**name != "task", **name == "eval_every"));
        match alone.into_iter().find(enough) {
            Some(name) => keys(&[*name]).join(", "),
            None => keys(&varied).join(", "),
        }
    }

    /// In what searches of one method differ from the paper's, each difference once: those of all of them, and
    /// then those of some with their names.
    fn differences(&self, rows: &[&Row]) -> String {
        let mut found: Vec<(&str, Vec<usize>)> = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            for difference in &row.partial_grid {
                match found.iter_mut().find(|(known, _)| known == difference) {
                    Some((_, own)) => own.push(at),
                    None => found.push((difference, vec![at])),
                }
            }
        }
        let mut parts: Vec<(Vec<usize>, Vec<&str>)> = vec![((0..rows.len()).collect(), Vec::new())];
        for (difference, own) in found {
            match parts.iter_mut().find(|(known, _)| *known == own) {
                Some((_, differences)) => differences.push(difference),
                None => parts.push((own, vec![difference])),
            }
        }
        let words = parts
            .iter()
            .filter(|(_, differences)| !differences.is_empty());
        let words = words.map(|(own, differences)| {
            let differences = differences.join("; ");
            if own.len() == rows.len() {
                return differences;
            }
            let members: Vec<&Row> = own.iter().map(|at| rows[*at]).collect();
            format!("in {}: {differences}", self.words(&members, rows))
        });
        words.collect::<Vec<_>>().join("; ")
    }
}

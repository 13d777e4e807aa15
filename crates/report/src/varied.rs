//! Which settings tell configurations apart.

use std::collections::{BTreeMap, BTreeSet};

use mezo_spec::Role;

use crate::settings::role;
use crate::sources;

/// Short names and texts of one configuration, and its method as Table 18 calls it.
pub(crate) type Named<'a> = (&'a str, &'a [(String, String)]);

/// What a reader looks for first.
const FIRST: [&str; 3] = ["model", "task", "k"];

/// The names of the settings that are not the same for all: model, task and k, and others in the order in which
/// they first stand. One that a method has in some configurations only is not the same either. What the method's
/// name says is none, nor what the task's name says: how a task is put to the model, where it is put in one way.
pub(crate) fn varied<'a>(all: &[Named<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in all.iter().flat_map(|(_, settings)| settings.iter()) {
        if !names.contains(&name.as_str()) && role(name) != Role::InMethodName {
            names.push(name);
        }
    }
    names.retain(|name| differs(all, name));
    if names.contains(&"task") {
        let mut tasks: BTreeMap<Option<&str>, Vec<Named<'a>>> = BTreeMap::new();
        for named in all {
            tasks.entry(text(named.1, "task")).or_default().push(*named);
        }
        names.retain(|name| {
            !is_of_task(name) || tasks.values().any(|of_task| differs(of_task, name))
        });
    }
    names.sort_by_key(|name| {
        FIRST
            .iter()
            .position(|first| first == name)
            .unwrap_or(FIRST.len())
    });
    names
}

/// Those among them that tell searches apart. How a method is trained is told where it has been in several ways.
pub(crate) fn varied_searches<'a>(all: &[Named<'a>]) -> Vec<&'a str> {
    let mut methods: BTreeMap<&str, Vec<Named<'a>>> = BTreeMap::new();
    for named in all {
        methods.entry(named.0).or_default().push(*named);
    }
    let mut names = varied(all);
    names.retain(|name| {
        let in_one_method = || methods.values().any(|own| differs(own, name));
        role(name) != Role::Searched && (!is_of_training(name) || in_one_method())
    });
    names
}

/// Whether a setting says how a method is trained, and not what it is trained for.
pub(crate) fn is_of_training(name: &str) -> bool {
    let rules = ["protocol", "precision"];
    !FIRST.contains(&name)
        && !is_of_task(name)
        && !rules.contains(&name)
        && !sources::NAMES.contains(&name)
}

/// A setting in words: `k 512`, `label words 0 terrible`; a model and a task need no more than their names.
pub(crate) fn setting_words(name: &str, text: &str) -> String {
    match name {
        "model" | "task" => text.to_owned(),
        _ => format!("{} {text}", name.replace('_', " ")),
    }
}

/// The text of one setting.
pub(crate) fn text<'a>(settings: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = settings.iter().find(|(known, _)| known == name);
    found.map(|(_, text)| text.as_str())
}

/// Whether a setting says how a task is put to the model.
fn is_of_task(name: &str) -> bool {
    role(name) == Role::Prompt
}

/// Whether a setting is not the same for all.
pub(crate) fn differs(all: &[Named<'_>], name: &str) -> bool {
    let texts: BTreeSet<(&str, Option<&str>)> = all
        .iter()
        .map(|(method, settings)| (*method, text(settings, name)))
        .collect();
    let values: BTreeSet<&str> = texts.iter().filter_map(|(_, text)| *text).collect();
    let partly = |method: &str| {
        let own = texts.iter().filter(|(known, _)| *known == method);
        own.count() > 1
    };
    values.len() > 1 || all.iter().any(|(method, _)| partly(method))
}

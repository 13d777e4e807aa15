//! Which settings tell configurations apart.

use std::collections::BTreeSet;

use crate::method;

/// Short names and texts of one configuration, and its method as Table 18 calls it.
pub(crate) type Named<'a> = (&'a str, &'a [(String, String)]);

/// The names of the settings that are not the same for all, in the order in which they first stand. One that
/// a method has in some configurations only is not the same either. What the method's name says is none.
pub(crate) fn varied<'a>(all: &[Named<'a>]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in all.iter().flat_map(|(_, settings)| settings.iter()) {
        if !names.contains(&name.as_str()) && !method::SETTINGS.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.retain(|name| differs(all, name));
    names
}

fn differs(all: &[Named<'_>], name: &str) -> bool {
    let text = |settings: &'_ [(String, String)]| {
        let found = settings.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.clone())
    };
    let texts: BTreeSet<(&str, Option<String>)> = all
        .iter()
        .map(|(method, settings)| (*method, text(settings)))
        .collect();
    let values: BTreeSet<&String> = texts.iter().filter_map(|(_, text)| text.as_ref()).collect();
    let partly = |method: &str| {
        let own = texts.iter().filter(|(known, _)| *known == method);
        own.count() > 1
    };
    values.len() > 1 || all.iter().any(|(method, _)| partly(method))
}

//! Which registers of a kernel may share a row. A compiler names a new register for nearly every instruction; warps whose rows
//! stay in a core's cache are several times as quick.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::class::class_of;
use super::liveness::{Span, spans};
use crate::machine::registers::Class;
use crate::ptx::{Body, Declared, Statement};

/// The rows of named registers, and how many rows of each file there are.
#[derive(Default)]
pub struct Allotted {
    pub rows: HashMap<String, usize>,
    pub words: usize,
    pub longs: usize,
    pub predicates: usize,
}

/// Shares out rows; none where names mean different things at different places.
pub fn allot(body: &Body) -> Option<Allotted> {
    if body
        .statements
        .iter()
        .any(|statement| matches!(statement, Statement::Open))
    {
        return None;
    }
    let classes = classes(body);
    let mut spans: Vec<(&str, Class, Span)> = spans(body)
        .into_iter()
        .filter_map(|(name, span)| Some((name, classes.class(name)?, span)))
        .collect();
    spans.sort_unstable_by_key(|(name, _, span)| (span.first, *name));
    let mut allotted = Allotted::default();
    let count = |class| share(&spans, class, &mut allotted.rows);
    [allotted.words, allotted.longs, allotted.predicates] =
        [Class::Word, Class::Long, Class::Predicate].map(count);
    Some(allotted)
}

/// Gives each register of a file the row that has been free for longest; how many rows that takes.
fn share(spans: &[(&str, Class, Span)], class: Class, rows: &mut HashMap<String, usize>) -> usize {
    let mut count = 0;
    // What ends first on top.
    let mut taken: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    for (name, _, span) in spans.iter().filter(|(_, other, _)| *other == class) {
        // A row may be written again only after the instruction that read it last: that one may write in parts.
        let free = taken
            .peek()
            .is_some_and(|Reverse((last, _))| *last < span.first);
        let reused = if free { taken.pop() } else { None };
        let row = reused.map_or(count, |Reverse((_, row))| row);
        count += usize::from(!free);
        taken.push(Reverse((span.last, row)));
        rows.insert((*name).to_owned(), row);
    }
    count
}

/// The files of declared names.
struct Classes<'a> {
    single: HashMap<&'a str, Class>,
    /// Those with numbers, by what is before these.
    numbered: HashMap<&'a str, (Class, u32)>,
}

fn classes(body: &Body) -> Classes<'_> {
    let (mut single, mut numbered) = (HashMap::new(), HashMap::new());
    for statement in &body.statements {
        let Statement::Registers { kind, names, .. } = statement else {
            continue;
        };
        let Some(class) = class_of(kind) else {
            continue;
        };
        for Declared { name, count } in names {
            match count {
                Some(count) => drop(numbered.insert(name.as_str(), (class, *count))),
                None => drop(single.insert(name.as_str(), class)),
            }
        }
    }
    Classes { single, numbered }
}

impl Classes<'_> {
    fn class(&self, name: &str) -> Option<Class> {
        let before = name.trim_end_matches(|last: char| last.is_ascii_digit());
        let number: Option<u32> = name[before.len()..].parse().ok();
        let numbered = self
            .numbered
            .get(before)
            .filter(|(_, count)| number.is_some_and(|number| number < *count));
        numbered
            .map(|(class, _)| *class)
            .or_else(|| self.single.get(name).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ptx::parse;

    #[test]
    fn a_row_is_used_again_only_after_it_was_read() {
        let text = ".visible .entry k() { .reg .b32 %r<9>; .reg .b64 %rd<9>; mov.b32 %r1, 1; mov.b32 %r2, %r1; mov.b32 %r3, %r2;
            mov.b64 %rd7, 1; st.b32 [%rd7], %r3; }";
        let module = parse(text).expect("a module");
        let allotted = allot(&module.entries[0].body).expect("rows");
        assert_eq!(
            (allotted.words, allotted.longs, allotted.predicates),
            (2, 1, 0)
        );
        assert_ne!(allotted.rows["%r1"], allotted.rows["%r2"]);
        assert_eq!(allotted.rows["%r1"], allotted.rows["%r3"]);
        assert!(!allotted.rows.contains_key("%r4"));
    }

    #[test]
    fn names_that_mean_several_things_share_nothing() {
        let text = ".visible .entry k() { .reg .b32 %a; { .reg .b32 %a; mov.b32 %a, 1; } ret; }";
        let module = parse(text).expect("a module");
        assert!(allot(&module.entries[0].body).is_none());
    }
}

//! From where to where each register of a kernel is of use. Each lane goes a way of its own through the code, and what holds for
//! every way holds for all lanes.

use std::collections::HashMap;
use std::ops::Range;

use crate::ptx::{Body, Operand, Statement};

/// The first instruction and the last between which a register holds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first: usize,
    pub last: usize,
}

/// What an instruction does to registers, which are numbered as they come.
#[derive(Default)]
struct Uses {
    read: Vec<usize>,
    written: Vec<usize>,
    /// Whether what is written is so in every lane.
    always: bool,
}

/// Instructions of which none but the last leads elsewhere.
struct Block {
    code: Range<usize>,
    next: Vec<usize>,
    /// What is read before it is written, what is written, and what is of use at the beginning.
    read: Set,
    written: Set,
    live: Set,
}

/// The spans of all names that instructions have. Some are of no registers.
pub fn spans(body: &Body) -> Vec<(&str, Span)> {
    let mut flow = Flow::default();
    for statement in &body.statements {
        flow.add(statement);
    }
    let blocks = flow.blocks();
    let mut spans = vec![None; flow.names.len()];
    for block in &blocks {
        flow.extend(block, &blocks, &mut spans);
    }
    let mut names: Vec<(&str, usize)> = flow.names.into_iter().collect();
    names.sort_unstable_by_key(|(_, number)| *number);
    names
        .into_iter()
        .filter_map(|(name, number)| Some((name, spans[number]?)))
        .collect()
}

#[derive(Default)]
struct Flow<'a> {
    names: HashMap<&'a str, usize>,
    labels: HashMap<&'a str, usize>,
    tables: HashMap<&'a str, &'a [String]>,
    code: Vec<Uses>,
    /// The label or table of where an instruction may lead besides on, and whether it may lead on.
    jumps: Vec<(Option<&'a str>, bool)>,
}

/// Whether an instruction writes nothing but memory, or goes elsewhere.
fn writes_none(opcode: &str) -> bool {
    let first = opcode.split('.').next().unwrap_or_default();
    let none = [
        "st", "red", "bra", "brx", "bar", "barrier", "ret", "exit", "trap", "membar", "fence",
    ];
    none.contains(&first) || opcode.starts_with("wmma.store")
}

/// The table that a branch of each lane chooses from.
fn table_of(operands: &[Operand]) -> Option<&str> {
    match operands.get(1) {
        Some(Operand::Name(table)) => Some(table),
        _ => None,
    }
}

impl<'a> Flow<'a> {
    fn number(&mut self, name: &'a str) -> usize {
        let next = self.names.len();
        *self.names.entry(name).or_insert(next)
    }

    fn collect(&mut self, operand: &'a Operand, into: &mut Vec<usize>) {
        match operand {
            Operand::Name(name) | Operand::Not(name) => into.push(self.number(name)),
            Operand::Pair(first, second) => into.extend([self.number(first), self.number(second)]),
            Operand::List(all) => all.iter().for_each(|one| self.collect(one, into)),
            Operand::Address(base, _) => self.collect(base, into),
            Operand::Whole(_) | Operand::Single(_) | Operand::Double(_) => {}
        }
    }

    fn add(&mut self, statement: &'a Statement) {
        let (guard, opcode, operands) = match statement {
            Statement::Label(name) => {
                self.labels.insert(name, self.code.len());
                return;
            }
            Statement::Targets(name, labels) => {
                self.tables.insert(name, labels);
                return;
            }
            Statement::Instruction {
                guard,
                opcode,
                operands,
                ..
            } => (guard, opcode.as_str(), operands),
            _ => return,
        };
        let mut uses = Uses {
            always: guard.is_none(),
            ..Uses::default()
        };
        let targets = usize::from(!writes_none(opcode)).min(operands.len());
        let (written, read) = operands.split_at(targets);
        written
            .iter()
            .for_each(|operand| self.collect(operand, &mut uses.written));
        read.iter()
            .for_each(|operand| self.collect(operand, &mut uses.read));
        if let Some(guard) = guard {
            let predicate = self.number(&guard.predicate);
            uses.read.push(predicate);
        }
        let jump = match (opcode.split('.').next(), operands.first()) {
            (Some("bra"), Some(Operand::Name(label))) => (Some(label.as_str()), guard.is_some()),
            (Some("brx"), _) => (table_of(operands), guard.is_some()),
            (Some("ret" | "exit"), _) => (None, guard.is_some()),
            _ => (None, true),
        };
        self.code.push(uses);
        self.jumps.push(jump);
    }

    /// The blocks in the order of the code, with what is of use at the beginning of each.
    fn blocks(&self) -> Vec<Block> {
        let mut starts: Vec<usize> = self.labels.values().copied().collect();
        let leads = |(_, jump): &(usize, &(Option<&str>, bool))| jump.0.is_some() || !jump.1;
        starts.extend(
            self.jumps
                .iter()
                .enumerate()
                .filter(leads)
                .map(|(at, _)| at + 1),
        );
        starts.extend([0, self.code.len()]);
        starts.retain(|start| *start <= self.code.len());
        starts.sort_unstable();
        starts.dedup();
        let mut blocks: Vec<Block> = starts
            .windows(2)
            .map(|pair| self.block(pair[0]..pair[1], &starts))
            .collect();
        // Until nothing changes: what is of use later is of use before, unless it is written between.
        let mut changed = true;
        while changed {
            changed = false;
            for index in (0..blocks.len()).rev() {
                let mut live = self.live_after(&blocks[index], &blocks);
                let block = &mut blocks[index];
                live.remove(&block.written);
                live.add(&block.read);
                changed |= live != block.live;
                block.live = live;
            }
        }
        blocks
    }

    fn block(&self, code: Range<usize>, starts: &[usize]) -> Block {
        let empty = Set::new(self.names.len());
        let (mut read, mut written) = (empty.clone(), empty.clone());
        for uses in &self.code[code.clone()] {
            for &register in &uses.read {
                if !written.has(register) {
                    read.insert(register);
                }
            }
            if uses.always {
                uses.written
                    .iter()
                    .for_each(|&register| written.insert(register));
            }
        }
        let (label, on) = self.jumps[code.end - 1];
        let next = self.places(label).into_iter().chain(on.then_some(code.end));
        let next = next
            .filter_map(|at| starts[..starts.len() - 1].binary_search(&at).ok())
            .collect();
        Block {
            code,
            next,
            read,
            written,
            live: empty,
        }
    }

    /// Where a label is, or the labels of a table are.
    fn places(&self, name: Option<&str>) -> Vec<usize> {
        let Some(name) = name else {
            return Vec::new();
        };
        match self.tables.get(name) {
            None => self.labels.get(name).copied().into_iter().collect(),
            Some(labels) => {
                let places = labels.iter().map(|label| self.labels.get(label.as_str()));
                places.flatten().copied().collect()
            }
        }
    }

    fn live_after(&self, block: &Block, blocks: &[Block]) -> Set {
        let mut live = Set::new(self.names.len());
        block
            .next
            .iter()
            .for_each(|&next| live.add(&blocks[next].live));
        live
    }

    /// Extends spans by what a block needs.
    fn extend(&self, block: &Block, blocks: &[Block], spans: &mut [Option<Span>]) {
        let mut note = |register: usize, at: usize| {
            let span = spans[register].get_or_insert(Span {
                first: at,
                last: at,
            });
            span.first = span.first.min(at);
            span.last = span.last.max(at);
        };
        block
            .live
            .members()
            .for_each(|register| note(register, block.code.start));
        for register in self.live_after(block, blocks).members() {
            note(register, block.code.end - 1);
        }
        for at in block.code.clone() {
            let uses = &self.code[at];
            uses.read
                .iter()
                .chain(&uses.written)
                .for_each(|&register| note(register, at));
        }
    }
}

/// Some of the registers.
#[derive(Clone, PartialEq, Eq)]
struct Set(Vec<u64>);

impl Set {
    fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn insert(&mut self, member: usize) {
        self.0[member / 64] |= 1 << (member % 64);
    }

    fn has(&self, member: usize) -> bool {
        self.0[member / 64] >> (member % 64) & 1 != 0
    }

    fn add(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(all, more)| *all |= more);
    }

    fn remove(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(all, gone)| *all &= !gone);
    }

    fn members(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len() * 64).filter(|&member| self.has(member))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ptx::parse;

    fn spans_of(body: &str) -> HashMap<String, (usize, usize)> {
        let text = format!(".visible .entry k() {{ {body} }}");
        let module = parse(&text).expect("a module");
        let spans = spans(&module.entries[0].body);
        spans
            .into_iter()
            .map(|(name, span)| (name.to_owned(), (span.first, span.last)))
            .collect()
    }

    #[test]
    fn what_a_loop_carries_lives_through_it() {
        let found = spans_of(
            "mov.b32 %a, 0; mov.b32 %b, 9; $again: add.s32 %t, %a, 1; mov.b32 %a, %t; sub.s32 %b, %b, 1;
            setp.ne.s32 %p, %b, 0; @%p bra $again; st.global.b32 [%x], %a;",
        );
        assert_eq!(found["%a"], (0, 7));
        assert_eq!(found["%b"], (1, 6));
        assert_eq!(found["%t"], (2, 3));
        assert_eq!(found["%x"], (0, 7));
    }

    #[test]
    fn what_is_written_under_a_guard_was_there_before() {
        let found = spans_of(
            "mov.b32 %c, 3; $again: @%p mov.b32 %a, 1; add.s32 %c, %c, %a; setp.lt.s32 %p, %c, 9; @%p bra $again; ret;",
        );
        assert_eq!(found["%a"], (0, 4));
        assert_eq!(found["%p"], (0, 4));
    }

    #[test]
    fn code_that_lies_before_what_leads_to_it_is_found() {
        let found = spans_of(
            "bra $start; $body: add.s32 %b, %a, 1; st.global.b32 [%x], %b; ret; $start: mov.b32 %a, 1; bra $body;",
        );
        assert_eq!(found["%a"], (1, 5));
        assert_eq!(found["%b"], (1, 2));
    }
}

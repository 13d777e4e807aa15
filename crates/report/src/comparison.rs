//! Several sweeps in one table, laid out as the paper's Table 18: a block for each number of examples per
//! class, a row a method, a column a task.

use mezo_spec::TaskSpec;
use std::collections::BTreeMap;

use crate::notes;
use crate::paper;
use crate::protocol;
use crate::rows::Baselines;
use crate::searches::searches;
use crate::settings::model_name;
use crate::sweep_runs::SweepRuns;

mod agreement;
mod entry;
mod footnotes;
mod render;
mod variants;

pub use agreement::Agreement;
pub use entry::{Entry, State};

use entry::{Found, entries};
use footnotes::Footnotes;
use variants::{TELLS_APART, tell_apart};

/// Several sweeps beside the paper. Accuracies are in percent throughout.
#[derive(Debug)]
pub struct Comparison {
    /// The sweeps' names.
    pub sweeps: String,
    /// What all blocks have in common, in words.
    pub heading: String,
    /// Whether any number comes from made data.
    pub made_data: bool,
    /// The table's blocks.
    pub blocks: Vec<Block>,
    /// In what marked numbers differ from the paper's; the first has the mark `a`.
    pub footnotes: Vec<String>,
    /// What a reader must know beside the numbers.
    pub notes: Vec<String>,
}

/// The part of the table with one number of examples per class, one model and one protocol.
#[derive(Debug)]
pub struct Block {
    /// Examples per class.
    pub k: u64,
    /// The model's short name.
    pub model: String,
    /// The rules its runs followed.
    pub protocol: String,
    /// The columns, in the order of Table 18 and then by name.
    pub tasks: Vec<String>,
    /// The rows, in the order of Table 18.
    pub methods: Vec<MethodRow>,
    /// For each column, how far our rows stand in the paper's order; none with fewer than two numbers.
    pub agreement: Vec<Option<Agreement>>,
    /// Methods that Table 18 has for this number of examples and these sweeps have no run of.
    pub not_there: Vec<&'static str>,
}

/// One method over the tasks.
#[derive(Debug)]
pub struct MethodRow {
    /// Its name in Table 18, and after it what is not as usual. A task that was put to the model in several
    /// ways has several rows: ` [2]` follows the name of the second.
    pub method: String,
    /// An entry a column.
    pub entries: Vec<Entry>,
}

/// One of a block's ways to be told from others.
type BlockKey = (u64, String, String);

/// The sweeps' results beside the paper's.
pub fn compare(runs: &SweepRuns) -> Comparison {
    let searches = searches(runs);
    let baselines = Baselines::of(runs);
    let mut found: BTreeMap<BlockKey, Vec<Found<'_>>> = BTreeMap::new();
    for (order, search) in searches.iter().enumerate() {
        let Some(manifest) = search.manifest() else {
            continue;
        };
        let key = (
            manifest.config.whole(&TaskSpec::K).unwrap_or_default(),
            model_name(manifest),
            manifest.protocol.clone(),
        );
        let result = Found::new(search, order, &baselines);
        found.entry(key).or_default().extend(result);
    }
    for block in found.values_mut() {
        tell_apart(block);
    }
    let footnotes = Footnotes::of(
        found
            .values()
            .flatten()
            .map(|found| found.differs.as_slice()),
    );
    let blocks: Vec<Block> = found
        .into_iter()
        .map(|(key, found)| block(key, found, &footnotes))
        .collect();
    Comparison {
        sweeps: runs.sweep.clone(),
        heading: heading(&blocks),
        made_data: runs.made_data(),
        notes: all_notes(runs, &blocks, &footnotes),
        blocks,
        footnotes: footnotes.marked,
    }
}

impl Comparison {
    /// Whether any combination that was planned has runs to go.
    pub fn is_outstanding(&self) -> bool {
        let entries = self
            .blocks
            .iter()
            .flat_map(|block| &block.methods)
            .flat_map(|row| &row.entries);
        entries.into_iter().any(Entry::is_outstanding)
    }
}

impl Block {
    /// Its name where others have other models, or other protocols.
    fn title(&self, among: &[Self]) -> String {
        let mut words = vec![format!("k {}", self.k)];
        if among.iter().any(|other| other.model != self.model) {
            words.push(self.model.clone());
        }
        if among.iter().any(|other| other.protocol != self.protocol) {
            words.push(format!("protocol {}", self.protocol));
        }
        words.join(", ")
    }
}

fn block((k, model, protocol): BlockKey, found: Vec<Found<'_>>, footnotes: &Footnotes) -> Block {
    let mut tasks: Vec<String> = Vec::new();
    for result in &found {
        if !tasks.iter().any(|known| known == result.task) {
            tasks.push(result.task.to_owned());
        }
    }
    let place = |task: &str| paper::column(task).unwrap_or(usize::MAX);
    tasks.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.cmp(b)));
    let methods = entries(k, &tasks, found, footnotes);
    let column = |at: usize| -> Vec<(f64, f64)> {
        let entries = methods.iter().map(|row: &MethodRow| &row.entries[at]);
        entries.filter_map(Entry::pair).collect()
    };
    Block {
        agreement: (0..tasks.len())
            .map(|at| Agreement::of(&column(at)))
            .collect(),
        not_there: not_there(k, &tasks, &methods),
        k,
        model,
        protocol,
        tasks,
        methods,
    }
}

fn not_there(k: u64, tasks: &[String], methods: &[MethodRow]) -> Vec<&'static str> {
    if tasks.iter().all(|task| paper::column(task).is_none()) {
        return Vec::new();
    }
    let all = std::iter::once("zero-shot").chain(paper::methods(k));
    all.filter(|name| methods.iter().all(|row| row.method != *name))
        .collect()
}

fn heading(blocks: &[Block]) -> String {
    let Some(first) = blocks.first() else {
        return "no run with a readable manifest".to_owned();
    };
    let mut words = Vec::new();
    if blocks.iter().all(|block| block.model == first.model) {
        words.push(first.model.clone());
    }
    if blocks.iter().all(|block| block.protocol == first.protocol) {
        words.push(format!("protocol {}", first.protocol));
    }
    words.push("test accuracy in percent".to_owned());
    words.join(", ")
}

fn all_notes(runs: &SweepRuns, blocks: &[Block], footnotes: &Footnotes) -> Vec<String> {
    let beside = if has_papers(blocks) {
        "ours / the paper's (RoBERTa-large, arXiv 2305.17333v3, Table 18), "
    } else {
        ""
    };
    let mut notes = vec![format!(
        "{beside}mean (standard deviation over seeds, ddof 0) over 5 seeds unless another number is given; per \
         seed the configuration with the best dev accuracy, at its best step"
    )];
    notes.extend(reproduction_notes(footnotes));
    if runs.made_data() {
        notes.push(notes::MADE_DATA.to_owned());
    }
    notes.extend(
        blocks
            .iter()
            .filter_map(|block| agreement_note(block, blocks)),
    );
    if has_gaps(blocks) {
        notes.push("where ours is -, these sweeps have no run of it".to_owned());
    }
    let rows = blocks.iter().flat_map(|block| &block.methods);
    let entries = rows.flat_map(|row| &row.entries);
    notes.extend(notes::dev_only(
        entries.filter_map(|entry| entry.row.as_ref()),
    ));
    notes.extend(notes::unconverged(runs));
    let missing = blocks.iter().map(|block| missing_note(block, blocks));
    notes.extend(missing.flatten());
    notes.extend(protocol::sentences(runs));
    notes.extend(notes::states(runs));
    notes.extend(notes::faults(runs));
    notes
}

/// What is no reproduction, and how that is marked.
fn reproduction_notes(footnotes: &Footnotes) -> Vec<String> {
    let mut notes = Vec::new();
    if !footnotes.everywhere.is_empty() {
        notes.push(format!(
            "no number here is a reproduction (partial grid), all of them differ from the paper's in: {}",
            footnotes.everywhere.join("; ")
        ));
    }
    let tells_apart = |text: &&String| text.starts_with(TELLS_APART);
    let apart = footnotes.marked.iter().filter(tells_apart).count();
    if apart < footnotes.marked.len() {
        let aside = match apart {
            0 => "",
            _ => "; letters that only tell rows apart aside",
        };
        notes.push(format!(
            "letters stand for in what ours differs from the paper's, after a number, or after a method or a task \
             for its whole row or column: no such number is a reproduction (partial grid){aside}"
        ));
    }
    notes
}

/// Whether the paper has a number of anything here.
fn has_papers(blocks: &[Block]) -> bool {
    let rows = blocks.iter().flat_map(|block| &block.methods);
    let mut entries = rows.flat_map(|row| &row.entries);
    entries.any(|entry| entry.paper.is_some())
}

fn has_gaps(blocks: &[Block]) -> bool {
    let rows = blocks.iter().flat_map(|block| &block.methods);
    let mut entries = rows.flat_map(|row| &row.entries);
    entries.any(|entry| entry.state == State::NotThere)
}

fn agreement_note(block: &Block, blocks: &[Block]) -> Option<String> {
    let columns: Vec<String> = block
        .tasks
        .iter()
        .zip(&block.agreement)
        .filter_map(|(task, agreement)| {
            let Agreement { tau, n } = (*agreement)?;
            let tau = tau.map_or("-".to_owned(), |tau| format!("{tau:+.2}"));
            Some(format!("{task} {tau} (n {n})"))
        })
        .collect();
    (!columns.is_empty()).then(|| {
        format!(
            "order of our rows against the paper's, Kendall's tau-b over rows with both numbers, {}: {}",
            block.title(blocks),
            columns.join(", ")
        )
    })
}

fn missing_note(block: &Block, blocks: &[Block]) -> Option<String> {
    (!block.not_there.is_empty()).then(|| {
        format!(
            "in Table 18 and not in these sweeps, {}: {}",
            block.title(blocks),
            block.not_there.join(", ")
        )
    })
}

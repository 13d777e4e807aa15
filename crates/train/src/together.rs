//! Batched runs: round by round each makes its next step, in passes that all of them make together.

use crate::control::Done;
use crate::error::TrainError;
use crate::forward::ForwardRequest;
use crate::open_run::{Ends, Open};
use crate::panics::{guarded, let_go, tried};
use crate::pass::{self, Share};
use crate::training_run::TrainingRun;

/// A run whose steps are being made.
pub(crate) struct UnderWay<'a> {
    open: Open<'a>,
    run: Box<TrainingRun<'a>>,
    /// What the passes of its step found.
    losses: Vec<Vec<f64>>,
}

impl<'a> UnderWay<'a> {
    pub(crate) fn new(open: Open<'a>, run: Box<TrainingRun<'a>>) -> Self {
        Self {
            open,
            run,
            losses: Vec::new(),
        }
    }

    fn next(&mut self) -> Result<Option<Done>, TrainError> {
        self.run.next()
    }

    fn measured(&mut self) -> Result<Option<Done>, TrainError> {
        let losses = std::mem::take(&mut self.losses);
        self.run.measured(&losses)
    }

    fn end(self, ended: Result<Done, TrainError>, ends: &mut Ends) {
        let_go(self.run);
        self.open.end(ended, ends);
    }
}

/// Trains runs until the last of them has come to its end. Each leaves at its own; the others go on.
pub(crate) fn train(mut runs: Vec<UnderWay<'_>>, ends: &mut Ends) {
    loop {
        each(&mut runs, ends, UnderWay::next);
        if runs.is_empty() {
            return;
        }
        if let Err(message) = guarded(|| measure(&mut runs)) {
            // Whose share it was cannot be told: the pass was everybody's.
            let message = match runs.len() {
                1 => message,
                count => format!(
                    "{message} (in a pass of {count} runs together; `--together off` tries each by itself)"
                ),
            };
            for run in runs {
                let message = message.clone();
                run.end(Err(TrainError::Panicked { message }), ends);
            }
            return;
        }
        each(&mut runs, ends, UnderWay::measured);
    }
}

/// Lets every run do something; those that come to their end by it leave.
fn each<'a>(
    runs: &mut Vec<UnderWay<'a>>,
    ends: &mut Ends,
    act: impl Fn(&mut UnderWay<'a>) -> Result<Option<Done>, TrainError>,
) {
    let mut at = 0;
    while at < runs.len() {
        match tried(|| act(&mut runs[at])).transpose() {
            None => at += 1,
            Some(ended) => runs.remove(at).end(ended, ends),
        }
    }
}

/// Makes the passes that the runs' steps ask for: the first of every run as one, the second of those that have one, and so
/// on.
fn measure(runs: &mut [UnderWay<'_>]) {
    for number in 0.. {
        let requests: Vec<(usize, ForwardRequest)> = (0..)
            .zip(runs.iter())
            .filter_map(|(at, under_way)| Some((at, under_way.run.request(number)?)))
            .collect();
        if requests.is_empty() {
            return;
        }
        let shares: Vec<Share<'_>> = requests
            .iter()
            .map(|(at, request)| runs[*at].run.share(request))
            .collect();
        let found = pass::losses(&shares);
        for ((at, _), losses) in requests.iter().zip(found) {
            runs[*at].losses.push(losses);
        }
        // A step of many passes takes as many times longer.
        runs[0].open.control.alive();
    }
}

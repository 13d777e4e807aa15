//! Figures of a part by what it measured.

use mezo_train::gpu::{Alone, Case, Group, Outcome, Part, PeerStep, Precision, Together};

use super::measured::Measured;

impl Measured {
    fn outcome(&self, part: Part) -> Option<&Outcome> {
        let entry = self.parts.iter().find(|entry| entry.part == part)?;
        Some(&entry.outcome)
    }

    /// Steps of a run alone, where they were measured.
    pub fn alone(&self, case: Case) -> Option<&Alone> {
        match self.outcome(Part::Alone(case))? {
            Outcome::Alone(alone) => Some(alone),
            _ => None,
        }
    }

    /// Groups that were measured.
    pub fn groups(&self) -> impl Iterator<Item = (Group, &Together)> {
        self.parts
            .iter()
            .filter_map(|entry| match (entry.part, &entry.outcome) {
                (Part::Together(group), Outcome::Together(together)) => Some((group, together)),
                _ => None,
            })
    }

    /// PyTorch's step, where it was measured.
    pub fn peer(&self, precision: Precision) -> Option<&PeerStep> {
        match self.outcome(Part::Peer(precision))? {
            Outcome::Peer(step) => Some(step),
            _ => None,
        }
    }
}

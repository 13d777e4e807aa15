//! What Slurm's queue says of the tasks of submissions.

use std::collections::BTreeMap;
use std::process::Command;

use super::command::{SlurmError, output};

/// The tasks in the queue, by the name of their job and their number in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Queue(BTreeMap<(String, usize), Place>);

/// What the queue says of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The job's number as Slurm prints it, `42_3`.
    pub job: String,
    /// `PENDING`, `RUNNING`, ...
    pub state: String,
    /// Why it is in that state, as Slurm puts it; `None` where it says nothing.
    pub reason: String,
}

impl Queue {
    /// Asks for the tasks of jobs with these names. Names are asked for, and not numbers: one that is gone is no error.
    ///
    /// # Errors
    /// If `squeue` is not there, fails or gives no answer.
    pub fn ask<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, SlurmError> {
        let names: Vec<&str> = names.into_iter().collect();
        if names.is_empty() {
            return Ok(Self::default());
        }
        let mut command = Command::new("squeue");
        command.args(["--noheader", "--array", "--format", "%j|%F|%K|%T|%r"]);
        command.args(["--name", &names.join(",")]);
        Ok(Self::parse(&output(command)?))
    }

    fn parse(lines: &str) -> Self {
        let task = |line: &str| {
            let mut parts = line.trim().splitn(5, '|');
            let (name, job) = (parts.next()?.to_owned(), parts.next()?);
            let number: usize = parts.next()?.parse().ok()?;
            let place = Place {
                job: format!("{job}_{number}"),
                state: parts.next()?.to_owned(),
                reason: parts.next()?.to_owned(),
            };
            // A task that is ending is still shown for a while.
            let over = [
                "COMPLETED",
                "FAILED",
                "CANCELLED",
                "TIMEOUT",
                "OUT_OF_MEMORY",
                "NODE_FAIL",
            ];
            (!over.contains(&place.state.as_str())).then_some(((name, number), place))
        };
        Self(lines.lines().filter_map(task).collect())
    }

    /// Where a task stands; none if it is not in the queue.
    pub fn place(&self, name: &str, number: usize) -> Option<&Place> {
        self.0.get(&(name.to_owned(), number))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tasks_are_found_by_job_and_number() {
        let queue = Queue::parse(
            "mezo-a-1|42|0|RUNNING|None\nmezo-a-1|42|3|PENDING|JobArrayTaskLimit\nother\nmezo-a-1|42|4|FAILED|NonZeroExitCode\n",
        );
        let place = queue.place("mezo-a-1", 3).unwrap();
        assert_eq!(
            (place.job.as_str(), place.state.as_str()),
            ("42_3", "PENDING")
        );
        assert_eq!(queue.place("mezo-a-1", 0).unwrap().reason, "None");
        assert_eq!(queue.place("mezo-a-1", 4), None);
        assert_eq!(queue.place("mezo-b-1", 0), None);
    }
}

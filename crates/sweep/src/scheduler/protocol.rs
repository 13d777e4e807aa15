//! What a worker tells its scheduler: one JSON line for each event, on its standard output.
//!
//! The scheduler believes these lines for its own workers. A run's files stay the truth for everybody else, and for a scheduler
//! that comes after this one: an event is sent after what it says is written.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use mezo_run::{Class, EvalSplit};
use serde::{Deserialize, Serialize};

/// One event. `run` is the place of the run's directory among the worker's arguments, from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum WorkerEvent {
    /// The worker holds the run's lease, and the attempt's start is written.
    Started {
        /// The run.
        run: usize,
        /// The number of the attempt.
        attempt: u64,
    },
    /// The journal has a new step.
    Step {
        /// The run.
        run: usize,
        /// The step, from 1.
        step: u64,
        /// Its mean loss; none where it is not finite.
        loss: Option<f64>,
    },
    /// The run's evaluations have a new one.
    Evaluated {
        /// The run.
        run: usize,
        /// After which step.
        step: u64,
        /// On what.
        split: EvalSplit,
        /// The accuracy; none where the scores were not finite.
        accuracy: Option<f64>,
    },
    /// The worker is at something that adds no step: it replays steps or evaluates.
    Alive,
    /// The worker has let go of the run, or could not begin it.
    Ended {
        /// The run.
        run: usize,
        /// How.
        how: RunEnd,
    },
}

/// How a worker's part in a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// The result is written.
    Finished,
    /// It stopped at a step boundary.
    Stopped,
    /// Another process holds the run's lease.
    Held,
    /// It failed.
    Failed {
        /// The kind of failure.
        class: Class,
        /// What went wrong.
        error: String,
        /// The way out, where there is one to tell.
        hint: Option<String>,
    },
}

/// Sends events. A thread of its own writes them, so that no step waits for a scheduler that does not read.
#[derive(Debug)]
pub struct EventWriter {
    queue: Option<Sender<WorkerEvent>>,
    /// Closed when all is written.
    written: Receiver<()>,
}

/// How long a worker that is done waits for its last events to be read: a scheduler that was stopped finds out by the files.
const FLUSH: Duration = Duration::from_secs(10);

impl EventWriter {
    /// Writes to `out` from now on.
    pub fn new(mut out: impl Write + Send + 'static) -> Self {
        let (queue, events) = channel::<WorkerEvent>();
        let (writing, written) = channel();
        thread::spawn(move || {
            let _writing: Sender<()> = writing;
            for event in events {
                // Without a reader there is no scheduler any more; stdin says so too, and stops the runs.
                if write_line(&mut out, &event).is_err() {
                    return;
                }
            }
        });
        Self {
            queue: Some(queue),
            written,
        }
    }

    /// Puts an event in the queue.
    pub fn send(&self, event: WorkerEvent) {
        // The thread is gone where nobody reads.
        let _ = self.queue.as_ref().map(|queue| queue.send(event));
    }
}

/// Waits until everything is written, or for some time.
impl Drop for EventWriter {
    fn drop(&mut self) {
        drop(self.queue.take());
        let _ = self.written.recv_timeout(FLUSH);
    }
}

fn write_line(out: &mut impl Write, event: &WorkerEvent) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// Reads events as they come, on a thread of its own, so that a worker's pipe is never full. The channel closes with the pipe.
/// A line that is no event is passed over.
///
/// # Errors
/// If there can be no thread.
pub(super) fn listen(pipe: impl Read + Send + 'static) -> std::io::Result<Receiver<WorkerEvent>> {
    let (queue, events) = channel();
    thread::Builder::new().spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            let Ok(event) = serde_json::from_slice(&line) else {
                continue;
            };
            if queue.send(event).is_err() {
                return;
            }
        }
    })?;
    Ok(events)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_sent_is_heard() {
        let (reader, writer) = std::io::pipe().unwrap();
        let sent = [
            WorkerEvent::Started { run: 0, attempt: 3 },
            WorkerEvent::Step {
                run: 1,
                step: 7,
                loss: None,
            },
            WorkerEvent::Evaluated {
                run: 1,
                step: 7,
                split: EvalSplit::Dev,
                accuracy: Some(0.5),
            },
            WorkerEvent::Alive,
            WorkerEvent::Ended {
                run: 0,
                how: RunEnd::Failed {
                    class: Class::DiskFull,
                    error: "no room\nat all".into(),
                    hint: None,
                },
            },
        ];
        let out = EventWriter::new(writer);
        sent.iter().for_each(|event| out.send(event.clone()));
        drop(out);
        assert_eq!(listen(reader).unwrap().iter().collect::<Vec<_>>(), sent);
    }

    #[test]
    fn lines_of_another_kind_are_passed_over() {
        let lines: &[u8] = b"hello\n{\"event\":\"of a later version\",\"run\":0}\n\
            {\"event\":\"ended\",\"run\":0,\"how\":\"finished\",\"more\":1}\n{\"event\":\"ali";
        let how = RunEnd::Finished;
        let expected = [WorkerEvent::Ended { run: 0, how }];
        assert_eq!(listen(lines).unwrap().iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_full_pipe_holds_nobody_up() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let out = EventWriter::new(writer);
        // More than a pipe holds, with nobody reading.
        (0..10_000).for_each(|_| out.send(WorkerEvent::Alive));
        let count = thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text.lines().count()
        });
        drop(out);
        assert_eq!(count.join().unwrap(), 10_000);
    }

    #[test]
    fn without_a_reader_events_are_dropped() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let out = EventWriter::new(writer);
        (0..100).for_each(|_| out.send(WorkerEvent::Alive));
    }
}

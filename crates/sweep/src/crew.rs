//! The runs that one process carries out: one, or several of a company.
//!
//! The process is started, asked to stop and ended as a whole; what came of it is said of each run by that run's own files.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use mezo_run::LOG;

use crate::device::Device;
use crate::hands::Marks;
use crate::member::{Common, Ending, Member, Own, Said};
use crate::plan::Run;
use crate::reason::Reason;
use crate::worker::{Ended, Patience, Worker, WorkerCommand};

/// A process and its runs. Dropping it closes the process's stdin, which asks it to stop.
pub(crate) struct Crew<'r> {
    /// The runs, in the order in which the process is told of them; at least one.
    pub(crate) members: Vec<Member<'r>>,
    /// The place of its device in the fleet.
    pub(crate) device: usize,
    worker: Worker,
    /// What the process is known by.
    marks: Marks,
    /// When one of its runs last gave a sign of life.
    life: Instant,
}

/// What came of starting a process.
pub(crate) struct Started<'r> {
    /// The process; none where no run was left for it.
    pub(crate) crew: Option<Crew<'r>>,
    /// The runs that ended before they had one.
    pub(crate) ended: Vec<(&'r Run, Ending)>,
}

impl<'r> Crew<'r> {
    /// Starts a process for these runs.
    ///
    /// # Errors
    /// Where there can be none: this program or this machine cannot start one, for whatever run.
    pub(crate) fn start(
        command: &WorkerCommand,
        runs: &[&'r Run],
        device: &Device,
        place: usize,
    ) -> Result<Started<'r>, Reason> {
        let (mut members, mut logs, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for &run in runs {
            match Member::new(run) {
                Ok((member, log)) => {
                    members.push(member);
                    logs.push(log);
                }
                Err(ending) => ended.push((run, ending)),
            }
        }
        let mut logs = logs.into_iter();
        let Some(log) = logs.next() else {
            return Ok(Started { crew: None, ended });
        };
        let dirs = members.iter().map(|member| member.run.dir.as_path());
        let worker = Worker::start(command, device, dirs, log)
            .map_err(|cause| Reason::new(cause, String::new(), false))?;
        for (member, log) in members.iter().skip(1).zip(logs) {
            say_where(log, &member.run.dir, &members[0].run.dir);
        }
        let words = command.args.iter().chain(&device.args);
        let dirs = members.iter().map(|member| member.run.dir.as_os_str());
        let marks = Marks::new(worker.pid(), words.map(OsString::as_os_str).chain(dirs));
        let crew = Some(Self {
            members,
            device: place,
            worker,
            marks,
            life: Instant::now(),
        });
        Ok(Started { crew, ended })
    }

    /// Whether one of its runs trains; one that only evaluates is done soon.
    pub(crate) fn trains(&self) -> bool {
        self.members.iter().any(|member| member.run.steps > 0)
    }

    /// The ids of its runs.
    pub(crate) fn ids(&self) -> Vec<&'r str> {
        let runs = self.members.iter().map(|member| member.run);
        runs.map(|run| run.id.as_str()).collect()
    }

    /// Closes the worker's stdin.
    pub(crate) fn ask_to_stop(&mut self) {
        self.worker.ask_to_stop();
    }

    /// Looks at the files of its runs for signs of life.
    pub(crate) fn look(&mut self) {
        let marks = &self.marks;
        // All are looked at, so that none of them keeps an old sign for later.
        let signs = self.members.iter_mut().map(|member| member.look(marks));
        if signs.fold(false, |any, sign| any | sign) {
            self.life = Instant::now();
        }
    }

    /// Ends a process none of whose runs gives a sign of life, or that does not stop when asked to.
    pub(crate) fn lose_patience(&mut self, patience: Patience) {
        self.worker.lose_patience(self.life, patience);
    }

    /// The runs whose failure the process has written down while it goes on with others. They are told of here, once.
    pub(crate) fn failures(&mut self) -> Vec<(&'r Run, Ending)> {
        // One alone ends with its process.
        if self.members.len() < 2 {
            return Vec::new();
        }
        let ids = self.ids();
        let let_go: Vec<usize> = (0..)
            .zip(&mut self.members)
            .filter_map(|(at, member)| member.was_let_go().then_some(at))
            .collect();
        let mut failures = Vec::new();
        for at in let_go {
            let (member, first) = (&self.members[at], &self.members[0]);
            let said = Said { first, ids: &ids };
            let Some(reason) = member.own(&self.marks).failure(member.run, &said) else {
                continue;
            };
            failures.push((member.run, Ending::Failed(reason)));
            self.members[at].told_as_failed();
        }
        failures
    }

    /// How the process ended, if it has.
    pub(crate) fn ended(&mut self, patience: Patience) -> Option<Ended> {
        self.worker.ended(patience)
    }

    /// What the end of the process means for each run whose own end was not told before.
    pub(crate) fn endings(&self, ended: &Ended) -> Vec<(&'r Run, Ending)> {
        let ids = self.ids();
        let open = self.members.iter().filter(|member| !member.told);
        let owns: Vec<(&Member<'r>, Own)> = open
            .map(|member| (member, member.own(&self.marks)))
            .collect();
        let failed_before = self.members.iter().any(|member| member.has_failed);
        let common = Common {
            ended,
            said: Said {
                first: &self.members[0],
                ids: &ids,
            },
            in_company: self.members.len() > 1,
            explained: failed_before || owns.iter().any(|(_, own)| own.has_failed()),
            begun: failed_before || owns.iter().any(|(_, own)| own.has_begun()),
        };
        let ending = |(member, own): (&Member<'r>, Own)| (member.run, member.ending(own, &common));
        owns.into_iter().map(ending).collect()
    }
}

/// Says in a run's log whose log has the words of the process that they share.
fn say_where(mut log: File, own: &Path, first: &Path) {
    let path = match (first.file_name(), first.parent() == own.parent()) {
        (Some(name), true) => Path::new("..").join(name).join(LOG),
        _ => first.join(LOG),
    };
    // A log only explains; where there is no room for it the run finds out itself.
    let _ = writeln!(
        log,
        "in company: what its process says stands in {}",
        path.display()
    );
}

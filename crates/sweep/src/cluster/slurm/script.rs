//! The script of an array of jobs, for a person to read.

use std::fmt::Write;
use std::path::Path;

use super::command::SlurmError;

/// What each task of an array is to have; what is none is left to the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// The partition.
    pub partition: Option<String>,
    /// Runs of one batch key that a task may have, at least one.
    pub together: usize,
    /// GPUs, as `--gpus-per-task` takes them.
    pub gpus: Option<String>,
    /// Cores.
    pub cpus: Option<usize>,
    /// Memory, as `--mem` takes it.
    pub mem: Option<String>,
    /// The time limit, as `--time` takes it.
    pub time: Option<String>,
    /// Seconds before the time limit at which a run is told to stop.
    pub warn: u32,
    /// Tasks at once.
    pub array_limit: Option<usize>,
    /// Other options of `sbatch`, as they are written on its command line.
    pub options: Vec<String>,
}

/// What a script is about.
pub(super) struct Array<'a> {
    /// The job's name.
    pub(super) name: &'a str,
    /// The folder that the script, the list of runs and the logs lie in, absolute.
    pub(super) folder: &'a Path,
    /// This program.
    pub(super) program: &'a Path,
    /// How many tasks there are.
    pub(super) tasks: usize,
}

impl Job {
    /// The text of the script.
    ///
    /// # Errors
    /// If a path cannot stand in one.
    pub(super) fn script(&self, array: &Array<'_>) -> Result<String, SlurmError> {
        let folder = one_line(array.folder)?;
        let program = quoted(one_line(array.program)?);
        let runs = quoted(&format!("{folder}/runs.txt"));
        let mut text = String::from(
            "#!/bin/bash\n\
             # Task N of this array carries out the run on line N + 1 of runs.txt, or the runs there, with a tab between two. It may\n\
             # be submitted again by hand: a run that is finished, or that another process is at, is left alone.\n",
        );
        for option in self.options(array, folder) {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "#SBATCH {option}");
        }
        let device = if self.gpus.is_some() { "cuda:0" } else { "cpu" };
        let _ = write!(
            text,
            r#"
IFS=$'\t' read -r -a runs < <(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {runs})
echo "attempt ${{SLURM_RESTART_COUNT:-0}} at ${{runs[*]}} on $(hostname)"
log="${{runs[0]}}/log.txt"
for run in "${{runs[@]:1}}"; do
  echo "batched: its worker prints to ../${{runs[0]##*/}}/log.txt" >> "$run/log.txt"
done

# Slurm's warning before the time limit, and its wish that the task end: each run stops at its next step.
worker=
warned=
ended=
trap 'warned=yes; if [ -n "$worker" ]; then kill -USR1 $worker; fi' USR1
trap 'ended=yes; if [ -n "$worker" ]; then kill -TERM $worker; fi' TERM

# What the runs have made; after an attempt that made nothing another one would not either.
made() {{
  for run in "${{runs[@]}}"; do
    stat -c '%n %s' "$run"/steps.jsonl "$run"/evals.jsonl "$run"/snapshot-* 2> /dev/null
  done | cksum
}}
before=$(made)
requeue() {{
  trap '' TERM # which is how Slurm ends a job that it requeues
  scontrol requeue "$SLURM_JOB_ID"
}}

code=85
for try in 1 2 3; do
  if [ -n "$warned$ended" ]; then break; fi
  {program} train --device {device} --threads "${{SLURM_CPUS_PER_TASK:-1}}" "${{runs[@]}}" < /dev/null \
    2> >(trap '' TERM USR1; exec tee -a "$log" >&2) &
  worker=$!
  # A signal ends the waiting and not the worker. Where it came as that ended, waiting once more gives its exit code.
  wait $worker
  code=$?
  while kill -0 $worker 2> /dev/null; do wait $worker; code=$?; done
  wait $worker
  again=$?
  if [ $again -ne 127 ]; then code=$again; fi
  worker=
  if [ $code -ne 75 ] || [ -n "$warned$ended" ]; then break; fi
  # Another process is at a run; perhaps it is about to end. A signal ends this waiting too.
  sleep 20 &
  wait $!
  kill $! 2> /dev/null
done
echo "exit code $code"

# Of several runs one that another process is at outweighs those that were stopped; a task that was asked to end is stopped.
held=
if [ $code -eq 75 ] && [ ${{#runs[@]}} -gt 1 ] && [ -n "$warned$ended" ]; then
  held=yes
  code=85
fi

case $code in
  75) # that other process carries it out, or a new attempt does if this one has no time left to see
    if [ -n "$warned" ]; then requeue; fi
    exit 0 ;;
  85) # stopped at a step; after a warning it goes on in a new attempt
    if [ -n "$warned" ] && [ "$(made)" = "$before" ]; then
      if [ -n "$held" ]; then
        echo "no step was made before the warning, and another process is at a run: not requeued"
      else
        echo "no step was made before the warning: not requeued, --time is too short"
      fi
    elif [ -n "$warned" ]; then
      requeue
    fi ;;
esac
exit $code
"#
        );
        Ok(text)
    }

    fn options(&self, array: &Array<'_>, folder: &str) -> Vec<String> {
        let limit = self
            .array_limit
            .map_or_else(String::new, |limit| format!("%{limit}"));
        let mut options = vec![
            format!("--job-name={}", array.name),
            format!("--array=0-{}{limit}", array.tasks.saturating_sub(1)),
            format!("--output={}", escaped(&format!("{folder}/%A_%a.log"))),
            "--open-mode=append".to_owned(),
            "--requeue".to_owned(),
            format!("--signal=B:USR1@{}", self.warn),
            "--ntasks=1".to_owned(),
        ];
        let mut given = |name: &str, value: Option<String>| {
            options.extend(value.map(|value| format!("--{name}={value}")));
        };
        given("partition", self.partition.clone());
        given("gpus-per-task", self.gpus.clone());
        given("cpus-per-task", self.cpus.map(|cpus| cpus.to_string()));
        given("mem", self.mem.clone());
        given("time", self.time.clone());
        options.extend(self.options.iter().cloned());
        options
    }
}

/// A path as text on one line, where a tab would be its end.
pub(super) fn one_line(path: &Path) -> Result<&str, SlurmError> {
    path.to_str()
        .filter(|text| !text.contains(['\n', '\r', '\t', '\0']))
        .ok_or_else(|| SlurmError::Path { path: path.into() })
}

/// A text as one word of the shell's.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A path in an `#SBATCH` line, where a blank would end it.
fn escaped(text: &str) -> String {
    if text.contains([' ', '\t', '"']) {
        format!("\"{}\"", text.replace('"', "\\\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;
    use std::process::{Command, Stdio};
    use std::thread::sleep;
    use std::time::Duration;

    /// A task of so many runs whose worker says that it found one of them in other hands, when it is told to stop by `signal`;
    /// before that it has made a step or not. The task's exit code, and whether it was requeued.
    fn meets_a_held_run(runs: usize, signal: &str, steps: bool) -> (Option<i32>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let mut list = String::new();
        for run in 0..runs {
            let dir = here.join(run.to_string());
            fs::create_dir(&dir).unwrap();
            // Writing to a text cannot fail.
            let _ = write!(list, "{}{}", if run > 0 { "\t" } else { "" }, dir.display());
        }
        fs::write(here.join("runs.txt"), list + "\n").unwrap();
        // The shell is the program: it reads its first argument, `train`, as a script.
        let step = if steps { "echo >>0/steps.jsonl" } else { ":" };
        let worker =
            format!("trap 'exit 75' USR1 TERM; {step}; : >ready; while :; do sleep 0.05; done");
        fs::write(here.join("train"), worker).unwrap();
        let job = Job::default();
        let array = Array {
            name: "a",
            folder: here,
            program: Path::new("/bin/sh"),
            tasks: 1,
        };
        fs::write(here.join("array.sbatch"), job.script(&array).unwrap()).unwrap();
        let mut task = Command::new("bash")
            .args(["-c", "scontrol() { : >requeued; }; . ./array.sbatch"])
            .current_dir(here)
            .env("SLURM_ARRAY_TASK_ID", "0")
            .env("SLURM_JOB_ID", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..1000 {
            if here.join("ready").exists() {
                break;
            }
            sleep(Duration::from_millis(20));
        }
        // The task is to know its worker too.
        sleep(Duration::from_millis(200));
        let sent = Command::new("kill")
            .args([format!("-{signal}"), task.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        let code = task.wait().unwrap().code();
        (code, here.join("requeued").exists())
    }

    #[test]
    fn a_held_run_outweighs_no_stop() {
        assert_eq!(meets_a_held_run(2, "USR1", true), (Some(85), true));
        assert_eq!(meets_a_held_run(2, "USR1", false), (Some(85), false));
        assert_eq!(meets_a_held_run(2, "TERM", true), (Some(85), false));
        // Of one run alone, whoever holds it makes the steps.
        assert_eq!(meets_a_held_run(1, "USR1", false), (Some(0), true));
    }
}

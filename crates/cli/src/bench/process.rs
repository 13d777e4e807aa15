//! Measurements in processes of their own, which share nothing with each other.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::stop::on_signals;

/// Between two looks whether a process has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// A process under way. It is killed when this is dropped, as by an error elsewhere, and when this program is asked to stop.
pub struct Process {
    what: String,
    child: Child,
}

/// Starts this program with other arguments.
pub fn of_this_program<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Process, Failure> {
    let program = std::env::current_exe().map_err(|error| failed("mezo", error))?;
    Process::start(&program, arguments)
}

impl Process {
    /// Starts a program; what it says on stderr is heard.
    pub fn start<S: AsRef<OsStr>>(program: &Path, arguments: &[S]) -> Result<Self, Failure> {
        // From here on a signal leaves nothing behind.
        stop();
        let mut what = program.display().to_string();
        for argument in arguments {
            what += " ";
            what += &argument.as_ref().to_string_lossy();
        }
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        match child {
            Ok(child) => Ok(Self { what, child }),
            Err(error) => Err(failed(&what, error)),
        }
    }

    /// What it printed, once it has ended well.
    pub fn output(self) -> Result<String, Failure> {
        self.output_within(None)
    }

    /// The same, unless it takes longer than this.
    pub fn output_within(mut self, limit: Option<Duration>) -> Result<String, Failure> {
        let stdout = self.child.stdout.take();
        let reader = std::thread::spawn(move || {
            let mut printed = Vec::new();
            let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut printed));
            read.map(|_| printed)
        });
        let status = self.ended(limit)?;
        if !status.success() {
            return Err(failed(&self.what, status));
        }
        match reader.join() {
            Ok(Ok(printed)) => Ok(String::from_utf8_lossy(&printed).into_owned()),
            Ok(Err(error)) => Err(failed(&self.what, error)),
            Err(_) => Err(failed(&self.what, "what it printed could not be read")),
        }
    }

    /// Waits for its end.
    fn ended(&mut self, limit: Option<Duration>) -> Result<ExitStatus, Failure> {
        let start = Instant::now();
        loop {
            if let Some(limit) = limit.filter(|limit| start.elapsed() > *limit) {
                let why = format!("took longer than {:.0} s", limit.as_secs_f64());
                return Err(failed(&self.what, why));
            }
            if stop().load(Ordering::Relaxed) {
                return Err(failed(&self.what, "stopped by a signal"));
            }
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => std::thread::sleep(PAUSE),
                Err(error) => return Err(failed(&self.what, error)),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended is not there to be killed any more, and that is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether Ctrl-C or SIGTERM has come.
fn stop() -> &'static AtomicBool {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    STOP.get_or_init(on_signals)
}

fn failed(what: &str, why: impl std::fmt::Display) -> Failure {
    Failure {
        message: format!("`{what}`: {why}"),
        hint: None,
        exit: Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_prints_and_how_it_ends() {
        let run =
            |script| Process::start(Path::new("sh"), &["-c", script]).and_then(Process::output);
        assert_eq!(run("echo 5").expect("it ends well"), "5\n");
        let failure = run("exit 3").expect_err("it ends badly");
        assert!(failure.message.contains("3"), "{}", failure.message);
    }

    #[test]
    fn its_time_is_up() {
        let process = Process::start(Path::new("sleep"), &["600"]).expect("there is sleep");
        let failure = process
            .output_within(Some(Duration::ZERO))
            .expect_err("it sleeps on");
        insta::assert_snapshot!(failure.message, @"`sleep 600`: took longer than 0 s");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn none_is_left_behind() {
        let process = Process::start(Path::new("sleep"), &["600"]).expect("there is sleep");
        let place = format!("/proc/{}", process.child.id());
        assert!(Path::new(&place).exists());
        drop(process);
        assert!(!Path::new(&place).exists());
    }
}

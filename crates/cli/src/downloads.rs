//! Downloads, and how they are shown: a bar for each file on a terminal, a plain line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use mezo_hub::{Event, Hub, HubError, Progress, Repo, Wanted};
use mezo_sweep::human_time;

use crate::failure::Failure;

/// How often a plain line is written.
const EVERY: Duration = Duration::from_secs(10);

/// Makes sure that a model is in the hub's cache. One that is there is taken as it is, and the hub is not asked.
pub fn fetch_model(repo: &str, revision: &str) -> Result<(), Failure> {
    let hub = Hub::from_env()?;
    let model = Repo::model(repo).map_err(HubError::from)?;
    if hub.locate(&model, revision).is_none() {
        hub.fetch(&model, revision, Wanted::Model, &mut *downloads())?;
    }
    Ok(())
}

/// The display for this terminal, or for none.
pub fn downloads() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() {
        Box::new(Bar { bar: None })
    } else {
        Box::new(Lines {
            last: Instant::now(),
        })
    }
}

/// What stays on the screen.
fn line(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Done { file, size } => format!("fetched {file} ({})", HumanBytes(*size)),
        Event::Waiting { file } => format!("waiting for another process that fetches {file}"),
        Event::Again { error, pause } => {
            let pause = human_time(pause.as_secs_f64());
            format!("{error}; trying again in {pause}")
        }
        _ => return None,
    })
}

/// The bar of the file that is on its way.
struct Bar {
    bar: Option<ProgressBar>,
}

impl Progress for Bar {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Bytes { file, done, of } = event {
            let bar = self.bar.get_or_insert_with(|| {
                let template =
                    "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left  {msg}";
                let style = ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar());
                let bar = ProgressBar::new(of)
                    .with_style(style)
                    .with_message(file.to_owned())
                    .with_position(done);
                // What an earlier attempt has left says nothing of the pace.
                bar.reset_eta();
                bar
            });
            bar.set_position(done);
        } else {
            if let Some(bar) = self.bar.take() {
                bar.finish_and_clear();
            }
            if let Some(line) = line(&event) {
                say!("{line}");
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Plain lines for a pipe or a log.
struct Lines {
    last: Instant,
}

impl Progress for Lines {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Bytes { file, done, of } = event {
            if self.last.elapsed() >= EVERY {
                self.last = Instant::now();
                say!("{file}: {} of {}", HumanBytes(done), HumanBytes(of));
            }
        } else if let Some(line) = line(&event) {
            say!("{line}");
        }
    }
}

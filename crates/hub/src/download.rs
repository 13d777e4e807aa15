//! One file from the hub to a blob of the cache.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use crate::address::without_query;
use crate::client::{Asked, Client, Remote, text};
use crate::error::HubError;
use crate::progress::{Event, Progress};
use crate::retry::{Failed, Patience};

/// How often a lock that another process holds is tried.
const LOCK_EVERY: Duration = Duration::from_millis(100);

/// A download on its way: whoever holds it holds the blob's lock.
struct Download<'a> {
    client: &'a Client<'a>,
    asked: Asked<'a>,
    name: &'a str,
    remote: &'a Remote,
    /// `<blob>.incomplete`; what is in it is the file's beginning.
    path: PathBuf,
    part: File,
}

/// Makes sure that a file's blob is there, whole and checked. What an interrupted attempt has left is taken up.
pub(crate) fn download(
    client: &Client<'_>,
    asked: Asked<'_>,
    remote: &Remote,
    blob: &Path,
    lock: &Path,
    patience: Patience,
    progress: &mut dyn Progress,
) -> Result<(), HubError> {
    let name = asked.file.unwrap_or_default();
    if is_there(blob, remote) {
        return Ok(());
    }
    let _held = hold(lock, name, progress)?;
    if is_there(blob, remote) {
        return Ok(());
    }
    let path = beside(blob, ".incomplete");
    create_parent(&path)?;
    let opened = OpenOptions::new().create(true).append(true).open(&path);
    let mut download = Download {
        client,
        asked,
        name,
        remote,
        part: opened.map_err(HubError::writing(&path))?,
        path,
    };
    download.run(patience, progress)?;
    download
        .part
        .sync_all()
        .and_then(|()| fs::rename(&download.path, blob))
        .map_err(HubError::writing(blob))?;
    progress.event(Event::Done {
        file: name,
        size: remote.size,
    });
    Ok(())
}

impl Download<'_> {
    fn run(&mut self, mut patience: Patience, progress: &mut dyn Progress) -> Result<(), HubError> {
        // Beginnings that others have left are taken on trust; if that was wrong, they are not taken again.
        let mut trusted = self.here()?;
        loop {
            self.receive_all(&mut patience, progress)?;
            let Err(error) = self.check() else {
                return Ok(());
            };
            if trusted == 0 {
                // What is wrong from its first byte on is no beginning of anything.
                let _ = fs::remove_file(&self.path);
                return Err(error);
            }
            trusted = 0;
            self.start_again()?;
        }
    }

    fn receive_all(
        &mut self,
        patience: &mut Patience,
        progress: &mut dyn Progress,
    ) -> Result<(), HubError> {
        loop {
            let before = self.here()?;
            if before > self.remote.size {
                self.start_again()?;
                continue;
            }
            if before == self.remote.size {
                return Ok(());
            }
            if let Err(failed) = self.receive(before, progress) {
                if self.here()? > before {
                    patience.renew();
                }
                patience.bear(failed, progress)?;
            }
        }
    }

    /// Receives what one connection gives.
    fn receive(&mut self, from: u64, progress: &mut dyn Progress) -> Result<(), Failed> {
        let mut answer = self.client.bytes(self.remote, from, self.asked)?;
        let headers = answer.headers();
        let from = match answer.status().as_u16() {
            206 => {
                let range = text(headers, "content-range").unwrap_or_default();
                self.check_range(from, range)?;
                from
            }
            // The hub says that there is nothing from this byte on, or it begins again by itself.
            status => {
                self.start_again()?;
                if status == 416 {
                    let message = format!("nothing to be had from byte {from} on");
                    let url = self.url();
                    return Err(Failed::passing(HubError::Connection { url, message }));
                }
                0
            }
        };
        let length = text(headers, "content-length").and_then(|length| length.parse::<u64>().ok());
        if let Some(length) = length
            && from + length != self.remote.size
        {
            return Err(self.wrong_size(from + length).into());
        }
        self.copy(from, &mut answer.body_mut().as_reader(), progress)
    }

    fn copy(
        &mut self,
        from: u64,
        body: &mut dyn Read,
        progress: &mut dyn Progress,
    ) -> Result<(), Failed> {
        let (name, size) = (self.name, self.remote.size);
        let mut done = from;
        let mut buffer = vec![0; 1 << 16];
        loop {
            progress.event(Event::Bytes {
                file: name,
                done,
                of: size,
            });
            let cut = || HubError::Cut {
                url: self.url(),
                received: done,
                size,
            };
            let count = body.read(&mut buffer).map_err(|_| Failed::passing(cut()))?;
            if count == 0 && done < size {
                return Err(Failed::passing(cut()));
            }
            if count == 0 {
                return Ok(());
            }
            done += count as u64;
            if done > size {
                return Err(self.wrong_size(done).into());
            }
            self.part
                .write_all(&buffer[..count])
                .map_err(HubError::writing(&self.path))?;
        }
    }

    /// `bytes 100-199/200` continues at byte 100 and has the size that was promised.
    fn check_range(&self, from: u64, range: &str) -> Result<(), HubError> {
        let parts = range
            .strip_prefix("bytes ")
            .and_then(|range| range.split_once('/'));
        let first = parts.and_then(|(span, _)| span.split('-').next()?.parse().ok());
        if first != Some(from) {
            return Err(HubError::Answer {
                url: self.url(),
                what: format!("asked for the bytes from {from} on, it sends {range:?}"),
            });
        }
        match parts.and_then(|(_, size)| size.parse().ok()) {
            Some(size) if size != self.remote.size => Err(self.wrong_size(size)),
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<(), HubError> {
        let expected = &self.remote.checksum;
        let found = expected
            .of_file(&self.path)
            .map_err(HubError::reading(&self.path))?;
        if found == expected.text() {
            return Ok(());
        }
        Err(HubError::Checksum {
            url: self.url(),
            file: self.name.to_owned(),
            kind: expected.kind(),
            expected: expected.text().to_owned(),
            found,
        })
    }

    fn here(&self) -> Result<u64, HubError> {
        let metadata = self.part.metadata();
        Ok(metadata.map_err(HubError::reading(&self.path))?.len())
    }

    fn start_again(&self) -> Result<(), HubError> {
        let emptied = match self.here()? {
            0 => Ok(()),
            _ => self.part.set_len(0),
        };
        emptied.map_err(HubError::writing(&self.path))
    }

    fn wrong_size(&self, found: u64) -> HubError {
        HubError::Size {
            url: self.url(),
            file: self.name.to_owned(),
            expected: self.remote.size,
            found,
        }
    }

    fn url(&self) -> String {
        without_query(&self.remote.url).to_owned()
    }
}

/// A blob of the right size is taken as it is: it was checked before it became one.
fn is_there(blob: &Path, remote: &Remote) -> bool {
    fs::metadata(blob).is_ok_and(|metadata| metadata.is_file() && metadata.len() == remote.size)
}

/// Waits for the lock, which a process that dies lets go of. Python locks the same file in the same way.
fn hold(path: &Path, name: &str, progress: &mut dyn Progress) -> Result<File, HubError> {
    create_parent(path)?;
    let opened = OpenOptions::new().create(true).append(true).open(path);
    let lock = opened.map_err(HubError::writing(path))?;
    let mut told = false;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) => {
                if !told {
                    progress.event(Event::Waiting { file: name });
                    told = true;
                }
                sleep(LOCK_EVERY);
            }
            Err(TryLockError::Error(error)) => return Err(HubError::writing(path)(error)),
        }
    }
}

pub(crate) fn create_parent(path: &Path) -> Result<(), HubError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(HubError::writing(parent))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

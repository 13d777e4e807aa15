//! What there is to compute with.

use std::fs;

use mezo_train::why_no_cuda;

use super::fact::{Fact, note, ok};
use crate::devices;

/// Where NVIDIA's kernel module says what it is.
const DRIVER: &str = "/proc/driver/nvidia/version";

/// Cores, CUDA devices, and what bears on which of these are seen.
pub fn facts() -> Vec<Fact> {
    let mut facts = vec![cores()];
    let found: Vec<String> = devices::cuda().iter().map(devices::Cuda::words).collect();
    facts.extend(cuda(&found, why_no_cuda()));
    facts.extend(driver());
    facts.extend(variable("CUDA_VISIBLE_DEVICES"));
    facts.extend(variable("CUDA_DEVICE_ORDER"));
    facts
}

fn cores() -> Fact {
    match std::thread::available_parallelism() {
        Ok(cores) => ok(format!("cores: {cores}")),
        Err(error) => note(format!("cores: the system does not say ({error})")),
    }
}

/// The CUDA devices, by what each of them is, or why there is none.
fn cuda(found: &[String], why_none: Option<String>) -> Vec<Fact> {
    let mut facts = vec![match why_none {
        Some(why) => note(format!("CUDA devices: none, {why}")),
        None => ok(format!("CUDA devices: {}", found.len())),
    }];
    let devices = found.iter().enumerate();
    facts.extend(devices.map(|(index, what)| ok(format!("cuda:{index}: {what}"))));
    facts
}

/// The driver, where there is one.
fn driver() -> Option<Fact> {
    let text = fs::read_to_string(DRIVER).ok()?;
    Some(match driver_version(&text) {
        Some(version) => ok(format!("NVIDIA driver: {version}")),
        None => note(format!("NVIDIA driver: {DRIVER} names no version")),
    })
}

/// The version among the words of the module's line: the first that is numbers with points between them.
fn driver_version(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.starts_with("NVRM"))?;
    line.split_whitespace().find(|word| {
        let mut parts = word.split('.');
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        word.contains('.') && parts.all(is_number)
    })
}

/// A variable, if it is set.
fn variable(name: &str) -> Option<Fact> {
    let value = std::env::var_os(name)?;
    Some(match (name, value.is_empty()) {
        ("CUDA_VISIBLE_DEVICES", true) => {
            note(format!("{name}: set to nothing, which hides every device"))
        }
        _ => ok(format!("{name}: {}", value.to_string_lossy())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_says_its_version() {
        let closed = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\n\
            GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n";
        assert_eq!(driver_version(closed), Some("535.104.05"));
        let open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (a@b)\n";
        assert_eq!(driver_version(open), Some("570.86.15"));
        assert_eq!(driver_version("GCC version:  gcc version 12.2.0\n"), None);
        assert_eq!(driver_version("NVRM version: unknown.\n"), None);
    }

    #[test]
    fn no_device_is_nothing_wrong_and_each_is_told() {
        let why = "this program was built without CUDA".to_owned();
        assert_eq!(
            cuda(&[], Some(why)),
            [note(
                "CUDA devices: none, this program was built without CUDA"
            )]
        );
        assert_eq!(
            cuda(&["A100".into(), "H100".into()], None),
            [
                ok("CUDA devices: 2"),
                ok("cuda:0: A100"),
                ok("cuda:1: H100")
            ]
        );
    }
}

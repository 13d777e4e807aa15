//! What the machine is.

use std::process::Command;

/// What of the machine its times depend on, in words; what it does not tell is unknown.
#[derive(Debug, Clone)]
pub struct Machine {
    pub cpu: String,
    pub features: String,
    pub cores: usize,
    pub memory: String,
    pub system: String,
    pub rustc: String,
}

/// The instructions that products of matrices are fast by.
const FEATURES: [&str; 8] = [
    "avx2",
    "fma",
    "avx512f",
    "avx512_bf16",
    "amx_bf16",
    "asimd",
    "bf16",
    "sve",
];

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        let cpus = read("/proc/cpuinfo");
        let (os, kernel) = (read("/etc/os-release"), read("/proc/sys/kernel/osrelease"));
        Self {
            cpu: cpu(&cpus).unwrap_or_else(unknown),
            features: features(&cpus),
            cores: cores(),
            memory: memory(&read("/proc/meminfo")).unwrap_or_else(unknown),
            system: system(&os, &kernel).unwrap_or_else(|| std::env::consts::OS.into()),
            rustc: rustc().unwrap_or_else(unknown),
        }
    }
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The value of the first `key : value` or `key=value`.
fn value<'a>(text: &'a str, key: &str, between: char) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(between));
    let (_, value) = pairs.find(|(found, _)| found.trim() == key)?;
    Some(value.trim().trim_matches('"'))
}

/// The processor's name, with the numbers that tell generations of the same name apart.
fn cpu(cpus: &str) -> Option<String> {
    let name = value(cpus, "model name", ':')?;
    let number = |key| value(cpus, key, ':').unwrap_or("?");
    Some(format!(
        "{name} (family {}, model {})",
        number("cpu family"),
        number("model")
    ))
}

fn features(cpus: &str) -> String {
    let flags = value(cpus, "flags", ':').or_else(|| value(cpus, "Features", ':'));
    let has = |feature: &&str| flags.is_some_and(|flags| flags.split(' ').any(|it| it == *feature));
    let found: Vec<&str> = FEATURES.into_iter().filter(|it| has(it)).collect();
    match found.is_empty() {
        true => "unknown".into(),
        false => found.join(", "),
    }
}

fn memory(meminfo: &str) -> Option<String> {
    let kib: f64 = value(meminfo, "MemTotal", ':')?
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()?;
    Some(format!("{:.0} GiB", kib / f64::from(1 << 20)))
}

fn system(os_release: &str, kernel: &str) -> Option<String> {
    let name = value(os_release, "PRETTY_NAME", '=')?;
    Some(format!("{name}, Linux {}", kernel.trim()))
}

fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().strip_prefix("rustc ")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPUS: &str = "processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n\
        flags\t\t: fpu avx2 fma avx512f\n\nprocessor\t: 1\nmodel name\t: AMD EPYC\n";

    #[test]
    fn what_linux_tells() {
        assert_eq!(cpu(CPUS).as_deref(), Some("AMD EPYC (family 26, model 2)"));
        assert_eq!(features(CPUS), "avx2, fma, avx512f");
        assert_eq!(
            memory("MemTotal:       25165824 kB\n").as_deref(),
            Some("24 GiB")
        );
        assert_eq!(
            system("NAME=\"Debian\"\nPRETTY_NAME=\"Debian 13\"\n", "6.1.0\n").as_deref(),
            Some("Debian 13, Linux 6.1.0")
        );
    }

    #[test]
    fn what_it_does_not_tell() {
        assert_eq!(cpu(""), None);
        assert_eq!(features(""), "unknown");
        assert_eq!(memory("MemTotal: much\n"), None);
        assert_eq!(system("", ""), None);
    }
}

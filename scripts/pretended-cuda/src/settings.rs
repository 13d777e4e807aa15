//! What the environment asks for; read once, as launches must not wait for it.

use std::env::var_os;
use std::path::PathBuf;
use std::sync::LazyLock;

pub struct Settings {
    /// Whether launches are computed; else they are only counted.
    pub compute: bool,
    /// Whether races in shared memory are looked for.
    pub races: bool,
    /// Whether to say at the end what was asked.
    pub stats: bool,
    /// How many kernels to tell the time of.
    pub kernels: usize,
    /// Where to keep modules.
    pub ptx: Option<PathBuf>,
}

pub static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let off = |name| var_os(name).is_some_and(|value| value == "0");
    Settings {
        compute: !off("PRETENDED_COMPUTE"),
        races: !off("PRETENDED_RACES"),
        stats: var_os("PRETENDED_STATS").is_some(),
        kernels: var_os("PRETENDED_KERNELS")
            .and_then(|value| value.to_str()?.parse().ok())
            .unwrap_or(0),
        ptx: var_os("PRETENDED_PTX").map(PathBuf::from),
    }
});

//! Where the cache lies, which hub is asked and in whose name: the environment variables of Python's
//! `huggingface_hub`, read as it reads them.
//!
//! | variable | what it says | default |
//! |---|---|---|
//! | `HF_HOME` | the folder of everything that has to do with the hub | `$XDG_CACHE_HOME/huggingface` |
//! | `XDG_CACHE_HOME` | the folder of the user's caches | `~/.cache` |
//! | `HF_HUB_CACHE` | the folder of repositories | `$HF_HOME/hub` |
//! | `HUGGINGFACE_HUB_CACHE` | its older name, read where the newer one is not set | |
//! | `HF_ENDPOINT` | the hub's address | `https://huggingface.co` |
//! | `HF_TOKEN` | the token sent with each request to the hub | what the token file holds, if anything |
//! | `HF_TOKEN_PATH` | the token file, as `hf auth login` writes it | `$HF_HOME/token` |
//! | `HF_HUB_OFFLINE` | `1`, `on`, `yes` or `true`: the network is never used | off |
//!
//! A variable that is set to nothing counts as not set. In the four paths a `~` at the beginning is `$HOME`. Proxies
//! are those of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, as everywhere.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::HubError;

/// Every variable that is read.
const NAMES: [&str; 9] = [
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "HF_TOKEN_PATH",
    "HOME",
    "HUGGINGFACE_HUB_CACHE",
    "XDG_CACHE_HOME",
];

const ENDPOINT: &str = "https://huggingface.co";

/// What the environment says about the hub.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder of repositories.
    pub cache: PathBuf,
    /// The hub's address, without a slash at its end.
    pub endpoint: String,
    /// The token of `HF_TOKEN`.
    pub token: Option<String>,
    /// The file that holds the token where `HF_TOKEN` does not.
    pub token_file: PathBuf,
    /// Whether the network is never used.
    pub offline: bool,
    /// The wait after a first failure that may pass, twice as long after each further one. One second, whatever the
    /// environment says.
    pub first_pause: Duration,
}

impl Settings {
    /// The settings of this process's environment.
    ///
    /// # Errors
    /// As [`Settings::from`].
    pub fn from_env() -> Result<Self, HubError> {
        let set = |name: &&str| Some(((*name).to_owned(), std::env::var_os(name)?));
        Self::from(&NAMES.iter().filter_map(set).collect())
    }

    /// The settings that these variables make; nothing else is looked at.
    ///
    /// # Errors
    /// [`HubError::NoHome`] when they name no folder for the cache, [`HubError::Endpoint`] when the hub's address is
    /// none.
    pub fn from(vars: &BTreeMap<String, OsString>) -> Result<Self, HubError> {
        let vars = Vars(vars);
        let home = vars.huggingface_home();
        let under_home = |name: &str| Some(home.as_ref()?.join(name));
        let cache = vars
            .path("HF_HUB_CACHE")
            .or_else(|| vars.path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| under_home("hub"))
            .ok_or(HubError::NoHome)?;
        let token_file = vars
            .path("HF_TOKEN_PATH")
            .or_else(|| under_home("token"))
            .unwrap_or_default();
        Ok(Self {
            cache,
            endpoint: vars.endpoint()?,
            token: vars.text("HF_TOKEN").and_then(|token| clean_token(&token)),
            token_file,
            offline: vars.is_on("HF_HUB_OFFLINE"),
            first_pause: Duration::from_secs(1),
        })
    }
}

/// A token is nobody's to read in a log.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("cache", &self.cache)
            .field("endpoint", &self.endpoint)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("token_file", &self.token_file)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

struct Vars<'a>(&'a BTreeMap<String, OsString>);

impl Vars<'_> {
    fn get(&self, name: &str) -> Option<&OsString> {
        self.0.get(name).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        Some(self.get(name)?.to_string_lossy().into_owned())
    }

    fn is_on(&self, name: &str) -> bool {
        let text = self.text(name).unwrap_or_default().to_uppercase();
        ["1", "ON", "YES", "TRUE"].contains(&text.as_str())
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        let path = Path::new(self.get(name)?);
        match (path.strip_prefix("~"), self.get("HOME")) {
            (Ok(rest), Some(home)) => Some(Path::new(home).join(rest)),
            _ => Some(path.to_owned()),
        }
    }

    fn huggingface_home(&self) -> Option<PathBuf> {
        let caches = || {
            self.path("XDG_CACHE_HOME")
                .or_else(|| Some(Path::new(self.get("HOME")?).join(".cache")))
        };
        self.path("HF_HOME")
            .or_else(|| Some(caches()?.join("huggingface")))
    }

    fn endpoint(&self) -> Result<String, HubError> {
        let found = self.text("HF_ENDPOINT").unwrap_or(ENDPOINT.to_owned());
        let host = found
            .strip_prefix("https://")
            .or_else(|| found.strip_prefix("http://"));
        match host {
            Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => {
                Ok(found.trim_end_matches('/').to_owned())
            }
            _ => Err(HubError::Endpoint { found }),
        }
    }
}

/// A token without the line's end that came with it from a file; nothing where nothing is left.
pub(crate) fn clean_token(text: &str) -> Option<String> {
    let token = text.replace(['\r', '\n'], "").trim().to_owned();
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::Settings;
    use crate::error::HubError;

    fn settings(vars: &[(&str, &str)]) -> Result<Settings, HubError> {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()));
        Settings::from(&vars.collect())
    }

    fn cache(vars: &[(&str, &str)]) -> String {
        settings(vars).unwrap().cache.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_cache_lies_where_python_has_it() {
        let home = ("HOME", "/h");
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[home], "/h/.cache/huggingface/hub"),
            (&[home, ("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub"),
            (
                &[home, ("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/f")],
                "/f/hub",
            ),
            (&[home, ("HF_HOME", "~/f")], "/h/f/hub"),
            (
                &[("HF_HOME", "/f"), ("HUGGINGFACE_HUB_CACHE", "/old")],
                "/old",
            ),
            (
                &[("HUGGINGFACE_HUB_CACHE", "/old"), ("HF_HUB_CACHE", "/new")],
                "/new",
            ),
            (&[home, ("HF_HOME", "")], "/h/.cache/huggingface/hub"),
        ];
        for (vars, expected) in cases {
            assert_eq!(cache(vars), expected, "{vars:?}");
        }
        assert!(matches!(settings(&[]), Err(HubError::NoHome)));
    }

    #[test]
    fn tokens_come_from_the_variable_or_the_file() {
        let of = |vars: &[(&str, &str)]| {
            let found = settings(&[&[("HF_HOME", "/f")], vars].concat()).unwrap();
            (found.token, found.token_file)
        };
        let file = Path::new("/f/token").to_owned();
        assert_eq!(of(&[]), (None, file.clone()));
        assert_eq!(
            of(&[("HF_TOKEN", " hf_a\n")]),
            (Some("hf_a".into()), file.clone())
        );
        assert_eq!(of(&[("HF_TOKEN", " ")]), (None, file));
        assert_eq!(of(&[("HF_TOKEN_PATH", "/t")]).1, Path::new("/t"));
        let shown = format!("{:?}", settings(&[("HF_HOME", "/f"), ("HF_TOKEN", "hf_a")]));
        assert!(!shown.contains("hf_a"), "{shown}");
    }

    #[test]
    fn endpoints_are_addresses_of_the_web() {
        let of = |endpoint| settings(&[("HOME", "/h"), ("HF_ENDPOINT", endpoint)]);
        assert_eq!(of("").unwrap().endpoint, "https://huggingface.co");
        assert_eq!(
            of("http://127.0.0.1:1/").unwrap().endpoint,
            "http://127.0.0.1:1"
        );
        for wrong in ["huggingface.co", "ftp://a", "https://", "https://a b"] {
            assert!(
                matches!(of(wrong), Err(HubError::Endpoint { .. })),
                "{wrong}"
            );
        }
    }

    #[test]
    fn offline_is_switched_as_in_python() {
        let of = |value| {
            let vars = [("HOME", "/h"), ("HF_HUB_OFFLINE", value)];
            settings(&vars).unwrap().offline
        };
        assert!(["1", "on", "YES", "True"].into_iter().all(of));
        assert!(!["", "0", "off", "2"].into_iter().any(of));
    }
}

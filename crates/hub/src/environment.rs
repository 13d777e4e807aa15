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
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::HubError;
use crate::source::{Source, Sourced};

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
        Self::of(Origins::from_env())
    }

    /// The settings that these variables make; nothing else is looked at.
    ///
    /// # Errors
    /// [`HubError::NoHome`] when they name no folder for the cache, [`HubError::Endpoint`] when the hub's address is
    /// none.
    pub fn from(vars: &BTreeMap<String, OsString>) -> Result<Self, HubError> {
        Self::of(Origins::from(vars))
    }

    fn of(origins: Origins) -> Result<Self, HubError> {
        Ok(Self {
            cache: origins.cache.ok_or(HubError::NoHome)?.value,
            endpoint: origins.endpoint?.value,
            token: origins.token,
            token_file: origins
                .token_file
                .map(|file| file.value)
                .unwrap_or_default(),
            offline: origins.offline.value,
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

/// Every setting with what gave it: what [`Settings`] are made of, for whoever wants to know why they are so.
pub struct Origins {
    /// The folder of everything that has to do with the hub; none where no variable names one.
    pub home: Option<Sourced<PathBuf>>,
    /// The folder of repositories, likewise.
    pub cache: Option<Sourced<PathBuf>>,
    /// The hub's address, without a slash at its end.
    pub endpoint: Result<Sourced<String>, HubError>,
    /// The file that holds the token where `HF_TOKEN` does not.
    pub token_file: Option<Sourced<PathBuf>>,
    /// Whether the network is never used.
    pub offline: Sourced<bool>,
    /// The token of `HF_TOKEN`.
    token: Option<String>,
}

impl Origins {
    /// Those of this process's environment.
    pub fn from_env() -> Self {
        let set = |name: &&str| Some(((*name).to_owned(), std::env::var_os(name)?));
        Self::from(&NAMES.iter().filter_map(set).collect())
    }

    /// Those of these variables; nothing else is looked at.
    pub fn from(vars: &BTreeMap<String, OsString>) -> Self {
        let vars = Vars(vars);
        let home = vars.huggingface_home();
        let under_home = |name: &str| Some(home.as_ref()?.under(name));
        Self {
            cache: vars
                .path("HF_HUB_CACHE")
                .or_else(|| vars.path("HUGGINGFACE_HUB_CACHE"))
                .or_else(|| under_home("hub")),
            endpoint: vars.endpoint(),
            token_file: vars.path("HF_TOKEN_PATH").or_else(|| under_home("token")),
            offline: vars.is_on("HF_HUB_OFFLINE"),
            token: vars.text("HF_TOKEN").and_then(|token| clean_token(&token)),
            home,
        }
    }

    /// Where the token comes from that is sent with each request; none is sent where there is none. The token itself
    /// is nobody's to see.
    ///
    /// # Errors
    /// When there is a token file that cannot be read: then nothing is fetched.
    pub fn token(&self) -> Result<Option<Source>, HubError> {
        if self.token.is_some() {
            return Ok(Some(Source::Variable("HF_TOKEN")));
        }
        let Some(file) = &self.token_file else {
            return Ok(None);
        };
        let token = token_in(&file.value)?;
        Ok(token.map(|_| Source::File(file.value.clone())))
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

    fn is_on(&self, name: &'static str) -> Sourced<bool> {
        let Some(text) = self.text(name) else {
            return Sourced::new(false, Source::Default);
        };
        let on = ["1", "ON", "YES", "TRUE"].contains(&text.to_uppercase().as_str());
        Sourced::new(on, Source::Variable(name))
    }

    fn path(&self, name: &'static str) -> Option<Sourced<PathBuf>> {
        let path = Path::new(self.get(name)?);
        let path = match (path.strip_prefix("~"), self.get("HOME")) {
            (Ok(rest), Some(home)) => Path::new(home).join(rest),
            _ => path.to_owned(),
        };
        Some(Sourced::new(path, Source::Variable(name)))
    }

    fn huggingface_home(&self) -> Option<Sourced<PathBuf>> {
        let caches = || {
            self.path("XDG_CACHE_HOME").or_else(|| {
                let caches = Path::new(self.get("HOME")?).join(".cache");
                Some(Sourced::new(caches, Source::Variable("HOME")))
            })
        };
        self.path("HF_HOME")
            .or_else(|| Some(caches()?.under("huggingface")))
    }

    fn endpoint(&self) -> Result<Sourced<String>, HubError> {
        let (found, source) = match self.text("HF_ENDPOINT") {
            Some(found) => (found, Source::Variable("HF_ENDPOINT")),
            None => (ENDPOINT.to_owned(), Source::Default),
        };
        let host = found
            .strip_prefix("https://")
            .or_else(|| found.strip_prefix("http://"));
        match host {
            Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => {
                Ok(Sourced::new(found.trim_end_matches('/').to_owned(), source))
            }
            _ => Err(HubError::Endpoint { found }),
        }
    }
}

/// The token in the file that `hf auth login` writes; none where there is no file.
pub(crate) fn token_in(path: &Path) -> Result<Option<String>, HubError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(clean_token(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(HubError::reading(path)(error)),
    }
}

/// A token without the line's end that came with it from a file; nothing where nothing is left.
fn clean_token(text: &str) -> Option<String> {
    let token = text.replace(['\r', '\n'], "").trim().to_owned();
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::path::Path;

    use super::{Origins, Settings};
    use crate::error::HubError;
    use crate::source::Source;

    /// Variables with their values.
    type Set<'a> = &'a [(&'a str, &'a str)];

    fn vars(vars: &[(&str, &str)]) -> BTreeMap<String, OsString> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).into());
        vars.iter().map(owned).collect()
    }

    fn settings(set: &[(&str, &str)]) -> Result<Settings, HubError> {
        Settings::from(&vars(set))
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

    #[test]
    fn every_setting_says_what_gave_it() {
        let old = ("HUGGINGFACE_HUB_CACHE", "/old");
        let cases: [(Set<'_>, &str, &str); 5] = [
            (&[], "the default, by HOME", "the default, by HOME"),
            (
                &[("HF_HOME", "/f")],
                "from HF_HOME",
                "the default, by HF_HOME",
            ),
            (
                &[("HF_HOME", "")],
                "the default, by HOME",
                "the default, by HOME",
            ),
            (&[old], "the default, by HOME", "from HUGGINGFACE_HUB_CACHE"),
            (
                &[old, ("HF_HUB_CACHE", "/new"), ("XDG_CACHE_HOME", "/x")],
                "the default, by XDG_CACHE_HOME",
                "from HF_HUB_CACHE",
            ),
        ];
        for (set, home, cache) in cases {
            let origins = Origins::from(&vars(&[&[("HOME", "/h")], set].concat()));
            let found = [origins.home, origins.cache].map(|it| it.unwrap().source.to_string());
            assert_eq!(found, [home, cache], "{set:?}");
        }
        let none = Origins::from(&vars(&[]));
        assert!(none.home.is_none() && none.cache.is_none());
        assert_eq!(none.token().unwrap(), None);
        assert_eq!(none.offline.source, Source::Default);
        assert_eq!(none.endpoint.unwrap().source, Source::Default);
        let set = Origins::from(&vars(&[("HF_HUB_OFFLINE", "0"), ("HF_TOKEN", "hf_a")]));
        assert_eq!(set.offline.source, Source::Variable("HF_HUB_OFFLINE"));
        assert_eq!(set.token().unwrap(), Some(Source::Variable("HF_TOKEN")));
    }

    #[test]
    fn a_token_file_is_the_source_of_the_token_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let origins = Origins::from(&vars(&[("HF_HOME", dir.path().to_str().unwrap())]));
        let file = dir.path().join("token");
        assert_eq!(origins.token().unwrap(), None);
        std::fs::write(&file, "\n").unwrap();
        assert_eq!(origins.token().unwrap(), None);
        std::fs::write(&file, "hf_a\n").unwrap();
        assert_eq!(origins.token().unwrap(), Some(Source::File(file.clone())));
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(matches!(origins.token(), Err(HubError::Read { .. })));
    }
}

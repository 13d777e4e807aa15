//! What can go wrong between the hub and the cache, and the way out of each.

/// Why a repository's files could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the message of each variant says what its fields are"
)]
pub enum HubError {
    #[error("no folder for the hub's cache: neither HF_HOME nor XDG_CACHE_HOME nor HOME is set")]
    NoHome,

    #[error("HF_ENDPOINT is {found:?}, expected an address that begins with https:// or http://")]
    Endpoint { found: String },

    #[error("{id:?} is not the id of a repository on the hub")]
    RepoId { id: String },
}

impl HubError {
    /// The way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoHome => Some("set HF_HOME to the folder where downloads should lie".to_owned()),
            Self::Endpoint { .. } => {
                Some("unset it for the hub itself, https://huggingface.co".to_owned())
            }
            Self::RepoId { .. } => Some(
                "it is what stands after the hub's address: roberta-large, or OWNER/NAME"
                    .to_owned(),
            ),
        }
    }

    /// Whether what was asked for is wrong, and not the network or the machine.
    pub fn is_bad_input(&self) -> bool {
        true
    }
}

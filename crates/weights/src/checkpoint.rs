//! A model's weights, held against its config: names, shapes and types by the headers, values and their hash by reading them.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::TensorInfo;
use sha2::{Digest, Sha256};

use crate::error::{ModelError, TensorProblem, check_shape, problem};
use crate::families::Config;
use crate::files::ModelFiles;
use crate::header::{Shard, is_known};

/// The files of a model, of which every tensor has the name, the shape and a type that it should have.
pub struct Checkpoint {
    /// What its `config.json` says.
    pub config: Config,
    shards: Vec<Shard>,
    /// Every tensor in use, in the order in which a model walks its weights.
    tensors: Vec<(String, Place)>,
    own_decoder: bool,
}

/// Where a tensor is.
struct Place {
    shard: usize,
    /// Its name there.
    name: String,
    info: TensorInfo,
}

/// Tensors by the names that a model has for them.
type Found = BTreeMap<String, Place>;

impl Checkpoint {
    /// Reads `config.json` and the headers of the weights. Of the values only those of a decoder of the head's own are read:
    /// one with the same values as the word table is that table.
    ///
    /// # Errors
    /// If the family is unknown, a file is missing, broken or a Git LFS pointer, or a tensor is missing, unknown, misshapen, of
    /// another type or in two files. The error names the file and the tensor.
    pub fn open(files: &ModelFiles) -> Result<Self, ModelError> {
        let (config_path, text) = files.config()?;
        let config = Config::parse(&config_path, &text)?;
        let shards = files.shards()?;
        let mut found = find(&config, &shards)?;
        take_aliases(&config, &shards, &mut found)?;
        check_size(&config, &config_path, &found)?;
        let own_decoder = has_own_decoder(&config, &shards, &mut found)?;
        let tensors = in_order(&config, own_decoder, &shards, found, &files.listing()?)?;
        Ok(Self {
            config,
            shards,
            tensors,
            own_decoder,
        })
    }

    /// Whether the head has a decoder that is not the word table.
    pub fn has_own_decoder(&self) -> bool {
        self.own_decoder
    }

    /// Reads every value.
    ///
    /// Gives the SHA-256 over names, shapes and f32 values of the weights in use: the same for the same numbers, however they
    /// were split over files or what else lay beside them.
    ///
    /// # Errors
    /// If a file cannot be read, or a value is not finite.
    pub fn check(&self) -> Result<String, ModelError> {
        let mut values = self.values();
        while values.read(&mut |_| {})?.is_some() {}
        Ok(values.sha256())
    }

    /// The values, tensor by tensor in the order in which a model walks its weights.
    pub fn values(&self) -> Values<'_> {
        Values {
            checkpoint: self,
            next: 0,
            hash: Sha256::new(),
        }
    }
}

/// The values of a checkpoint, as far as they are not read yet.
pub struct Values<'c> {
    checkpoint: &'c Checkpoint,
    next: usize,
    hash: Sha256,
}

impl Values<'_> {
    /// The values of the next tensor, which is to have this name.
    ///
    /// # Errors
    /// If it has another, the file cannot be read, or a value is not finite.
    pub fn next(&mut self, name: &str) -> Result<Vec<f32>, ModelError> {
        let tensors = &self.checkpoint.tensors;
        let Some((_, place)) = tensors.get(self.next).filter(|next| next.0 == name) else {
            let missing = TensorProblem::Missing;
            return Err(problem(&self.checkpoint.shards[0].path, name, missing));
        };
        let mut all = Vec::with_capacity(place.info.shape.iter().product());
        self.read(&mut |values| all.extend_from_slice(values))?;
        Ok(all)
    }

    /// The hash of all that was read.
    pub fn sha256(self) -> String {
        let digest = self.hash.finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads the next tensor in pieces; none where there is no other.
    fn read(&mut self, each: &mut dyn FnMut(&[f32])) -> Result<Option<()>, ModelError> {
        let Self {
            checkpoint,
            next,
            hash,
        } = self;
        let Some((name, place)) = checkpoint.tensors.get(*next) else {
            return Ok(None);
        };
        *next += 1;
        hash.update(name.as_bytes());
        hash.update([0]);
        for size in &place.info.shape {
            hash.update((*size as u64).to_le_bytes());
        }
        let mut bytes: Vec<u8> = Vec::new();
        let shard = &checkpoint.shards[place.shard];
        shard.values(&place.name, &place.info, &mut |values| {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            hash.update(&bytes);
            each(values);
        })?;
        Ok(Some(()))
    }
}

/// All tensors in use, from one file or several.
fn find(config: &Config, shards: &[Shard]) -> Result<Found, ModelError> {
    let mut found = Found::new();
    for (shard, file) in shards.iter().enumerate() {
        let tensors: BTreeMap<String, &TensorInfo> = file.header.tensors().into_iter().collect();
        for (name, info) in tensors {
            if config.is_unused(&name) {
                continue;
            }
            if !is_known(info.dtype) {
                let dtype = TensorProblem::Dtype(format!("{:?}", info.dtype));
                return Err(problem(&file.path, &name, dtype));
            }
            let place = Place {
                shard,
                name: name.clone(),
                info: info.clone(),
            };
            if found.insert(name.clone(), place).is_some() {
                return Err(problem(&file.path, &name, TensorProblem::Twice));
            }
        }
    }
    Ok(found)
}

/// Folds second names into first ones.
fn take_aliases(config: &Config, shards: &[Shard], found: &mut Found) -> Result<(), ModelError> {
    for (second, first) in config.aliases() {
        let Some(tensor) = found.remove(*second) else {
            continue;
        };
        let shape = tensor.info.shape.clone();
        // Where a file has both, the second is the one that Hugging Face's forward pass adds.
        if let Some(unused) = found.insert((*first).into(), tensor) {
            let path = &shards[unused.shard].path;
            check_shape(path, &unused.name, &unused.info.shape, &shape)?;
            // A file with such a value is broken, whatever is read of it.
            shards[unused.shard].values(&unused.name, &unused.info, &mut |_| {})?;
        }
    }
    Ok(())
}

/// Refuses sizes far beyond what the files hold, before memory is asked for. Smaller differences are named by tensor.
fn check_size(config: &Config, path: &Path, found: &Found) -> Result<(), ModelError> {
    // Of what is no matrix there may be any number of dimensions, but each takes room in the file.
    let len = |info: &TensorInfo| info.shape.iter().product::<usize>() as u128;
    let held: u128 = found.values().map(|place| len(&place.info)).sum();
    let (scalars, layers) = (config.scalars(), config.layers());
    let message = if scalars > 4 * (held + 1_000_000) {
        format!("its sizes make {scalars} numbers, the weights beside it hold {held}")
    } else if layers > found.len() / config.tensors_of_a_layer() + 100 {
        // A layer takes room beside its numbers, of which there may be very few.
        let held = found.len();
        format!("it has {layers} layers, the weights beside it are {held} tensors")
    } else {
        return Ok(());
    };
    Err(ModelError::Config {
        path: path.into(),
        message,
    })
}

/// Whether the head has a decoder of its own; one that equals the word table is taken out.
fn has_own_decoder(
    config: &Config,
    shards: &[Shard],
    found: &mut Found,
) -> Result<bool, ModelError> {
    let (decoder_name, words_name) = config.decoder_and_words();
    let (Some(decoder), Some(words)) = (found.get(decoder_name), found.get(words_name)) else {
        return Ok(found.contains_key(decoder_name));
    };
    if decoder.info.shape != words.info.shape {
        return Ok(true);
    }
    let hash = |place: &Place| {
        let mut hash = Sha256::new();
        shards[place.shard]
            .values(&place.name, &place.info, &mut |values| {
                // Zeros of both signs are equal.
                let bytes = values.iter().flat_map(|value| (value + 0.0).to_le_bytes());
                hash.update(bytes.collect::<Vec<u8>>());
            })
            .map(|()| hash.finalize())
    };
    let same = hash(decoder)? == hash(words)?;
    if same {
        found.remove(decoder_name);
    }
    Ok(!same)
}

/// The tensors in the order of the walk; none may be lacking or left over.
fn in_order(
    config: &Config,
    own_decoder: bool,
    shards: &[Shard],
    mut found: Found,
    listing: &Path,
) -> Result<Vec<(String, Place)>, ModelError> {
    let mut tensors = Vec::new();
    for (name, shape) in config.tensors(own_decoder) {
        let Some(place) = found.remove(&name) else {
            return Err(problem(listing, &name, TensorProblem::Missing));
        };
        let path = &shards[place.shard].path;
        check_shape(path, &place.name, &place.info.shape, &shape)?;
        tensors.push((name, place));
    }
    match found.into_iter().next() {
        Some((_, place)) => {
            let path = &shards[place.shard].path;
            Err(problem(path, &place.name, TensorProblem::Unknown))
        }
        None => Ok(tensors),
    }
}

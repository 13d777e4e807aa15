//! PyTorch on the same device.

use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use mezo_train::gpu::{self, Precision};

use super::super::peer::{Peer, PeerStep};
use crate::args::TunedName;
use crate::exit::Exit;
use crate::failure::Failure;

/// Sentences of a batch.
const BATCH: usize = 64;
/// Steps timed; with toy sizes, as few as there are batches.
const STEPS: usize = 40;
const FEW_STEPS: usize = 2;

/// What times PyTorch's step on the device.
pub fn peer(python: &Path, device: &str, quick: bool) -> Result<gpu::Peer, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure {
        message: format!("cannot make a folder for PyTorch's program: {error}"),
        hint: None,
        exit: Exit::Failed,
    })?;
    let peer = Peer::new(python, folder.path(), BATCH)?;
    let device = device.to_owned();
    Ok(Box::new(move |precision: Precision, limit: Duration| {
        // The program's files are there as long as this is.
        let _ = folder.path();
        let step = PeerStep {
            tuned: TunedName::Lora,
            dtype: dtype(precision)?,
            device: torch_name(&device)?,
            threads: available_parallelism().map_or(1, usize::from),
            steps: if quick { FEW_STEPS } else { STEPS },
            limit: Some(limit),
        };
        timed(&peer, step)
    }))
}

fn timed(peer: &Peer, step: PeerStep<'_>) -> Result<gpu::PeerStep, String> {
    let times = peer.step(step).map_err(|failure| failure.message)?;
    Ok(gpu::PeerStep {
        step_s: times.step_s,
        steps: times.steps,
        tokens_padded: times.tokens_padded,
        peak_bytes: times.peak_bytes,
        torch: times.torch,
        transformers: times.transformers,
    })
}

fn dtype(precision: Precision) -> Result<&'static str, String> {
    match precision {
        Precision::F32 | Precision::F16 | Precision::Bf16 => Ok(precision.name()),
        Precision::Tf32 => Err("the program does not ask PyTorch for tf32".into()),
    }
}

/// The device as PyTorch calls it.
fn torch_name(device: &str) -> Result<&str, String> {
    match device {
        "cpu" => Ok(device),
        cuda if cuda.starts_with("cuda") => Ok(cuda),
        other => Err(format!("PyTorch knows no device `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pytorch_is_asked_for() {
        assert_eq!(torch_name("cuda:1"), Ok("cuda:1"));
        assert_eq!(torch_name("cpu"), Ok("cpu"));
        assert!(torch_name("vulkan:0").is_err());
        assert_eq!(dtype(Precision::F16), Ok("f16"));
        assert!(dtype(Precision::Tf32).is_err());
    }
}

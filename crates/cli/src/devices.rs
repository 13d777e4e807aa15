//! `mezo devices`: what `--device` and `--devices` take on this machine.

use mezo_sweep::Machine;
use mezo_train::{cuda_devices, cuda_memory, cuda_name, why_no_cuda};
use serde_json::{Value, json};

use crate::args::{DevicesArgs, PlanFormat};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{put, size};

/// Lists them.
pub fn devices(args: &DevicesArgs) -> Result<Exit, Failure> {
    let here = Here::new();
    put(&match args.format {
        PlanFormat::Human => here.human(),
        PlanFormat::Json => format!("{:#}\n", here.json()),
    })?;
    Ok(Exit::Done)
}

/// What this machine has for a sweep.
pub fn machine() -> Machine {
    Machine {
        cuda: cuda_devices(),
        visible: std::env::var("CUDA_VISIBLE_DEVICES").ok(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// The CUDA devices in the order of their numbers, each with what its driver says of it.
pub fn cuda() -> Vec<Cuda> {
    let device = |index| Cuda {
        name: cuda_name(index),
        memory: cuda_memory(index),
    };
    (0..cuda_devices()).map(device).collect()
}

/// A CUDA device.
pub struct Cuda {
    name: Option<String>,
    /// All of it, in bytes.
    memory: Option<u64>,
}

impl Cuda {
    /// What it is, for a person.
    pub fn words(&self) -> String {
        let known = [self.name.clone(), self.memory.map(size)];
        let known: Vec<String> = known.into_iter().flatten().collect();
        match known.is_empty() {
            true => "its driver does not say what it is".into(),
            false => known.join(", "),
        }
    }
}

/// What this machine has.
struct Here {
    cores: Option<usize>,
    instructions: Option<&'static str>,
    cuda: Vec<Cuda>,
    /// Why there is no CUDA device, if there is none.
    no_cuda: Option<String>,
    /// Whether the program can go to Vulkan. Whether that has a device is found out by who asks for it.
    vulkan: bool,
}

impl Here {
    fn new() -> Self {
        Self {
            cores: std::thread::available_parallelism().ok().map(usize::from),
            instructions: instructions(),
            cuda: cuda(),
            no_cuda: why_no_cuda(),
            vulkan: cfg!(feature = "vulkan"),
        }
    }

    fn human(&self) -> String {
        let cores = match self.cores {
            Some(1) => "1 core".into(),
            Some(cores) => format!("{cores} cores, a thread on each unless --threads says less"),
            None => "the system does not say how many cores".into(),
        };
        let cpu: Vec<String> = [Some(cores), self.instructions.map(Into::into)]
            .into_iter()
            .flatten()
            .collect();
        let mut lines = vec![("cpu".to_owned(), cpu.join("; "))];
        let cuda = self.cuda.iter().enumerate();
        lines.extend(cuda.map(|(index, device)| (format!("cuda:{index}"), device.words())));
        if self.vulkan {
            let what = "Vulkan's first device, if it has one; to test kernels, for --device alone";
            lines.push(("vulkan:0".into(), what.into()));
        }
        if let Some(why) = &self.no_cuda {
            lines.push(("no cuda".into(), why.clone()));
        }
        let line = |(name, what): &(String, String)| format!("{name:<8}  {what}\n");
        lines.iter().map(line).collect()
    }

    fn json(&self) -> Value {
        let mut devices = vec![
            json!({ "device": "cpu", "cores": self.cores, "instructions": self.instructions }),
        ];
        for (index, Cuda { name, memory }) in self.cuda.iter().enumerate() {
            let device = format!("cuda:{index}");
            devices.push(json!({ "device": device, "name": name, "memory_bytes": memory }));
        }
        if self.vulkan {
            devices.push(json!({ "device": "vulkan:0" }));
        }
        json!({ "devices": devices, "no_cuda": self.no_cuda })
    }
}

/// The widest instructions that the kernels have a version for and this processor can run, beyond what every one of its kind
/// can: as mezo-model's `kernels/simd.rs` chooses.
#[cfg(target_arch = "x86_64")]
fn instructions() -> Option<&'static str> {
    use std::arch::is_x86_feature_detected as has;
    if !(has!("avx2") && has!("fma")) {
        None
    } else if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
        Some("AVX-512")
    } else {
        Some("AVX2")
    }
}

/// Other architectures have one version.
#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Here {
        let known = Cuda {
            name: Some("NVIDIA H100 80GB HBM3".into()),
            memory: Some(85_028_765_696),
        };
        let unknown = Cuda {
            name: None,
            memory: None,
        };
        Here {
            cores: Some(16),
            instructions: Some("AVX-512"),
            cuda: vec![known, unknown],
            no_cuda: None,
            vulkan: true,
        }
    }

    fn none() -> Here {
        Here {
            cores: Some(1),
            instructions: None,
            cuda: Vec::new(),
            no_cuda: Some("the NVIDIA driver finds none".into()),
            vulkan: false,
        }
    }

    #[test]
    fn a_person_reads_a_line_for_each() {
        insta::assert_snapshot!(two().human(), @r"
        cpu       16 cores, a thread on each unless --threads says less; AVX-512
        cuda:0    NVIDIA H100 80GB HBM3, 79.2 GiB
        cuda:1    its driver does not say what it is
        vulkan:0  Vulkan's first device, if it has one; to test kernels, for --device alone
        ");
        insta::assert_snapshot!(none().human(), @r"
        cpu       1 core
        no cuda   the NVIDIA driver finds none
        ");
    }

    #[test]
    fn a_program_reads_the_same() {
        let cpu = json!({ "device": "cpu", "cores": 16, "instructions": "AVX-512" });
        let known = json!({
            "device": "cuda:0",
            "name": "NVIDIA H100 80GB HBM3",
            "memory_bytes": 85_028_765_696_u64,
        });
        let unknown = json!({ "device": "cuda:1", "name": null, "memory_bytes": null });
        let vulkan = json!({ "device": "vulkan:0" });
        assert_eq!(
            two().json(),
            json!({ "devices": [cpu, known, unknown, vulkan], "no_cuda": null })
        );
        assert_eq!(
            none().json(),
            json!({
                "devices": [{ "device": "cpu", "cores": 1, "instructions": null }],
                "no_cuda": "the NVIDIA driver finds none",
            })
        );
    }
}

//! The devices that a sweep's runs are spread over.

use std::ffi::OsString;

use super::batching::{DeviceKind, largest_batch, processes};
use crate::state::Run;

/// A device as a worker is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What it is called on a screen: `cuda:1`.
    pub name: String,
    /// What a worker is called with for it.
    pub args: Vec<OsString>,
    /// What is set in its environment for it.
    pub env: Vec<(String, String)>,
    /// Runs of one batch key that a worker on it may have, at least one.
    pub together: usize,
}

/// Devices, and how many workers each of them has at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// The devices.
    pub devices: Vec<Device>,
    /// Workers at once on each, at least one.
    pub per_device: usize,
}

impl Fleet {
    /// The most runs that one worker will have if all devices are free now: 1 where none are batched.
    pub fn largest_batch(&self, runs: &[Run]) -> usize {
        let limit = self.devices.iter().map(|device| device.together).max();
        let places = self.devices.len() * self.per_device.max(1);
        largest_batch(runs, limit.unwrap_or(1), places)
    }
}

/// What a user may ask for by `--devices`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every CUDA device, or the processor where there is none.
    Auto,
    /// The processor.
    Cpu,
    /// These CUDA devices.
    Cuda(Vec<usize>),
    /// So many names of devices, all of them the processor, to try out how a sweep is spread.
    Fake(usize),
}

/// A text that names no devices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected auto, cpu, cuda:0,1 or fake:4, found `{0}`")]
pub struct BadSelection(String);

impl std::str::FromStr for Selection {
    type Err = BadSelection;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadSelection(text.to_owned());
        match text.split_once(':') {
            None if text == "auto" => Ok(Self::Auto),
            None if text == "cpu" => Ok(Self::Cpu),
            Some(("cuda", list)) => {
                let indices: Result<Vec<usize>, _> = list.split(',').map(str::parse).collect();
                let indices = indices.map_err(|_| bad())?;
                let twice = (1..indices.len()).any(|at| indices[..at].contains(&indices[at]));
                if twice {
                    Err(bad())
                } else {
                    Ok(Self::Cuda(indices))
                }
            }
            Some(("fake", count)) => match count.parse() {
                Ok(count) if (1..=1024).contains(&count) => Ok(Self::Fake(count)),
                _ => Err(bad()),
            },
            _ => Err(bad()),
        }
    }
}

/// What a machine has for a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// CUDA devices, as this process sees them.
    pub cuda: usize,
    /// `CUDA_VISIBLE_DEVICES` as this process was given it: indices or UUIDs.
    pub visible: Option<String>,
    /// Cores.
    pub cores: usize,
}

/// A CUDA device that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no device cuda:{index}: {}", what_there_is(*.found))]
pub struct NoDevice {
    /// The index that was asked for.
    index: usize,
    /// How many there are.
    found: usize,
}

fn what_there_is(count: usize) -> String {
    match count {
        0 => "no CUDA device was found".into(),
        1 => "there is cuda:0 alone".into(),
        _ => format!("there are cuda:0 to cuda:{}", count - 1),
    }
}

impl Selection {
    /// What kind of device a selection means on a machine.
    pub fn kind(&self, machine: &Machine) -> mezo_spec::DeviceKind {
        match self {
            Self::Auto if machine.cuda > 0 => mezo_spec::DeviceKind::Gpu,
            Self::Cuda(_) => mezo_spec::DeviceKind::Gpu,
            Self::Auto | Self::Cpu | Self::Fake(_) => mezo_spec::DeviceKind::Cpu,
        }
    }

    /// The devices that a selection means on a machine, for `runs` that are to be trained; `together` says how many of them a
    /// process on a device of a kind may have.
    ///
    /// All processes at once share the cores equally. Without `per_device`, the processor has as many of them as it has cores, or
    /// as the runs need, whichever is fewer; a CUDA device has one, and so has a pretended one.
    ///
    /// # Errors
    /// If a CUDA device is not there.
    pub fn fleet(
        &self,
        machine: &Machine,
        per_device: Option<usize>,
        runs: &[&Run],
        together: &dyn Fn(DeviceKind) -> usize,
    ) -> Result<Fleet, NoDevice> {
        let on_processor = together(DeviceKind::Processor).max(1);
        let all = || (0..machine.cuda).collect();
        let indices: Vec<usize> = match self {
            Self::Auto if machine.cuda > 0 => all(),
            Self::Auto | Self::Cpu => {
                return Ok(processor(machine, per_device, runs, on_processor));
            }
            Self::Cuda(indices) => indices.clone(),
            Self::Fake(count) => (0..*count).collect(),
        };
        let per_device = per_device.unwrap_or(1).max(1);
        let threads = share(machine.cores, indices.len() * per_device);
        let device = |&index: &usize| match self {
            Self::Fake(_) => Ok(fake(index, machine, threads, on_processor)),
            _ if index >= machine.cuda => Err(NoDevice {
                index,
                found: machine.cuda,
            }),
            _ => {
                let together = together(DeviceKind::Cuda { index }).max(1);
                Ok(cuda(index, machine, threads, together))
            }
        };
        Ok(Fleet {
            devices: indices.iter().map(device).collect::<Result<_, _>>()?,
            per_device,
        })
    }
}

fn processor(
    machine: &Machine,
    per_device: Option<usize>,
    runs: &[&Run],
    together: usize,
) -> Fleet {
    let needed = || processes(runs, together).min(machine.cores);
    let per_device = per_device.unwrap_or_else(needed).max(1);
    Fleet {
        devices: vec![Device {
            name: "cpu".into(),
            args: args("cpu", share(machine.cores, per_device)),
            env: Vec::new(),
            together,
        }],
        per_device,
    }
}

fn share(cores: usize, processes: usize) -> usize {
    (cores / processes.max(1)).max(1)
}

/// The worker sees this device alone, as its first.
fn cuda(index: usize, machine: &Machine, threads: usize, together: usize) -> Device {
    Device {
        name: format!("cuda:{index}"),
        args: args("cuda:0", threads),
        env: visible(index, machine),
        together,
    }
}

fn fake(index: usize, machine: &Machine, threads: usize, together: usize) -> Device {
    Device {
        name: format!("fake:{index}"),
        args: args("cpu", threads),
        env: visible(index, machine),
        together,
    }
}

/// Of the devices that this process was given, the one of this index; of all of them where it was given no list.
fn visible(index: usize, machine: &Machine) -> Vec<(String, String)> {
    let given = machine.visible.as_ref();
    let entry = given.and_then(|given| Some(given.split(',').nth(index)?.trim().to_owned()));
    vec![
        (
            "CUDA_VISIBLE_DEVICES".into(),
            entry.unwrap_or_else(|| index.to_string()),
        ),
        // Without it CUDA numbers the devices by their speed, and everybody else by their place.
        ("CUDA_DEVICE_ORDER".into(), "PCI_BUS_ID".into()),
    ]
}

fn args(device: &str, threads: usize) -> Vec<OsString> {
    let threads = threads.to_string();
    ["--device", device, "--threads", &threads]
        .map(Into::into)
        .into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn machine(cuda: usize, visible: Option<&str>) -> Machine {
        Machine {
            cuda,
            visible: visible.map(Into::into),
            cores: 8,
        }
    }

    /// Runs of one batch key.
    fn runs(count: usize) -> Vec<Run> {
        let run = |number: usize| Run {
            id: number.to_string(),
            dir: "/nowhere".into(),
            label: String::new(),
            steps: 4,
            batch_key: Some("a".into()),
        };
        (0..count).map(run).collect()
    }

    fn fleet(text: &str, machine: &Machine, per_device: Option<usize>) -> Vec<String> {
        let selection: Selection = text.parse().unwrap();
        let five = runs(5);
        let five: Vec<&Run> = five.iter().collect();
        let fleet = selection.fleet(machine, per_device, &five, &|_| 1).unwrap();
        let told = |device: &Device| {
            let args: Vec<_> = device
                .args
                .iter()
                .map(|arg| arg.to_string_lossy())
                .collect();
            let env: Vec<_> = device.env.iter().map(|(_, value)| value.as_str()).collect();
            format!(
                "{} {} [{}] {}",
                fleet.per_device,
                device.name,
                env.join(" "),
                args.join(" ")
            )
        };
        fleet.devices.iter().map(told).collect()
    }

    #[test]
    fn the_processor_shares_its_cores() {
        let none = machine(0, None);
        let five = ["5 cpu [] --device cpu --threads 1"];
        assert_eq!(fleet("auto", &none, None), five);
        assert_eq!(fleet("cpu", &machine(2, None), None), five);
        assert_eq!(
            fleet("cpu", &none, Some(2)),
            ["2 cpu [] --device cpu --threads 4"]
        );
        assert_eq!(
            fleet("cpu", &none, Some(20)),
            ["20 cpu [] --device cpu --threads 1"]
        );
    }

    #[test]
    fn a_cuda_device_is_the_only_one_its_worker_sees() {
        let expected = [
            "1 cuda:0 [0 PCI_BUS_ID] --device cuda:0 --threads 4",
            "1 cuda:1 [1 PCI_BUS_ID] --device cuda:0 --threads 4",
        ];
        assert_eq!(fleet("auto", &machine(2, None), None), expected);
        assert_eq!(fleet("cuda:0,1", &machine(2, None), None), expected);
    }

    #[test]
    fn devices_that_were_given_are_kept_to() {
        let two = machine(2, Some("3, GPU-5ca1"));
        let expected = [
            "2 cuda:0 [3 PCI_BUS_ID] --device cuda:0 --threads 2",
            "2 cuda:1 [GPU-5ca1 PCI_BUS_ID] --device cuda:0 --threads 2",
        ];
        assert_eq!(fleet("auto", &two, Some(2)), expected);
        let missing = Selection::Cuda(vec![2]);
        let error = missing.fleet(&two, None, &[], &|_| 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no device cuda:2: there are cuda:0 to cuda:1"
        );
    }

    #[test]
    fn pretended_devices_are_the_processor() {
        let expected = [
            "1 fake:0 [0 PCI_BUS_ID] --device cpu --threads 4",
            "1 fake:1 [1 PCI_BUS_ID] --device cpu --threads 4",
        ];
        assert_eq!(fleet("fake:2", &machine(0, None), None), expected);
        let given = fleet("fake:2", &machine(0, Some("GPU-a, 7")), None);
        assert!(given[0].contains("[GPU-a PCI_BUS_ID]") && given[1].contains("[7 PCI_BUS_ID]"));
    }

    #[test]
    fn each_device_has_its_own_limit() {
        let limit = |kind: DeviceKind| match kind {
            DeviceKind::Processor => 2,
            DeviceKind::Cuda { index } => 10 + index,
        };
        let together = |text: &str, per_device| {
            let selection: Selection = text.parse().unwrap();
            let five = runs(5);
            let five: Vec<&Run> = five.iter().collect();
            let fleet = selection.fleet(&machine(2, None), per_device, &five, &limit);
            let fleet = fleet.unwrap();
            let limits: Vec<usize> = fleet.devices.iter().map(|device| device.together).collect();
            (fleet.per_device, limits)
        };
        assert_eq!(together("auto", None), (1, vec![10, 11]));
        assert_eq!(together("fake:3", None), (1, vec![2, 2, 2]));
        // Five runs, two in a process, need no more than three.
        assert_eq!(together("cpu", None), (3, vec![2]));
        assert_eq!(together("cpu", Some(1)), (1, vec![2]));
    }

    #[test]
    fn runs_that_go_alone_have_a_process_each() {
        let places = |runs: &[Run]| {
            let runs: Vec<&Run> = runs.iter().collect();
            let fleet = Selection::Cpu.fleet(&machine(0, None), None, &runs, &|_| 8);
            fleet.unwrap().per_device
        };
        let mut four = runs(4);
        assert_eq!(places(&four), 1);
        four[1].batch_key = Some("b".into());
        assert_eq!(places(&four), 2);
        for run in &mut four {
            run.batch_key = None;
        }
        assert_eq!(places(&four), 4);
        // As many as there are cores, and one for none.
        let mut many = runs(20);
        for run in &mut many {
            run.batch_key = None;
        }
        assert_eq!(places(&many), 8);
        assert_eq!(places(&[]), 1);
        // What failed in a batch goes alone as well.
        let folder = tempfile::tempdir().unwrap();
        let mut three = runs(3);
        three[0].dir = folder.path().to_owned();
        let line = r#"{"event":"start","attempt":1,"time":"","host":"","device":"","threads":1,"together":3,"argv":[]}"#;
        std::fs::write(folder.path().join("attempts.jsonl"), format!("{line}\n")).unwrap();
        assert_eq!(places(&three), 2);
    }

    #[test]
    fn other_words_are_refused() {
        for text in [
            "", "gpu", "cuda", "cuda:", "cuda:a", "cuda:0,0", "fake:0", "fake:x", "cpu:1",
        ] {
            assert!(text.parse::<Selection>().is_err(), "{text}");
        }
    }
}

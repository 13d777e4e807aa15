//! Sweeps on clusters: the runs are handed to an engine, and nothing of this program has to stay alive.

pub mod slurm;

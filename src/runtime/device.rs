//! [`Device`] and [`Precision`]: where and in which type the models compute.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tch::Kind;

use super::shim;
use crate::error::{Error, Result};

/// Where the models compute. The default is the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Device {
    /// The processor, with all its cores unless `OMP_NUM_THREADS` says otherwise.
    #[default]
    Cpu,
    /// The CUDA device of that index.
    Cuda(usize),
}

impl Device {
    /// Finds out whether the device is there.
    ///
    /// # Errors
    /// [`Error::Device`] says what is missing: the CUDA build of libtorch, or the device of that index;
    /// [`Error::Torch`] where libtorch itself cannot be loaded.
    pub fn check(self) -> Result<()> {
        shim::load()?;
        let Self::Cuda(index) = self else { return Ok(()) };
        let fail = |reason: String| Err(Error::Device { device: self.to_string(), reason });
        if let Err(reason) = shim::load_cuda() {
            return fail(format!("the CUDA half of libtorch is not there ({reason})"));
        }
        match usize::try_from(tch::Cuda::device_count()).unwrap_or(0) {
            0 => fail("libtorch finds no CUDA device on this machine".into()),
            count if index >= count => fail(format!("this machine has {count} CUDA device(s)")),
            _ => Ok(()),
        }
    }

    pub(crate) fn tch(self) -> tch::Device {
        match self {
            Self::Cpu => tch::Device::Cpu,
            Self::Cuda(index) => tch::Device::Cuda(index),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    /// Reads `cpu`, `cuda` (the first one) or `cuda:N`.
    fn from_str(text: &str) -> Result<Self> {
        let unknown = || Error::invalid("device", format!("`{text}`"), "cpu, cuda or cuda:N");
        match text {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let index = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                index.parse().map(Self::Cuda).map_err(|_| unknown())
            }
        }
    }
}

/// The type in which the models compute. Latents and solvers are f32 whatever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bit; the only one on the CPU, where libtorch's 16-bit kernels are 8 times slower.
    #[default]
    F32,
    /// IEEE half precision. The original SDXL VAE overflows in it and is computed in f32.
    F16,
    /// bfloat16.
    Bf16,
}

impl Precision {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::F32 => Kind::Float,
            Self::F16 => Kind::Half,
            Self::Bf16 => Kind::BFloat16,
        }
    }

    /// Finds out whether a device computes in this type.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the device does not compute in this type.
    pub fn check(self, device: Device) -> Result<()> {
        if device == Device::Cpu && self != Self::F32 {
            return Err(Error::invalid(
                "precision",
                self,
                "f32 on the CPU (16-bit weights stay 16-bit in memory all the same)",
            ));
        }
        Ok(())
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        })
    }
}

impl FromStr for Precision {
    type Err = Error;

    /// Reads `f32`, `f16` or `bf16`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "bf16" => Ok(Self::Bf16),
            _ => Err(Error::invalid("precision", format!("`{text}`"), "f32, f16 or bf16")),
        }
    }
}

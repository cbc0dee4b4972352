//! Reading the header of a safetensors file, and saving one: strict, and capped before anything is parsed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use tch::{Kind, Tensor};

use super::header::{HEADER_CAP, Header};
use super::source::TensorSpec;
use crate::error::{Error, Result};
use crate::host::{Held, Plain};
use crate::runtime::files::{Source, write_atomically, zeros};
use crate::runtime::interrupt;
use crate::runtime::upload::{FillError, bytes_of, tensor_filled};
use crate::runtime::{Precision, shim};

/// An open safetensors file: the header is checked, the data unread.
#[derive(Debug)]
pub(crate) struct SafetensorsFile {
    path: PathBuf,
    file: Source,
    data_start: u64,
    pub(crate) tensors: BTreeMap<String, TensorInfo>,
    /// Texts beside the tensors, such as `modelspec.prediction_type`.
    pub(crate) metadata: BTreeMap<String, String>,
}

impl SafetensorsFile {
    /// # Errors
    /// [`Error::File`] says which rule of the format the file breaks, or what else it is.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = Source::open(path)?;
        let size = file.length();
        // What follows the length of the header.
        let rest = size.saturating_sub(8);
        let fail = |reason: String| Error::file(path, reason);
        let mut start = [0; 8];
        let read = file.read_at(&mut start, 0).map_err(Error::io(path))?;
        let length = u64::from_le_bytes(start);
        if size < 8 || read < start.len() || length > rest || length > HEADER_CAP {
            let what = foreign(&file).map_or_else(String::new, |what| format!(": this is {what}"));
            return Err(fail(match () {
                () if size < 8 || read < start.len() => {
                    format!("{read} bytes are too short for a safetensors file{what}")
                }
                () if !what.is_empty() => format!("not a safetensors file{what}"),
                () if length > HEADER_CAP => {
                    format!(
                        "not a safetensors file (its header would have {length} bytes, at most {HEADER_CAP} accepted)"
                    )
                }
                () => format!("truncated: the header has {length} bytes, the file ends after {}", rest),
            }));
        }
        // At most HEADER_CAP, so it fits.
        let mut header = zeros(length as usize).map_err(Error::io(path))?;
        file.read_exact_at(&mut header, 8).map_err(Error::io(path))?;
        let Header { tensors, metadata } = serde_json::from_slice(&header)
            .map_err(|error| fail(format!("invalid safetensors header: {error}")))?;
        let data = rest - length;
        check_layout(&tensors, data)
            .map_err(|reason| fail(format!("invalid safetensors header: {reason}")))?;
        Ok(Self { path: path.to_owned(), file, data_start: 8 + length, tensors, metadata })
    }

    /// Rows `rows` of a tensor's first dimension (all of it for a scalar), in the file's own type.
    pub(crate) fn read(&self, name: &str, info: &TensorInfo, rows: std::ops::Range<i64>) -> Result<Tensor> {
        interrupt::check()?;
        let kind = kind(info.dtype).ok_or_else(|| {
            Error::file(
                &self.path,
                format!("tensor {name:?} has type {:?}, which is not supported", info.dtype),
            )
        })?;
        let mut shape: Vec<i64> = info.shape.iter().map(|&size| size as i64).collect();
        let mut offset = self.data_start + info.data_offsets.0 as u64;
        if let Some(first) = shape.first_mut() {
            let bytes = (info.data_offsets.1 - info.data_offsets.0) as u64;
            // Checked at open: the bytes are those of the shape.
            offset += bytes / (*first).max(1) as u64 * rows.start as u64;
            *first = rows.end - rows.start;
        }
        tensor_filled(&shape, kind, |memory| self.file.read_exact_at(memory, offset)).map_err(|error| {
            match error {
                FillError::Io(source) => Error::Io { path: self.path.clone(), source },
                FillError::Torch(error) => error,
            }
        })
    }
}

impl SafetensorsFile {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn read_whole(&self, name: &str, info: &TensorInfo) -> Result<Tensor> {
        self.read(name, info, 0..info.shape.first().map_or(1, |&rows| rows as i64))
    }

    /// A tensor to compute with, of 16 or 32 bits.
    ///
    /// # Errors
    /// [`Error::File`] where there is none of that name.
    pub(crate) fn read_float(&self, name: &str) -> Result<Tensor> {
        let info = self.tensors.get(name).ok_or_else(|| self.has_no(name))?;
        computable(self.read_whole(name, info)?)
    }

    /// The numbers of a tensor. Those that no model computes with become f16 or f32.
    ///
    /// # Errors
    /// [`Error::File`] where there is none of that name.
    pub(crate) fn read_plain(&self, name: &str) -> Result<Plain> {
        let info = self.tensors.get(name).ok_or_else(|| self.has_no(name))?;
        let precision = match info.dtype {
            Dtype::F32 => Precision::F32,
            Dtype::F16 => Precision::F16,
            Dtype::BF16 => Precision::Bf16,
            // libtorch has the other types.
            _ => {
                shim::load()?;
                return Plain::of_tensor(&self.read_float(name)?);
            }
        };
        let (start, end) = info.data_offsets;
        let read = || {
            let mut bytes = zeros(end - start)?;
            self.file.read_exact_at(&mut bytes, self.data_start + start as u64)?;
            Ok(bytes)
        };
        let shape = info.shape.iter().map(|&side| side as i64).collect();
        Plain::new(precision, shape, read().map_err(Error::io(&self.path))?)
    }

    fn has_no(&self, name: &str) -> Error {
        Error::file(&self.path, format!("has no tensor `{name}`"))
    }
}

/// 8-bit floats are only a way to store; 64-bit ones are more than anything computes with.
pub(super) fn computable(tensor: Tensor) -> Result<Tensor> {
    Ok(match tensor.f_kind()? {
        Kind::Float8e4m3fn | Kind::Float8e5m2 => tensor.f_to_kind(Kind::Half)?,
        Kind::Double => tensor.f_to_kind(Kind::Float)?,
        _ => tensor,
    })
}

/// The tensor type that holds a safetensors type, where a model may use it.
pub(crate) fn kind(dtype: Dtype) -> Option<Kind> {
    Some(match dtype {
        Dtype::F64 => Kind::Double,
        Dtype::F32 => Kind::Float,
        Dtype::F16 => Kind::Half,
        Dtype::BF16 => Kind::BFloat16,
        Dtype::F8_E4M3 => Kind::Float8e4m3fn,
        Dtype::F8_E5M2 => Kind::Float8e5m2,
        Dtype::I64 => Kind::Int64,
        Dtype::I32 => Kind::Int,
        Dtype::U8 => Kind::Uint8,
        _ => return None,
    })
}

/// All tensors of a small file (latents, embeddings), in their own types.
///
/// # Errors
/// [`Error::File`] where the file is no valid safetensors file.
pub fn read_safetensors(path: impl AsRef<Path>) -> Result<BTreeMap<String, Tensor>> {
    let file = SafetensorsFile::open(path.as_ref())?;
    file.tensors.iter().map(|(name, info)| Ok((name.clone(), file.read_whole(name, info)?))).collect()
}

/// One tensor of a file; the others are not read.
///
/// # Errors
/// [`Error::File`] where the file is no valid safetensors file, or has no such tensor.
pub(crate) fn read_held(path: &Path, name: &str) -> Result<Held> {
    SafetensorsFile::open(path)?.read_plain(name).map(Held::from)
}

/// Saves small tensors of 16 or 32 bits, as [`save_safetensors`].
///
/// # Errors
/// As [`save_safetensors`].
pub(crate) fn save_held(path: &Path, tensors: &[(&str, &Held)]) -> Result<()> {
    let all = tensors.iter().map(|(_, held)| held.plain()).collect::<Result<Vec<_>>>()?;
    let row = |((name, _), plain): (&(&str, &Held), &Arc<Plain>)| {
        (TensorSpec { name: (*name).to_owned(), shape: plain.shape.clone() }, plain.precision.kind())
    };
    let rows: Vec<_> = tensors.iter().zip(&all).map(row).collect();
    write_safetensors(path, &rows, |index| {
        Ok(all.get(index).map(|plain| plain.bytes.clone()).unwrap_or_default())
    })
}

/// Saves tensors to a new file, which replaces an old one only when it is complete.
///
/// # Errors
/// [`Error::Io`] where the folder cannot be written to.
pub fn save_safetensors(path: impl AsRef<Path>, tensors: &[(&str, &Tensor)]) -> Result<()> {
    let rows = tensors
        .iter()
        .map(|(name, tensor)| {
            Ok((TensorSpec { name: (*name).to_owned(), shape: tensor.size() }, tensor.f_kind()?))
        })
        .collect::<Result<Vec<_>>>()?;
    write_safetensors(path.as_ref(), &rows, |index| {
        tensors.get(index).map_or_else(|| Ok(Vec::new()), |(_, tensor)| bytes_of(tensor))
    })
}

/// Writes a file tensor by tensor: `bytes` gives the data of each row when its turn comes, so that no second
/// copy of a large model is held.
pub(crate) fn write_safetensors(
    path: &Path,
    rows: &[(TensorSpec, Kind)],
    bytes: impl Fn(usize) -> Result<Vec<u8>>,
) -> Result<()> {
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (TensorSpec { name, shape }, kind) in rows {
        let dtype = match kind {
            Kind::Double => "F64",
            Kind::Float => "F32",
            Kind::Half => "F16",
            Kind::BFloat16 => "BF16",
            Kind::Int64 => "I64",
            other => return Err(Error::invalid("tensors", format!("{name} of {other:?}"), "floats or i64")),
        };
        let start = end;
        end += shape.iter().product::<i64>() as usize * kind.elt_size_in_bytes();
        let row = serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": [start, end] });
        header.insert(name.clone(), row);
    }
    let mut header = serde_json::Value::Object(header).to_string().into_bytes();
    // Readers that map the file want the data aligned.
    header.resize(header.len().next_multiple_of(8), b' ');
    write_atomically(path, |file| {
        let io = |source| Error::Io { path: path.to_owned(), source };
        file.write_all(&(header.len() as u64).to_le_bytes()).map_err(io)?;
        file.write_all(&header).map_err(io)?;
        for index in 0..rows.len() {
            file.write_all(&bytes(index)?).map_err(io)?;
        }
        Ok(())
    })
}

/// The data of the tensors fill the rest of the file, without holes and without overlap.
fn check_layout(tensors: &BTreeMap<String, TensorInfo>, data: u64) -> Result<(), String> {
    let mut by_offset: Vec<_> = tensors.iter().collect();
    by_offset.sort_by_key(|(_, info)| info.data_offsets);
    let mut end = 0;
    for (name, info) in by_offset {
        let (start, stop) = info.data_offsets;
        if start != end {
            let what = if start < end { "overlaps the one before it" } else { "leaves a hole before it" };
            return Err(format!("tensor {name:?} {what} (it starts at {start}, not {end})"));
        }
        // Sizes of nothing count as one at first: the strides of an empty tensor must not overflow either.
        let bits = info
            .shape
            .iter()
            .try_fold(1usize, |product, &size| product.checked_mul(size.max(1)))
            .filter(|&count| i64::try_from(count).is_ok())
            .map(|count| if info.shape.contains(&0) { 0 } else { count })
            .and_then(|count| count.checked_mul(info.dtype.bitsize()));
        let bytes = stop.checked_sub(start);
        if bits.is_none() || bytes.and_then(|bytes| bytes.checked_mul(8)) != bits {
            return Err(format!(
                "tensor {name:?} of shape {:?} does not fill bytes {start} to {stop}",
                info.shape
            ));
        }
        end = stop;
    }
    match (end as u64).cmp(&data) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(format!("truncated: {end} bytes of data expected, {data} found")),
        std::cmp::Ordering::Less => Err(format!("{} bytes behind the last tensor", data - end as u64)),
    }
}

/// What a file is that is no safetensors file, by its first bytes.
fn foreign(file: &Source) -> Option<&'static str> {
    let mut start = [0; 64];
    let read = file.read_at(&mut start, 0).ok()?;
    let start = start.get(..read)?;
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start().to_ascii_lowercase();
    match start {
        [b'P', b'K', 3, 4, ..] => Some(
            "a zip archive, as PyTorch's .ckpt and .bin files are; they can run code when read: convert it to \
             safetensors on a machine you trust",
        ),
        [0x80, 2..=5, ..] => Some(
            "a Python pickle, as old PyTorch files are; it can run code when read: convert it to safetensors on a \
             machine you trust",
        ),
        [b'G', b'G', b'U', b'F', ..] => Some("a GGUF file"),
        _ if text.starts_with("version https://git-lfs") => {
            Some("a Git LFS pointer, not the file itself: fetch it with `git lfs pull`")
        }
        _ if text.starts_with("<!doctype") || text.starts_with("<html") => {
            Some("a web page: the download gave an error page instead of the file")
        }
        _ if text.starts_with('{') => Some("a JSON text"),
        _ => None,
    }
}

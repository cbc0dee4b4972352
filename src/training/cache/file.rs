//! A [`LatentCache`] in a file.

use std::collections::BTreeMap;
use std::path::Path;

use tch::{Kind, Tensor};

use super::{Encoder, LatentCache, Row};
use crate::conditioning::{Crop, MicroConditioning, Size};
use crate::error::{Error, Result};
use crate::runtime::no_grad;
use crate::training::dataset::Dataset;
use crate::weights::{fnv1a, read_safetensors, save_safetensors};

/// How far the autoencoder's reading of the probe may be from the one in the file: another machine rounds otherwise,
/// another autoencoder reads otherwise.
const PROBE_TOLERANCE: f64 = 1e-3;

impl LatentCache {
    /// What [`save`](Self::save) wrote, or an empty cache where there is no such file.
    ///
    /// # Errors
    /// [`Error::File`] where the latents are of another data set, autoencoder or seed; those of reading.
    pub fn open(path: impl AsRef<Path>, encoder: &Encoder) -> Result<Self> {
        let path = path.as_ref();
        if !path.exists() {
            return Ok(Self::new());
        }
        let _guard = no_grad();
        let mut tensors = read_safetensors(path)?;
        let mut take = |name: &str, kind: Kind, shape: &[Option<i64>]| {
            let tensor =
                tensors.remove(name).ok_or_else(|| Error::file(path, format!("has no tensor `{name}`")))?;
            let size = tensor.size();
            let fits = size.len() == shape.len()
                && size.iter().zip(shape).all(|(side, wanted)| wanted.is_none_or(|wanted| wanted == *side));
            match fits && tensor.f_kind()? == kind {
                true => Ok(tensor),
                false => Err(Error::file(path, format!("`{name}` is not as in a file of latents"))),
            }
        };
        let origin = take("origin", Kind::Int64, &[Some(2)])?;
        let of = |what: &str| Error::file(path, format!("has latents of another {what}"));
        if origin.f_int64_value(&[0])? != fingerprint(encoder.dataset)? {
            return Err(of("data set"));
        }
        if origin.f_int64_value(&[1])? != encoder.seed.cast_signed() {
            return Err(of("seed"));
        }
        let probe = encoder.probe()?;
        let stored = take("probe", Kind::Float, &probe.size().into_iter().map(Some).collect::<Vec<_>>())?;
        if !probe.f_allclose(&stored, PROBE_TOLERANCE, PROBE_TOLERANCE, false)? {
            return Err(of("autoencoder"));
        }

        let mut cache = Self::new();
        let (channels, factor) = (probe.size().get(1).copied(), encoder.vae.config().factor());
        let buckets = take("buckets", Kind::Int64, &[None, Some(2)])?;
        for row in 0..buckets.size2()?.0 {
            let bucket = Size::new(buckets.f_int64_value(&[row, 0])?, buckets.f_int64_value(&[row, 1])?);
            let cells = [Some(bucket.height / factor), Some(bucket.width / factor)];
            let samples = take(&format!("samples.{bucket}"), Kind::Int64, &[None])?;
            let count = Some(samples.size1()?);
            let shape = [count, Some(2), channels, cells[0], cells[1]];
            let moments = take(&format!("moments.{bucket}"), Kind::Half, &shape)?;
            let micro = take(&format!("micro.{bucket}"), Kind::Int64, &[count, Some(4)])?;
            let samples = Vec::<i64>::try_from(&samples)?;
            let numbers = Vec::<i64>::try_from(&micro.f_reshape([-1])?)?;
            for ((row, index), micro) in samples.into_iter().enumerate().zip(numbers.chunks(4)) {
                let &[height, width, top, left] = micro else { continue };
                let micro = MicroConditioning {
                    original_size: Some(Size::new(width, height)),
                    crop: Crop { left, top },
                    target_size: Some(bucket),
                };
                let known = |index: &usize| *index < encoder.dataset.len();
                let index = usize::try_from(index).ok().filter(known).ok_or_else(|| {
                    let count = encoder.dataset.len();
                    Error::file(path, format!("samples.{bucket}: {index} is not one of {count} samples"))
                })?;
                let caption = encoder.dataset.caption(index)?;
                let moments = moments.f_get(row as i64)?.f_to_device(encoder.vae.device())?;
                cache.put(index, Row { moments, micro, caption });
            }
        }
        Ok(cache)
    }

    /// Writes all latents to a file, in full or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>, encoder: &Encoder) -> Result<()> {
        let mut buckets: BTreeMap<(i64, i64), Vec<(usize, &Row)>> = BTreeMap::new();
        for (index, row) in self.rows.iter().enumerate() {
            let Some(row) = row else { continue };
            let Some(bucket) = row.micro.target_size else { continue };
            buckets.entry((bucket.width, bucket.height)).or_default().push((index, row));
        }
        let sizes: Vec<i64> = buckets.keys().flat_map(|&(width, height)| [width, height]).collect();
        let origin = [fingerprint(encoder.dataset)?, encoder.seed.cast_signed()];
        let mut tensors = vec![
            ("origin".to_owned(), Tensor::f_from_slice(&origin)?),
            ("probe".to_owned(), encoder.probe()?),
            ("buckets".to_owned(), Tensor::f_from_slice(&sizes)?.f_reshape([-1, 2])?),
        ];
        for ((width, height), rows) in buckets {
            let bucket = Size::new(width, height);
            let samples: Vec<i64> = rows.iter().map(|(index, _)| *index as i64).collect();
            let moments: Vec<&Tensor> = rows.iter().map(|(_, row)| &row.moments).collect();
            let micro = |(_, row): &(usize, &Row)| {
                let original = row.micro.original_size.unwrap_or(bucket);
                [original.height, original.width, row.micro.crop.top, row.micro.crop.left]
            };
            let micro: Vec<i64> = rows.iter().flat_map(micro).collect();
            tensors.extend([
                (format!("samples.{bucket}"), Tensor::f_from_slice(&samples)?),
                (format!("moments.{bucket}"), Tensor::f_stack(&moments, 0)?),
                (format!("micro.{bucket}"), Tensor::f_from_slice(&micro)?.f_reshape([-1, 4])?),
            ]);
        }
        let tensors: Vec<(&str, &Tensor)> =
            tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        save_safetensors(path, &tensors)
    }
}

impl Encoder<'_> {
    /// `(2, C, h, w)` in f32: how the autoencoder reads a ramp. Tells one from another.
    fn probe(&self) -> Result<Tensor> {
        let _guard = no_grad();
        let side = 8 * self.vae.config().factor();
        let ramp: Vec<f32> = (0..side).map(|place| 2. * place as f32 / (side - 1) as f32 - 1.).collect();
        let ramp = Tensor::f_from_slice(&ramp)?;
        let rows = ramp.f_reshape([1, 1, side, 1])?.f_expand([1, 1, side, side], false)?;
        let columns = ramp.f_reshape([1, 1, 1, side])?.f_expand([1, 1, side, side], false)?;
        let picture = Tensor::f_cat(&[&rows, &columns, &rows], 1)?;
        Ok(self.encode(&picture)?.f_get(0)?.f_to_device(tch::Device::Cpu)?)
    }
}

/// Tells another data set: other captions or sizes, or another order.
fn fingerprint(dataset: &dyn Dataset) -> Result<i64> {
    let mut text = String::new();
    for index in 0..dataset.len() {
        text += &format!("{} {}\n", dataset.size(index)?, dataset.caption(index)?);
    }
    Ok(fnv1a(text.as_bytes()).cast_signed())
}

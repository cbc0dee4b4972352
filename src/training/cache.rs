//! [`LatentCache`]: samples as latents, so that the autoencoder runs once for each.

mod file;

use tch::{Kind, Tensor};

use super::crop::crop;
use super::dataset::Dataset;
use super::diffusion::Examples;
use super::draws::Draws;
use super::{Batch, diffusion::Captions};
use crate::conditioning::{MicroConditioning, Size};
use crate::error::{Error, Result};
use crate::runtime::no_grad;
use crate::vae::{AutoencoderKl, Moments};

/// What the autoencoder makes of the samples of a data set. Latents are kept in 16 bits, as distributions: every use
/// draws new ones. [`save`](Self::save) and [`open`](Self::open) keep them for the next run.
#[derive(Debug, Default)]
pub struct LatentCache {
    rows: Vec<Option<Row>>,
}

/// A sample, encoded.
#[derive(Debug)]
struct Row {
    /// `(2, C, h, w)`: mean and logarithmic variance, in f16.
    moments: Tensor,
    micro: MicroConditioning,
    caption: String,
}

/// How samples become what the UNet is trained on.
pub struct Encoder<'a> {
    /// The pictures.
    pub dataset: &'a dyn Dataset,
    /// The autoencoder, without gradients.
    pub vae: &'a AutoencoderKl,
    /// The tokenizers, and how often a caption is dropped.
    pub captions: &'a Captions,
    /// The refiner's number in the place of the target size.
    pub aesthetic_score: Option<f64>,
    /// Decides what is cut off the pictures.
    pub seed: u64,
}

impl Encoder<'_> {
    /// The samples of a batch; those that the cache does not have yet are encoded and stay in it.
    ///
    /// # Errors
    /// Those of the data set; [`Error::NonFinite`] where the autoencoder gives no numbers.
    pub fn examples(&self, cache: &mut LatentCache, batch: &Batch, draws: &mut Draws) -> Result<Examples> {
        self.fill(cache, batch)?;
        let bucket = batch.bucket;
        let rows: Vec<&Row> = batch.samples.iter().filter_map(|&index| cache.get(index, bucket)).collect();
        let moments: Vec<Tensor> = rows.iter().map(|row| row.moments.shallow_clone()).collect();
        // (B, 2, C, h, w)
        let moments = Tensor::f_stack(&moments, 0)?.f_to_kind(Kind::Float)?;
        let moments = Moments { mean: moments.f_select(1, 0)?, logvar: moments.f_select(1, 1)? };
        let noise = draws.normal(&moments.mean.size())?.f_to_device(moments.mean.device())?;
        let latents = self.vae.scale(&moments.sample(&noise)?)?;
        let time_ids: Vec<f32> =
            rows.iter().flat_map(|row| row.micro.time_ids(bucket, self.aesthetic_score)).collect();
        let time_ids = Tensor::f_from_slice(&time_ids)?.f_reshape([rows.len() as i64, -1])?;
        let captions: Vec<&str> = rows.iter().map(|row| row.caption.as_str()).collect();
        let text = self.captions.tokenize(&captions, draws)?;
        Ok(Examples { time_ids: time_ids.f_to_device(latents.device())?, latents, text })
    }

    /// Encodes the samples of a batch that the cache does not have yet.
    ///
    /// # Errors
    /// As for [`examples`](Self::examples).
    pub fn fill(&self, cache: &mut LatentCache, batch: &Batch) -> Result<()> {
        let _guard = no_grad();
        let missing: Vec<usize> =
            batch.samples.iter().copied().filter(|&index| cache.get(index, batch.bucket).is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let mut pictures = Vec::with_capacity(missing.len());
        let mut rest = Vec::with_capacity(missing.len());
        for &index in &missing {
            let sample = self.dataset.sample(index)?;
            let cut = crop(&sample.image, batch.bucket, &mut Draws::new(self.seed, "crop", index as u64))?;
            pictures.push(cut.picture);
            rest.push((cut.micro, sample.caption));
        }
        let moments = self.encode(&Tensor::f_cat(&pictures, 0)?)?;
        if !moments.f_sum(Kind::Double)?.f_double_value(&[])?.is_finite() {
            return Err(Error::NonFinite { stage: "vae encoder", step: None });
        }
        let moments = moments.f_to_kind(Kind::Half)?;
        for (row, (&index, (micro, caption))) in missing.iter().zip(rest).enumerate() {
            let moments = moments.f_get(row as i64)?.f_detach_copy()?;
            cache.put(index, Row { moments, micro, caption });
        }
        Ok(())
    }

    /// `(B, 2, C, h, w)`: mean and logarithmic variance of `(B, 3, H, W)`.
    fn encode(&self, pictures: &Tensor) -> Result<Tensor> {
        let moments = self.vae.encode(&pictures.f_to_device(self.vae.device())?)?;
        Ok(Tensor::f_stack(&[&moments.mean, &moments.logvar], 1)?)
    }
}

impl LatentCache {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many samples are in it.
    pub fn len(&self) -> usize {
        self.rows.iter().flatten().count()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mean and the standard deviation of all latents, unscaled: the reverse of the deviation is the
    /// `scaling_factor` of an autoencoder.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn statistics(&self) -> Result<(f64, f64)> {
        let (mut count, mut sum, mut squares) = (0., 0., 0.);
        for row in self.rows.iter().flatten() {
            let mean = row.moments.f_get(0)?.f_to_kind(Kind::Double)?;
            let variance = row.moments.f_get(1)?.f_to_kind(Kind::Double)?.f_exp()?;
            count += mean.numel() as f64;
            sum += mean.f_sum(Kind::Double)?.f_double_value(&[])?;
            squares += mean.f_square()?.f_add(&variance)?.f_sum(Kind::Double)?.f_double_value(&[])?;
        }
        let mean = sum / f64::max(count, 1.);
        Ok((mean, (squares / f64::max(count, 1.) - mean * mean).max(0.).sqrt()))
    }

    /// A sample as it is in that bucket.
    fn get(&self, index: usize, bucket: Size) -> Option<&Row> {
        let row = self.rows.get(index).and_then(Option::as_ref)?;
        (row.micro.target_size == Some(bucket)).then_some(row)
    }

    fn put(&mut self, index: usize, row: Row) {
        if self.rows.len() <= index {
            self.rows.resize_with(index + 1, || None);
        }
        if let Some(place) = self.rows.get_mut(index) {
            *place = Some(row);
        }
    }
}

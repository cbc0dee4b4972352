//! [`Batches`]: which samples are trained on together, and when.

use super::dataset::Dataset;
use super::draws::Draws;
use crate::conditioning::Size;
use crate::error::{Error, Result};

/// Samples of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The size of the pictures.
    pub bucket: Size,
    /// The numbers of the samples.
    pub samples: Vec<usize>,
}

/// All samples in a new random order for each epoch, each batch from one bucket (SDXL paper, section 2.3).
#[derive(Debug)]
pub struct Batches {
    buckets: Vec<(Size, Vec<usize>)>,
    batch_size: usize,
    seed: u64,
    epoch: Option<(u64, Vec<Batch>)>,
}

impl Batches {
    /// Puts every sample into the bucket whose shape is nearest to its own.
    ///
    /// # Errors
    /// [`Error::Invalid`] without samples or buckets, for a batch of 0, or a bucket that is not a multiple of 8.
    pub fn new(dataset: &dyn Dataset, buckets: &[Size], batch_size: usize, seed: u64) -> Result<Self> {
        if dataset.is_empty() || batch_size == 0 {
            let found = format!("{} samples in batches of {batch_size}", dataset.len());
            return Err(Error::invalid("data set", found, "one sample and one a batch, or more"));
        }
        let fits = |side: i64| side > 0 && side % 8 == 0;
        if buckets.is_empty() || buckets.iter().any(|size| !fits(size.width) || !fits(size.height)) {
            return Err(Error::invalid("buckets", format!("{buckets:?}"), "sizes that are multiples of 8"));
        }
        let shape = |size: &Size| (size.width as f64 / size.height as f64).ln();
        let mut filled: Vec<(Size, Vec<usize>)> = buckets.iter().map(|size| (*size, Vec::new())).collect();
        for index in 0..dataset.len() {
            let wanted = shape(&dataset.size(index)?);
            let distance = |(size, _): &&mut (Size, Vec<usize>)| (shape(size) - wanted).abs();
            let nearest = filled.iter_mut().min_by(|a, b| distance(a).total_cmp(&distance(b)));
            if let Some((_, members)) = nearest {
                members.push(index);
            }
        }
        filled.retain(|(_, members)| !members.is_empty());
        Ok(Self { buckets: filled, batch_size, seed, epoch: None })
    }

    /// The buckets in use, with their samples.
    pub fn buckets(&self) -> &[(Size, Vec<usize>)] {
        &self.buckets
    }

    /// How many batches an epoch has. The last of each bucket may be smaller.
    pub fn per_epoch(&self) -> u64 {
        self.buckets.iter().map(|(_, members)| members.len().div_ceil(self.batch_size) as u64).sum()
    }

    /// Batch `number` of the training, from 0.
    pub fn at(&mut self, number: u64) -> Batch {
        let per_epoch = self.per_epoch().max(1);
        let (epoch, place) = (number / per_epoch, (number % per_epoch) as usize);
        let planned = match self.epoch.take() {
            Some((planned, batches)) if planned == epoch => batches,
            _ => self.plan(epoch),
        };
        let batch = planned.get(place).cloned();
        self.epoch = Some((epoch, planned));
        batch.unwrap_or(Batch { bucket: Size::new(0, 0), samples: Vec::new() })
    }

    fn plan(&self, epoch: u64) -> Vec<Batch> {
        let mut draws = Draws::new(self.seed, "epoch", epoch);
        let mut batches = Vec::new();
        for (bucket, members) in &self.buckets {
            let mut members = members.clone();
            draws.shuffle(&mut members);
            let parts = members.chunks(self.batch_size);
            batches.extend(parts.map(|part| Batch { bucket: *bucket, samples: part.to_vec() }));
        }
        draws.shuffle(&mut batches);
        batches
    }
}

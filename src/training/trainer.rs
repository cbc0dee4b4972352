//! [`Trainer`]: steps of AdamW on [`Variables`], and their state in a file.

use std::path::Path;

use tch::{Kind, Tensor};

use super::ema::Ema;
use super::learning_rate::LearningRate;
use super::optimizer::{AdamW, Moments};
use super::variables::Variables;
use crate::error::{Error, Result};
use crate::runtime::{Numbers, no_grad};
use crate::weights::{fnv1a, read_safetensors, save_safetensors};

/// How a [`Trainer`] learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainerOptions {
    /// The optimizer.
    pub optimizer: AdamW,
    /// The learning rate.
    pub learning_rate: LearningRate,
    /// A longer gradient is shortened to this norm. Default: 1.
    pub max_gradient_norm: Option<f64>,
    /// How many losses are averaged in a step. Default: 1.
    pub accumulation: usize,
    /// The moving average of the weights. Default: none.
    pub ema: Option<Ema>,
}

impl Default for TrainerOptions {
    /// diffusers' `train_text_to_image_sdxl.py`: a constant rate of 1e-4.
    fn default() -> Self {
        Self {
            optimizer: AdamW::default(),
            learning_rate: LearningRate::constant(1e-4),
            max_gradient_norm: Some(1.),
            accumulation: 1,
            ema: None,
        }
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// The number of the step, from 1.
    pub step: u64,
    /// The mean loss before the step.
    pub loss: f64,
    /// The norm of the gradient before it was shortened.
    pub gradient_norm: f64,
    /// The learning rate of the step.
    pub learning_rate: f64,
}

/// Trains [`Variables`] step by step.
pub struct Trainer {
    variables: Variables,
    options: TrainerOptions,
    moments: Moments,
    average: Option<Tensor>,
    step: u64,
}

impl Trainer {
    /// A trainer at step 0.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the option that is out of range.
    pub fn new(variables: Variables, options: TrainerOptions) -> Result<Self> {
        options.check()?;
        let _guard = no_grad();
        let moments = Moments::new(variables.flat())?;
        let average = options.ema.map(|_| variables.flat().f_detach_copy()).transpose()?;
        Ok(Self { variables, options, moments, average, step: 0 })
    }

    /// The weights in training.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// How many steps were made.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// One step: calls `loss` once for each accumulated batch (with its number), and follows the gradient.
    ///
    /// # Errors
    /// Those of `loss`; [`Error::NonFinite`] where loss or gradient is not finite, and then weights and state are
    /// those before the step.
    pub fn step(&mut self, mut loss: impl FnMut(u64) -> Result<Tensor>) -> Result<StepReport> {
        let Self { variables, options, moments, average, step } = self;
        variables.zero_gradients()?;
        let accumulation = options.accumulation as u64;
        let mut mean = 0.;
        for number in 0..accumulation {
            let loss = loss(*step * accumulation + number)?.f_div_number(accumulation as f64)?;
            mean += loss.f_double_value(&[])?;
            loss.f_backward()?;
        }

        let _guard = no_grad();
        let (mut gradients, ranges) = variables.gradients()?;
        let gradient_norm = gradients.f_norm_scalaropt_dtype(2, Kind::Double)?.f_double_value(&[])?;
        if !mean.is_finite() || !gradient_norm.is_finite() {
            return Err(Error::NonFinite { stage: "training loss", step: Some(*step as usize) });
        }
        if let Some(largest) = options.max_gradient_norm {
            // As torch.nn.utils.clip_grad_norm_.
            let scale = (largest / (gradient_norm + 1e-6)).min(1.);
            let _ = gradients.f_mul_number_(scale)?;
        }
        let learning_rate = options.learning_rate.at(*step);
        *step += 1;
        options.optimizer.step(variables.flat(), (&gradients, &ranges), moments, (learning_rate, *step))?;
        if let (Some(ema), Some(average)) = (options.ema, average) {
            ema.step(average, variables.flat(), *step)?;
        }
        Ok(StepReport { step: *step, loss: mean, gradient_norm, learning_rate })
    }

    /// The average of a variable, or the variable itself without [`Ema`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown name.
    pub fn averaged(&self, name: &str) -> Result<Tensor> {
        self.variables.part_of(self.average.as_ref().unwrap_or(self.variables.flat()), name)
    }

    /// Writes everything that going on needs, in full or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let step = Tensor::f_from_slice(&[self.step as i64])?;
        let names = Tensor::f_from_slice(&[self.fingerprint()])?;
        let mut tensors = vec![
            ("step", &step),
            ("variables", &names),
            ("weights", self.variables.flat()),
            ("first_moment", &self.moments.first),
            ("second_moment", &self.moments.second),
        ];
        tensors.extend(self.average.as_ref().map(|average| ("average", average)));
        save_safetensors(path, &tensors)
    }

    /// Goes on from a file of [`save`](Self::save), with the same variables and options.
    ///
    /// # Errors
    /// [`Error::File`] where the file is of other variables.
    pub fn resume(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let _guard = no_grad();
        let tensors = read_safetensors(path)?;
        let get = |name: &str, like: Option<&Tensor>| {
            let tensor =
                tensors.get(name).ok_or_else(|| Error::file(path, format!("has no tensor `{name}`")))?;
            match like {
                Some(like) if like.size() != tensor.size() || tensor.f_kind()? != Kind::Float => {
                    Err(Error::file(path, format!("`{name}` is not that of these variables")))
                }
                _ => Ok(tensor),
            }
        };
        let number = |name| -> Result<i64> { Ok(get(name, None)?.f_reshape([-1])?.f_int64_value(&[0])?) };
        if number("variables")? != self.fingerprint() {
            return Err(Error::file(path, "is the state of a training of other variables"));
        }
        let step = number("step")?;
        let flat = self.variables.flat();
        let pairs = [
            ("weights", flat.shallow_clone()),
            ("first_moment", self.moments.first.shallow_clone()),
            ("second_moment", self.moments.second.shallow_clone()),
        ];
        let average = self.average.as_ref().map(|average| ("average", average.shallow_clone()));
        let pairs: Vec<_> = pairs.into_iter().chain(average).collect();
        let found = pairs.iter().map(|(name, _)| get(name, Some(flat))).collect::<Result<Vec<_>>>()?;
        for ((_, mut target), source) in pairs.into_iter().zip(found) {
            target.f_copy_(source)?;
        }
        self.step = u64::try_from(step).map_err(|_| Error::file(path, "has a negative step"))?;
        Ok(())
    }

    /// Tells variables of other names or order.
    fn fingerprint(&self) -> i64 {
        let names: Vec<&str> = self.variables.names().collect();
        fnv1a(names.join("\n").as_bytes()).cast_signed()
    }
}

impl TrainerOptions {
    fn check(&self) -> Result<()> {
        self.optimizer.check()?;
        self.learning_rate.check()?;
        if let Some(ema) = &self.ema {
            ema.check()?;
        }
        if self.max_gradient_norm.is_some_and(|norm| !(norm.is_finite() && norm > 0.)) {
            let value = self.max_gradient_norm.unwrap_or(0.);
            return Err(Error::invalid("max_gradient_norm", value, "a finite number above 0"));
        }
        if !(1..=1 << 16).contains(&self.accumulation) {
            return Err(Error::invalid("accumulation", self.accumulation, "1 to 65536"));
        }
        Ok(())
    }
}

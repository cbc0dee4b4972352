//! Adapters of a [`Pipeline`]: LoRAs and textual inversions.

use std::collections::BTreeMap;
use std::sync::Arc;

use tch::{Kind, Tensor};

use super::{Models, Pipeline};
use crate::config::ModelConfig;
use crate::error::{Error, Result};
use crate::runtime::{ReadOnly, Shared, no_grad};
use crate::text::{ClipTextModel, Projection, TextEncoder, TextEncoders};
use crate::unet::Unet;
use crate::weights::{
    Changed, Changes, Component, ComponentChanges, Fit, LoadedTensors, TextualInversion, WeightedLora,
    Weights, tensors_of,
};

/// A LoRA of a pipeline.
#[derive(Debug, Clone)]
pub struct AppliedLora {
    /// The LoRA and its weights.
    pub lora: WeightedLora,
    /// Whether it was merged into the weights; otherwise it is kept beside them.
    pub merged: bool,
    /// Keys of the file that fit no layer of the model; none but with [`WeightedLora::ignore_unmatched`].
    pub unmatched: Vec<String>,
}

/// The models that differ from those that were loaded. They share the tensors that no adapter touches.
pub(super) struct Adapted {
    unet: Option<Unet>,
    text: Option<TextEncoders>,
    loras: Vec<AppliedLora>,
    embeddings: Vec<TextualInversion>,
}

#[expect(unsafe_code, reason = "says that weights are only read")]
// SAFETY: no `forward` writes into its parameters; LoRAs and tokenizers are Send and Sync.
unsafe impl ReadOnly for Adapted {}

impl Pipeline {
    /// A pipeline with these LoRAs in the place of those that this one was given before, kept beside the weights.
    ///
    /// The weights are shared with this pipeline and not changed: the sum of both is made when a layer is used, in
    /// the compute type, so nothing is rounded to 16 bits, and calling this again with other weights is instant. An
    /// empty list gives the pipeline without LoRAs, to the last bit. The sum takes time in every step, the more the
    /// smaller the pictures and the higher the rank; `LoHa`, `LoKr` and `DoRA` cost more than LoRA.
    ///
    /// # Errors
    /// [`Error::Lora`] lists every key that fits no layer of this model; [`Error::Invalid`] names a block that it
    /// does not have.
    pub fn with_loras(&self, loras: &[WeightedLora]) -> Result<Self> {
        self.adapted(&Wanted { loras: loras.to_vec(), merged: false, embeddings: self.embeddings() })
    }

    /// The same, with the LoRAs merged into copies of the weights that they touch: steps take no longer than without
    /// them.
    ///
    /// The copies have the type of the weights. Each is rounded once; in 16 bits that is up to 2⁻¹¹ of a weight in
    /// `f16` and 2⁻⁸ in `bf16`, which can be as much as a weak LoRA adds to it.
    ///
    /// # Errors
    /// Those of [`with_loras`](Self::with_loras).
    pub fn with_merged_loras(&self, loras: &[WeightedLora]) -> Result<Self> {
        self.adapted(&Wanted { loras: loras.to_vec(), merged: true, embeddings: self.embeddings() })
    }

    /// A pipeline with these textual inversions in the place of those that this one was given before: their words may
    /// be used in prompts, with weights too. The weights are shared with this pipeline.
    ///
    /// # Errors
    /// [`Error::File`] for vectors of another model; [`Error::Invalid`] for a word that the tokenizer has already, or
    /// that is there twice, and for one of more vectors than a prompt has room for.
    pub fn with_embeddings(&self, embeddings: &[TextualInversion]) -> Result<Self> {
        let applied = self.adapted.iter().flat_map(|adapted| &adapted.loras);
        let loras: Vec<WeightedLora> = applied.clone().map(|applied| applied.lora.clone()).collect();
        let merged = applied.clone().any(|applied| applied.merged);
        self.adapted(&Wanted { loras, merged, embeddings })
    }

    /// The textual inversions of this pipeline.
    pub fn embeddings(&self) -> &[TextualInversion] {
        self.adapted.as_ref().map_or(&[], |adapted| &adapted.embeddings)
    }

    /// The LoRAs of this pipeline.
    pub fn loras(&self) -> impl Iterator<Item = &AppliedLora> {
        let adapted = self.adapted.iter().flat_map(|adapted| &adapted.loras);
        self.models.loras.iter().chain(adapted)
    }

    pub(super) fn unet(&self) -> &Unet {
        self.adapted.as_ref().and_then(|adapted| adapted.unet.as_ref()).unwrap_or(&self.models.unet)
    }

    pub(super) fn text(&self) -> &TextEncoders {
        self.adapted.as_ref().and_then(|adapted| adapted.text.as_ref()).unwrap_or(&self.models.text)
    }

    pub(super) fn adapted(&self, wanted: &Wanted) -> Result<Self> {
        let _guard = no_grad();
        let models = &*self.models;
        for embedding in wanted.embeddings {
            check_embedding(embedding, &models.config, models.text.second.tokenizer.context_length())?;
        }
        let fit = models.fit()?;
        let changes = fit.changes(&wanted.loras, self.device)?;
        let rebuild = Rebuild { pipeline: self, changes: &changes, wanted };
        let adapted = Adapted {
            unet: match changes.get(&Component::Unet) {
                Some(_) => Some(rebuild.of(Component::Unet, |w| Unet::load(w, &models.config.unet))?),
                None => None,
            },
            text: rebuild.text()?,
            loras: applied(&fit, &wanted.loras, wanted.merged)?,
            embeddings: wanted.embeddings.to_vec(),
        };
        // What was encoded last was encoded without these adapters.
        let last_prompts = self.last_prompts.as_ref().map(|_| Arc::default());
        Ok(Self { adapted: Some(Shared::new(adapted)), last_prompts, ..self.clone() })
    }
}

/// The LoRAs as a pipeline lists them.
pub(super) fn applied(fit: &Fit, loras: &[WeightedLora], merged: bool) -> Result<Vec<AppliedLora>> {
    let applied = |lora: &WeightedLora| {
        Ok(AppliedLora { lora: lora.clone(), merged, unmatched: fit.unmatched(lora.lora())? })
    };
    loras.iter().map(applied).collect()
}

impl Models {
    /// The layers that adapters may change.
    fn fit(&self) -> Result<Fit> {
        let config = &self.config;
        let mut fit = Fit::new();
        fit.add(Component::Unet, &tensors_of(|w| Unet::load(w, &config.unet))?);
        if let Some(text) = &config.text_encoder {
            let specs = tensors_of(|w| ClipTextModel::load(w, text, Projection::Without))?;
            fit.add(Component::TextEncoder, &specs);
        }
        let specs = tensors_of(|w| ClipTextModel::load(w, &config.text_encoder_2, Projection::With))?;
        fit.add(Component::TextEncoder2, &specs);
        Ok(fit)
    }
}

/// The adapters that a pipeline is to have, beside those that were merged while its weights were read.
pub(super) struct Wanted<'a> {
    pub(super) loras: Vec<WeightedLora>,
    pub(super) merged: bool,
    pub(super) embeddings: &'a [TextualInversion],
}

/// Refuses a textual inversion that is not of this model; `context` is the length of a prompt in tokens.
pub(super) fn check_embedding(
    embedding: &TextualInversion,
    config: &ModelConfig,
    context: usize,
) -> Result<()> {
    let first = config.text_encoder.as_ref().map(|text| text.hidden_size);
    // Start and end of the text take a place each.
    embedding.check(first, config.text_encoder_2.hidden_size, context.saturating_sub(2))
}

/// Builds models of the tensors that were loaded, with adapters.
struct Rebuild<'a> {
    pipeline: &'a Pipeline,
    changes: &'a ComponentChanges,
    wanted: &'a Wanted<'a>,
}

impl Rebuild<'_> {
    fn of<M>(&self, component: Component, build: impl Fn(&Weights) -> Result<M>) -> Result<M> {
        let Pipeline { models, device, precision, .. } = self.pipeline;
        let loaded = models.loaded.get(&component).ok_or_else(|| Error::Missing {
            part: component.folder(),
            reason: "the pipeline was built without it".into(),
        })?;
        let none = Changes::new();
        let changes = self.changes.get(&component).unwrap_or(&none);
        let source = match self.wanted.merged {
            true => Changed::merged(loaded, changes),
            false => Changed::beside(loaded, changes),
        };
        build(&Weights::new(&source, *device, *precision))
    }

    /// Both text encoders, where one of them changes.
    fn text(&self) -> Result<Option<TextEncoders>> {
        let [one, two] = [Component::TextEncoder, Component::TextEncoder2];
        let embeddings = self.wanted.embeddings;
        if embeddings.is_empty() && !self.changes.contains_key(&one) && !self.changes.contains_key(&two) {
            return Ok(None);
        }
        let encoder = |component, encoder: &TextEncoder, projection| {
            let config = encoder.model.config();
            let model = self.of(component, |w| ClipTextModel::load(w, config, projection))?;
            let of_this = |embedding: &TextualInversion| {
                let (first, second) = embedding.vectors()?;
                let vectors = if component == one { first } else { second };
                Ok(vectors.map(|vectors| vectors.f_to_kind(Kind::Float)).transpose()?)
            };
            let vectors: Vec<Tensor> = embeddings
                .iter()
                .filter_map(|embedding| of_this(embedding).transpose())
                .collect::<Result<_>>()?;
            if vectors.is_empty() {
                return Ok(TextEncoder { tokenizer: encoder.tokenizer.clone(), model });
            }
            let words = embeddings.iter().flat_map(TextualInversion::tokens);
            let tokenizer = encoder.tokenizer.with_words(config.vocab_size, words)?;
            Ok::<_, Error>(TextEncoder { tokenizer, model: model.with_tokens(&Tensor::f_cat(&vectors, 0)?)? })
        };
        let TextEncoders { first, second } = &self.pipeline.models.text;
        let first = first.as_ref().map(|first| encoder(one, first, Projection::Without)).transpose()?;
        Ok(Some(TextEncoders { first, second: encoder(two, second, Projection::With)? }))
    }
}

/// The tensors of the components that adapters may change.
pub(super) type Loaded = BTreeMap<Component, LoadedTensors>;

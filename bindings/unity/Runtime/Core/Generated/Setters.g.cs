// Generated from include/sdxl.h by scripts/csharp: do not edit.
using Sdxl.Native;

namespace Sdxl
{
    public sealed unsafe partial class SdxlPipelineOptions
    {
        /// <summary>Chooses where the models compute.</summary>
        /// <param name="device">"cpu", "cuda" (the first one) or "cuda:N". Default: "cpu".</param>
        public SdxlPipelineOptions SetDevice(string device)
        {
            using (var self = Borrow())
            fixed (byte* deviceText = Utf8.Encode(device, "device"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_device(new sdxl_pipeline_options(self.Id), deviceText));
            }
            return this;
        }

        /// <summary>Chooses the type in which the models compute. Stored weights keep the type of the file on the CPU whatever it is.</summary>
        /// <param name="precision">"f32", "f16" or "bf16". Default: "f32", the only one on the CPU.</param>
        public SdxlPipelineOptions SetPrecision(string precision)
        {
            using (var self = Borrow())
            fixed (byte* precisionText = Utf8.Encode(precision, "precision"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_precision(new sdxl_pipeline_options(self.Id), precisionText));
            }
            return this;
        }

        /// <summary>Chooses among the files of a diffusers folder.</summary>
        /// <param name="variant">
        /// the part of the file names before ".safetensors", such as "fp16". Default: "", the plain names, or
        /// fp16 where there are no others.
        /// </param>
        public SdxlPipelineOptions SetVariant(string variant)
        {
            using (var self = Borrow())
            fixed (byte* variantText = Utf8.Encode(variant, "variant"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_variant(new sdxl_pipeline_options(self.Id), variantText));
            }
            return this;
        }

        /// <summary>Decodes with a tiny autoencoder (TAESDXL) in the place of the model's own: much faster, a little less exact.</summary>
        /// <param name="path">an AutoencoderTiny file or folder of diffusers, or a folder with TAESD's own two files. Default: none.</param>
        public SdxlPipelineOptions SetTaesd(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_taesd(new sdxl_pipeline_options(self.Id), pathText));
            }
            return this;
        }

        /// <summary>Takes another autoencoder of the same shape, such as the one whose activations fit into 16 bits.</summary>
        /// <param name="path">
        /// a diffusers folder with its config.json, or a file; a single file of a whole model will do. Default: the
        /// model's own.
        /// </param>
        public SdxlPipelineOptions SetVae(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_vae(new sdxl_pipeline_options(self.Id), pathText));
            }
            return this;
        }

        /// <summary>Takes another UNet, as distilled models come.</summary>
        /// <param name="path">
        /// a diffusers folder with its config.json, or a file of one of the same shape; a single file of a whole model
        /// will do. Default: the model's own.
        /// </param>
        public SdxlPipelineOptions SetUnet(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_unet(new sdxl_pipeline_options(self.Id), pathText));
            }
            return this;
        }

        /// <summary>Adds a textual inversion, under the words of its file.</summary>
        /// <param name="path">the .safetensors file. Default: none.</param>
        public SdxlPipelineOptions AddEmbedding(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_add_embedding(new sdxl_pipeline_options(self.Id), pathText));
            }
            return this;
        }

        /// <summary>Adds a LoRA; several add up. What is wrong with it is found when the model is checked or loaded.</summary>
        /// <param name="path">the .safetensors file, of diffusers, PEFT, kohya or LyCORIS. Default: none.</param>
        /// <param name="weight">how strongly it acts; 1 as it was trained.</param>
        public SdxlPipelineOptions AddLora(string path, double weight = 1)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_add_lora(new sdxl_pipeline_options(self.Id), pathText, weight));
            }
            return this;
        }

        /// <summary>Merges the LoRAs into the weights while these are read: steps take no longer than without them.</summary>
        public SdxlPipelineOptions MergeLoras()
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_pipeline_options_merge_loras(new sdxl_pipeline_options(self.Id)));
            }
            return this;
        }
    }

    public sealed unsafe partial class SdxlConditioning
    {
        /// <summary>Gives the second text encoder another prompt. A refiner, which has one encoder, reads the prompt alone.</summary>
        /// <param name="prompt">the text. Default, also for "": the prompt.</param>
        public SdxlConditioning SetPrompt2(string prompt)
        {
            using (var self = Borrow())
            fixed (byte* promptText = Utf8.Encode(prompt, "prompt"))
            {
                Check(NativeMethods.sdxl_conditioning_set_prompt_2(new sdxl_conditioning(self.Id), promptText));
            }
            return this;
        }

        /// <summary>Says what the picture is not to show; evaluated where guidance is on.</summary>
        /// <param name="prompt">
        /// the text. Default: absent, which is not the same as "": SDXL base takes zeros for an absent negative
        /// prompt, and encodes an empty one.
        /// </param>
        public SdxlConditioning SetNegativePrompt(string prompt)
        {
            using (var self = Borrow())
            fixed (byte* promptText = Utf8.Encode(prompt, "prompt"))
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_prompt(new sdxl_conditioning(self.Id), promptText));
            }
            return this;
        }

        /// <summary>Gives the second text encoder another negative prompt.</summary>
        /// <param name="prompt">the text. Default, also for "": the negative prompt.</param>
        public SdxlConditioning SetNegativePrompt2(string prompt)
        {
            using (var self = Borrow())
            fixed (byte* promptText = Utf8.Encode(prompt, "prompt"))
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_prompt_2(new sdxl_conditioning(self.Id), promptText));
            }
            return this;
        }

        /// <summary>Chooses how all prompts are read.</summary>
        /// <param name="syntax">
        /// "plain" (brackets are characters, 75 tokens), "a1111" (`(word:1.3)`, `[word]`, BREAK, any length) or
        /// "a1111_no_norm". Default: "plain".
        /// </param>
        public SdxlConditioning SetPromptSyntax(string syntax)
        {
            using (var self = Borrow())
            fixed (byte* syntaxText = Utf8.Encode(syntax, "syntax"))
            {
                Check(NativeMethods.sdxl_conditioning_set_prompt_syntax(new sdxl_conditioning(self.Id), syntaxText));
            }
            return this;
        }

        /// <summary>Gives the embeddings of the negative prompt.</summary>
        /// <param name="embeddings">
        /// they are shared, and may be freed afterwards. Default: zeros, or those of "" where the model
        /// asks for them.
        /// </param>
        public SdxlConditioning SetNegativeEmbeddings(SdxlEmbeddings embeddings)
        {
            using (var self = Borrow())
            using (var embeddingsHeld = Borrow(embeddings, "embeddings"))
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_embeddings(new sdxl_conditioning(self.Id), new sdxl_embeddings(embeddingsHeld.Id)));
            }
            return this;
        }

        /// <summary>
        /// Takes the prompt's hidden states from lower layers of the text encoders. The negative prompt is always taken
        /// from the usual layer.
        /// </summary>
        /// <param name="layers">how many below the usual one, which is the last but one. Default: 0.</param>
        public SdxlConditioning SetClipSkip(int layers)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_clip_skip(new sdxl_conditioning(self.Id), Unsigned(layers, "layers")));
            }
            return this;
        }

        /// <summary>Tells the UNet the size of the original picture. Small ones give the look of small pictures scaled up.</summary>
        /// <param name="width">1 to 16384 pixels. Default: that of the picture drawn.</param>
        /// <param name="height">1 to 16384 pixels. Default: that of the picture drawn.</param>
        public SdxlConditioning SetOriginalSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_original_size(new sdxl_conditioning(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
            }
            return this;
        }

        /// <summary>Tells the UNet what was cut off the original picture.</summary>
        /// <param name="left">0 to 16384 pixels. Default: 0.</param>
        /// <param name="top">0 to 16384 pixels. Default: 0.</param>
        public SdxlConditioning SetCrop(int left, int top)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_crop(new sdxl_conditioning(self.Id), Unsigned(left, "left"), Unsigned(top, "top")));
            }
            return this;
        }

        /// <summary>Tells the UNet the target size.</summary>
        /// <param name="width">1 to 16384 pixels. Default: that of the picture drawn.</param>
        /// <param name="height">1 to 16384 pixels. Default: that of the picture drawn.</param>
        public SdxlConditioning SetTargetSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_target_size(new sdxl_conditioning(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
            }
            return this;
        }

        /// <summary>Tells the UNet the size of the original picture for the negative prompt.</summary>
        /// <param name="width">1 to 16384 pixels. Default: that for the prompt.</param>
        /// <param name="height">1 to 16384 pixels. Default: that for the prompt.</param>
        public SdxlConditioning SetNegativeOriginalSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_original_size(new sdxl_conditioning(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
            }
            return this;
        }

        /// <summary>Tells the UNet what was cut off the original picture for the negative prompt.</summary>
        /// <param name="left">0 to 16384 pixels. Default: that for the prompt.</param>
        /// <param name="top">0 to 16384 pixels. Default: that for the prompt.</param>
        public SdxlConditioning SetNegativeCrop(int left, int top)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_crop(new sdxl_conditioning(self.Id), Unsigned(left, "left"), Unsigned(top, "top")));
            }
            return this;
        }

        /// <summary>Tells the UNet the target size for the negative prompt.</summary>
        /// <param name="width">1 to 16384 pixels. Default: that for the prompt.</param>
        /// <param name="height">1 to 16384 pixels. Default: that for the prompt.</param>
        public SdxlConditioning SetNegativeTargetSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_target_size(new sdxl_conditioning(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
            }
            return this;
        }

        /// <summary>Sets the refiner's aesthetic score for the prompt.</summary>
        /// <param name="score">0 to 10. Default: 6.</param>
        public SdxlConditioning SetAestheticScore(double score)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_aesthetic_score(new sdxl_conditioning(self.Id), score));
            }
            return this;
        }

        /// <summary>Sets the refiner's aesthetic score for the negative prompt.</summary>
        /// <param name="score">0 to 10. Default: 2.5.</param>
        public SdxlConditioning SetNegativeAestheticScore(double score)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_conditioning_set_negative_aesthetic_score(new sdxl_conditioning(self.Id), score));
            }
            return this;
        }
    }

    public sealed unsafe partial class SdxlScheduler
    {
        /// <summary>Takes another sampler for the same model. The settings of the checkpoint hold; others are its own defaults.</summary>
        /// <param name="name">one of those that SdxlScheduler lists.</param>
        public SdxlScheduler SetName(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_name(new sdxl_scheduler(self.Id), nameText));
            }
            return this;
        }

        /// <summary>Chooses the timesteps or noise levels by name.</summary>
        /// <param name="name">leading, trailing, linspace, karras, exponential, beta, ays or sgm_uniform. Default: the checkpoint's.</param>
        public SdxlScheduler SetSpacing(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_spacing(new sdxl_scheduler(self.Id), nameText));
            }
            return this;
        }

        /// <summary>Says what the UNet predicts.</summary>
        /// <param name="name">epsilon, v, sample or edm. Default: the checkpoint's.</param>
        public SdxlScheduler SetPrediction(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_prediction(new sdxl_scheduler(self.Id), nameText));
            }
            return this;
        }

        /// <summary>Sets the share of fresh noise in each step of ddim and tcd.</summary>
        /// <param name="eta">0 to 1; 0 for all other samplers. Default: 0.</param>
        public SdxlScheduler SetEta(double eta)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_eta(new sdxl_scheduler(self.Id), eta));
            }
            return this;
        }

        /// <summary>Visits these timesteps.</summary>
        /// <param name="timesteps">numbers below 1000, each less than the one before it.</param>
        public SdxlScheduler SetTimesteps(double[] timesteps)
        {
            using (var self = Borrow())
            fixed (double* timestepsItems = NotNull(timesteps, "timesteps"))
            {
                Check(NativeMethods.sdxl_scheduler_set_timesteps(new sdxl_scheduler(self.Id), timestepsItems, Count(timesteps)));
            }
            return this;
        }

        /// <summary>Visits these noise levels.</summary>
        /// <param name="sigmas">each less than the one before it; the last one is where the run ends, and may be 0.</param>
        public SdxlScheduler SetSigmas(double[] sigmas)
        {
            using (var self = Borrow())
            fixed (double* sigmasItems = NotNull(sigmas, "sigmas"))
            {
                Check(NativeMethods.sdxl_scheduler_set_sigmas(new sdxl_scheduler(self.Id), sigmasItems, Count(sigmas)));
            }
            return this;
        }

        /// <summary>Visits multiples of 1000/steps from below.</summary>
        /// <param name="offset">by which they are moved up. Default: that of the checkpoint, 1 for Stable Diffusion XL.</param>
        public SdxlScheduler SetLeading(int offset)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_leading(new sdxl_scheduler(self.Id), Unsigned(offset, "offset")));
            }
            return this;
        }

        /// <summary>Visits what lcm and tcd were distilled on.</summary>
        /// <param name="originalSteps">1 to 1000, the most steps that a run can have. Default, for lcm and tcd: 50.</param>
        public SdxlScheduler SetDistilled(int originalSteps)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_distilled(new sdxl_scheduler(self.Id), Unsigned(originalSteps, "originalSteps")));
            }
            return this;
        }

        /// <summary>Spreads the noise levels evenly in sigma^(1/rho).</summary>
        /// <param name="rho">above 0; 7 in the paper, and for the spacing "karras".</param>
        public SdxlScheduler SetKarras(double rho)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_karras(new sdxl_scheduler(self.Id), rho));
            }
            return this;
        }

        /// <summary>Spreads the noise levels as quantiles of a beta distribution.</summary>
        /// <param name="alpha">above 0; 0.6 in the paper, and for the spacing "beta".</param>
        /// <param name="beta">above 0; 0.6 in the paper, and for the spacing "beta".</param>
        public SdxlScheduler SetBeta(double alpha, double beta)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_beta(new sdxl_scheduler(self.Id), alpha, beta));
            }
            return this;
        }

        /// <summary>Sets the ends of karras, exponential or beta levels, which have to be chosen before.</summary>
        /// <param name="sigmaMin">the lowest level, above 0. Default: that of the spacing or of the training.</param>
        /// <param name="sigmaMax">the highest level, above 0. Default: that of the spacing or of the training.</param>
        public SdxlScheduler SetSigmaRange(double sigmaMin, double sigmaMax)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_sigma_range(new sdxl_scheduler(self.Id), sigmaMin, sigmaMax));
            }
            return this;
        }

        /// <summary>Chooses the noise level that a run ends at.</summary>
        /// <param name="name">
        /// "zero" or "sigma_min", the lowest level of the training. Default: zero; samplers that cannot reach it, the
        /// other.
        /// </param>
        public SdxlScheduler SetTerminal(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_terminal(new sdxl_scheduler(self.Id), nameText));
            }
            return this;
        }

        /// <summary>Chooses what becomes of fractional timesteps before the UNet is told them.</summary>
        /// <param name="name">"reference" (as diffusers' class does), "exact", "nearest" or "down". Default: "reference".</param>
        public SdxlScheduler SetRounding(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_rounding(new sdxl_scheduler(self.Id), nameText));
            }
            return this;
        }

        /// <summary>Chooses how the noise level between two training timesteps is found.</summary>
        /// <param name="name">"linear" (in sigma) or "log_linear". Default: "linear".</param>
        public SdxlScheduler SetInterpolation(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_interpolation(new sdxl_scheduler(self.Id), nameText));
            }
            return this;
        }

        /// <summary>Chooses how strong the noise is that a run from nothing starts with.</summary>
        /// <param name="name">
        /// "sigma" (as if the data were zero) or "with_data" (as if they had unit variance). Default: as in diffusers,
        /// "sigma" for the k-diffusion family with trailing or linspace spacing.
        /// </param>
        public SdxlScheduler SetInitialNoise(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_initial_noise(new sdxl_scheduler(self.Id), nameText));
            }
            return this;
        }

        /// <summary>Keeps denoised samples between -range and range. Latents need no such thing.</summary>
        /// <param name="range">above 0. Default: unlimited.</param>
        public SdxlScheduler SetClip(double range)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_clip(new sdxl_scheduler(self.Id), range));
            }
            return this;
        }

        /// <summary>Keeps denoised samples below a quantile of their size (Imagen's dynamic thresholding). Latents need no such thing.</summary>
        /// <param name="ratio">the quantile, 0 to 1; diffusers: 0.995.</param>
        /// <param name="max">the most that the limit may be, above 0; diffusers: 1.</param>
        public SdxlScheduler SetDynamicClip(double ratio, double max)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_dynamic_clip(new sdxl_scheduler(self.Id), ratio, max));
            }
            return this;
        }
    }

    public sealed unsafe partial class SdxlRequest
    {
        /// <summary>Sets the size of the pictures.</summary>
        /// <param name="width">8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.</param>
        /// <param name="height">8 to 8192 pixels, a multiple of 8. Default: the model's own, 1024 for SDXL.</param>
        public SdxlRequest SetSize(int width, int height)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_size(new sdxl_request(self.Id), Unsigned(width, "width"), Unsigned(height, "height")));
            }
            return this;
        }

        /// <summary>Sets the steps of the sampler.</summary>
        /// <param name="steps">1 to 1000. Default: 50.</param>
        public SdxlRequest SetSteps(int steps)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_steps(new sdxl_request(self.Id), Unsigned(steps, "steps")));
            }
            return this;
        }

        /// <summary>Sets the scale of guidance: how strongly the pictures follow the prompt and avoid the negative prompt.</summary>
        /// <param name="scale">0 to 1000; 1 or less is off, which distilled models want and which takes half the time. Default: 5.</param>
        public SdxlRequest SetGuidance(double scale)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_guidance(new sdxl_request(self.Id), scale));
            }
            return this;
        }

        /// <summary>Pulls guidance back to the standard deviation of the prediction for the prompt.</summary>
        /// <param name="fraction">by how much, 0 to 1. Default: 0; 0.7 for models trained with zero terminal SNR.</param>
        public SdxlRequest SetGuidanceRescale(double fraction)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_guidance_rescale(new sdxl_request(self.Id), fraction));
            }
            return this;
        }

        /// <summary>Guides only at some noise levels, and saves the evaluation of the negative prompt elsewhere.</summary>
        /// <param name="lowest">the lowest noise level (sigma), not negative. Default: 0.</param>
        /// <param name="highest">the highest one. Default: infinity.</param>
        public SdxlRequest SetGuidanceInterval(double lowest, double highest)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_guidance_interval(new sdxl_request(self.Id), lowest, highest));
            }
            return this;
        }

        /// <summary>Sets the seed of the first picture; each further picture of the batch has the next number.</summary>
        /// <param name="seed">any number. Default: 0.</param>
        public SdxlRequest SetSeed(ulong seed)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_seed(new sdxl_request(self.Id), seed));
            }
            return this;
        }

        /// <summary>Sets the seed of each picture, and so the number of pictures.</summary>
        /// <param name="seeds">the numbers.</param>
        public SdxlRequest SetSeeds(ulong[] seeds)
        {
            using (var self = Borrow())
            fixed (ulong* seedsItems = NotNull(seeds, "seeds"))
            {
                Check(NativeMethods.sdxl_request_set_seeds(new sdxl_request(self.Id), seedsItems, Count(seeds)));
            }
            return this;
        }

        /// <summary>Sets the number of pictures.</summary>
        /// <param name="batch">1 to 1024. Default: 1.</param>
        public SdxlRequest SetBatch(int batch)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_batch(new sdxl_request(self.Id), Unsigned(batch, "batch")));
            }
            return this;
        }

        /// <summary>Samples in another way than the model's own.</summary>
        /// <param name="scheduler">which one. Later changes of it have no effect. Default: the checkpoint's.</param>
        public SdxlRequest SetScheduler(SdxlScheduler scheduler)
        {
            using (var self = Borrow())
            using (var schedulerHeld = Borrow(scheduler, "scheduler"))
            {
                Check(NativeMethods.sdxl_request_set_scheduler(new sdxl_request(self.Id), new sdxl_scheduler(schedulerHeld.Id)));
            }
            return this;
        }

        /// <summary>Starts from this noise instead of noise drawn from the seeds. It decides the size and the number of pictures.</summary>
        /// <param name="noise">of unit variance. Default: drawn from the seeds.</param>
        public SdxlRequest SetInitialNoise(SdxlLatents noise)
        {
            using (var self = Borrow())
            using (var noiseHeld = Borrow(noise, "noise"))
            {
                Check(NativeMethods.sdxl_request_set_initial_noise(new sdxl_request(self.Id), new sdxl_latents(noiseHeld.Id)));
            }
            return this;
        }

        /// <summary>Begins with a picture instead of noise (image to image).</summary>
        /// <param name="image">
        /// the picture. Its size, rounded down to multiples of 8, is that of the pictures drawn unless a size is
        /// set: then it is resized. Default: none.
        /// </param>
        public SdxlRequest SetImage(SdxlImage image)
        {
            using (var self = Borrow())
            using (var imageHeld = Borrow(image, "image"))
            {
                Check(NativeMethods.sdxl_request_set_image(new sdxl_request(self.Id), new sdxl_image(imageHeld.Id)));
            }
            return this;
        }

        /// <summary>Begins with the latents of a picture instead of noise.</summary>
        /// <param name="latents">one picture, or as many as seeds. Default: none.</param>
        public SdxlRequest SetImageLatents(SdxlLatents latents)
        {
            using (var self = Borrow())
            using (var latentsHeld = Borrow(latents, "latents"))
            {
                Check(NativeMethods.sdxl_request_set_image_latents(new sdxl_request(self.Id), new sdxl_latents(latentsHeld.Id)));
            }
            return this;
        }

        /// <summary>Repaints a part of a picture (inpainting).</summary>
        /// <param name="image">the picture. Default: none.</param>
        /// <param name="mask">a picture of the same size: what is lighter than half is repainted, the rest is kept.</param>
        /// <param name="blur">softens the mask by that standard deviation in pixels, 0 to 1000; 0 is off.</param>
        public SdxlRequest SetInpaint(SdxlImage image, SdxlImage mask, double blur = 0)
        {
            using (var self = Borrow())
            using (var imageHeld = Borrow(image, "image"))
            using (var maskHeld = Borrow(mask, "mask"))
            {
                Check(NativeMethods.sdxl_request_set_inpaint(new sdxl_request(self.Id), new sdxl_image(imageHeld.Id), new sdxl_image(maskHeld.Id), blur));
            }
            return this;
        }

        /// <summary>Sets how much of the picture is changed: that fraction of the steps is taken. The picture is set before it.</summary>
        /// <param name="strength">above 0 to 1. Default: 0.3; with a mask 0.9999.</param>
        public SdxlRequest SetStrength(double strength)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_strength(new sdxl_request(self.Id), strength));
            }
            return this;
        }

        /// <summary>Goes on with latents that another run left: the second stage of base and refiner.</summary>
        /// <param name="latents">those of SdxlJob.Latents. Default: none.</param>
        /// <param name="at">the fraction of the schedule at which that run ended, 0 to below 1.</param>
        public SdxlRequest SetResume(SdxlLatents latents, double at)
        {
            using (var self = Borrow())
            using (var latentsHeld = Borrow(latents, "latents"))
            {
                Check(NativeMethods.sdxl_request_set_resume(new sdxl_request(self.Id), new sdxl_latents(latentsHeld.Id), at));
            }
            return this;
        }

        /// <summary>
        /// Stops at a fraction of the schedule. The latents are then noisy, for another run to go on with; pictures are
        /// not made of them.
        /// </summary>
        /// <param name="fraction">above 0 to 1. Default: 1, the end.</param>
        public SdxlRequest SetEndAt(double fraction)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_request_set_end_at(new sdxl_request(self.Id), fraction));
            }
            return this;
        }

        /// <summary>Chooses what a job makes.</summary>
        /// <param name="name">"images" or "latents", without decoding them. Default: "images", and the latents are there too.</param>
        public SdxlRequest SetOutput(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_request_set_output(new sdxl_request(self.Id), nameText));
            }
            return this;
        }
    }
}

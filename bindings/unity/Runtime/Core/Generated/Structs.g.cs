// Generated from include/sdxl.h by scripts/csharp: do not edit.
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>What a pipeline is.</summary>
    public partial struct SdxlPipelineInfo
    {
        internal SdxlPipelineInfo(sdxl_pipeline_info native) : this()
        {
            Kind = (SdxlModelKind)native.kind;
            DefaultWidth = (int)native.default_width;
            DefaultHeight = (int)native.default_height;
            LatentChannels = (int)native.latent_channels;
            LatentFactor = (int)native.latent_factor;
            ContextWidth = (int)native.context_width;
            PooledWidth = (int)native.pooled_width;
        }

        /// <summary>An SdxlModelKind.</summary>
        public SdxlModelKind Kind { get; private set; }

        /// <summary>Width in pixels of the pictures that the model was trained for: 1024 for SDXL.</summary>
        public int DefaultWidth { get; private set; }

        /// <summary>Height of the same.</summary>
        public int DefaultHeight { get; private set; }

        /// <summary>Channels of the latents: 4.</summary>
        public int LatentChannels { get; private set; }

        /// <summary>Pixels for each of the latents' in both directions: 8. Sizes of pictures are multiples of it.</summary>
        public int LatentFactor { get; private set; }

        /// <summary>Width of the embeddings' context: 2048 for SDXL base.</summary>
        public int ContextWidth { get; private set; }

        /// <summary>Width of the pooled embedding: 1280 for SDXL.</summary>
        public int PooledWidth { get; private set; }
    }

    /// <summary>How a pipeline has one of its LoRAs.</summary>
    public partial struct SdxlLoraInfo
    {
        internal SdxlLoraInfo(sdxl_lora_info native) : this()
        {
            Merged = native.merged != 0;
            Unmatched = (int)native.unmatched;
            Weight = native.weight;
            TextEncodersWeight = native.text_encoders_weight;
        }

        /// <summary>1 where it was merged into the weights, 0 where it is kept beside them.</summary>
        public bool Merged { get; private set; }

        /// <summary>How many keys of its file fit no layer of the model.</summary>
        public int Unmatched { get; private set; }

        /// <summary>Its weight in the UNet, but for blocks with a factor.</summary>
        public double Weight { get; private set; }

        /// <summary>Its weight in both text encoders.</summary>
        public double TextEncodersWeight { get; private set; }
    }

    /// <summary>What holds in a request.</summary>
    public partial struct SdxlRequestInfo
    {
        internal SdxlRequestInfo(sdxl_request_info native) : this()
        {
            Pictures = (int)native.pictures;
            Steps = (int)native.steps;
            Guidance = native.guidance;
            GuidanceRescale = native.guidance_rescale;
            Strength = native.strength;
        }

        /// <summary>The number of pictures: so many handles SdxlPipeline.Generate needs room for.</summary>
        public int Pictures { get; private set; }

        /// <summary>Steps of the sampler.</summary>
        public int Steps { get; private set; }

        /// <summary>The scale of guidance; 1 or less is off.</summary>
        public double Guidance { get; private set; }

        /// <summary>The fraction of its rescaling.</summary>
        public double GuidanceRescale { get; private set; }

        /// <summary>How much is changed of a picture that the run begins with.</summary>
        public double Strength { get; private set; }
    }

    /// <summary>Where a job stands.</summary>
    public partial struct SdxlProgress
    {
        internal SdxlProgress(sdxl_progress native) : this()
        {
            State = (SdxlJobState)native.state;
            Step = (int)native.step;
            Of = (int)native.of;
            Sigma = native.sigma;
            Seconds = native.seconds;
            SecondsLeft = native.seconds_left;
        }

        /// <summary>An SdxlJob.State; from SdxlJobState.Finished on, the job has ended.</summary>
        public SdxlJobState State { get; private set; }

        /// <summary>The steps taken.</summary>
        public int Step { get; private set; }

        /// <summary>All steps; 0 until the prompts are encoded.</summary>
        public int Of { get; private set; }

        /// <summary>The noise level reached, as a standard deviation; 0 before the first step.</summary>
        public double Sigma { get; private set; }

        /// <summary>Seconds since the job's turn came.</summary>
        public double Seconds { get; private set; }

        /// <summary>Seconds that the remaining steps will take, at the mean speed so far; decoding comes on top.</summary>
        public double SecondsLeft { get; private set; }
    }
}

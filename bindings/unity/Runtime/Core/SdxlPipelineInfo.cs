using Sdxl.Native;

namespace Sdxl
{
    /// <summary>What a pipeline is.</summary>
    public struct SdxlPipelineInfo
    {
        internal SdxlPipelineInfo(sdxl_pipeline_info info) : this()
        {
            Kind = (SdxlModelKind)info.kind;
            DefaultWidth = (int)info.default_width;
            DefaultHeight = (int)info.default_height;
            LatentChannels = (int)info.latent_channels;
            LatentFactor = (int)info.latent_factor;
            ContextWidth = (int)info.context_width;
            PooledWidth = (int)info.pooled_width;
        }

        /// <summary>What the model was made for.</summary>
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
}

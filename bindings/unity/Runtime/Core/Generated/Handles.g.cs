// Generated from include/sdxl.h by scripts/csharp: do not edit.
namespace Sdxl.Native
{
    internal sealed partial class PipelineOptionsHandle : Handle
    {
        internal PipelineOptionsHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_pipeline_options_free(new sdxl_pipeline_options(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class PipelineHandle : Handle
    {
        internal PipelineHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_pipeline_free(new sdxl_pipeline(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class RequestHandle : Handle
    {
        internal RequestHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_request_free(new sdxl_request(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class ImageHandle : Handle
    {
        internal ImageHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_image_free(new sdxl_image(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class ConditioningHandle : Handle
    {
        internal ConditioningHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_conditioning_free(new sdxl_conditioning(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class EmbeddingsHandle : Handle
    {
        internal EmbeddingsHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_embeddings_free(new sdxl_embeddings(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class LatentsHandle : Handle
    {
        internal LatentsHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_latents_free(new sdxl_latents(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class LoraHandle : Handle
    {
        internal LoraHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_lora_free(new sdxl_lora(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class TextualInversionHandle : Handle
    {
        internal TextualInversionHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_textual_inversion_free(new sdxl_textual_inversion(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class SchedulerHandle : Handle
    {
        internal SchedulerHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_scheduler_free(new sdxl_scheduler(Id)) == 0;
            Released();
            return freed;
        }
    }

    internal sealed partial class JobHandle : Handle
    {
        internal JobHandle(ulong id) : base(id) { }

        // For what C# keeps as long as C has the object.
        partial void Released();

        protected override bool ReleaseHandle()
        {
            bool freed = NativeMethods.sdxl_job_free(new sdxl_job(Id)) == 0;
            Released();
            return freed;
        }
    }
}

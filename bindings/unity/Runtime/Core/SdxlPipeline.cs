using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// A model ready to draw. Its jobs run one after the other, on a thread of its own; those of its clones run at once.
    /// </summary>
    public sealed unsafe partial class SdxlPipeline : SdxlObject
    {
        SdxlPipeline(ulong id) : base(new PipelineHandle(id)) { }

        /// <summary>
        /// Reads a model, which takes as long as reading its files. Call it on a thread that stays, since libtorch keeps
        /// memory for every thread that it computes on; LoadAsync
        /// has one.
        /// </summary>
        /// <param name="options">which model, and how.</param>
        public static SdxlPipeline Load(SdxlPipelineOptions options)
        {
            using (var held = Borrow(options, "options")) return Load(held);
        }

        /// <summary>Reads a model with the default options.</summary>
        /// <param name="model">as in SdxlPipelineOptions.</param>
        public static SdxlPipeline Load(string model)
        {
            using (var options = new SdxlPipelineOptions(model)) return Load(options);
        }

        static SdxlPipeline Load(Borrowed options)
        {
            sdxl_pipeline pipeline;
            Check(NativeMethods.sdxl_pipeline_load(new sdxl_pipeline_options(options.Id), &pipeline));
            return new SdxlPipeline(pipeline.id);
        }

        /// <summary>
        /// Makes another pipeline with the same weights, which are not copied: its jobs run at the same time.
        /// </summary>
        public SdxlPipeline Clone()
        {
            using (var self = Borrow())
            {
                sdxl_pipeline pipeline;
                Check(NativeMethods.sdxl_pipeline_clone(new sdxl_pipeline(self.Id), &pipeline));
                return new SdxlPipeline(pipeline.id);
            }
        }

        /// <summary>
        /// Gives the pipeline away as a number, which <see cref="Attach"/> makes a pipeline of again, in another domain
        /// too: so a model in memory outlives a domain reload of the Unity editor. This object is disposed of.
        /// </summary>
        public ulong Detach()
        {
            using (var self = Borrow())
            {
                Handle.SetHandleAsInvalid();
                return self.Id;
            }
        }

        /// <summary>Takes the pipeline of a number that <see cref="Detach"/> returned in this process; once.</summary>
        /// <param name="id">the number. Any other is an SdxlInvalidHandleException.</param>
        public static SdxlPipeline Attach(ulong id)
        {
            SdxlLibrary.Require();
            var info = new sdxl_pipeline_info { struct_size = (uint)sizeof(sdxl_pipeline_info) };
            Check(NativeMethods.sdxl_pipeline_get_info(new sdxl_pipeline(id), &info));
            return new SdxlPipeline(id);
        }

        /// <summary>What the pipeline is.</summary>
        public SdxlPipelineInfo Info
        {
            get
            {
                using (var self = Borrow())
                {
                    var info = new sdxl_pipeline_info { struct_size = (uint)sizeof(sdxl_pipeline_info) };
                    Check(NativeMethods.sdxl_pipeline_get_info(new sdxl_pipeline(self.Id), &info));
                    return new SdxlPipelineInfo(info);
                }
            }
        }

        /// <summary>The path that the model was loaded from.</summary>
        public string Path
        {
            get
            {
                using (var self = Borrow())
                {
                    var pipeline = new sdxl_pipeline(self.Id);
                    return Utf8.Read((buffer, capacity, size) =>
                        NativeMethods.sdxl_pipeline_path(pipeline, buffer, capacity, size));
                }
            }
        }

        /// <summary>Starts a request on the pipeline's own thread and returns at once.</summary>
        /// <param name="request">what to draw. Later changes of it have no effect, and it may be disposed of.</param>
        /// <returns>The job; disposing of it cancels it. What does not fit the model is an error of the job.</returns>
        public SdxlJob Start(SdxlRequest request) { return SdxlJob.Start(this, request, null); }

        /// <summary>
        /// The same with a callback on the pipeline's thread, which waits for it, before the first and after every step.
        /// In Unity rather poll the job, or await it.
        /// </summary>
        /// <param name="request">what to draw.</param>
        /// <param name="callback">says whether the job goes on. An exception cancels it.</param>
        public SdxlJob Start(SdxlRequest request, SdxlProgressCallback callback)
        {
            return SdxlJob.Start(this, request, NotNull(callback, "callback"));
        }

        /// <summary>Draws the pictures of a request and waits for them.</summary>
        /// <param name="request">what to draw.</param>
        public SdxlImage[] Generate(SdxlRequest request)
        {
            using (SdxlJob job = Start(request))
            {
                job.Wait();
                return job.TakeImages();
            }
        }

        /// <summary>Encodes the prompts of a conditioning, to use them many times. On a thread that stays, as Load.</summary>
        /// <param name="conditioning">what to encode.</param>
        /// <param name="negative">the embeddings of the negative prompt.</param>
        /// <returns>The embeddings of the prompt.</returns>
        public SdxlEmbeddings Encode(SdxlConditioning conditioning, out SdxlEmbeddings negative)
        {
            using (var held = Borrow(conditioning, "conditioning")) return Encode(held.Id, out negative);
        }

        SdxlEmbeddings Encode(ulong conditioning, out SdxlEmbeddings negative)
        {
            using (var self = Borrow())
            {
                sdxl_embeddings positive, other;
                Check(NativeMethods.sdxl_pipeline_encode(
                    new sdxl_pipeline(self.Id), new sdxl_conditioning(conditioning), &positive, &other));
                negative = new SdxlEmbeddings(other.id);
                return new SdxlEmbeddings(positive.id);
            }
        }

        /// <summary>Decodes latents to pictures. On a thread that stays, as Load.</summary>
        /// <param name="latents">of how many pictures there are.</param>
        public SdxlImage[] Decode(SdxlLatents latents)
        {
            using (var held = Borrow(latents, "latents")) return Decode(held.Id, latents.Shape[0]);
        }

        SdxlImage[] Decode(ulong latents, int count)
        {
            using (var self = Borrow())
            {
                var found = new sdxl_image[count];
                UIntPtr decoded;
                fixed (sdxl_image* images = found)
                {
                    Check(NativeMethods.sdxl_pipeline_decode(
                        new sdxl_pipeline(self.Id), new sdxl_latents(latents), images, Count(found), &decoded));
                }
                return SdxlImage.Own(found, decoded);
            }
        }
    }
}

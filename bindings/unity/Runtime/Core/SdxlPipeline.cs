using System;
using Sdxl.Native;

namespace Sdxl
{
    // What is more than the call of C.
    public sealed unsafe partial class SdxlPipeline
    {
        /// <summary>Reads a model with the default options.</summary>
        /// <param name="model">as in SdxlPipelineOptions.</param>
        public static SdxlPipeline Load(string model)
        {
            using (var options = new SdxlPipelineOptions(model)) return Load(options);
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
            var pipeline = new SdxlPipeline(id);
            try
            {
                pipeline.Info();
            }
            catch
            {
                pipeline.Handle.SetHandleAsInvalid();
                throw;
            }
            return pipeline;
        }

        /// <summary>Starts a request on the pipeline's own thread and returns at once.</summary>
        /// <param name="request">what to draw. Later changes of it have no effect, and it may be disposed of.</param>
        /// <returns>The job; disposing of it cancels it. What does not fit the model is an error of the job.</returns>
        public SdxlJob Start(SdxlRequest request) { return SdxlJob.Start(this, request); }

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

        /// <summary>Decodes latents to pictures.</summary>
        /// <param name="latents">of how many pictures there are.</param>
        /// <remarks>On a thread that stays, as Load.</remarks>
        public SdxlImage[] Decode(SdxlLatents latents)
        {
            using (var self = Borrow())
            using (var held = Borrow(latents, "latents"))
            {
                var found = new sdxl_image[latents.Shape()[0]];
                UIntPtr count;
                fixed (sdxl_image* images = found)
                {
                    Check(NativeMethods.sdxl_pipeline_decode(
                        new sdxl_pipeline(self.Id), new sdxl_latents(held.Id), images, Count(found), &count));
                }
                return SdxlImage.Own(found, count);
            }
        }
    }
}

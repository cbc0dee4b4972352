using System;
using System.Threading;
using System.Threading.Tasks;
using Sdxl.Native;

namespace Sdxl
{
    // Starting, watching and ending.
    public sealed unsafe partial class SdxlJob
    {
        SdxlJob(ulong id) : base(new JobHandle(id)) { }

        internal static SdxlJob Start(SdxlPipeline pipeline, SdxlRequest request)
        {
            using (var heldPipeline = Borrow(pipeline, "pipeline"))
            using (var heldRequest = Borrow(request, "request"))
            {
                sdxl_job job;
                // Without a callback: docs/adr/0007-csharp.md says why.
                Check(NativeMethods.sdxl_job_start(
                    new sdxl_pipeline(heldPipeline.Id), new sdxl_request(heldRequest.Id), IntPtr.Zero, IntPtr.Zero, &job));
                LiveJobs.Add(job.id);
                return new SdxlJob(job.id);
            }
        }

        /// <summary>Says where the job stands. Never waits for its work.</summary>
        public SdxlProgress Poll()
        {
            using (var self = Borrow())
            {
                var progress = new sdxl_progress { struct_size = (uint)sizeof(sdxl_progress) };
                Check(NativeMethods.sdxl_job_poll(new sdxl_job(self.Id), &progress));
                return new SdxlProgress(progress);
            }
        }

        /// <summary>
        /// Waits until the job has ended. What it met is thrown; that it was cancelled, as an OperationCanceledException.
        /// </summary>
        public void Wait() { Check(WaitFor(-1)); }

        /// <summary>Waits until the job has ended, for a time at most.</summary>
        /// <param name="timeout">that time; zero to ask.</param>
        /// <returns>Whether it has finished. What it met is thrown, as by Wait.</returns>
        public bool Wait(TimeSpan timeout)
        {
            int status = WaitFor(Math.Max(0, (long)timeout.TotalMilliseconds));
            if (status == (int)SdxlStatus.Unfinished) return false;
            Check(status);
            return true;
        }

        int WaitFor(long milliseconds)
        {
            using (var self = Borrow())
            {
                return NativeMethods.sdxl_job_wait(new sdxl_job(self.Id), milliseconds);
            }
        }

        /// <summary>
        /// A task that ends with the job. Nothing waits for it but a thread of this library's, which asks every 10 ms:
        /// progress and previews are the latest ones, not one for every step.
        /// </summary>
        /// <param name="progress">
        /// told of every change that is seen, or null. A Progress made on Unity's main thread calls there.
        /// </param>
        /// <param name="preview">given a small picture after each step that is seen, or null; it disposes of them.</param>
        /// <param name="cancellationToken">cancels the job.</param>
        public Task WaitAsync(
            IProgress<SdxlProgress> progress = null,
            IProgress<SdxlImage> preview = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            return Watcher.Watch(this, progress, preview, cancellationToken);
        }

        /// <summary>
        /// Ends the job within one layer, or at once if it still waits for its turn, and returns without waiting for
        /// that. The pipeline is as it was before. Without effect on a job that has ended; any number of times.
        /// </summary>
        public void Cancel()
        {
            using (var self = Borrow()) Check(NativeMethods.sdxl_job_cancel(new sdxl_job(self.Id)));
        }

        /// <summary>
        /// Makes a small picture of what the UNet takes the picture for after the last step, one pixel for each of the
        /// latents', in about a millisecond. Before the first step and after the end there is none: an
        /// SdxlUnfinishedException.
        /// </summary>
        /// <param name="index">of which picture, from 0.</param>
        public SdxlImage Preview(int index = 0)
        {
            using (var self = Borrow())
            {
                sdxl_image native;
                Check(NativeMethods.sdxl_job_preview(new sdxl_job(self.Id), Unsigned(index, "index"), &native));
                return new SdxlImage(native.id);
            }
        }

        /// <summary>
        /// The same for those who poll: whether there is a preview is known only here, since the job goes on meanwhile.
        /// </summary>
        /// <param name="image">the small picture, or null.</param>
        /// <param name="index">of which picture, from 0.</param>
        public bool TryPreview(out SdxlImage image, int index = 0)
        {
            using (var self = Borrow())
            {
                sdxl_image native;
                int status = NativeMethods.sdxl_job_preview(new sdxl_job(self.Id), Unsigned(index, "index"), &native);
                image = status == 0 ? new SdxlImage(native.id) : null;
                if (status != (int)SdxlStatus.Unfinished) Check(status);
                return status == 0;
            }
        }

        /// <summary>
        /// Takes the pictures of a job that has finished, all at once; they are given once. Throws what Wait throws where
        /// there are none.
        /// </summary>
        public SdxlImage[] TakeImages()
        {
            using (var self = Borrow())
            {
                // Room for one where there are none, since C asks for a place.
                var found = new sdxl_image[ImageCount() + 1];
                UIntPtr count;
                fixed (sdxl_image* images = found)
                {
                    Check(NativeMethods.sdxl_job_take_images(new sdxl_job(self.Id), images, Count(found), &count));
                }
                return SdxlImage.Own(found, count);
            }
        }

        /// <summary>
        /// Cancels the job, and frees it as soon as nobody waits for it any more.
        /// </summary>
        public override void Dispose()
        {
            // Who waits holds the handle, which would otherwise be freed only when the job has ended by itself.
            if (!IsDisposed) NativeMethods.sdxl_job_cancel(new sdxl_job(Handle.Id));
            base.Dispose();
        }
    }
}

namespace Sdxl.Native
{
    internal sealed partial class JobHandle
    {
        partial void Released() { LiveJobs.Remove(Id); }
    }
}

// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>A request under way on the pipeline's own thread: start it, poll it once a frame or wait for it, take the pictures.</summary>
    public sealed unsafe partial class SdxlJob : SdxlObject
    {
        /// <summary>
        /// Gives what the UNet takes the pictures for after the last step, as latents without noise: SdxlPipeline.Decode makes a
        /// preview of full size of them, SdxlLatents.Preview a small one.
        /// </summary>
        /// <remarks>Returns SdxlStatus.Unfinished before the first step and after the end, when there are none.</remarks>
        public SdxlLatents Denoised()
        {
            using (var self = Borrow())
            {
                sdxl_latents nativeLatents;
                Check(NativeMethods.sdxl_job_denoised(new sdxl_job(self.Id), &nativeLatents));
                return new SdxlLatents(nativeLatents.id);
            }
        }

        /// <summary>Says how large the pictures will be.</summary>
        /// <param name="width">pixels from left to right.</param>
        /// <param name="height">pixels from top to bottom.</param>
        /// <remarks>Returns SdxlStatus.Unfinished until the prompts are encoded.</remarks>
        public void Size(out int width, out int height)
        {
            using (var self = Borrow())
            {
                uint nativeWidth;
                uint nativeHeight;
                Check(NativeMethods.sdxl_job_size(new sdxl_job(self.Id), &nativeWidth, &nativeHeight));
                width = (int)nativeWidth;
                height = (int)nativeHeight;
            }
        }

        /// <summary>Says how many tensors of noise each seed has given so far, for SdxlRequest.SetSkipDraws of a second stage.</summary>
        public int Draws()
        {
            using (var self = Borrow())
            {
                UIntPtr nativeCount;
                Check(NativeMethods.sdxl_job_draws(new sdxl_job(self.Id), &nativeCount));
                return checked((int)nativeCount.ToUInt64());
            }
        }

        /// <summary>Says how many pictures can be taken.</summary>
        public int ImageCount()
        {
            using (var self = Borrow())
            {
                UIntPtr nativeCount;
                Check(NativeMethods.sdxl_job_image_count(new sdxl_job(self.Id), &nativeCount));
                return checked((int)nativeCount.ToUInt64());
            }
        }

        /// <summary>
        /// Gives the latents of a job that has finished: those of its pictures, or what it left at the end of its part of the
        /// schedule.
        /// </summary>
        public SdxlLatents Latents()
        {
            using (var self = Borrow())
            {
                sdxl_latents nativeLatents;
                Check(NativeMethods.sdxl_job_latents(new sdxl_job(self.Id), &nativeLatents));
                return new SdxlLatents(nativeLatents.id);
            }
        }

        /// <summary>Copies the ends of prompts that did not fit into 77 tokens, one in a line.</summary>
        public string Cut()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_job_copy_cut(new sdxl_job(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_job_copy_cut(new sdxl_job(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }
    }
}

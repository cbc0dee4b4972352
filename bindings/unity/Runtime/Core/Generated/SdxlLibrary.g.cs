// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    public static unsafe partial class SdxlLibrary
    {
        /// <summary>Sets the number of threads that libtorch computes with on the CPU, for the whole process.</summary>
        /// <param name="threads">1 to 1024. Default: all cores.</param>
        /// <remarks>Any thread, before the first job.</remarks>
        public static void SetThreads(int threads)
        {
            Require();
            SdxlException.Check(NativeMethods.sdxl_set_threads(SdxlObject.Unsigned(threads, "threads")));
        }

        /// <summary>Finds out whether a device is there.</summary>
        /// <param name="device">"cpu", "cuda" (the first one) or "cuda:N".</param>
        /// <remarks>
        /// Returns SdxlStatus.Device where it is not, and SdxlStatus.Libtorch where libtorch cannot be loaded; the message says
        /// what is missing.
        /// </remarks>
        public static void CheckDevice(string device)
        {
            Require();
            fixed (byte* deviceText = Utf8.Encode(device, "device"))
            {
                SdxlException.Check(NativeMethods.sdxl_check_device(deviceText));
            }
        }

        /// <summary>Copies the names that a text parameter may have, one in a line.</summary>
        /// <param name="what">"scheduler" (for SdxlScheduler), "preset", "spacing", "prediction", "prompt_syntax" or "hires_upscaler".</param>
        public static string Names(string what)
        {
            Require();
            fixed (byte* whatText = Utf8.Encode(what, "what"))
            {
                UIntPtr size;
                SdxlException.Check(NativeMethods.sdxl_copy_names(whatText, null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) SdxlException.Check(NativeMethods.sdxl_copy_names(whatText, items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>Copies the sizes of pictures that SDXL was trained on: 40 widths and heights, from wide to tall.</summary>
        public static int[] Buckets()
        {
            Require();
            UIntPtr size;
            SdxlException.Check(NativeMethods.sdxl_copy_buckets(null, UIntPtr.Zero, &size));
            var found = new uint[checked((int)size.ToUInt64())];
            fixed (uint* items = found) SdxlException.Check(NativeMethods.sdxl_copy_buckets(items, size, &size));
            return Array.ConvertAll(found, number => (int)number);
        }

        /// <summary>Says which size that SDXL was trained on is nearest in shape.</summary>
        /// <param name="width">pixels from left to right; 0 counts as 1.</param>
        /// <param name="height">pixels from top to bottom; 0 counts as 1.</param>
        /// <param name="outWidth">pixels from left to right.</param>
        /// <param name="outHeight">pixels from top to bottom.</param>
        public static void NearestBucket(int width, int height, out int outWidth, out int outHeight)
        {
            Require();
            uint nativeWidth;
            uint nativeHeight;
            SdxlException.Check(NativeMethods.sdxl_nearest_bucket(SdxlObject.Unsigned(width, "width"), SdxlObject.Unsigned(height, "height"), &nativeWidth, &nativeHeight));
            outWidth = (int)nativeWidth;
            outHeight = (int)nativeHeight;
        }
    }
}

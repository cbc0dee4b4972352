using System;
using Sdxl.Native;

namespace Sdxl
{
    public sealed unsafe partial class SdxlLatents
    {
        /// <summary>Makes latents of numbers, which are copied.</summary>
        /// <param name="values">the numbers, picture by picture, channel by channel, row by row.</param>
        /// <param name="shape">
        /// four numbers: pictures, channels, height and width of the latents. Their product is the count of the values.
        /// </param>
        public SdxlLatents(float[] values, int[] shape) : this(New(values, shape)) { }

        static ulong New(float[] values, int[] shape)
        {
            SdxlLibrary.Require();
            if (NotNull(shape, "shape").Length != 4) throw new ArgumentException("four numbers are expected", "shape");
            uint* sides = stackalloc uint[4];
            for (int axis = 0; axis < 4; axis++) sides[axis] = Unsigned(shape[axis], "shape");
            sdxl_latents latents;
            fixed (float* items = NotNull(values, "values"))
            {
                Check(NativeMethods.sdxl_latents_new(items, Count(values), sides, &latents));
            }
            return latents.id;
        }
    }
}

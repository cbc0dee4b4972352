using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// Pictures as the UNet sees them: pictures x channels x height/8 x width/8 numbers. They never change.
    /// </summary>
    public sealed unsafe class SdxlLatents : SdxlObject
    {
        internal SdxlLatents(ulong id) : base(new LatentsHandle(id)) { }

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

        /// <summary>Reads the tensor "latents" of a safetensors file.</summary>
        /// <param name="path">the file.</param>
        public static SdxlLatents Open(string path)
        {
            SdxlLibrary.Require();
            sdxl_latents latents;
            fixed (byte* text = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_latents_open(text, &latents));
            }
            return new SdxlLatents(latents.id);
        }

        /// <summary>Saves a safetensors file with the tensor "latents", in full or not at all.</summary>
        /// <param name="path">the file; one that is there is replaced.</param>
        public void Save(string path)
        {
            using (var self = Borrow())
            fixed (byte* text = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_latents_save(new sdxl_latents(self.Id), text));
            }
        }

        /// <summary>Four numbers: pictures, channels, height and width of the latents.</summary>
        public int[] Shape
        {
            get
            {
                using (var self = Borrow())
                {
                    uint* sides = stackalloc uint[4];
                    Check(NativeMethods.sdxl_latents_shape(new sdxl_latents(self.Id), sides));
                    return new[] { (int)sides[0], (int)sides[1], (int)sides[2], (int)sides[3] };
                }
            }
        }

        /// <summary>Copies the numbers, in the order of the constructor.</summary>
        public float[] GetValues()
        {
            using (var self = Borrow())
            {
                var latents = new sdxl_latents(self.Id);
                UIntPtr count;
                Check(NativeMethods.sdxl_latents_copy(latents, null, UIntPtr.Zero, &count));
                var values = new float[checked((int)count.ToUInt64())];
                fixed (float* items = values)
                {
                    Check(NativeMethods.sdxl_latents_copy(latents, items, count, &count));
                }
                return values;
            }
        }

        /// <summary>Makes a small picture, one pixel for each of the latents', without an autoencoder.</summary>
        /// <param name="index">of which picture, from 0.</param>
        public SdxlImage Preview(int index = 0)
        {
            using (var self = Borrow())
            {
                sdxl_image image;
                Check(NativeMethods.sdxl_latents_preview(
                    new sdxl_latents(self.Id), Unsigned(index, "index"), &image));
                return new SdxlImage(image.id);
            }
        }
    }
}

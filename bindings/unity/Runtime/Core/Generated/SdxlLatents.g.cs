// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>Pictures as the UNet sees them: pictures x channels x height/8 x width/8 numbers. They never change.</summary>
    public sealed unsafe partial class SdxlLatents : SdxlObject
    {
        internal SdxlLatents(ulong id) : base(new LatentsHandle(id)) { }

        /// <summary>Makes the noise that seeds give: what requests of these seeds start with, of unit variance.</summary>
        /// <param name="seeds">one for each picture.</param>
        /// <param name="channels">1 to 64; 4 for SDXL.</param>
        /// <param name="height">1 to 1024: an eighth of the pictures'.</param>
        /// <param name="width">1 to 1024: an eighth of the pictures'.</param>
        /// <param name="skipDraws">passes over so many such tensors, 0 to 10000.</param>
        public static SdxlLatents Noise(ulong[] seeds, int channels, int height, int width, int skipDraws)
        {
            SdxlLibrary.Require();
            fixed (ulong* seedsItems = NotNull(seeds, "seeds"))
            {
                sdxl_latents nativeLatents;
                Check(NativeMethods.sdxl_latents_new_noise(seedsItems, Count(seeds), Unsigned(channels, "channels"), Unsigned(height, "height"), Unsigned(width, "width"), Unsigned(skipDraws, "skipDraws"), &nativeLatents));
                return new SdxlLatents(nativeLatents.id);
            }
        }

        /// <summary>Reads the tensor "latents" of a safetensors file.</summary>
        /// <param name="path">the file.</param>
        public static SdxlLatents Open(string path)
        {
            SdxlLibrary.Require();
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                sdxl_latents nativeLatents;
                Check(NativeMethods.sdxl_latents_open(pathText, &nativeLatents));
                return new SdxlLatents(nativeLatents.id);
            }
        }

        /// <summary>Saves a safetensors file with the tensor "latents", in full or not at all.</summary>
        /// <param name="path">the file; one that is there is replaced.</param>
        public void Save(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_latents_save(new sdxl_latents(self.Id), pathText));
            }
        }

        /// <summary>Says how large latents are.</summary>
        public int[] Shape()
        {
            using (var self = Borrow())
            {
                uint* nativeShape = stackalloc uint[4];
                Check(NativeMethods.sdxl_latents_shape(new sdxl_latents(self.Id), nativeShape));
                return Signed(nativeShape, 4);
            }
        }

        /// <summary>Copies the numbers.</summary>
        public float[] Values()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_latents_copy(new sdxl_latents(self.Id), null, UIntPtr.Zero, &size));
                var found = new float[checked((int)size.ToUInt64())];
                fixed (float* items = found) Check(NativeMethods.sdxl_latents_copy(new sdxl_latents(self.Id), items, size, &size));
                return found;
            }
        }

        /// <summary>Makes a small picture of latents, one pixel for each of theirs, without an autoencoder.</summary>
        /// <param name="index">of which picture, from 0.</param>
        public SdxlImage Preview(int index = 0)
        {
            using (var self = Borrow())
            {
                sdxl_image nativeImage;
                Check(NativeMethods.sdxl_latents_preview(new sdxl_latents(self.Id), Unsigned(index, "index"), &nativeImage));
                return new SdxlImage(nativeImage.id);
            }
        }
    }
}

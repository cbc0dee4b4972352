using System;
using Sdxl.Native;

namespace Sdxl
{
    // Pixels, in arrays and in memory of others.
    public sealed unsafe partial class SdxlImage
    {
        /// <summary>Makes a picture of pixels, which are copied.</summary>
        /// <param name="width">1 to 16384 pixels.</param>
        /// <param name="height">1 to 16384 pixels.</param>
        /// <param name="pixels">the pixels.</param>
        /// <param name="layout">how they lie; by default Rgb8 from top to bottom without gaps.</param>
        public SdxlImage(int width, int height, byte[] pixels, SdxlPixelLayout layout = default(SdxlPixelLayout))
            : this(New(width, height, pixels, layout)) { }

        /// <summary>The same for pixels that are in no array, such as those of a texture.</summary>
        /// <param name="width">1 to 16384 pixels.</param>
        /// <param name="height">1 to 16384 pixels.</param>
        /// <param name="pixels">the pixels.</param>
        /// <param name="size">bytes of the pixels; the last row needs no gap behind it.</param>
        /// <param name="layout">how they lie; by default Rgb8 from top to bottom without gaps.</param>
        public SdxlImage(
            int width, int height, IntPtr pixels, long size, SdxlPixelLayout layout = default(SdxlPixelLayout))
            : this(New(width, height, (byte*)pixels, size, layout)) { }

        static ulong New(int width, int height, byte[] pixels, SdxlPixelLayout layout)
        {
            fixed (byte* bytes = NotNull(pixels, "pixels")) return New(width, height, bytes, pixels.LongLength, layout);
        }

        static ulong New(int width, int height, byte* pixels, long size, SdxlPixelLayout layout)
        {
            SdxlLibrary.Require();
            sdxl_pixel_layout native = layout.Native;
            sdxl_image image;
            Check(NativeMethods.sdxl_image_new(
                Unsigned(width, "width"), Unsigned(height, "height"), &native, pixels, Size(size, "size"), &image));
            return image.id;
        }

        /// <summary>Pixels from left to right.</summary>
        public int Width
        {
            get
            {
                int width, height;
                Size(out width, out height);
                return width;
            }
        }

        /// <summary>Pixels from top to bottom.</summary>
        public int Height
        {
            get
            {
                int width, height;
                Size(out width, out height);
                return height;
            }
        }

        /// <summary>Writes the pixels into memory, such as that of a texture; gaps between rows are left alone.</summary>
        /// <param name="pixels">where they go.</param>
        /// <param name="size">bytes of that memory. Without gaps, width x height x bytes of a pixel are needed.</param>
        /// <param name="layout">how they are to lie; by default Rgb8 from top to bottom without gaps.</param>
        public void CopyPixels(IntPtr pixels, long size, SdxlPixelLayout layout = default(SdxlPixelLayout))
        {
            using (var self = Borrow())
            {
                sdxl_pixel_layout native = layout.Native;
                Check(NativeMethods.sdxl_image_copy_pixels(
                    new sdxl_image(self.Id), &native, (byte*)pixels, Size(size, "size")));
            }
        }

        /// <summary>Writes the pixels into an array.</summary>
        /// <param name="pixels">where they go.</param>
        /// <param name="layout">how they are to lie; by default Rgb8 from top to bottom without gaps.</param>
        public void CopyPixels(byte[] pixels, SdxlPixelLayout layout = default(SdxlPixelLayout))
        {
            fixed (byte* bytes = NotNull(pixels, "pixels")) CopyPixels((IntPtr)bytes, pixels.LongLength, layout);
        }

        /// <summary>The pixels in a new array.</summary>
        /// <param name="layout">how they are to lie; by default Rgb8 from top to bottom without gaps.</param>
        public byte[] GetPixels(SdxlPixelLayout layout = default(SdxlPixelLayout))
        {
            int width, height;
            Size(out width, out height);
            ulong stride = layout.Stride != 0 ? layout.Stride : (ulong)width * (ulong)layout.BytesOfPixel;
            var pixels = new byte[checked(stride * (ulong)height)];
            CopyPixels(pixels, layout);
            return pixels;
        }

        internal static SdxlImage[] Own(sdxl_image[] handles, UIntPtr count)
        {
            var images = new SdxlImage[(int)count.ToUInt64()];
            for (int index = 0; index < images.Length; index++) images[index] = new SdxlImage(handles[index].id);
            return images;
        }
    }
}

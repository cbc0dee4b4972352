using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// A picture: RGB, 8 bits a channel, sRGB; with the texts that its file carries. It never changes.
    /// </summary>
    public sealed unsafe class SdxlImage : SdxlObject
    {
        internal SdxlImage(ulong id) : base(new ImageHandle(id)) { }

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

        /// <summary>Reads a PNG, JPEG or WebP file; an alpha channel is dropped.</summary>
        /// <param name="path">the file.</param>
        public static SdxlImage Open(string path)
        {
            SdxlLibrary.Require();
            sdxl_image image;
            fixed (byte* text = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_image_open(text, &image));
            }
            return new SdxlImage(image.id);
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

        /// <summary>Says how large the picture is.</summary>
        /// <param name="width">pixels from left to right.</param>
        /// <param name="height">pixels from top to bottom.</param>
        public void Size(out int width, out int height)
        {
            using (var self = Borrow())
            {
                uint outWidth, outHeight;
                Check(NativeMethods.sdxl_image_size(new sdxl_image(self.Id), &outWidth, &outHeight));
                width = (int)outWidth;
                height = (int)outHeight;
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

        /// <summary>The text that the picture carries under a keyword; "" where there is none.</summary>
        /// <param name="keyword">
        /// "parameters" for the line that other programs read, "sdxl" for JSON with every setting.
        /// </param>
        public string Text(string keyword)
        {
            using (var self = Borrow())
            {
                var image = new sdxl_image(self.Id);
                byte[] bytes = Utf8.Encode(keyword, "keyword");
                return Utf8.Read((buffer, capacity, size) =>
                {
                    fixed (byte* text = bytes)
                    {
                        return NativeMethods.sdxl_image_copy_text(image, text, buffer, capacity, size);
                    }
                });
            }
        }

        /// <summary>Saves a PNG file that carries the texts, in full or not at all.</summary>
        /// <param name="path">the file; one that is there is replaced.</param>
        public void SavePng(string path)
        {
            using (var self = Borrow())
            fixed (byte* text = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_image_save_png(new sdxl_image(self.Id), text));
            }
        }

        /// <summary>Makes a PNG file in memory.</summary>
        public byte[] EncodePng()
        {
            using (var self = Borrow())
            {
                var image = new sdxl_image(self.Id);
                return Utf8.Bytes((buffer, capacity, size) =>
                    NativeMethods.sdxl_image_encode_png(image, buffer, capacity, size));
            }
        }

        internal static SdxlImage[] Own(sdxl_image[] handles, UIntPtr count)
        {
            var images = new SdxlImage[(int)count.ToUInt64()];
            for (int index = 0; index < images.Length; index++) images[index] = new SdxlImage(handles[index].id);
            return images;
        }
    }
}

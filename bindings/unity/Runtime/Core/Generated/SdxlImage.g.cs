// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>A picture: RGB, 8 bits a channel, sRGB; with the texts that its file carries. It never changes.</summary>
    public sealed unsafe partial class SdxlImage : SdxlObject
    {
        internal SdxlImage(ulong id) : base(new ImageHandle(id)) { }

        /// <summary>Reads a PNG, JPEG or WebP file; an alpha channel is dropped.</summary>
        /// <param name="path">the file.</param>
        public static SdxlImage Open(string path)
        {
            SdxlLibrary.Require();
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                sdxl_image nativeImage;
                Check(NativeMethods.sdxl_image_open(pathText, &nativeImage));
                return new SdxlImage(nativeImage.id);
            }
        }

        /// <summary>Says how large a picture is.</summary>
        /// <param name="width">pixels from left to right.</param>
        /// <param name="height">pixels from top to bottom.</param>
        public void Size(out int width, out int height)
        {
            using (var self = Borrow())
            {
                uint nativeWidth;
                uint nativeHeight;
                Check(NativeMethods.sdxl_image_size(new sdxl_image(self.Id), &nativeWidth, &nativeHeight));
                width = (int)nativeWidth;
                height = (int)nativeHeight;
            }
        }

        /// <summary>Copies the text that a picture carries under a keyword.</summary>
        /// <param name="keyword">
        /// "parameters" for the line that other programs read, "sdxl" for JSON with every setting, "XML:com.adobe.xmp"
        /// for the XMP packet that says that a model made it.
        /// </param>
        public string Text(string keyword)
        {
            using (var self = Borrow())
            fixed (byte* keywordText = Utf8.Encode(keyword, "keyword"))
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_image_copy_text(new sdxl_image(self.Id), keywordText, null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_image_copy_text(new sdxl_image(self.Id), keywordText, items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>Saves a PNG file that carries the texts, in full or not at all.</summary>
        /// <param name="path">the file; one that is there is replaced.</param>
        public void SavePng(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_image_save_png(new sdxl_image(self.Id), pathText));
            }
        }

        /// <summary>Makes a PNG file in the caller's memory.</summary>
        public byte[] EncodePng()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_image_encode_png(new sdxl_image(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_image_encode_png(new sdxl_image(self.Id), items, size, &size));
                return found;
            }
        }

        /// <summary>Reads the size of a PNG, JPEG or WebP file from its header.</summary>
        /// <param name="path">the file.</param>
        /// <param name="width">pixels from left to right of the picture that SdxlImage.Open makes.</param>
        /// <param name="height">pixels from top to bottom.</param>
        public static void FileSize(string path, out int width, out int height)
        {
            SdxlLibrary.Require();
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                uint nativeWidth;
                uint nativeHeight;
                Check(NativeMethods.sdxl_image_file_size(pathText, &nativeWidth, &nativeHeight));
                width = (int)nativeWidth;
                height = (int)nativeHeight;
            }
        }

        /// <summary>Makes the picture of another size, byte for byte as Pillow's Lanczos filter. Texts are left behind.</summary>
        /// <param name="width">1 to 16384 pixels.</param>
        /// <param name="height">1 to 16384 pixels.</param>
        public SdxlImage Resize(int width, int height)
        {
            using (var self = Borrow())
            {
                sdxl_image nativeImage;
                Check(NativeMethods.sdxl_image_resize(new sdxl_image(self.Id), Unsigned(width, "width"), Unsigned(height, "height"), &nativeImage));
                return new SdxlImage(nativeImage.id);
            }
        }

        /// <summary>Cuts a part out of a picture. Texts are left behind.</summary>
        /// <param name="left">the first column, less than right.</param>
        /// <param name="top">the first row, less than bottom.</param>
        /// <param name="right">behind the last column, at most the width.</param>
        /// <param name="bottom">behind the last row, at most the height.</param>
        public SdxlImage Crop(int left, int top, int right, int bottom)
        {
            using (var self = Borrow())
            {
                sdxl_image nativeImage;
                Check(NativeMethods.sdxl_image_crop(new sdxl_image(self.Id), Unsigned(left, "left"), Unsigned(top, "top"), Unsigned(right, "right"), Unsigned(bottom, "bottom"), &nativeImage));
                return new SdxlImage(nativeImage.id);
            }
        }

        /// <summary>Makes the mask of a picture with soft edges: its luminance, blurred byte for byte as Pillow blurs.</summary>
        /// <param name="deviation">the standard deviation in pixels, above 0 to 1000.</param>
        public SdxlImage BlurMask(double deviation)
        {
            using (var self = Borrow())
            {
                sdxl_image nativeImage;
                Check(NativeMethods.sdxl_image_blur_mask(new sdxl_image(self.Id), deviation, &nativeImage));
                return new SdxlImage(nativeImage.id);
            }
        }

        /// <summary>Says which part of a picture SdxlRequest.SetPaddingMaskCrop redraws.</summary>
        /// <param name="width">that of the pictures drawn, 1 to 16384: the part has their shape.</param>
        /// <param name="height">that of the pictures drawn, 1 to 16384.</param>
        /// <param name="padding">so many pixels around what is not black.</param>
        public int[] MaskRegion(int width, int height, int padding)
        {
            using (var self = Borrow())
            {
                uint* nativeRectangle = stackalloc uint[4];
                Check(NativeMethods.sdxl_image_mask_region(new sdxl_image(self.Id), Unsigned(width, "width"), Unsigned(height, "height"), Unsigned(padding, "padding"), nativeRectangle));
                return Signed(nativeRectangle, 4);
            }
        }

        /// <summary>
        /// Puts a picture on a larger canvas, whose new area has the colours of the nearest edge, softened; and makes the mask of
        /// what is new. SdxlRequest.SetOutpaint does so by itself.
        /// </summary>
        /// <param name="left">pixels to add on the left; sides are at most 16384 pixels long.</param>
        /// <param name="top">pixels to add above.</param>
        /// <param name="right">pixels to add on the right.</param>
        /// <param name="bottom">pixels to add below. Of the four, one is not 0.</param>
        /// <param name="mask">a new object of the mask, white where the canvas is new; dispose of it.</param>
        public SdxlImage Outpaint(int left, int top, int right, int bottom, out SdxlImage mask)
        {
            using (var self = Borrow())
            {
                sdxl_image nativeImage;
                sdxl_image nativeMask;
                Check(NativeMethods.sdxl_image_outpaint(new sdxl_image(self.Id), Unsigned(left, "left"), Unsigned(top, "top"), Unsigned(right, "right"), Unsigned(bottom, "bottom"), &nativeImage, &nativeMask));
                mask = new SdxlImage(nativeMask.id);
                return new SdxlImage(nativeImage.id);
            }
        }

        /// <summary>Makes the same picture with a text more, which its PNG file then carries.</summary>
        /// <param name="keyword">1 to 79 Latin-1 characters; what a file cannot carry is found where one is made.</param>
        /// <param name="content">the text.</param>
        public SdxlImage AddText(string keyword, string content)
        {
            using (var self = Borrow())
            fixed (byte* keywordText = Utf8.Encode(keyword, "keyword"))
            fixed (byte* contentText = Utf8.Encode(content, "content"))
            {
                sdxl_image nativeImage;
                Check(NativeMethods.sdxl_image_add_text(new sdxl_image(self.Id), keywordText, contentText, &nativeImage));
                return new SdxlImage(nativeImage.id);
            }
        }

        /// <summary>Copies the keywords of the texts that a picture carries, one in a line.</summary>
        public string Keywords()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_image_copy_keywords(new sdxl_image(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_image_copy_keywords(new sdxl_image(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }
    }
}

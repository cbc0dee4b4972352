using System;
using Unity.Collections.LowLevel.Unsafe;
using UnityEngine;

namespace Sdxl.Unity
{
    /// <summary>
    /// Pictures to textures and back. The library writes straight into the texture's memory, from the bottom row to the
    /// top one as Unity has it. Pictures are sRGB-encoded: a texture for them is made without the linear flag.
    /// </summary>
    public static class SdxlTextures
    {
        /// <summary>
        /// Makes a texture of a picture, of the format RGBA32, sRGB, without mipmaps. The caller destroys it.
        /// </summary>
        /// <param name="image">the picture.</param>
        public static Texture2D ToTexture(this SdxlImage image)
        {
            Texture2D texture = null;
            image.CopyTo(ref texture);
            return texture;
        }

        /// <summary>
        /// Fills a texture with a picture. One that is null or of another size or format is replaced by a new one, so that
        /// a field can be kept and filled again.
        /// </summary>
        /// <param name="image">the picture.</param>
        /// <param name="texture">where it goes; RGBA32 and RGBAHalf are filled as they are.</param>
        public static void CopyTo(this SdxlImage image, ref Texture2D texture)
        {
            if (image == null) throw new ArgumentNullException("image");
            int width = image.Width, height = image.Height;
            bool fits = texture != null && texture.width == width && texture.height == height
                && texture.mipmapCount == 1
                && (texture.format == TextureFormat.RGBA32 || texture.format == TextureFormat.RGBAHalf);
            if (!fits)
            {
                if (texture != null) Destroy(texture);
                texture = new Texture2D(width, height, TextureFormat.RGBA32, false, false)
                {
                    name = "sdxl",
                    wrapMode = TextureWrapMode.Clamp,
                };
            }
            SdxlPixelLayout layout = texture.format == TextureFormat.RGBAHalf
                ? SdxlPixelLayout.UnityRgbaHalf : SdxlPixelLayout.UnityRgba32;
            var pixels = texture.GetRawTextureData<byte>();
            unsafe
            {
                image.CopyPixels((IntPtr)NativeArrayUnsafeUtility.GetUnsafePtr(pixels), pixels.Length, layout);
            }
            texture.Apply(false);
        }

        /// <summary>Makes a picture of a readable texture: to begin with, or as a mask.</summary>
        /// <param name="texture">of the format RGBA32, RGB24, BGRA32 or RGBAHalf.</param>
        public static SdxlImage ToImage(this Texture2D texture)
        {
            if (texture == null) throw new ArgumentNullException("texture");
            if (!texture.isReadable)
            {
                throw new ArgumentException(
                    "the texture is not readable: check Read/Write in its import settings", "texture");
            }
            var layout = new SdxlPixelLayout { Format = FormatOf(texture), RowOrder = SdxlRowOrder.BottomUp };
            var pixels = texture.GetRawTextureData<byte>();
            unsafe
            {
                // Mipmaps lie behind the picture, and are not read.
                var address = (IntPtr)NativeArrayUnsafeUtility.GetUnsafeReadOnlyPtr(pixels);
                return new SdxlImage(texture.width, texture.height, address, pixels.Length, layout);
            }
        }

        static SdxlPixelFormat FormatOf(Texture2D texture)
        {
            switch (texture.format)
            {
                case TextureFormat.RGBA32: return SdxlPixelFormat.Rgba8;
                case TextureFormat.RGB24: return SdxlPixelFormat.Rgb8;
                case TextureFormat.BGRA32: return SdxlPixelFormat.Bgra8;
                case TextureFormat.RGBAHalf: return SdxlPixelFormat.Rgba16f;
                default:
                    string message = "textures of the format " + texture.format
                        + " cannot be read: set it to RGBA 32 bit in the import settings";
                    throw new ArgumentException(message, "texture");
            }
        }

        internal static void Destroy(Texture2D texture)
        {
            if (Application.isPlaying) UnityEngine.Object.Destroy(texture);
            else UnityEngine.Object.DestroyImmediate(texture);
        }
    }
}

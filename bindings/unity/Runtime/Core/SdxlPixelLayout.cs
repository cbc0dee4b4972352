using Sdxl.Native;

namespace Sdxl
{
    /// <summary>How a picture lies in memory. The default is Rgb8 from top to bottom without gaps.</summary>
    public struct SdxlPixelLayout
    {
        /// <summary>Unity's TextureFormat.RGBA32: 8 bits a channel, rows from bottom to top.</summary>
        public static readonly SdxlPixelLayout UnityRgba32 =
            new SdxlPixelLayout { Format = SdxlPixelFormat.Rgba8, RowOrder = SdxlRowOrder.BottomUp };

        /// <summary>Unity's TextureFormat.RGBAHalf: 16-bit floats, rows from bottom to top.</summary>
        public static readonly SdxlPixelLayout UnityRgbaHalf =
            new SdxlPixelLayout { Format = SdxlPixelFormat.Rgba16f, RowOrder = SdxlRowOrder.BottomUp };

        /// <summary>How a pixel is stored.</summary>
        public SdxlPixelFormat Format { get; set; }

        /// <summary>In which order the rows lie.</summary>
        public SdxlRowOrder RowOrder { get; set; }

        /// <summary>Bytes from the start of a row to the start of the next; 0 means that there are no gaps.</summary>
        public ulong Stride { get; set; }

        internal unsafe sdxl_pixel_layout Native
        {
            get
            {
                return new sdxl_pixel_layout
                {
                    struct_size = (uint)sizeof(sdxl_pixel_layout),
                    format = (int)Format,
                    row_order = (int)RowOrder,
                    stride = Stride,
                };
            }
        }

        internal int BytesOfPixel
        {
            get
            {
                switch (Format)
                {
                    case SdxlPixelFormat.Gray8: return 1;
                    case SdxlPixelFormat.Rgba8: return 4;
                    case SdxlPixelFormat.Bgra8: return 4;
                    case SdxlPixelFormat.Rgba16f: return 8;
                    case SdxlPixelFormat.Rgba32f: return 16;
                    default: return 3;
                }
            }
        }
    }
}

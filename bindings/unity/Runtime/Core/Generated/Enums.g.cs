// Generated from include/sdxl.h by scripts/csharp: do not edit.
namespace Sdxl
{
    /// <summary>How a call ended. 0 is success. Numbers are never reused; later versions may add some.</summary>
    public enum SdxlStatus
    {
        /// <summary>Success.</summary>
        Ok = 0,
        /// <summary>A handle is zero, freed, of another type, or none of this library.</summary>
        InvalidHandle = 100,
        /// <summary>A pointer is null that must not be.</summary>
        NullPointer = 101,
        /// <summary>A text is not UTF-8.</summary>
        InvalidText = 102,
        /// <summary>The `struct_size` of a struct is none of this library's versions.</summary>
        InvalidStructSize = 103,
        /// <summary>A buffer is too small; nothing was written into it.</summary>
        BufferTooSmall = 104,
        /// <summary>A value is outside its range. The message names it and the range.</summary>
        InvalidValue = 200,
        /// <summary>The model lacks a part that the request needs.</summary>
        MissingPart = 201,
        /// <summary>A file cannot be read or written.</summary>
        Io = 300,
        /// <summary>A file was read, but its content is not what it should be.</summary>
        InvalidFile = 301,
        /// <summary>A checkpoint does not fit its model. The message lists every difference.</summary>
        InvalidCheckpoint = 302,
        /// <summary>A LoRA is broken or not of this model. The message lists every difference.</summary>
        InvalidLora = 303,
        /// <summary>The device does not exist, or cannot do what is asked of it.</summary>
        Device = 400,
        /// <summary>The machine or the device has no memory left. What was there before still works.</summary>
        OutOfMemory = 401,
        /// <summary>libtorch reported an error, or cannot be loaded: the message names the library that is missing.</summary>
        Libtorch = 402,
        /// <summary>The weights, or the type that is computed in, gave numbers that are not finite.</summary>
        NonFinite = 500,
        /// <summary>The job was cancelled.</summary>
        Cancelled = 600,
        /// <summary>The job has not finished yet.</summary>
        Unfinished = 601,
        /// <summary>The worker process of an isolated pipeline died or cannot be started. The next job starts another one.</summary>
        Worker = 700,
        /// <summary>An error of the library itself: please report it. All objects can still be used and freed.</summary>
        Internal = 900,
        /// <summary>The process is a fork of the one that used the library first, which libtorch does not survive.</summary>
        Forked = 901,
    }

    /// <summary>What a model was made for.</summary>
    public enum SdxlModelKind
    {
        /// <summary>Text to image: SDXL base, Turbo and fine-tunes of them.</summary>
        Base = 0,
        /// <summary>The second stage, which refines latents of the first.</summary>
        Refiner = 1,
        /// <summary>A UNet that also takes a mask and the masked picture.</summary>
        Inpaint = 2,
    }

    /// <summary>What a job is doing.</summary>
    public enum SdxlJobState
    {
        /// <summary>It waits for the jobs before it.</summary>
        Waiting = 0,
        /// <summary>It encodes the prompts, and the picture that it begins with.</summary>
        Encoding = 1,
        /// <summary>It takes the steps.</summary>
        Sampling = 2,
        /// <summary>It decodes the pictures.</summary>
        Decoding = 3,
        /// <summary>It has ended: the pictures can be taken.</summary>
        Finished = 100,
        /// <summary>It has ended with an error, which SdxlJob.Wait returns.</summary>
        Failed = 101,
        /// <summary>It has ended because it was cancelled.</summary>
        Cancelled = 102,
    }

    /// <summary>How a pixel is stored. All are sRGB-encoded, floats from 0 to 1; alpha is written as opaque and not read.</summary>
    public enum SdxlPixelFormat
    {
        /// <summary>Red, green, blue, of 8 bits.</summary>
        Rgb8 = 0,
        /// <summary>Red, green, blue, alpha, of 8 bits: Unity's RGBA32.</summary>
        Rgba8 = 1,
        /// <summary>Blue, green, red, alpha, of 8 bits: Unreal's and Direct3D's.</summary>
        Bgra8 = 2,
        /// <summary>Luminance of 8 bits: masks.</summary>
        Gray8 = 3,
        /// <summary>Red, green, blue, alpha, of 16-bit floats.</summary>
        Rgba16f = 4,
        /// <summary>Red, green, blue, alpha, of 32-bit floats.</summary>
        Rgba32f = 5,
    }

    /// <summary>In which order the rows of a picture lie in memory.</summary>
    public enum SdxlRowOrder
    {
        /// <summary>From top to bottom, as in image files.</summary>
        TopDown = 0,
        /// <summary>From bottom to top, as in OpenGL's and Unity's textures.</summary>
        BottomUp = 1,
    }

    /// <summary>Whether a job goes on: what its callback returns.</summary>
    internal enum SdxlFlow
    {
        /// <summary>It goes on.</summary>
        Continue = 0,
        /// <summary>It is cancelled, as every other number means too.</summary>
        Cancel = 1,
    }
}

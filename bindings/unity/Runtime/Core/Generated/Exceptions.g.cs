// Generated from include/sdxl.h by scripts/csharp: do not edit.
namespace Sdxl
{
    public partial class SdxlException
    {
        static SdxlException New(SdxlStatus status, string message)
        {
            switch (status)
            {
                case SdxlStatus.InvalidHandle: return new SdxlInvalidHandleException(message);
                case SdxlStatus.NullPointer: return new SdxlNullPointerException(message);
                case SdxlStatus.InvalidText: return new SdxlInvalidTextException(message);
                case SdxlStatus.InvalidStructSize: return new SdxlInvalidStructSizeException(message);
                case SdxlStatus.BufferTooSmall: return new SdxlBufferTooSmallException(message);
                case SdxlStatus.InvalidValue: return new SdxlInvalidValueException(message);
                case SdxlStatus.MissingPart: return new SdxlMissingPartException(message);
                case SdxlStatus.Io: return new SdxlIoException(message);
                case SdxlStatus.InvalidFile: return new SdxlInvalidFileException(message);
                case SdxlStatus.InvalidCheckpoint: return new SdxlInvalidCheckpointException(message);
                case SdxlStatus.InvalidLora: return new SdxlInvalidLoraException(message);
                case SdxlStatus.Device: return new SdxlDeviceException(message);
                case SdxlStatus.OutOfMemory: return new SdxlOutOfMemoryException(message);
                case SdxlStatus.Libtorch: return new SdxlLibtorchException(message);
                case SdxlStatus.NonFinite: return new SdxlNonFiniteException(message);
                case SdxlStatus.Unfinished: return new SdxlUnfinishedException(message);
                case SdxlStatus.Worker: return new SdxlWorkerException(message);
                case SdxlStatus.Internal: return new SdxlInternalException(message);
                case SdxlStatus.Forked: return new SdxlForkedException(message);
                default: return new SdxlException(status, message);
            }
        }
    }

    /// <summary>A handle is zero, freed, of another type, or none of this library.</summary>
    public sealed class SdxlInvalidHandleException : SdxlException
    {
        internal SdxlInvalidHandleException(string message) : base(SdxlStatus.InvalidHandle, message) { }
    }

    /// <summary>A pointer is null that must not be.</summary>
    public sealed class SdxlNullPointerException : SdxlException
    {
        internal SdxlNullPointerException(string message) : base(SdxlStatus.NullPointer, message) { }
    }

    /// <summary>A text is not UTF-8.</summary>
    public sealed class SdxlInvalidTextException : SdxlException
    {
        internal SdxlInvalidTextException(string message) : base(SdxlStatus.InvalidText, message) { }
    }

    /// <summary>The `struct_size` of a struct is none of this library's versions.</summary>
    public sealed class SdxlInvalidStructSizeException : SdxlException
    {
        internal SdxlInvalidStructSizeException(string message) : base(SdxlStatus.InvalidStructSize, message) { }
    }

    /// <summary>A buffer is too small; nothing was written into it.</summary>
    public sealed class SdxlBufferTooSmallException : SdxlException
    {
        internal SdxlBufferTooSmallException(string message) : base(SdxlStatus.BufferTooSmall, message) { }
    }

    /// <summary>A value is outside its range. The message names it and the range.</summary>
    public sealed class SdxlInvalidValueException : SdxlException
    {
        internal SdxlInvalidValueException(string message) : base(SdxlStatus.InvalidValue, message) { }
    }

    /// <summary>The model lacks a part that the request needs.</summary>
    public sealed class SdxlMissingPartException : SdxlException
    {
        internal SdxlMissingPartException(string message) : base(SdxlStatus.MissingPart, message) { }
    }

    /// <summary>A file cannot be read or written.</summary>
    public sealed class SdxlIoException : SdxlException
    {
        internal SdxlIoException(string message) : base(SdxlStatus.Io, message) { }
    }

    /// <summary>A file was read, but its content is not what it should be.</summary>
    public sealed class SdxlInvalidFileException : SdxlException
    {
        internal SdxlInvalidFileException(string message) : base(SdxlStatus.InvalidFile, message) { }
    }

    /// <summary>A checkpoint does not fit its model. The message lists every difference.</summary>
    public sealed class SdxlInvalidCheckpointException : SdxlException
    {
        internal SdxlInvalidCheckpointException(string message) : base(SdxlStatus.InvalidCheckpoint, message) { }
    }

    /// <summary>A LoRA is broken or not of this model. The message lists every difference.</summary>
    public sealed class SdxlInvalidLoraException : SdxlException
    {
        internal SdxlInvalidLoraException(string message) : base(SdxlStatus.InvalidLora, message) { }
    }

    /// <summary>The device does not exist, or cannot do what is asked of it.</summary>
    public sealed class SdxlDeviceException : SdxlException
    {
        internal SdxlDeviceException(string message) : base(SdxlStatus.Device, message) { }
    }

    /// <summary>The machine or the device has no memory left. What was there before still works.</summary>
    public sealed class SdxlOutOfMemoryException : SdxlException
    {
        internal SdxlOutOfMemoryException(string message) : base(SdxlStatus.OutOfMemory, message) { }
    }

    /// <summary>libtorch reported an error, or cannot be loaded: the message names the library that is missing.</summary>
    public sealed class SdxlLibtorchException : SdxlException
    {
        internal SdxlLibtorchException(string message) : base(SdxlStatus.Libtorch, message) { }
    }

    /// <summary>The weights, or the type that is computed in, gave numbers that are not finite.</summary>
    public sealed class SdxlNonFiniteException : SdxlException
    {
        internal SdxlNonFiniteException(string message) : base(SdxlStatus.NonFinite, message) { }
    }

    /// <summary>The job has not finished yet.</summary>
    public sealed class SdxlUnfinishedException : SdxlException
    {
        internal SdxlUnfinishedException(string message) : base(SdxlStatus.Unfinished, message) { }
    }

    /// <summary>The worker process of an isolated pipeline died or cannot be started. The next job starts another one.</summary>
    public sealed class SdxlWorkerException : SdxlException
    {
        internal SdxlWorkerException(string message) : base(SdxlStatus.Worker, message) { }
    }

    /// <summary>An error of the library itself: please report it. All objects can still be used and freed.</summary>
    public sealed class SdxlInternalException : SdxlException
    {
        internal SdxlInternalException(string message) : base(SdxlStatus.Internal, message) { }
    }

    /// <summary>The process is a fork of the one that used the library first, which libtorch does not survive.</summary>
    public sealed class SdxlForkedException : SdxlException
    {
        internal SdxlForkedException(string message) : base(SdxlStatus.Forked, message) { }
    }
}

using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// Why a call failed. There is a class for every status, such as <see cref="SdxlOutOfMemoryException"/>; this one is
    /// for statuses of a newer library. What was cancelled is an OperationCanceledException instead. An error, out of
    /// memory included, leaves all objects usable.
    /// </summary>
    public partial class SdxlException : Exception
    {
        internal SdxlException(SdxlStatus status, string message) : base(message)
        {
            Status = status;
        }

        /// <summary>What went wrong, for programs; the message is for people.</summary>
        public SdxlStatus Status { get; private set; }

        internal static unsafe void Check(int status)
        {
            if (status != 0) throw Of((SdxlStatus)status, Utf8.Decode(NativeMethods.sdxl_last_error_message()));
        }

        internal static Exception Of(SdxlStatus status, string message)
        {
            if (status == SdxlStatus.Cancelled) return new OperationCanceledException(message);
            return New(status, message);
        }
    }

    /// <summary>libsdxl cannot be loaded. The message says where it was looked for. Where libtorch cannot be loaded, what needs it
    /// throws an exception of that status.</summary>
    public sealed class SdxlLibraryException : Exception
    {
        internal SdxlLibraryException(string message, Exception inner) : base(message, inner) { }
    }
}

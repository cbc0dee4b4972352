using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>The library itself.</summary>
    public static unsafe partial class SdxlLibrary
    {
        static readonly object Gate = new object();
        static bool isLoaded;

        /// <summary>The version of the library that was loaded, such as "0.1.0".</summary>
        public static string Version
        {
            get
            {
                Require();
                return Utf8.Decode(NativeMethods.sdxl_version());
            }
        }

        /// <summary>The number of the interface that the library has.</summary>
        public static int AbiVersion
        {
            get
            {
                Require();
                return (int)NativeMethods.sdxl_abi_version();
            }
        }

        /// <summary>The name of a status in C, such as "SDXL_STATUS_OK".</summary>
        /// <param name="status">any number; "unknown" for one that this version does not have.</param>
        public static string StatusName(SdxlStatus status)
        {
            Require();
            return Utf8.Decode(NativeMethods.sdxl_status_name((int)status));
        }

        /// <summary>
        /// Cancels all jobs and waits for them. Not needed before a program ends: libtorch must not compute meanwhile, and
        /// the library sees to that.
        /// </summary>
        /// <param name="timeout">how long it may wait; a job ends within one layer.</param>
        /// <returns>Whether all jobs have ended.</returns>
        public static bool CancelJobs(TimeSpan timeout)
        {
            return !isLoaded || LiveJobs.Cancel(timeout);
        }

        /// <summary>Loads the library before the first object, with words for what may go wrong.</summary>
        internal static void Require()
        {
            if (isLoaded) return;
            lock (Gate)
            {
                if (isLoaded) return;
                uint found;
                try
                {
                    found = NativeMethods.sdxl_abi_version();
                }
                catch (Exception error)
                    when (error is DllNotFoundException || error is EntryPointNotFoundException
                        || error is BadImageFormatException)
                {
                    throw new SdxlLibraryException(MissingLibraries.Explain(error), error);
                }
                if (found < NativeMethods.AbiVersion)
                {
                    throw new SdxlLibraryException(
                        "libsdxl is too old: its interface has the number " + found + ", and this program needs "
                        + NativeMethods.AbiVersion, null);
                }
                AppDomain domain = AppDomain.CurrentDomain;
                // C calls nothing in the domain, so nothing has to be waited for.
                domain.DomainUnload += (sender, arguments) => LiveJobs.Cancel(TimeSpan.Zero);
                domain.ProcessExit += (sender, arguments) => Exit();
                isLoaded = true;
            }
        }

        /// <summary>Waits for what computes. A minute is more than any layer takes; a process that hangs is worse.</summary>
        static void Exit()
        {
            TimeSpan minute = TimeSpan.FromMinutes(1);
            LiveJobs.Cancel(minute);
            ComputeThread.Stop(minute);
        }
    }
}

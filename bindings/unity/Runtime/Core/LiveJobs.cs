using System;
using System.Collections.Generic;

namespace Sdxl.Native
{
    /// <summary>
    /// The jobs of this domain, by their numbers alone: what has been freed meanwhile is refused by the library.
    /// </summary>
    internal static class LiveJobs
    {
        static readonly HashSet<ulong> Jobs = new HashSet<ulong>();

        internal static void Add(ulong id)
        {
            lock (Jobs) Jobs.Add(id);
        }

        internal static void Remove(ulong id)
        {
            lock (Jobs) Jobs.Remove(id);
        }

        /// <summary>Cancels all jobs and waits for them; returns whether they have ended in time.</summary>
        internal static bool Cancel(TimeSpan timeout)
        {
            ulong[] all;
            lock (Jobs)
            {
                all = new ulong[Jobs.Count];
                Jobs.CopyTo(all);
            }
            foreach (ulong job in all) NativeMethods.sdxl_job_cancel(new sdxl_job(job));
            DateTime end = DateTime.UtcNow + timeout;
            bool ended = true;
            foreach (ulong job in all)
            {
                long left = Math.Max(0, (long)(end - DateTime.UtcNow).TotalMilliseconds);
                ended &= NativeMethods.sdxl_job_wait(new sdxl_job(job), left) != (int)SdxlStatus.Unfinished;
            }
            return ended;
        }
    }
}

using System;
using System.Collections.Generic;

namespace Sdxl.Native
{
    /// <summary>
    /// The jobs of this domain, by their numbers alone: what has been freed meanwhile is refused by the library.
    /// </summary>
    internal static class LiveJobs
    {
        static readonly Dictionary<ulong, bool> Jobs = new Dictionary<ulong, bool>();

        internal static void Add(ulong id, bool hasCallback)
        {
            lock (Jobs) Jobs[id] = hasCallback;
        }

        internal static void Remove(ulong id)
        {
            lock (Jobs) Jobs.Remove(id);
        }

        static KeyValuePair<ulong, bool>[] All()
        {
            lock (Jobs)
            {
                var all = new KeyValuePair<ulong, bool>[Jobs.Count];
                ((ICollection<KeyValuePair<ulong, bool>>)Jobs).CopyTo(all, 0);
                return all;
            }
        }

        /// <summary>Cancels all jobs and waits for them; returns whether they have ended in time.</summary>
        internal static bool Cancel(TimeSpan timeout)
        {
            KeyValuePair<ulong, bool>[] all = All();
            foreach (KeyValuePair<ulong, bool> job in all) NativeMethods.sdxl_job_cancel(new sdxl_job(job.Key));
            DateTime end = DateTime.UtcNow + timeout;
            bool ended = true;
            foreach (KeyValuePair<ulong, bool> job in all)
            {
                long left = Math.Max(0, (long)(end - DateTime.UtcNow).TotalMilliseconds);
                ended &= NativeMethods.sdxl_job_wait(new sdxl_job(job.Key), left) != (int)SdxlStatus.Unfinished;
            }
            return ended;
        }

        /// <summary>
        /// Before the domain goes: cancels all jobs, and returns when none of them calls into it any more. For jobs
        /// without a callback nothing has to be waited for.
        /// </summary>
        internal static void Abandon()
        {
            Cancel(TimeSpan.Zero);
            foreach (KeyValuePair<ulong, bool> job in All())
            {
                if (job.Value) NativeMethods.sdxl_job_free(new sdxl_job(job.Key));
            }
        }
    }
}

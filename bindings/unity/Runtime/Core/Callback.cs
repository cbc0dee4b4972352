using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;

namespace Sdxl.Native
{
    /// <summary>
    /// A caller's callback, under the number that C gets as user_data: a number that is not in the table any more calls
    /// nothing, where a pointer to a collected object would crash.
    /// </summary>
    internal sealed unsafe class Callback
    {
        // Kept in a field, so that the garbage collector does not take the function away from C.
        static readonly sdxl_progress_callback Delegate = OnProgress;
        internal static readonly IntPtr Function = Marshal.GetFunctionPointerForDelegate(Delegate);

        static readonly Dictionary<long, Callback> Table = new Dictionary<long, Callback>();
        static long last;

        readonly SdxlProgressCallback onProgress;
        readonly long number;
        readonly ManualResetEventSlim isKnown = new ManualResetEventSlim();
        // Not a reference: the job is to be freed where its owner has forgotten it.
        WeakReference<SdxlJob> job;

        internal Callback(SdxlProgressCallback onProgress)
        {
            this.onProgress = onProgress;
            lock (Table)
            {
                number = ++last;
                Table.Add(number, this);
            }
        }

        internal IntPtr UserData { get { return new IntPtr(number); } }

        /// <summary>What the callback threw.</summary>
        internal Exception Error { get; private set; }

        /// <summary>Says which job it is; the first call may come earlier, and waits.</summary>
        internal void Belongs(SdxlJob started)
        {
            job = new WeakReference<SdxlJob>(started);
            isKnown.Set();
        }

        internal void Remove()
        {
            lock (Table) Table.Remove(number);
        }

        [MonoPInvokeCallback(typeof(sdxl_progress_callback))]
        static int OnProgress(IntPtr userData, sdxl_job job, sdxl_progress* progress)
        {
            Callback callback = null;
            // An exception that leaves this ends the process.
            try
            {
                lock (Table) Table.TryGetValue(userData.ToInt64(), out callback);
                SdxlJob owner = null;
                if (callback != null)
                {
                    callback.isKnown.Wait();
                    callback.job.TryGetTarget(out owner);
                }
                return (int)(owner == null ? SdxlFlow.Cancel : callback.onProgress(owner, new SdxlProgress(*progress)));
            }
            catch (Exception error)
            {
                // It would be thrown again at the end of this block.
                if (error is ThreadAbortException) Thread.ResetAbort();
                if (callback != null) callback.Error = error;
                return (int)SdxlFlow.Cancel;
            }
        }
    }
}

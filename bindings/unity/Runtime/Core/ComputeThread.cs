using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Sdxl.Native
{
    /// <summary>
    /// The one thread that loads models. libtorch keeps memory for every thread that ever computed, so it is not one of
    /// the pool, and it stays.
    /// </summary>
    internal static class ComputeThread
    {
        static readonly Queue<Action> Work = new Queue<Action>();
        static Thread thread;
        static bool isBusy;

        internal static Task<T> Run<T>(Func<T> work, CancellationToken token)
        {
            var task = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (Work)
            {
                Work.Enqueue(() =>
                {
                    try
                    {
                        token.ThrowIfCancellationRequested();
                        task.TrySetResult(work());
                    }
                    catch (OperationCanceledException)
                    {
                        task.TrySetCanceled();
                    }
                    catch (Exception error) when (!(error is ThreadAbortException))
                    {
                        task.TrySetException(error);
                    }
                });
                Monitor.PulseAll(Work);
                if (thread == null)
                {
                    thread = new Thread(Loop) { Name = "sdxl compute", IsBackground = true };
                    thread.Start();
                }
            }
            return task.Task;
        }

        static void Loop()
        {
            while (true)
            {
                Action next;
                lock (Work)
                {
                    while (Work.Count == 0) Monitor.Wait(Work);
                    next = Work.Dequeue();
                    isBusy = true;
                }
                next();
                lock (Work)
                {
                    isBusy = false;
                    Monitor.PulseAll(Work);
                }
            }
        }

        /// <summary>Drops what has not begun and waits for what has; returns whether that has ended.</summary>
        internal static bool Stop(TimeSpan timeout)
        {
            DateTime end = DateTime.UtcNow + timeout;
            lock (Work)
            {
                Work.Clear();
                while (isBusy)
                {
                    TimeSpan left = end - DateTime.UtcNow;
                    if (left <= TimeSpan.Zero || !Monitor.Wait(Work, left)) return !isBusy;
                }
                return true;
            }
        }
    }
}

using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Sdxl.Native
{
    /// <summary>
    /// One thread that polls all jobs that are awaited, so that no thread of the pool waits, and C calls nothing that a
    /// domain reload takes away. It ends when there is nothing to watch.
    /// </summary>
    internal static class Watcher
    {
        static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
        static readonly List<Watched> Jobs = new List<Watched>();
        static bool isRunning;

        internal static Task Watch(
            SdxlJob job, IProgress<SdxlProgress> progress, IProgress<SdxlImage> preview, CancellationToken token)
        {
            var watched = new Watched(job, progress, preview, token);
            lock (Jobs)
            {
                Jobs.Add(watched);
                if (!isRunning)
                {
                    isRunning = true;
                    new Thread(Run) { Name = "sdxl watcher", IsBackground = true }.Start();
                }
            }
            return watched.Task;
        }

        static void Run()
        {
            while (true)
            {
                Watched[] jobs;
                lock (Jobs)
                {
                    isRunning = Jobs.Count > 0;
                    if (!isRunning) return;
                    jobs = Jobs.ToArray();
                }
                // The end of the first one is seen at once.
                jobs[0].Wait(Pause);
                foreach (Watched job in jobs)
                {
                    if (!job.Look()) continue;
                    lock (Jobs) Jobs.Remove(job);
                }
            }
        }
    }

    /// <summary>A job that is awaited.</summary>
    internal sealed class Watched
    {
        readonly SdxlJob job;
        readonly IProgress<SdxlProgress> progress;
        readonly IProgress<SdxlImage> preview;
        readonly CancellationToken token;
        readonly CancellationTokenRegistration registration;
        // What awaits the task does not go on within the watcher's loop.
        readonly TaskCompletionSource<bool> task =
            new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        // Dispose of the job cancels it; the handle stays until that is seen.
        readonly Borrowed held;
        SdxlProgress last;
        Exception error;

        internal Watched(
            SdxlJob job, IProgress<SdxlProgress> progress, IProgress<SdxlImage> preview, CancellationToken token)
        {
            held = job.Borrow();
            this.job = job;
            this.progress = progress;
            this.preview = preview;
            this.token = token;
            registration = token.Register(Cancel);
        }

        internal Task Task { get { return task.Task; } }

        void Cancel() { NativeMethods.sdxl_job_cancel(new sdxl_job(held.Id)); }

        internal void Wait(TimeSpan time)
        {
            NativeMethods.sdxl_job_wait(new sdxl_job(held.Id), (long)time.TotalMilliseconds);
        }

        /// <summary>Tells what is new; returns whether the job has ended.</summary>
        internal unsafe bool Look()
        {
            var native = new sdxl_progress { struct_size = (uint)sizeof(sdxl_progress) };
            int status = NativeMethods.sdxl_job_poll(new sdxl_job(held.Id), &native);
            var now = new SdxlProgress(native);
            if (status == 0 && (now.State != last.State || now.Step != last.Step || now.Of != last.Of))
            {
                bool isStep = now.Step > 0 && now.Step != last.Step;
                last = now;
                Tell(now, isStep);
            }
            if (status == 0 && !now.HasEnded) return false;
            End();
            return true;
        }

        /// <summary>What the caller's code throws cancels the job, and is thrown by the task.</summary>
        unsafe void Tell(SdxlProgress now, bool isStep)
        {
            if (error != null) return;
            try
            {
                if (progress != null) progress.Report(now);
                if (preview == null || !isStep || now.State != SdxlJobState.Sampling) return;
                sdxl_image image;
                // None where the job went on to decoding meanwhile.
                if (NativeMethods.sdxl_job_preview(new sdxl_job(held.Id), 0, &image) == 0)
                {
                    preview.Report(new SdxlImage(image.id));
                }
            }
            catch (Exception thrown) when (!(thrown is ThreadAbortException))
            {
                error = thrown;
                Cancel();
            }
        }

        unsafe void End()
        {
            try
            {
                SdxlException.Check(NativeMethods.sdxl_job_wait(new sdxl_job(held.Id), 0));
            }
            catch (Exception ended) when (!(ended is ThreadAbortException))
            {
                error = error ?? ended;
            }
            registration.Dispose();
            held.Dispose();
            GC.KeepAlive(job);
            if (error == null) task.TrySetResult(true);
            else if (error is OperationCanceledException && token.IsCancellationRequested) task.TrySetCanceled(token);
            else if (error is OperationCanceledException) task.TrySetCanceled();
            else task.TrySetException(error);
        }
    }
}

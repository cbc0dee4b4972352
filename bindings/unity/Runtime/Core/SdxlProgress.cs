using Sdxl.Native;

namespace Sdxl
{
    /// <summary>Where a job stands.</summary>
    public struct SdxlProgress
    {
        internal SdxlProgress(sdxl_progress progress) : this()
        {
            State = (SdxlJobState)progress.state;
            Step = (int)progress.step;
            Of = (int)progress.of;
            Sigma = progress.sigma;
            Seconds = progress.seconds;
            SecondsLeft = progress.seconds_left;
        }

        /// <summary>What the job is doing.</summary>
        public SdxlJobState State { get; private set; }

        /// <summary>The steps taken.</summary>
        public int Step { get; private set; }

        /// <summary>All steps; 0 until the prompts are encoded.</summary>
        public int Of { get; private set; }

        /// <summary>The noise level reached, as a standard deviation; 0 before the first step.</summary>
        public double Sigma { get; private set; }

        /// <summary>Seconds since the job's turn came.</summary>
        public double Seconds { get; private set; }

        /// <summary>
        /// Seconds that the remaining steps will take, at the mean speed so far; decoding comes on top.
        /// </summary>
        public double SecondsLeft { get; private set; }

        /// <summary>Whether the job has finished, failed or was cancelled.</summary>
        public bool HasEnded { get { return State >= SdxlJobState.Finished; } }
    }

    /// <summary>
    /// Called on the pipeline's thread before the first and after every step of a job, which waits for it. It may use
    /// every object, but waiting for a job of the same pipeline ends at once, with an SdxlUnfinishedException.
    /// </summary>
    /// <param name="job">which one.</param>
    /// <param name="progress">where it stands.</param>
    /// <returns>Whether the job goes on.</returns>
    public delegate SdxlFlow SdxlProgressCallback(SdxlJob job, SdxlProgress progress);
}

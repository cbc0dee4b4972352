namespace Sdxl
{
    public partial struct SdxlProgress
    {
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

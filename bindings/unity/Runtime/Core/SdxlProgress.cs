namespace Sdxl
{
    public partial struct SdxlProgress
    {
        /// <summary>Whether the job has finished, failed or was cancelled.</summary>
        public bool HasEnded { get { return State >= SdxlJobState.Finished; } }
    }
}

namespace Sdxl
{
    public sealed partial class SdxlRequest
    {
        /// <summary>Makes a request for a prompt alone.</summary>
        /// <param name="prompt">what the picture shows.</param>
        public SdxlRequest(string prompt) : this(New(prompt)) { }

        static ulong New(string prompt)
        {
            using (var conditioning = new SdxlConditioning(prompt)) return New(conditioning);
        }
    }
}

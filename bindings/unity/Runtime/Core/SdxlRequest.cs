using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// An order for pictures: what they show, their size, steps, guidance and seeds. Jobs keep what it was when they
    /// were started.
    /// </summary>
    public sealed unsafe partial class SdxlRequest : SdxlObject
    {
        SdxlRequest(ulong id) : base(new RequestHandle(id)) { }

        /// <summary>Makes a request: 50 steps, guidance 5, seed 0, one picture of the model's own size.</summary>
        /// <param name="conditioning">what the pictures show. Later changes of it have no effect.</param>
        public SdxlRequest(SdxlConditioning conditioning) : this(New(conditioning)) { }

        /// <summary>Makes a request for a prompt alone.</summary>
        /// <param name="prompt">what the picture shows.</param>
        public SdxlRequest(string prompt) : this(New(prompt)) { }

        static ulong New(SdxlConditioning conditioning)
        {
            using (var held = Borrow(conditioning, "conditioning"))
            {
                sdxl_request request;
                Check(NativeMethods.sdxl_request_new(new sdxl_conditioning(held.Id), &request));
                return request.id;
            }
        }

        static ulong New(string prompt)
        {
            using (var conditioning = new SdxlConditioning(prompt)) return New(conditioning);
        }
    }
}

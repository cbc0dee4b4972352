using System;
using System.Threading;
using System.Threading.Tasks;
using Sdxl.Native;

namespace Sdxl
{
    // What is awaited.
    public sealed partial class SdxlPipeline
    {
        /// <summary>Reads a model on a thread of this library's.</summary>
        /// <param name="options">which model, and how; not to be disposed of before the task has ended.</param>
        /// <param name="cancellationToken">prevents the reading if it has not begun.</param>
        public static Task<SdxlPipeline> LoadAsync(
            SdxlPipelineOptions options, CancellationToken cancellationToken = default(CancellationToken))
        {
            NotNull(options, "options");
            return ComputeThread.Run(() => Load(options), cancellationToken);
        }

        /// <summary>Reads a model with the default options on a thread of this library's.</summary>
        /// <param name="model">as in SdxlPipelineOptions.</param>
        /// <param name="cancellationToken">prevents the reading if it has not begun.</param>
        public static Task<SdxlPipeline> LoadAsync(
            string model, CancellationToken cancellationToken = default(CancellationToken))
        {
            return ComputeThread.Run(() => Load(model), cancellationToken);
        }

        /// <summary>Draws the one picture of a request.</summary>
        /// <param name="request">what to draw. With more than one picture, call <see cref="GenerateImagesAsync"/>.</param>
        /// <param name="progress">told of every change that is seen; the caller's exceptions cancel the job.</param>
        /// <param name="cancellationToken">ends the job within one layer.</param>
        public Task<SdxlImage> GenerateAsync(
            SdxlRequest request,
            IProgress<SdxlProgress> progress = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            return GenerateAsync(request, progress, null, cancellationToken);
        }

        /// <summary>Draws the one picture of a request, with previews.</summary>
        /// <param name="request">what to draw. With more than one picture, call <see cref="GenerateImagesAsync"/>.</param>
        /// <param name="progress">told of every change that is seen, or null.</param>
        /// <param name="preview">given a small picture after each step that is seen, or null; it disposes of them.</param>
        /// <param name="cancellationToken">ends the job within one layer.</param>
        public async Task<SdxlImage> GenerateAsync(
            SdxlRequest request,
            IProgress<SdxlProgress> progress,
            IProgress<SdxlImage> preview,
            CancellationToken cancellationToken)
        {
            SdxlImage[] images =
                await GenerateImagesAsync(request, progress, preview, cancellationToken).ConfigureAwait(false);
            if (images.Length == 1) return images[0];
            foreach (SdxlImage image in images) image.Dispose();
            throw new InvalidOperationException(
                "the request has " + images.Length + " pictures: call GenerateImagesAsync");
        }

        /// <summary>Draws the pictures of a request.</summary>
        /// <param name="request">what to draw.</param>
        /// <param name="progress">told of every change that is seen, or null.</param>
        /// <param name="preview">given a small picture after each step that is seen, or null; it disposes of them.</param>
        /// <param name="cancellationToken">ends the job within one layer.</param>
        public async Task<SdxlImage[]> GenerateImagesAsync(
            SdxlRequest request,
            IProgress<SdxlProgress> progress = null,
            IProgress<SdxlImage> preview = null,
            CancellationToken cancellationToken = default(CancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (SdxlJob job = Start(request))
            {
                await job.WaitAsync(progress, preview, cancellationToken).ConfigureAwait(false);
                return job.TakeImages();
            }
        }

        /// <summary>Encodes the prompts of a conditioning on a thread of this library's.</summary>
        /// <param name="conditioning">what to encode; not to be disposed of before the task has ended.</param>
        /// <param name="cancellationToken">prevents the encoding if it has not begun.</param>
        /// <returns>The embeddings of the prompt and of the negative prompt.</returns>
        public Task<SdxlEmbeddings[]> EncodeAsync(
            SdxlConditioning conditioning, CancellationToken cancellationToken = default(CancellationToken))
        {
            return ComputeThread.Run(() =>
            {
                SdxlEmbeddings negative;
                SdxlEmbeddings positive = Encode(conditioning, out negative);
                return new[] { positive, negative };
            }, cancellationToken);
        }

        /// <summary>Decodes latents to pictures on a thread of this library's.</summary>
        /// <param name="latents">of how many pictures there are; not to be disposed of before the task has ended.</param>
        /// <param name="cancellationToken">prevents the decoding if it has not begun.</param>
        public Task<SdxlImage[]> DecodeAsync(
            SdxlLatents latents, CancellationToken cancellationToken = default(CancellationToken))
        {
            return ComputeThread.Run(() => Decode(latents), cancellationToken);
        }
    }
}

using System;
using System.Threading.Tasks;
using UnityEngine;
using UnityEngine.Events;

namespace Sdxl.Unity
{
    /// <summary>A texture that has changed.</summary>
    [Serializable]
    public sealed class SdxlTextureEvent : UnityEvent<Texture2D> { }

    /// <summary>A message for people.</summary>
    [Serializable]
    public sealed class SdxlMessageEvent : UnityEvent<string> { }

    /// <summary>
    /// Draws a picture onto a texture. It looks at its job once a frame and never waits: the model is loaded on another
    /// thread, and so is the picture drawn.
    /// </summary>
    [AddComponentMenu("Stable Diffusion XL/Generator")]
    public sealed class SdxlGenerator : MonoBehaviour
    {
        [Tooltip("A diffusers folder, a .safetensors file, or the name of a repository in the Hugging Face cache. "
            + "Paths that begin with StreamingAssets/ lie there.")]
        [SerializeField] string model = "";
        [Tooltip("cpu, cuda or cuda:N.")]
        [SerializeField] string device = "cpu";
        [Tooltip("f32, f16 or bf16; the CPU computes in f32.")]
        [SerializeField] string precision = "f32";

        [TextArea(2, 6)]
        [SerializeField] string prompt = "a lighthouse in a storm, oil painting";
        [TextArea(1, 4)]
        [SerializeField] string negativePrompt = "";
        [Tooltip("Pixels, a multiple of 8; 0 for the model's own.")]
        [SerializeField] int width;
        [SerializeField] int height;
        [Range(1, 150)]
        [SerializeField] int steps = 30;
        [Range(0, 20)]
        [SerializeField] float guidance = 5;
        [SerializeField] long seed;
        [Tooltip("Empty for the model's own.")]
        [SerializeField] string scheduler = "";
        [Tooltip("Shows small pictures while it draws.")]
        [SerializeField] bool preview = true;

        [SerializeField] SdxlTextureEvent onPreview = new SdxlTextureEvent();
        [SerializeField] SdxlTextureEvent onFinished = new SdxlTextureEvent();
        [SerializeField] SdxlMessageEvent onFailed = new SdxlMessageEvent();

        SdxlPipeline pipeline;
        string loaded;
        Task<SdxlPipeline> loading;
        SdxlPipelineOptions options;
        SdxlJob job;
        bool isWanted;
        Texture2D picture, small;

        /// <summary>Called with a small texture after every step that a frame sees.</summary>
        public SdxlTextureEvent OnPreview { get { return onPreview; } }

        /// <summary>Called with the picture. The texture is this component's, which fills it again.</summary>
        public SdxlTextureEvent OnFinished { get { return onFinished; } }

        /// <summary>Called with what went wrong.</summary>
        public SdxlMessageEvent OnFailed { get { return onFailed; } }

        /// <summary>The model: a folder, a file or the name of a repository.</summary>
        public string Model { get { return model; } set { model = value; } }

        /// <summary>What the picture shows.</summary>
        public string Prompt { get { return prompt; } set { prompt = value; } }

        /// <summary>What the picture does not show; "" is none.</summary>
        public string NegativePrompt { get { return negativePrompt; } set { negativePrompt = value; } }

        /// <summary>The steps of the sampler.</summary>
        public int Steps { get { return steps; } set { steps = value; } }

        /// <summary>The seed.</summary>
        public long Seed { get { return seed; } set { seed = value; } }

        /// <summary>The scale of guidance.</summary>
        public float Guidance { get { return guidance; } set { guidance = value; } }

        /// <summary>Whether a model is being loaded or a picture drawn.</summary>
        public bool IsBusy { get { return loading != null || job != null; } }

        /// <summary>Where the picture under way stands.</summary>
        public SdxlProgress Progress { get; private set; }

        /// <summary>The last picture, or null.</summary>
        public Texture2D Picture { get { return picture; } }

        /// <summary>Draws a picture; one that is under way is cancelled. The model is loaded first, if it has to be.</summary>
        [ContextMenu("Generate")]
        public void Generate()
        {
            Cancel();
            isWanted = true;
            try
            {
                if (loading == null && (pipeline == null || loaded != model + device + precision)) Load();
                if (loading == null) Begin();
            }
            catch (Exception error)
            {
                Fail(error);
            }
        }

        /// <summary>Ends the picture under way, within one layer. Without effect where there is none.</summary>
        [ContextMenu("Cancel")]
        public void Cancel()
        {
            isWanted = false;
            if (job != null) job.Dispose();
            job = null;
        }

        /// <summary>Lets the model go.</summary>
        public void Unload()
        {
            Cancel();
            if (pipeline != null) pipeline.Dispose();
            pipeline = null;
            loaded = null;
        }

        void Load()
        {
            Unload();
            isWanted = true;
            loaded = model + device + precision;
            options = new SdxlPipelineOptions(ResolvedModel).SetDevice(device).SetPrecision(precision);
            loading = SdxlPipeline.LoadAsync(options);
        }

        /// <summary>The model's path, with StreamingAssets in full.</summary>
        public string ResolvedModel
        {
            get
            {
                const string Prefix = "StreamingAssets/";
                return model.StartsWith(Prefix, StringComparison.Ordinal)
                    ? System.IO.Path.Combine(Application.streamingAssetsPath, model.Substring(Prefix.Length)) : model;
            }
        }

        void Begin()
        {
            isWanted = false;
            using (var conditioning = new SdxlConditioning(prompt))
            {
                if (negativePrompt != "") conditioning.SetNegativePrompt(negativePrompt);
                using (var request = new SdxlRequest(conditioning))
                {
                    request.SetSteps(steps).SetGuidance(guidance).SetSeed(unchecked((ulong)seed));
                    if (width > 0) request.SetWidth(width);
                    if (height > 0) request.SetHeight(height);
                    if (scheduler != "")
                    {
                        using (SdxlScheduler own = SdxlScheduler.FromPipeline(pipeline))
                        {
                            request.SetScheduler(own.SetName(scheduler));
                        }
                    }
                    Progress = default(SdxlProgress);
                    job = pipeline.Start(request);
                }
            }
        }

        void Update()
        {
            try
            {
                if (loading != null && loading.IsCompleted) Loaded();
                if (job != null) Watch();
            }
            catch (Exception error)
            {
                Fail(error);
            }
        }

        void Loaded()
        {
            Task<SdxlPipeline> task = loading;
            loading = null;
            options.Dispose();
            pipeline = task.GetAwaiter().GetResult();
            // Another model may have been chosen meanwhile.
            if (isWanted) Generate();
        }

        void Watch()
        {
            SdxlProgress now = job.Poll();
            bool isNew = now.Step != Progress.Step;
            Progress = now;
            if (now.HasEnded) Finish();
            else if (preview && isNew) ShowPreview();
        }

        void ShowPreview()
        {
            SdxlImage image;
            if (!job.TryPreview(out image)) return;
            using (image) image.CopyTo(ref small);
            onPreview.Invoke(small);
        }

        void Finish()
        {
            using (SdxlJob ended = job)
            {
                job = null;
                SdxlImage[] images = ended.TakeImages();
                using (images[0]) images[0].CopyTo(ref picture);
            }
            onFinished.Invoke(picture);
        }

        void Fail(Exception error)
        {
            Cancel();
            if (error is OperationCanceledException) return;
            if (pipeline == null) loaded = null;
            Debug.LogException(error, this);
            onFailed.Invoke(error.Message);
        }

        void OnDisable() { Cancel(); }

        void OnDestroy()
        {
            Unload();
            if (loading != null)
            {
                // The model arrives when nobody wants it any more.
                SdxlPipelineOptions unused = options;
                loading.ContinueWith(task =>
                {
                    unused.Dispose();
                    if (task.Status == TaskStatus.RanToCompletion) task.Result.Dispose();
                });
                loading = null;
            }
            if (picture != null) SdxlTextures.Destroy(picture);
            if (small != null) SdxlTextures.Destroy(small);
        }
    }
}

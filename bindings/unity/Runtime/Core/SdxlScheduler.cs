using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// A way of sampling. Requests that it was given to keep what it was then. The sampler comes first: SetName starts
    /// again from the checkpoint's settings.
    /// </summary>
    public sealed unsafe partial class SdxlScheduler : SdxlObject
    {
        SdxlScheduler(ulong id) : base(new SchedulerHandle(id)) { }

        /// <summary>Makes a scheduler for a model with Stable Diffusion XL's own settings.</summary>
        /// <param name="name">
        /// euler, euler_a, heun, dpm2, dpm2_a, dpmpp_2m, dpmpp_2m_sde, dpmpp_3m_sde, dpmpp_sde, dpmpp_2s_a, lms, ddim,
        /// ddpm, pndm, unipc, deis, lcm, tcd, edm_euler or edm_dpmpp_2m.
        /// </param>
        public SdxlScheduler(string name) : this(New(name)) { }

        static ulong New(string name)
        {
            SdxlLibrary.Require();
            sdxl_scheduler scheduler;
            fixed (byte* text = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_new(text, &scheduler));
            }
            return scheduler.id;
        }

        /// <summary>
        /// Makes the scheduler that a distilled or fine-tuned model, or an adapter, was made for. docs/schedulers.md has
        /// the steps and guidance that go with each.
        /// </summary>
        /// <param name="name">
        /// dpmpp_2m_karras, dpmpp_2m_sde_karras, turbo, lightning, lightning_one_step, lcm, dmd2, hyper, hyper_unified,
        /// hyper_one_step, tcd, v_prediction_zero_snr, playground_v2_5 or cosxl.
        /// </param>
        public static SdxlScheduler Preset(string name)
        {
            SdxlLibrary.Require();
            sdxl_scheduler scheduler;
            fixed (byte* text = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_new_preset(text, &scheduler));
            }
            return new SdxlScheduler(scheduler.id);
        }

        /// <summary>Makes a copy of the scheduler that came with a model, to change some of it.</summary>
        /// <param name="pipeline">of which model.</param>
        public static SdxlScheduler FromPipeline(SdxlPipeline pipeline)
        {
            using (var held = Borrow(pipeline, "pipeline"))
            {
                sdxl_scheduler scheduler;
                Check(NativeMethods.sdxl_scheduler_from_pipeline(new sdxl_pipeline(held.Id), &scheduler));
                return new SdxlScheduler(scheduler.id);
            }
        }

        /// <summary>
        /// Makes the scheduler of a diffusers scheduler_config.json: the way to every option of a solver.
        /// </summary>
        /// <param name="json">the text of the file, not its path.</param>
        public static SdxlScheduler FromConfig(string json)
        {
            SdxlLibrary.Require();
            sdxl_scheduler scheduler;
            fixed (byte* text = Utf8.Encode(json, "json"))
            {
                Check(NativeMethods.sdxl_scheduler_from_config(text, &scheduler));
            }
            return new SdxlScheduler(scheduler.id);
        }

        /// <summary>The scheduler_config.json that the scheduler stands for.</summary>
        public string Config
        {
            get
            {
                using (var self = Borrow())
                {
                    var scheduler = new sdxl_scheduler(self.Id);
                    return Utf8.Read((buffer, capacity, size) =>
                        NativeMethods.sdxl_scheduler_copy_config(scheduler, buffer, capacity, size));
                }
            }
        }
    }
}

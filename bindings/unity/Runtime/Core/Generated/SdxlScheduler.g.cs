// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>
    /// A way of sampling. Requests that it was given to keep what it was then.
    ///
    /// The sampler comes first: SdxlScheduler.SetName starts again from the checkpoint's settings.
    /// </summary>
    public sealed unsafe partial class SdxlScheduler : SdxlObject
    {
        internal SdxlScheduler(ulong id) : base(new SchedulerHandle(id)) { }

        /// <summary>Makes a scheduler for a model with Stable Diffusion XL's own settings.</summary>
        /// <param name="name">
        /// euler, euler_a, heun, dpm2, dpm2_a, dpmpp_2m, dpmpp_2m_sde, dpmpp_3m_sde, dpmpp_sde, dpmpp_2s_a, lms,
        /// ddim, ddpm, pndm, unipc, deis, lcm, tcd, edm_euler or edm_dpmpp_2m.
        /// </param>
        public SdxlScheduler(string name) : this(New(name)) { }

        static ulong New(string name)
        {
            SdxlLibrary.Require();
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                sdxl_scheduler nativeScheduler;
                Check(NativeMethods.sdxl_scheduler_new(nameText, &nativeScheduler));
                return nativeScheduler.id;
            }
        }

        /// <summary>
        /// Makes the scheduler that a distilled or fine-tuned model, or an adapter, was made for. The guide to the schedulers
        /// (docs/schedulers.md) has the steps and guidance that go with each.
        /// </summary>
        /// <param name="name">
        /// dpmpp_2m_karras, dpmpp_2m_sde_karras, turbo, lightning, lightning_one_step, lcm, dmd2, hyper, hyper_unified,
        /// hyper_one_step, tcd, v_prediction_zero_snr, playground_v2_5 or cosxl.
        /// </param>
        public static SdxlScheduler Preset(string name)
        {
            SdxlLibrary.Require();
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                sdxl_scheduler nativeScheduler;
                Check(NativeMethods.sdxl_scheduler_new_preset(nameText, &nativeScheduler));
                return new SdxlScheduler(nativeScheduler.id);
            }
        }

        /// <summary>Makes a copy of the scheduler that came with a model, to change some of it.</summary>
        /// <param name="pipeline">of which model.</param>
        public static SdxlScheduler FromPipeline(SdxlPipeline pipeline)
        {
            using (var pipelineHeld = Borrow(pipeline, "pipeline"))
            {
                sdxl_scheduler nativeScheduler;
                Check(NativeMethods.sdxl_scheduler_from_pipeline(new sdxl_pipeline(pipelineHeld.Id), &nativeScheduler));
                return new SdxlScheduler(nativeScheduler.id);
            }
        }

        /// <summary>Makes the scheduler of a diffusers scheduler_config.json: the way to every option of a solver.</summary>
        /// <param name="json">the text of the file, not its path.</param>
        public static SdxlScheduler FromConfig(string json)
        {
            SdxlLibrary.Require();
            fixed (byte* jsonText = Utf8.Encode(json, "json"))
            {
                sdxl_scheduler nativeScheduler;
                Check(NativeMethods.sdxl_scheduler_from_config(jsonText, &nativeScheduler));
                return new SdxlScheduler(nativeScheduler.id);
            }
        }

        /// <summary>Reads the scheduler of a diffusers scheduler_config.json.</summary>
        /// <param name="path">the file.</param>
        public static SdxlScheduler Open(string path)
        {
            SdxlLibrary.Require();
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                sdxl_scheduler nativeScheduler;
                Check(NativeMethods.sdxl_scheduler_open(pathText, &nativeScheduler));
                return new SdxlScheduler(nativeScheduler.id);
            }
        }

        /// <summary>Makes a copy of a scheduler, to change some of it.</summary>
        public SdxlScheduler Clone()
        {
            using (var self = Borrow())
            {
                sdxl_scheduler nativeScheduler;
                Check(NativeMethods.sdxl_scheduler_clone(new sdxl_scheduler(self.Id), &nativeScheduler));
                return new SdxlScheduler(nativeScheduler.id);
            }
        }

        /// <summary>Takes another sampler for the same model. The settings of the checkpoint hold; others are its own defaults.</summary>
        /// <param name="name">one of those that SdxlScheduler lists.</param>
        public SdxlScheduler SetName(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_name(new sdxl_scheduler(self.Id), nameText));
                return this;
            }
        }

        /// <summary>Chooses the timesteps or noise levels by name.</summary>
        /// <param name="name">leading, trailing, linspace, karras, exponential, beta, ays or sgm_uniform. Default: the checkpoint's.</param>
        public SdxlScheduler SetSpacing(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_spacing(new sdxl_scheduler(self.Id), nameText));
                return this;
            }
        }

        /// <summary>Says what the UNet predicts.</summary>
        /// <param name="name">epsilon, v, sample or edm. Default: the checkpoint's.</param>
        public SdxlScheduler SetPrediction(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_prediction(new sdxl_scheduler(self.Id), nameText));
                return this;
            }
        }

        /// <summary>Sets the share of fresh noise in each step of ddim and tcd.</summary>
        /// <param name="eta">0 to 1; 0 for all other samplers. Default: 0.</param>
        public SdxlScheduler SetEta(double eta)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_eta(new sdxl_scheduler(self.Id), eta));
                return this;
            }
        }

        /// <summary>Visits these timesteps.</summary>
        /// <param name="timesteps">numbers below 1000, each less than the one before it.</param>
        public SdxlScheduler SetTimesteps(double[] timesteps)
        {
            using (var self = Borrow())
            fixed (double* timestepsItems = NotNull(timesteps, "timesteps"))
            {
                Check(NativeMethods.sdxl_scheduler_set_timesteps(new sdxl_scheduler(self.Id), timestepsItems, Count(timesteps)));
                return this;
            }
        }

        /// <summary>Visits these noise levels.</summary>
        /// <param name="sigmas">each less than the one before it; the last one is where the run ends, and may be 0.</param>
        public SdxlScheduler SetSigmas(double[] sigmas)
        {
            using (var self = Borrow())
            fixed (double* sigmasItems = NotNull(sigmas, "sigmas"))
            {
                Check(NativeMethods.sdxl_scheduler_set_sigmas(new sdxl_scheduler(self.Id), sigmasItems, Count(sigmas)));
                return this;
            }
        }

        /// <summary>Visits multiples of 1000/steps from below.</summary>
        /// <param name="offset">by which they are moved up. Default: that of the checkpoint, 1 for Stable Diffusion XL.</param>
        public SdxlScheduler SetLeading(int offset)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_leading(new sdxl_scheduler(self.Id), Unsigned(offset, "offset")));
                return this;
            }
        }

        /// <summary>Visits what lcm and tcd were distilled on.</summary>
        /// <param name="originalSteps">1 to 1000, the most steps that a run can have. Default, for lcm and tcd: 50.</param>
        public SdxlScheduler SetDistilled(int originalSteps)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_distilled(new sdxl_scheduler(self.Id), Unsigned(originalSteps, "originalSteps")));
                return this;
            }
        }

        /// <summary>Spreads the noise levels evenly in sigma^(1/rho).</summary>
        /// <param name="rho">above 0; 7 in the paper, and for the spacing "karras".</param>
        public SdxlScheduler SetKarras(double rho)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_karras(new sdxl_scheduler(self.Id), rho));
                return this;
            }
        }

        /// <summary>Spreads the noise levels as quantiles of a beta distribution.</summary>
        /// <param name="alpha">above 0; 0.6 in the paper, and for the spacing "beta".</param>
        /// <param name="beta">above 0; 0.6 in the paper, and for the spacing "beta".</param>
        public SdxlScheduler SetBeta(double alpha, double beta)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_beta(new sdxl_scheduler(self.Id), alpha, beta));
                return this;
            }
        }

        /// <summary>Sets the ends of karras, exponential or beta levels, which have to be chosen before.</summary>
        /// <param name="sigmaMin">the lowest level, above 0. Default: that of the spacing or of the training.</param>
        /// <param name="sigmaMax">the highest level, above 0. Default: that of the spacing or of the training.</param>
        public SdxlScheduler SetSigmaRange(double sigmaMin, double sigmaMax)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_sigma_range(new sdxl_scheduler(self.Id), sigmaMin, sigmaMax));
                return this;
            }
        }

        /// <summary>Chooses the noise level that a run ends at.</summary>
        /// <param name="name">
        /// "zero" or "sigma_min", the lowest level of the training. Default: zero; samplers that cannot reach it, the
        /// other.
        /// </param>
        public SdxlScheduler SetTerminal(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_terminal(new sdxl_scheduler(self.Id), nameText));
                return this;
            }
        }

        /// <summary>Chooses what becomes of fractional timesteps before the UNet is told them.</summary>
        /// <param name="name">"reference" (as diffusers' class does), "exact", "nearest" or "down". Default: "reference".</param>
        public SdxlScheduler SetRounding(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_rounding(new sdxl_scheduler(self.Id), nameText));
                return this;
            }
        }

        /// <summary>Chooses how the noise level between two training timesteps is found.</summary>
        /// <param name="name">"linear" (in sigma) or "log_linear". Default: "linear".</param>
        public SdxlScheduler SetInterpolation(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_interpolation(new sdxl_scheduler(self.Id), nameText));
                return this;
            }
        }

        /// <summary>Chooses how strong the noise is that a run from nothing starts with.</summary>
        /// <param name="name">
        /// "sigma" (as if the data were zero) or "with_data" (as if they had unit variance). Default: as in diffusers,
        /// "sigma" for the k-diffusion family with trailing or linspace spacing.
        /// </param>
        public SdxlScheduler SetInitialNoise(string name)
        {
            using (var self = Borrow())
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                Check(NativeMethods.sdxl_scheduler_set_initial_noise(new sdxl_scheduler(self.Id), nameText));
                return this;
            }
        }

        /// <summary>Keeps denoised samples between -range and range. Latents need no such thing.</summary>
        /// <param name="range">above 0. Default: unlimited.</param>
        public SdxlScheduler SetClip(double range)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_clip(new sdxl_scheduler(self.Id), range));
                return this;
            }
        }

        /// <summary>Keeps denoised samples below a quantile of their size (Imagen's dynamic thresholding). Latents need no such thing.</summary>
        /// <param name="ratio">the quantile, 0 to 1; diffusers: 0.995.</param>
        /// <param name="max">the most that the limit may be, above 0; diffusers: 1.</param>
        public SdxlScheduler SetDynamicClip(double ratio, double max)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_scheduler_set_dynamic_clip(new sdxl_scheduler(self.Id), ratio, max));
                return this;
            }
        }

        /// <summary>Copies the scheduler_config.json that the scheduler stands for.</summary>
        public string Config()
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_scheduler_copy_config(new sdxl_scheduler(self.Id), null, UIntPtr.Zero, &size));
                var found = new byte[checked((int)size.ToUInt64())];
                fixed (byte* items = found) Check(NativeMethods.sdxl_scheduler_copy_config(new sdxl_scheduler(self.Id), items, size, &size));
                return Utf8.Decode(found);
            }
        }

        /// <summary>Copies the noise levels that a whole run visits: standard deviations, downwards, the one that it ends at included.</summary>
        /// <param name="steps">1 to 1000.</param>
        public double[] Sigmas(int steps)
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_scheduler_copy_sigmas(new sdxl_scheduler(self.Id), Unsigned(steps, "steps"), null, UIntPtr.Zero, &size));
                var found = new double[checked((int)size.ToUInt64())];
                fixed (double* items = found) Check(NativeMethods.sdxl_scheduler_copy_sigmas(new sdxl_scheduler(self.Id), Unsigned(steps, "steps"), items, size, &size));
                return found;
            }
        }

        /// <summary>Copies the timesteps that the UNet is told for the noise levels of SdxlScheduler.Sigmas.</summary>
        /// <param name="steps">1 to 1000.</param>
        public double[] Timesteps(int steps)
        {
            using (var self = Borrow())
            {
                UIntPtr size;
                Check(NativeMethods.sdxl_scheduler_copy_timesteps(new sdxl_scheduler(self.Id), Unsigned(steps, "steps"), null, UIntPtr.Zero, &size));
                var found = new double[checked((int)size.ToUInt64())];
                fixed (double* items = found) Check(NativeMethods.sdxl_scheduler_copy_timesteps(new sdxl_scheduler(self.Id), Unsigned(steps, "steps"), items, size, &size));
                return found;
            }
        }
    }
}

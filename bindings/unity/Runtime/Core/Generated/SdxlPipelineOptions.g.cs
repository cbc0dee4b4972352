// Generated from include/sdxl.h by scripts/csharp: do not edit.
using System;
using Sdxl.Native;

namespace Sdxl
{
    /// <summary>Options for loading a model. Any number of pipelines can be loaded with them.</summary>
    public sealed unsafe partial class SdxlPipelineOptions : SdxlObject
    {
        internal SdxlPipelineOptions(ulong id) : base(new PipelineOptionsHandle(id)) { }

        /// <summary>Makes options for a model on disk.</summary>
        /// <param name="model">
        /// a diffusers folder, a folder of the Hugging Face cache or the name of a repository in it
        /// ("stabilityai/stable-diffusion-xl-base-1.0"), or a single .safetensors file.
        /// </param>
        public SdxlPipelineOptions(string model) : this(New(model)) { }

        static ulong New(string model)
        {
            SdxlLibrary.Require();
            fixed (byte* modelText = Utf8.Encode(model, "model"))
            {
                sdxl_pipeline_options nativeOptions;
                Check(NativeMethods.sdxl_pipeline_options_new(modelText, &nativeOptions));
                return nativeOptions.id;
            }
        }

        /// <summary>Makes options for a model in the caller's memory, such as in a game's pack: add its files to them.</summary>
        /// <param name="name">what the model is called in pictures and messages.</param>
        public static SdxlPipelineOptions InMemory(string name)
        {
            SdxlLibrary.Require();
            fixed (byte* nameText = Utf8.Encode(name, "name"))
            {
                sdxl_pipeline_options nativeOptions;
                Check(NativeMethods.sdxl_pipeline_options_new_in_memory(nameText, &nativeOptions));
                return new SdxlPipelineOptions(nativeOptions.id);
            }
        }

        /// <summary>Chooses where the models compute.</summary>
        /// <param name="device">"cpu", "cuda" (the first one) or "cuda:N". Default: "cpu".</param>
        public SdxlPipelineOptions SetDevice(string device)
        {
            using (var self = Borrow())
            fixed (byte* deviceText = Utf8.Encode(device, "device"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_device(new sdxl_pipeline_options(self.Id), deviceText));
                return this;
            }
        }

        /// <summary>Chooses the type in which the models compute. Stored weights keep the type of the file on the CPU whatever it is.</summary>
        /// <param name="precision">"f32", "f16" or "bf16". Default: "f32", the only one on the CPU.</param>
        public SdxlPipelineOptions SetPrecision(string precision)
        {
            using (var self = Borrow())
            fixed (byte* precisionText = Utf8.Encode(precision, "precision"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_precision(new sdxl_pipeline_options(self.Id), precisionText));
                return this;
            }
        }

        /// <summary>Chooses among the files of a diffusers folder.</summary>
        /// <param name="variant">
        /// the part of the file names before ".safetensors", such as "fp16". Default: "", the plain names, or
        /// fp16 where there are no others.
        /// </param>
        public SdxlPipelineOptions SetVariant(string variant)
        {
            using (var self = Borrow())
            fixed (byte* variantText = Utf8.Encode(variant, "variant"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_variant(new sdxl_pipeline_options(self.Id), variantText));
                return this;
            }
        }

        /// <summary>Decodes with a tiny autoencoder (TAESDXL) in the place of the model's own: much faster, a little less exact.</summary>
        /// <param name="path">an AutoencoderTiny file or folder of diffusers, or a folder with TAESD's own two files. Default: none.</param>
        public SdxlPipelineOptions SetTaesd(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_taesd(new sdxl_pipeline_options(self.Id), pathText));
                return this;
            }
        }

        /// <summary>Takes another autoencoder of the same shape, such as the one whose activations fit into 16 bits.</summary>
        /// <param name="path">
        /// a diffusers folder with its config.json, or a file; a single file of a whole model will do. Default: the
        /// model's own.
        /// </param>
        public SdxlPipelineOptions SetVae(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_vae(new sdxl_pipeline_options(self.Id), pathText));
                return this;
            }
        }

        /// <summary>Takes another UNet, as distilled models come.</summary>
        /// <param name="path">
        /// a diffusers folder with its config.json, or a file of one of the same shape; a single file of a whole model
        /// will do. Default: the model's own.
        /// </param>
        public SdxlPipelineOptions SetUnet(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_unet(new sdxl_pipeline_options(self.Id), pathText));
                return this;
            }
        }

        /// <summary>Adds a textual inversion, under the words of its file.</summary>
        /// <param name="path">the .safetensors file. Default: none.</param>
        public SdxlPipelineOptions AddEmbedding(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_add_embedding(new sdxl_pipeline_options(self.Id), pathText));
                return this;
            }
        }

        /// <summary>Adds a LoRA; several add up. What is wrong with it is found when the model is checked or loaded.</summary>
        /// <param name="path">the .safetensors file, of diffusers, PEFT, kohya or LyCORIS. Default: none.</param>
        /// <param name="weight">how strongly it acts; 1 as it was trained.</param>
        public SdxlPipelineOptions AddLora(string path, double weight = 1)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_add_lora(new sdxl_pipeline_options(self.Id), pathText, weight));
                return this;
            }
        }

        /// <summary>Merges the LoRAs into the weights while these are read: steps take no longer than without them.</summary>
        public SdxlPipelineOptions MergeLoras()
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_pipeline_options_merge_loras(new sdxl_pipeline_options(self.Id)));
                return this;
            }
        }

        /// <summary>
        /// Puts the pipeline into a process of its own: a crash there, a kill, or the end of memory ends its jobs with
        /// SdxlStatus.Worker, and the next job starts the process anew. Everything else is as it is without.
        /// </summary>
        /// <param name="isolation">"none" or "process". Default: "none".</param>
        /// <remarks>
        /// The process is the program sdxl-worker: see SdxlPipelineOptions.SetWorker. It ends when the last of the pipeline, its
        /// clones and their jobs is gone, and with the caller's process, however that ends. Files of SdxlPipelineOptions.AddFile
        /// are copied into memory that both processes share, and stay there as long as the pipeline.
        /// </remarks>
        public SdxlPipelineOptions SetIsolation(string isolation)
        {
            using (var self = Borrow())
            fixed (byte* isolationText = Utf8.Encode(isolation, "isolation"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_isolation(new sdxl_pipeline_options(self.Id), isolationText));
                return this;
            }
        }

        /// <summary>Says which program the process of an isolated pipeline is. It is of the same version as the library.</summary>
        /// <param name="path">
        /// the program sdxl-worker. Default: that of the environment variable SDXL_WORKER, or else the one beside the
        /// library, or in a folder sdxl there.
        /// </param>
        public SdxlPipelineOptions SetWorker(string path)
        {
            using (var self = Borrow())
            fixed (byte* pathText = Utf8.Encode(path, "path"))
            {
                Check(NativeMethods.sdxl_pipeline_options_set_worker(new sdxl_pipeline_options(self.Id), pathText));
                return this;
            }
        }

        /// <summary>
        /// Encodes and decodes pictures strip by strip: in a third of the memory, for about a third more time. The pictures are the
        /// same up to rounding, without seams.
        /// </summary>
        /// <param name="vaeTiling">1 for yes, 0 for no. Default: 0.</param>
        public SdxlPipelineOptions SetVaeTiling(bool vaeTiling)
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_pipeline_options_set_vae_tiling(new sdxl_pipeline_options(self.Id), vaeTiling ? 1u : 0u));
                return this;
            }
        }

        /// <summary>Checks the model without reading its weights: configurations, tokenizers, and names and shapes of all tensors.</summary>
        public void Check()
        {
            using (var self = Borrow())
            {
                Check(NativeMethods.sdxl_pipeline_options_check(new sdxl_pipeline_options(self.Id)));
            }
        }

        /// <summary>Checks the model as SdxlPipelineOptions.Check does, and says what it is.</summary>
        public SdxlPipelineInfo Info()
        {
            using (var self = Borrow())
            {
                var nativeInfo = new sdxl_pipeline_info { struct_size = (uint)sizeof(sdxl_pipeline_info) };
                Check(NativeMethods.sdxl_pipeline_options_get_info(new sdxl_pipeline_options(self.Id), &nativeInfo));
                return new SdxlPipelineInfo(nativeInfo);
            }
        }
    }
}

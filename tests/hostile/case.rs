//! One hostile input: how it is made, what opens it, what that costs.

use std::ffi::c_int;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use sdxl::config::{AutoencoderKlConfig, AutoencoderTinyConfig, ClipTextConfig, UnetConfig};
use sdxl::text::{Chunks, Padding, Tokenizer, WeightedPrompt};
use sdxl::weights::read_safetensors;
use sdxl::{Image, Latents, Lora, Mask, Pipeline, Scheduler, TextEmbeddings, TextualInversion};
use serde_json::json;
use tch::{Kind, Tensor};

/// A file or folder and what becomes of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) open: Open,
    /// Makes it in an empty folder and returns its path.
    pub(crate) make: Box<dyn Fn(&Path) -> PathBuf + Sync>,
    /// A part of the error's text; `None` where it is read.
    pub(crate) says: Option<&'static str>,
    /// Bytes of what is read beside the file itself.
    pub(crate) bytes_read: u64,
}

impl Case {
    pub(crate) fn new(
        name: impl Into<String>,
        open: Open,
        says: &'static str,
        make: impl Fn(&Path) -> PathBuf + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), open, make: Box::new(make), says: Some(says), bytes_read: 0 }
    }

    /// A single file of that content.
    pub(crate) fn file(
        name: impl Into<String>,
        open: Open,
        says: &'static str,
        content: impl Into<Vec<u8>>,
    ) -> Self {
        let content = content.into();
        Self::new(name, open, says, move |folder| {
            let path = folder.join(open.file_name());
            fs::write(&path, &content).unwrap();
            path
        })
    }

    /// What is strange but valid.
    pub(crate) fn valid(self) -> Self {
        Self { says: None, ..self }
    }

    pub(crate) fn reading(self, bytes_read: u64) -> Self {
        Self { bytes_read, ..self }
    }
}

macro_rules! opens {
    ($($name:ident $file:literal $open:expr;)*) => {
        /// What opens a file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Open {
            $($name),*
        }

        impl Open {
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            pub(crate) fn of(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    _ => panic!("nothing opens {name}"),
                }
            }

            /// What such a file may be called.
            pub(crate) fn file_name(self) -> &'static str {
                match self { $(Self::$name => $file),* }
            }

            fn open(self, path: &Path) -> sdxl::Result<()> {
                match self { $(Self::$name => { let open: fn(&Path) -> sdxl::Result<()> = $open; open(path) }),* }
            }
        }
    };
}

opens! {
    // A single file, or a folder.
    Model "model.safetensors" |path| Pipeline::builder(path).check().map(drop);
    Load "model.safetensors" |path| Pipeline::builder(path).build().map(drop);
    Tensors "tensors.safetensors" |path| read_safetensors(path).map(drop);
    LatentsFile "latents.safetensors" |path| Latents::open(path).map(drop);
    EmbeddingsFile "embeddings.safetensors" |path| TextEmbeddings::open(path).map(drop);
    LoraFile "lora.safetensors" |path| Lora::open(path).map(drop);
    Inversion "word.safetensors" |path| TextualInversion::open(path).map(drop);
    UnetJson "config.json" |path| UnetConfig::from_file(path).map(drop);
    VaeJson "config.json" |path| AutoencoderKlConfig::from_file(path).map(drop);
    TinyJson "config.json" |path| AutoencoderTinyConfig::from_file(path).map(drop);
    ClipJson "config.json" |path| ClipTextConfig::from_file(path).map(drop);
    SchedulerJson "scheduler_config.json" |path| Scheduler::from_file(path).map(drop);
    // A folder. What is in it is used, too.
    TokenizerFolder "tokenizer" |path| Tokenizer::from_folder(path)?.encode("a small cat").map(drop);
    ImageFile "image.png" |path| Image::open(path).map(drop);
    ImageSize "image.png" |path| Image::dimensions(path).map(drop);
    MaskFile "mask.png" |path| Mask::open(path).map(drop);
    // A text, which is what the file holds.
    Plain "prompt.txt" |path| {
        Chunks::plain(tokenizer(), &fs::read_to_string(path).unwrap()).map(drop)
    };
    Weighted "prompt.txt" |path| {
        let prompt = WeightedPrompt::parse(&fs::read_to_string(path).unwrap())?;
        Chunks::weighted(tokenizer(), &prompt).map(drop)
    };
}

fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| Tokenizer::builtin(Padding::EndOfText).unwrap())
}

/// What opening a file came to.
pub(crate) struct Outcome {
    /// The error's text.
    pub(crate) text: String,
    pub(crate) time: Duration,
    /// Bytes by which the resident memory grew, at its highest.
    pub(crate) memory: u64,
    /// Whether there was no error.
    pub(crate) read: bool,
}

impl Outcome {
    pub(crate) fn to_line(&self) -> String {
        json!([self.text, self.time.as_nanos() as u64, self.memory, self.read]).to_string()
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (text, time, memory, read) = serde_json::from_str(line).ok()?;
        Some(Self { text, time: Duration::from_nanos(time), memory, read })
    }
}

/// Opens a file in this process, and measures that.
pub(crate) fn measure(open: Open, path: &Path) -> Outcome {
    // As in a program that runs: libtorch is loaded and has computed, the built-in vocabulary is read.
    let ones = Tensor::ones([4, 4], (Kind::Float, tch::Device::Cpu));
    assert!(ones.matmul(&ones).isfinite().all().int64_value(&[]) == 1);
    if matches!(open, Open::Plain | Open::Weighted) {
        tokenizer().encode("a cat").unwrap();
    }
    let _ = read_safetensors("/nowhere").unwrap_err().to_string();
    // Resets the highest size of the resident memory to the present one.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = resident("VmRSS:");
    let start = processor_time();
    let result = open.open(path);
    let time = processor_time() - start;
    let memory = resident("VmHWM:").saturating_sub(before);
    let (text, read) = match result {
        Ok(()) => (String::new(), true),
        Err(error) => (error.to_string(), false),
    };
    Outcome { text, time, memory, read }
}

/// A size of this process in bytes.
pub(crate) fn resident(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// What this thread has computed so far, whoever else uses the processor.
fn processor_time() -> Duration {
    unsafe extern "C" {
        fn clock_gettime(clock: c_int, time: *mut [i64; 2]) -> c_int;
    }
    const CLOCK_THREAD_CPUTIME_ID: c_int = 3;
    let mut time = [0; 2];
    // SAFETY: on 64 bits, a timespec is two whole numbers.
    assert_eq!(unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
    Duration::new(time[0] as u64, time[1] as u32)
}

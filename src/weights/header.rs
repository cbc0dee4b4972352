//! [`Header`]: the JSON at the start of a safetensors file. Whatever is counted is capped while it is parsed, so that a
//! hostile header costs little more than reading it.

use std::collections::BTreeMap;
use std::fmt;

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// SDXL's own headers have about 2500 tensors and stay under 0.4 MB.
pub(super) const HEADER_CAP: u64 = 32 << 20;
/// Of a file, and of a model.
pub(super) const TENSORS_CAP: usize = 32_768;
const RANK_CAP: usize = 8;
const NAME_CAP: usize = 512;
/// Training programs write about a hundred texts.
const TEXTS_CAP: usize = 4096;

/// The tensors of a file, and the texts beside them.
pub(super) struct Header {
    pub(super) tensors: BTreeMap<String, TensorInfo>,
    pub(super) metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut tensors = BTreeMap::new();
        let mut metadata = None;
        while let Some(Name(name)) = map.next_key()? {
            if name == "__metadata__" {
                if metadata.replace(map.next_value::<Texts>()?.0).is_some() {
                    return Err(A::Error::custom("__metadata__ is there twice"));
                }
                continue;
            }
            if tensors.len() == TENSORS_CAP {
                return Err(A::Error::custom(format!("more than {TENSORS_CAP} tensors")));
            }
            let Row { dtype, shape, data_offsets } = map
                .next_value()
                .map_err(|error: A::Error| A::Error::custom(format!("tensor {name:?}: {error}")))?;
            if tensors.contains_key(&name) {
                return Err(A::Error::custom(format!("tensor {name:?} is there twice")));
            }
            tensors.insert(name, TensorInfo { dtype, shape: shape.0, data_offsets });
        }
        Ok(Header { tensors, metadata: metadata.unwrap_or_default() })
    }
}

/// At most [`NAME_CAP`] bytes.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a tensor's name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                match name.len() {
                    0..=NAME_CAP => Ok(Name(name.to_owned())),
                    length => Err(E::custom(format!("a tensor's name has {length} bytes"))),
                }
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// What a header says of a tensor, and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    dtype: Dtype,
    shape: Shape,
    data_offsets: (usize, usize),
}

/// At most [`RANK_CAP`] sizes.
struct Shape(Vec<usize>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShapeVisitor;
        impl<'de> Visitor<'de> for ShapeVisitor {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of sizes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
                let mut sizes = Vec::new();
                while let Some(size) = list.next_element()? {
                    if sizes.len() == RANK_CAP {
                        return Err(A::Error::custom(format!("more than {RANK_CAP} dimensions")));
                    }
                    sizes.push(size);
                }
                Ok(Shape(sizes))
            }
        }
        deserializer.deserialize_seq(ShapeVisitor)
    }
}

/// At most [`TEXTS_CAP`] texts.
struct Texts(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((name, text)) = map.next_entry()? {
                    if texts.len() == TEXTS_CAP {
                        return Err(A::Error::custom(format!("more than {TEXTS_CAP} texts in __metadata__")));
                    }
                    texts.insert(name, text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_map(TextsVisitor)
    }
}

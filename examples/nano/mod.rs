//! The data that `models/nano` is trained on and measured by: scenes of emoji, composed from a sprite pack
//! (`scripts/sprites`), with captions. `docs/nano-data.md` describes them.
//!
//! [`Composer`](composer::Composer) makes [`Scene`](scene::Scene)s, which are data: what is where. A scene knows its
//! [caption](scene::Scene::caption); [`Sprites`](sprites::Sprites) render it;
//! [`Judge`](judge::Judge) reads a picture and says how much of a scene it shows.

pub mod caption;
pub mod composer;
pub mod judge;
pub mod layout;
pub mod model;
pub mod noun;
pub mod palette;
pub mod picture;
pub mod random;
pub mod scene;
pub mod segment;
pub mod sheet;
pub mod sprites;
pub mod stages;
pub mod tally;
pub mod vocabulary;

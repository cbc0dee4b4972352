//! The table of handles: what C holds is a number, and only numbers that are in the table mean anything.

use std::any::Any;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::error::sdxl_status::SDXL_STATUS_INVALID_HANDLE;
use super::error::{Failure, Outcome};

/// A C struct that holds the number of an object.
pub(super) trait Handle: Copy {
    /// What it stands for.
    type Object: Send + Sync + 'static;
    /// What messages call it.
    const NAME: &'static str;

    fn new(id: u64) -> Self;
    fn id(self) -> u64;
}

/// Says what a handle stands for.
macro_rules! handle {
    ($handle:ident, $name:literal, $object:ty) => {
        impl $crate::ffi::table::Handle for $handle {
            type Object = $object;
            const NAME: &'static str = $name;

            fn new(id: u64) -> Self {
                Self { id }
            }

            fn id(self) -> u64 {
                self.id
            }
        }
    };
}
pub(super) use handle;

struct Entry {
    name: &'static str,
    object: Arc<dyn Any + Send + Sync>,
}

static TABLE: RwLock<BTreeMap<u64, Entry>> = RwLock::new(BTreeMap::new());

/// A number that was never given out before and never will be again, so that a handle means one object for as
/// long as the process lives. Numbers look random, and differ from process to process: one that was made up, or
/// kept from another run, is in nobody's table.
fn new_id() -> u64 {
    static GENERATION: AtomicU64 = AtomicU64::new(0);
    static SALT: OnceLock<u64> = OnceLock::new();
    let salt = SALT.get_or_init(|| RandomState::new().build_hasher().finish());
    loop {
        // SplitMix64: a one-to-one map, so different generations have different numbers.
        let mut z = GENERATION.fetch_add(1, Ordering::Relaxed).wrapping_add(*salt);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        if z != 0 {
            return z;
        }
    }
}

/// A new handle for an object.
pub(super) fn insert<H: Handle>(object: H::Object) -> H {
    let id = new_id();
    let entry = Entry { name: H::NAME, object: Arc::new(object) };
    TABLE.write().unwrap_or_else(PoisonError::into_inner).insert(id, entry);
    H::new(id)
}

/// The object of a handle, which lives at least until the caller lets go of it.
pub(super) fn get<H: Handle>(handle: H) -> Outcome<Arc<H::Object>> {
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    let entry = table.get(&handle.id());
    let object = entry.and_then(|entry| Arc::clone(&entry.object).downcast().ok());
    object.ok_or_else(|| invalid::<H>(handle, entry.map(|entry| entry.name)))
}

/// Takes a handle out of the table; calls that use its object go on.
pub(super) fn remove<H: Handle>(handle: H) -> Outcome<Arc<H::Object>> {
    let object = get(handle)?;
    let removed = TABLE.write().unwrap_or_else(PoisonError::into_inner).remove(&handle.id());
    // Another thread may have been quicker.
    removed.map(|_| object).ok_or_else(|| invalid::<H>(handle, None))
}

fn invalid<H: Handle>(handle: H, other: Option<&'static str>) -> Failure {
    let what = match (handle.id(), other) {
        (0, _) => "is zero".to_owned(),
        (_, Some(other)) => format!("is a handle of type {other}"),
        (id, None) => format!("{id:#018x} was freed, or never was a handle"),
    };
    Failure::new(SDXL_STATUS_INVALID_HANDLE, format!("handle of type {}: {what}", H::NAME))
}

//! What C passes: texts, buffers, structs and places for results. The only file that follows its pointers.
//!
//! The header's contract: a pointer is NULL, or it leads to as much memory as the function says, which nobody
//! changes during the call.

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};
use std::{mem, ptr, slice};

use super::error::sdxl_status::{
    SDXL_STATUS_BUFFER_TOO_SMALL, SDXL_STATUS_INVALID_STRUCT_SIZE, SDXL_STATUS_INVALID_TEXT,
    SDXL_STATUS_INVALID_VALUE, SDXL_STATUS_NULL_POINTER,
};
use super::error::{Failure, Outcome, guard, sdxl_status};
use super::table::{self, Handle};
use crate::error::Error;
use crate::runtime::locked;

fn null(name: &str) -> Failure {
    Failure::new(SDXL_STATUS_NULL_POINTER, format!("{name} is NULL"))
}

/// A text that must be there.
pub(super) fn text<'a>(pointer: *const c_char, name: &str) -> Outcome<&'a str> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL, so it leads to a text that ends with a NUL.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|error| {
        let message = format!("{name} is not UTF-8 (at byte {})", error.valid_up_to());
        Failure::new(SDXL_STATUS_INVALID_TEXT, message)
    })
}

/// A list of at most `most` numbers.
pub(super) fn short_list<'a, T: Copy>(
    pointer: *const T,
    (count, most): (usize, usize),
    name: &str,
) -> Outcome<&'a [T]> {
    if count > most {
        let message = format!("{name} is a list of {count}, expected at most {most}");
        return Err(Failure::new(SDXL_STATUS_INVALID_VALUE, message));
    }
    list(pointer, count, name)
}

/// A list of at most `most` texts.
pub(super) fn texts<'a>(
    pointer: *const *const c_char,
    (count, most): (usize, usize),
    name: &str,
) -> Outcome<Vec<&'a str>> {
    short_list(pointer, (count, most), name)?.iter().map(|&pointer| text(pointer, name)).collect()
}

/// What a list of at most `most` handles stands for.
pub(super) fn objects<H: Handle>(
    pointer: *const H,
    (count, most): (usize, usize),
    name: &str,
) -> Outcome<Vec<Arc<H::Object>>> {
    short_list(pointer, (count, most), name)?.iter().map(|&handle| table::get(handle)).collect()
}

/// 0 is no, 1 is yes; C's `bool` has a size of its own in every language.
pub(super) fn switch(value: u32, name: &'static str) -> Outcome<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Error::invalid(name, other, "0 or 1").into()),
    }
}

/// A list of numbers, or bytes. NULL is fine where there are none.
pub(super) fn list<'a, T: Copy>(pointer: *const T, count: usize, name: &str) -> Outcome<&'a [T]> {
    let bytes = count.checked_mul(size_of::<T>());
    match NonNull::new(pointer.cast_mut()) {
        _ if bytes.is_none_or(|bytes| isize::try_from(bytes).is_err()) => Err(too_long(count, name)),
        _ if count == 0 => Ok(&[]),
        None => Err(null(name)),
        // SAFETY: `count` readable values lie there.
        Some(start) => Ok(unsafe { slice::from_raw_parts(start.as_ptr(), count) }),
    }
}

/// Bytes of C that are kept beyond the call, without a copy.
pub(super) struct Borrowed(&'static [u8]);

impl AsRef<[u8]> for Borrowed {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

/// Bytes that C promises to leave where they are for as long as the function says.
pub(super) fn borrowed(pointer: *const u8, count: usize, name: &str) -> Outcome<Borrowed> {
    list(pointer, count, name).map(Borrowed)
}

/// Memory that is written to.
pub(super) fn buffer<'a, T: Copy>(pointer: *mut T, count: usize, name: &str) -> Outcome<&'a mut [T]> {
    let bytes = count.checked_mul(size_of::<T>());
    match NonNull::new(pointer) {
        _ if bytes.is_none_or(|bytes| isize::try_from(bytes).is_err()) => Err(too_long(count, name)),
        None => Err(null(name)),
        // SAFETY: `count` writable values lie there, and nobody else looks at them during the call.
        Some(start) => Ok(unsafe { slice::from_raw_parts_mut(start.as_ptr(), count) }),
    }
}

fn too_long(count: usize, name: &str) -> Failure {
    Failure::new(SDXL_STATUS_INVALID_VALUE, format!("the size of {name} is {count}, more than memory holds"))
}

/// A place for a result. It is written once everything else has succeeded.
pub(super) struct Place<T>(NonNull<T>);

/// The place must be there before any work is done for it.
pub(super) fn place<T>(pointer: *mut T, name: &str) -> Outcome<Place<T>> {
    NonNull::new(pointer).map(Place).ok_or_else(|| null(name))
}

impl<T> Place<T> {
    pub(super) fn write(self, value: T) {
        // SAFETY: not NULL, so a value of this type may be written there.
        unsafe { self.0.write(value) }
    }
}

/// A struct that C may know in an older, shorter version: it starts with a `uint32_t struct_size`.
///
/// # Safety
/// `#[repr(C)]`, begins with that field, and every byte pattern is a value.
pub(super) unsafe trait Versioned: Copy {
    /// The size of its first version.
    const FIRST_SIZE: usize;
    /// Values for the fields that an older version does not have.
    const DEFAULT: Self;
}

fn struct_size<T: Versioned>(pointer: NonNull<T>, name: &str) -> Outcome<usize> {
    // SAFETY: the struct begins with its size.
    let size = unsafe { pointer.cast::<u32>().read() } as usize;
    let known = T::FIRST_SIZE..=size_of::<T>();
    if known.contains(&size) {
        return Ok(size);
    }
    let message = format!("{name}.struct_size is {size}, expected {} to {}", known.start(), known.end());
    Err(Failure::new(SDXL_STATUS_INVALID_STRUCT_SIZE, message))
}

/// A struct that is read; the default for NULL.
pub(super) fn structure<T: Versioned>(pointer: *const T, name: &str) -> Outcome<T> {
    let Some(pointer) = NonNull::new(pointer.cast_mut()) else { return Ok(T::DEFAULT) };
    let size = struct_size(pointer, name)?;
    let mut value = T::DEFAULT;
    // SAFETY: `size` readable bytes lie there, and not more than the struct has.
    unsafe { ptr::copy_nonoverlapping(pointer.as_ptr().cast::<u8>(), (&raw mut value).cast::<u8>(), size) };
    Ok(value)
}

/// A place for a struct, of which no more is written than C knows.
pub(super) struct StructurePlace<T> {
    pointer: NonNull<T>,
    size: usize,
}

pub(super) fn structure_place<T: Versioned>(pointer: *mut T, name: &str) -> Outcome<StructurePlace<T>> {
    let pointer = NonNull::new(pointer).ok_or_else(|| null(name))?;
    Ok(StructurePlace { pointer, size: struct_size(pointer, name)? })
}

impl<T: Versioned> StructurePlace<T> {
    /// Writes all fields but the size.
    pub(super) fn write(self, value: &T) {
        let start = size_of::<u32>();
        // SAFETY: both have `size` bytes at least, of which the first field is left out.
        unsafe {
            let source = ptr::from_ref(value).cast::<u8>().add(start);
            let target = self.pointer.as_ptr().cast::<u8>().add(start);
            ptr::copy_nonoverlapping(source, target, self.size - start);
        }
    }
}

/// Copies values into C's buffer, or says how many there are: the size goes to `out_size` whenever that is not
/// NULL and the buffer is large enough, or none.
pub(super) fn copy_out<T: Copy>(
    values: &[T],
    pointer: *mut T,
    capacity: usize,
    out_size: *mut usize,
) -> Outcome {
    if pointer.is_null() && out_size.is_null() {
        return Err(null("buffer and out_size"));
    }
    if !pointer.is_null() {
        room(buffer(pointer, capacity, "buffer")?, values.len())?.copy_from_slice(values);
    }
    if !out_size.is_null() {
        place(out_size, "out_size")?.write(values.len());
    }
    Ok(())
}

/// As [`copy_out`], of values that take time: they are made only where there is room for them.
pub(super) fn copy_made<T: Copy>(
    count: usize,
    make: impl FnOnce() -> Outcome<Vec<T>>,
    pointer: *mut T,
    capacity: usize,
    out_size: *mut usize,
) -> Outcome {
    if pointer.is_null() {
        place(out_size, "buffer and out_size")?.write(count);
        return Ok(());
    }
    room(buffer(pointer, capacity, "buffer")?, count)?;
    copy_out(&make()?, pointer, capacity, out_size)
}

/// Copies a text with its NUL into C's buffer, as [`copy_out`].
pub(super) fn copy_text(text: &str, pointer: *mut c_char, capacity: usize, out_size: *mut usize) -> Outcome {
    let mut bytes = text.replace('\0', "\u{fffd}").into_bytes();
    bytes.push(0);
    copy_out(&bytes, pointer.cast(), capacity, out_size)
}

/// The body of a function that makes an object.
pub(super) fn create<H: Handle>(
    out: *mut H,
    name: &str,
    make: impl FnOnce() -> Outcome<H::Object>,
) -> sdxl_status {
    guard(|| {
        let out = place(out, name)?;
        out.write(table::insert(make()?));
        Ok(())
    })
}

/// The body of a function that frees a handle.
pub(super) fn free<H: Handle>(handle: H) -> sdxl_status {
    guard(|| table::remove(handle).map(drop))
}

/// The body of a setter: a changed copy takes the old one's place if everything succeeds.
pub(super) fn change<H, T>(handle: H, body: impl FnOnce(T) -> Outcome<T>) -> sdxl_status
where
    H: Handle<Object = Mutex<T>>,
    T: Clone + Send + 'static,
{
    guard(|| {
        let object = table::get(handle)?;
        let mut value = locked(&object);
        let changed = body(value.clone())?;
        // What is dropped may be large; nobody needs to wait for that.
        let old = mem::replace(&mut *value, changed);
        drop(value);
        drop(old);
        Ok(())
    })
}

/// A copy of what a handle stands for.
pub(super) fn copy_of<H, T>(handle: H) -> Outcome<T>
where
    H: Handle<Object = Mutex<T>>,
    T: Clone + Send + 'static,
{
    let object = table::get(handle)?;
    let value = locked(&object).clone();
    Ok(value)
}

/// The body of a function that makes a copy of an object, which then goes its own way.
pub(super) fn duplicate<H, T>(handle: H, out: *mut H, name: &str) -> sdxl_status
where
    H: Handle<Object = Mutex<T>>,
    T: Clone + Send + 'static,
{
    create(out, name, || Ok(Mutex::new(copy_of(handle)?)))
}

/// One of some names.
pub(super) fn choice<T, const N: usize>(text: &str, field: &'static str, all: [(&str, T); N]) -> Outcome<T> {
    let names = all.each_ref().map(|(name, _)| *name).join(", ");
    let found = all.into_iter().find(|(name, _)| *name == text).map(|(_, value)| value);
    found.ok_or_else(|| Error::invalid(field, format!("`{text}`"), format!("one of {names}")).into())
}

/// The first `count` places of a buffer.
pub(super) fn room<T>(buffer: &mut [T], count: usize) -> Outcome<&mut [T]> {
    let capacity = buffer.len();
    buffer.get_mut(..count).ok_or_else(|| {
        let message = format!("the buffer has room for {capacity}, expected at least {count}");
        Failure::new(SDXL_STATUS_BUFFER_TOO_SMALL, message)
    })
}

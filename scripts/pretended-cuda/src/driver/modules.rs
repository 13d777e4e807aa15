//! Modules and the functions in them.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::{Address, Handle};
use crate::code::{Code, INVALID_PTX, INVALID_VALUE, NOT_FOUND, OK};
use crate::decode::program;
use crate::machine::Program;
use crate::ptx::{Refused, parse};
use crate::settings::SETTINGS;
use crate::stats;

/// Shared memory that a launch may ask for, unless its function was allowed more.
const SHARED: u32 = 49152;
/// What a function may be allowed.
const MOST_SHARED: c_int = 232_448;
/// The attribute that allows it.
const ALLOWED_SHARED: c_int = 8;

/// Kernels that are ready to run; none where nothing is computed.
pub struct Module {
    programs: Vec<Arc<Program>>,
}

pub struct Function {
    pub name: String,
    /// None where nothing is computed.
    pub program: Option<Arc<Program>>,
    /// Shared memory that a launch may ask for.
    pub allowed: AtomicU32,
}

/// Decodes all kernels of a text.
pub fn programs(text: &str) -> Result<Vec<Arc<Program>>, Refused> {
    let module = parse(text)?;
    let decoded = |entry| program(entry, &module.shared).map(Arc::new);
    module.entries.iter().map(decoded).collect()
}

/// The name of a text's first kernel.
fn first_entry(text: &str) -> &str {
    let after = text
        .split_once(".entry ")
        .map_or("module", |(_, after)| after);
    after.split(['(', ' ', '\n']).next().unwrap_or("module")
}

fn keep(text: &str, number: u64, name: &str, folder: &Path) {
    let name: String = name.chars().take(99).collect();
    let path = folder.join(format!("{number:05}_{name}.ptx"));
    if let Err(error) = fs::write(&path, text) {
        eprintln!("pretended: {} cannot be written: {error}", path.display());
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuModuleLoadData(module: *mut Handle, image: *const c_char) -> Code {
    // SAFETY: the caller's: a text that ends with a zero.
    let text = unsafe { CStr::from_ptr(image) }.to_string_lossy();
    let name = first_entry(&text);
    let number = stats::MODULES.add(1);
    if let Some(folder) = &SETTINGS.ptx {
        keep(&text, number, name, folder);
    }
    let mut loaded = Module {
        programs: Vec::new(),
    };
    if SETTINGS.compute {
        match programs(&text) {
            Ok(programs) => loaded.programs = programs,
            Err(Refused { line, why }) => {
                stats::REFUSED.add(1);
                eprintln!("pretended: module {name}, line {line}: {why}");
                return INVALID_PTX;
            }
        }
    }
    // SAFETY: the caller's.
    unsafe { *module = Box::into_raw(Box::new(loaded)).cast() };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuModuleUnload(module: Handle) -> Code {
    // Functions have parts of their own in the programs.
    // SAFETY: the caller's: `cuModuleLoadData` made it, and it is not used again.
    drop(unsafe { Box::from_raw(module.cast::<Module>()) });
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuModuleGetFunction(
    function: *mut Handle,
    module: Handle,
    name: *const c_char,
) -> Code {
    // SAFETY: the caller's.
    let (module, name) = unsafe { (&*module.cast::<Module>(), CStr::from_ptr(name)) };
    let name = name.to_string_lossy().into_owned();
    let program = module
        .programs
        .iter()
        .find(|program| program.name == name)
        .cloned();
    if SETTINGS.compute && program.is_none() {
        return NOT_FOUND;
    }
    let allowed = AtomicU32::new(SHARED);
    let made = Box::new(Function {
        name,
        program,
        allowed,
    });
    // SAFETY: the caller's.
    unsafe { *function = Box::into_raw(made).cast() };
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuModuleGetGlobal_v2(
    _address: *mut Address,
    _bytes: *mut usize,
    _module: Handle,
    _name: *const c_char,
) -> Code {
    NOT_FOUND
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuFuncSetAttribute(function: Handle, attribute: c_int, value: c_int) -> Code {
    if value > MOST_SHARED {
        return INVALID_VALUE;
    }
    if attribute == ALLOWED_SHARED {
        // SAFETY: the caller's: `cuModuleGetFunction` made it.
        let function = unsafe { &*function.cast::<Function>() };
        function
            .allowed
            .store(u32::try_from(value).unwrap_or(0).max(SHARED), Relaxed);
    }
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuFuncGetAttribute(
    value: *mut c_int,
    _attribute: c_int,
    _function: Handle,
) -> Code {
    // SAFETY: the caller's.
    unsafe { *value = 32 };
    OK
}

/// Descriptions of tensors have 128 bytes, and nothing here reads them.
unsafe fn clear(map: *mut c_void) -> Code {
    // SAFETY: the caller's.
    unsafe { map.write_bytes(0, 128) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuTensorMapEncodeTiled(map: *mut c_void) -> Code {
    // SAFETY: the caller's.
    unsafe { clear(map) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuTensorMapEncodeIm2col(map: *mut c_void) -> Code {
    // SAFETY: the caller's.
    unsafe { clear(map) }
}

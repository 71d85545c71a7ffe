//! The environment variables that decide what is read.
//!
//! Workers get these and no others. What the caches keep depends on all of them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use cowrap_base::files::Digester;

/// The variables by which libclang is found, and those that change what clang reads.
const DECIDING: &[&str] = &[
    "LIBCLANG_PATH",
    "COWRAP_RESOURCE_DIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "CPATH",
    "C_INCLUDE_PATH",
    "SOURCE_DATE_EPOCH",
    "SDKROOT",
    "MACOSX_DEPLOYMENT_TARGET",
];

/// The variables that are set, with their values.
pub fn deciding() -> impl Iterator<Item = (&'static str, OsString)> {
    DECIDING.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)))
}

/// Adds the variables to the key of something that depends on them.
pub fn add_to(digester: &mut Digester) {
    for (name, value) in deciding() {
        digester.update(name.as_bytes());
        digester.update(value.as_bytes());
    }
    digester.update(b"end of the environment");
}

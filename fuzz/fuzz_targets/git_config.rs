//! `cowrap_fuzz_checks::TARGETS` says what this checks.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cowrap_fuzz_checks::run("git_config", bytes));

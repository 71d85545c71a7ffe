pub mod clang;
pub mod config;
pub mod extract;
pub mod facts;
pub mod source;

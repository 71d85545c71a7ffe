//! What several tests use.

pub mod browser;
pub mod child;
pub mod copies;
pub mod expect;
pub mod flows;
pub mod hostile_c;
pub mod random;
pub mod sharing;
pub mod synthetic;
pub mod tree;

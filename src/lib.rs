//! cowrap

//! Repositories whose configuration or layout is odd or hostile.

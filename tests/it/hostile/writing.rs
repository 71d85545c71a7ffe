//! Nothing is written outside, and nothing is lost.

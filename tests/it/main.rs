//! All integration tests, in one program: it is built and linked once.

mod apply;
mod audit;
mod cache;
mod cli;
mod contexts;
mod dialects;
mod differential;
mod distributed;
mod docs;
mod facts;
mod fix;
mod fixtures;
mod formats;
mod gate;
mod generate;
mod hook;
mod incremental;
mod packs;
mod page;
mod points_to;
mod program;
mod queries;
mod reader;
mod sharing;
mod snapshots;
mod support;

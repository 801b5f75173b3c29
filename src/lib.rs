//! airlock: an Elastic Package Registry for networks with no way out. One binary, one SQLite file.
//!
//! The map, one paragraph a room; `docs/architecture.md` has the tables and two walkthroughs.
//!
//! [`package`] is what a package is and says: names, constraints, manifests, the documents made of them, queries, the zip
//! of a tree. Text and file lists come in, values and bytes go out; no I/O, SQL, clock or async.
//!
//! [`distribution`] is which package versions are offered where: the kinds of branches and their rules, precedence, and
//! the plan of an import. Domain as well; it knows packages.
//!
//! [`archive`] turns hostile bytes into bounded entries: tars under one layer of compression, zips, folders. It knows nothing
//! of packages and creates nothing.
//!
//! [`store`] is the one file everything lives in, and the only SQL: one file a noun, functions that take the connection.
//!
//! [`import`] makes a source a branch in three steps: stage, plan, commit. It is the only room that knows archives and the
//! store both.
//!
//! [`catalog`] is what each distribution offers, in memory: built from the store, never changed, swapped whole. It answers
//! queries and keeps the answers.
//!
//! [`api`] is HTTP as Kibana speaks it. It reads the catalog and the store and cannot write.
//!
//! [`admin`] is what the operator does, as functions on the store, and the JSON API by which another process asks for them.
//!
//! [`server`] is connections: listeners, time-outs, the request log, a clean stop. What is answered on them it is told.
//!
//! [`cli`] is the command line, one file a subcommand. It does its work here where it can have the store, and asks a running
//! server where that has it.
//!
//! [`config`] says where settings come from. [`limits`] holds every bound on what comes from outside, each with its reason.
//! [`crypto`] is the one door to cryptography, [`accounts`] tells users and groups of the host, [`people`] what people are called and
//! which roles there are. The last four are leaves that every room may use.

pub mod accounts;
pub mod admin;
pub mod api;
pub mod archive;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod crypto;
pub mod distribution;
pub mod import;
pub mod limits;
pub mod package;
pub mod people;
pub mod server;
pub mod store;

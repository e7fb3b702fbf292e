//! What the macros accept: each module is the program of a user, and its test says what became of it.
//!
//! These programs are compiled by any compiler, without a warning; what is refused is in `fail`.
#![deny(warnings, clippy::all)]

mod authorization;
mod cfgs;
mod clients;
mod contexts;
mod lifecycle;
mod local_names;
mod macro_rules;
mod names;
mod no_client;
mod not_send;
mod results;
mod streams;
mod values;
mod visibility;

use hubwire::HubDefinition;

/// The methods of a hub as clients call them, in the order of its block.
fn names<H: HubDefinition>() -> Vec<&'static str> {
    H::methods().iter().map(|method| method.name).collect()
}

/// What a hub's methods take, as messages about a call show it.
fn parameters<H: HubDefinition>() -> Vec<String> {
    let parameters = H::methods().iter().flat_map(|method| method.parameters);
    parameters.map(|parameter| format!("{}: {}", parameter.name, parameter.rust_type)).collect()
}

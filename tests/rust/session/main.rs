//! What a hub does for one connection and for several: sessions in memory and in virtual time.
//!
//! There is no network, no runtime and no clock here: a [`kit::Link`] is the client's end of a connection, and polls its session only when that was woken.

mod addresses;
mod authorization;
mod calls;
mod client_results;
mod disconnect;
mod ending;
mod filters;
mod handshake;
mod keep_alive;
mod kit;
mod lifecycle;
mod messagepack;
mod order;
mod presence;
mod pressure;
mod stateful;
mod streams;

//! Hubs inside apps as others write them: their middleware, logins and logs, over every transport, on real servers.

mod client;
mod hidden;
mod kit;
mod logins;
mod races;

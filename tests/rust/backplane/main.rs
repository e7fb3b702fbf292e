//! Several servers as one hub: what must hold whatever carries their messages.
//!
//! The scenarios of [`suite`] run on one server, on two of one process, and on two over a Redis.

mod faults;
mod house;
#[expect(dead_code, reason = "the sessions of these tests need less of it than others do")]
#[path = "../session/kit.rs"]
mod kit;
mod redis_server;
mod suite;
mod time;
mod tls;

/// Runs every scenario on every kind of house.
macro_rules! on_every_backplane {
    ($($scenario:ident)*) => {
        mod one_server {
            $(#[test] fn $scenario() { super::suite::$scenario(super::house::one_server()); })*
        }
        mod in_process {
            $(#[test] fn $scenario() { super::suite::$scenario(super::house::in_process()); })*
        }
        mod redis {
            $(#[test] fn $scenario() { super::house::redis().into_iter().for_each(super::suite::$scenario); })*
        }
    };
}

on_every_backplane! {
    every_address_reaches_those_elsewhere
    a_member_of_several_groups_hears_once
    connections_elsewhere_join_and_leave
    whoever_is_nowhere_cannot_join
    everyone_knows_who_is_there
    everyone_is_counted
    every_address_can_be_sent_away
    clients_elsewhere_give_results
    clients_that_are_gone_give_none
    clients_that_take_too_long_give_none
    a_method_asks_a_client_elsewhere
    what_one_server_sends_keeps_its_order
    a_call_is_encoded_in_both_protocols
    calls_count_and_keep_their_compression
}

//! Numbers in JSON: what was sent is what is read.

use hubwire_protocol::{HubProtocol, Raw};

#[test]
fn every_double_is_read_as_the_one_that_was_sent() {
    let mut bits = 1_u64;
    for _ in 0..10_000 {
        // Knuth's linear congruence, whose period is 2^64: doubles of every size.
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let double = f64::from_bits(bits);
        if !double.is_finite() {
            continue;
        }
        let sent = Raw::new(HubProtocol::Json, &double).expect("a double is a number");
        let read: f64 = sent.decode().expect("a number is a double");
        // A reader that rounds twice takes its neighbour for some.
        assert_eq!(read.to_bits(), double.to_bits(), "{double:?}");
    }
}

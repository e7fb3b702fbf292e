//! Values as MessagePack: as rmp-serde has them where that is what SignalR's clients expect, and where it is not, as they
//! expect them.

#![cfg(feature = "messagepack")]

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Debug,
    net::{IpAddr, Ipv4Addr},
};

use hubwire_protocol::{Binary, DecodeError, HubProtocol, Raw, Timestamp};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

const MESSAGEPACK: HubProtocol = HubProtocol::MessagePack;

fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    Raw::new(MESSAGEPACK, value).expect("it has a form").as_bytes().to_vec()
}

/// Bytes as somebody else sends them, as a value.
fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    // A completion whose result they are.
    let message = [&[0x95, 3, 0x80, 0xa1, b'1', 3], bytes].concat();
    match MESSAGEPACK.parse(&message.into()).expect("the bytes are MessagePack") {
        hubwire_protocol::HubMessage::Completion(hubwire_protocol::Completion {
            outcome: hubwire_protocol::Outcome::Value(value),
            ..
        }) => value.decode(),
        other => panic!("{other:?}"),
    }
}

/// Named structs and text for ids, as rmp-serde writes them when it is asked to.
fn others<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    let mut serializer =
        rmp_serde::Serializer::new(&mut out).with_struct_map().with_human_readable();
    value.serialize(&mut serializer).expect("it has a form");
    out
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Newtype(i32);

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Pair(String, Option<bool>);

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Kind {
    Unit,
    Newtype(Newtype),
    Tuple(u8, String),
    Struct { a: Option<u8>, b: Vec<i64> },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type", content = "value", rename_all = "camelCase")]
enum Adjacent {
    Nothing,
    Some(Pair),
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "type")]
enum Internal {
    Plain { n: u64 },
    Other(BTreeMap<String, f64>),
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
enum Either {
    Number(i64),
    Text(String),
    List(Vec<Self>),
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct More {
    x: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<u8>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Everything {
    some_flag: bool,
    letter: char,
    float: f32,
    double: f64,
    integers: (i8, i16, i32, i64, u8, u16, u32, u64),
    unit: (),
    text: String,
    pair: Pair,
    newtype: Newtype,
    kinds: Vec<Kind>,
    adjacent: [Adjacent; 2],
    internal: Vec<Internal>,
    either: Either,
    address: IpAddr,
    keys: BTreeMap<u32, Option<Kind>>,
    #[serde(flatten)]
    more: More,
}

fn everything() -> impl Strategy<Value = Everything> {
    let integers = any::<(i8, i16, i32, i64, u8, u16, u32, u64)>();
    let kind = prop_oneof![
        Just(Kind::Unit),
        any::<i32>().prop_map(|n| Kind::Newtype(Newtype(n))),
        any::<(u8, String)>().prop_map(|(n, text)| Kind::Tuple(n, text)),
        (any::<Option<u8>>(), vec(any::<i64>(), 0..20)).prop_map(|(a, b)| Kind::Struct { a, b }),
    ];
    let numbers = (any::<f32>(), any::<f64>(), integers, any::<u8>(), any::<Option<u8>>());
    let texts = (any::<char>(), "(?s).{0,300}", any::<Option<bool>>());
    (numbers, texts, vec(kind, 0..20)).prop_map(|(numbers, (letter, text, maybe), kinds)| {
        let (float, double, integers, x, y) = numbers;
        let pair = Pair(text.clone(), maybe);
        Everything {
            some_flag: maybe.is_some(),
            letter,
            float,
            double,
            integers,
            unit: (),
            newtype: Newtype(integers.2),
            adjacent: [Adjacent::Nothing, Adjacent::Some(pair.clone())],
            internal: vec![
                Internal::Plain { n: integers.7 },
                Internal::Other(BTreeMap::from([(text.clone(), double)])),
            ],
            either: Either::List(vec![Either::Number(integers.3), Either::Text(text.clone())]),
            address: IpAddr::V4(Ipv4Addr::from(integers.6)),
            keys: kinds.iter().cloned().map(Some).enumerate().map(|(n, k)| (n as u32, k)).collect(),
            more: More { x, y },
            text,
            pair,
            kinds,
        }
    })
}

proptest! {
    #[test]
    fn values_are_written_as_others_write_them_and_come_back(value in everything()) {
        let bytes = encode(&value);
        prop_assert_eq!(&bytes, &others(&value));
        prop_assert_eq!(&decode::<Everything>(&bytes)?, &value);
    }

    #[test]
    fn structs_are_read_as_arrays_too(value in everything()) {
        // The pair and the kinds have no flattened or tagged parts, which cannot be arrays.
        let compact = rmp_serde::to_vec(&(&value.pair, &value.kinds, value.newtype.clone()))?;
        let (pair, kinds, newtype): (Pair, Vec<Kind>, Newtype) = decode(&compact)?;
        prop_assert_eq!((pair, kinds, newtype), (value.pair, value.kinds, value.newtype));
    }

    #[test]
    fn what_javascript_sends_becomes_the_integer_that_it_is(number in any::<i64>()) {
        let float = number as f64;
        let sent = [&[0xcb], &float.to_be_bytes()[..]].concat();
        if let Ok(read) = decode::<i64>(&sent) {
            prop_assert_eq!(read as f64, float);
        }
    }
}

#[test]
fn unit_structs_and_wide_integers_are_as_in_json() {
    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Unit;

    check(&Unit, &[0xc0]);
    check(&5_u128, &[0x05]);
    check(&-5_i128, &[0xfb]);
    check(&i128::from(u64::MAX), &[0xcf, 255, 255, 255, 255, 255, 255, 255, 255]);
    for wide in [i128::MAX, i128::MIN, i128::from(i64::MIN) - 1, i128::from(u64::MAX) + 1] {
        assert!(Raw::new(MESSAGEPACK, &wide).is_err());
    }
    assert!(Raw::new(MESSAGEPACK, &u128::MAX).is_err());
}

#[track_caller]
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, bytes: &[u8]) {
    assert_eq!(encode(value), bytes);
    assert_eq!(&decode::<T>(bytes).expect("it is one of these"), value);
}

#[test]
fn floats_without_a_fraction_are_integers_where_those_are_wanted() {
    let float = |number: f64| [&[0xcb], &number.to_be_bytes()[..]].concat();
    assert_eq!(decode::<u64>(&float(1.7e18)).unwrap(), 1_700_000_000_000_000_000);
    assert_eq!(decode::<i64>(&float(-9_223_372_036_854_775_808.0)).unwrap(), i64::MIN);
    assert_eq!(decode::<u8>(&float(255.0)).unwrap(), 255);
    assert_eq!(decode::<i8>(&[0xca, 0xc0, 0, 0, 0]).unwrap(), -2);
    for wrong in [0.5, -0.5, 256.0, -1.0, 1e300, f64::NAN, f64::INFINITY] {
        assert!(decode::<u8>(&float(wrong)).is_err(), "{wrong}");
    }
    for wrong in [18_446_744_073_709_551_616.0, -9_223_372_036_854_777_856.0] {
        assert!(decode::<u64>(&float(wrong)).is_err(), "{wrong}");
        assert!(decode::<i64>(&float(wrong)).is_err(), "{wrong}");
    }
    // Where nobody asks for an integer it stays what it is.
    assert_eq!(decode::<f64>(&float(2.0)).unwrap(), 2.0);
    assert_eq!(decode::<f64>(&[0x02]).unwrap(), 2.0);
    assert_eq!(decode::<Value>(&float(2.0)).unwrap(), json!(2.0));
}

#[test]
fn keys_that_are_digits_are_numbers_where_those_are_wanted() {
    let sent = encode(&json!({"1": "a", "-2": "b"}));
    assert_eq!(
        decode::<HashMap<i8, String>>(&sent).unwrap(),
        HashMap::from([(1, "a".to_owned()), (-2, "b".to_owned())])
    );
    assert!(decode::<HashMap<u8, String>>(&sent).is_err());
    // A value is no key.
    assert!(decode::<HashMap<String, i8>>(&encode(&json!({"a": "1"}))).is_err());
    assert!(decode::<Vec<i8>>(&encode(&json!(["1"]))).is_err());
    let nested = encode(&json!({"1": {"2": ["x"]}}));
    assert!(decode::<HashMap<u8, HashMap<u8, Vec<String>>>>(&nested).is_ok());
    assert!(decode::<HashMap<u8, HashMap<u8, Vec<u8>>>>(&nested).is_err());
}

#[test]
fn bytes_are_read_wherever_a_sequence_is_wanted() {
    assert_eq!(encode(&Binary::from(vec![1, 255])), [0xc4, 2, 1, 255]);
    assert_eq!(decode::<Vec<u8>>(&[0xc4, 2, 1, 255]).unwrap(), [1, 255]);
    assert_eq!(decode::<[u8; 2]>(&[0xc4, 2, 1, 255]).unwrap(), [1, 255]);
    assert!(decode::<[u8; 1]>(&[0xc4, 2, 1, 255]).is_err());
    assert_eq!(decode::<Binary>(&[0x92, 1, 0xcc, 255]).unwrap()[..], [1, 255]);
    assert_eq!(decode::<Binary>(&encode("Af8=")).unwrap()[..], [1, 255]);
    assert_eq!(encode(&vec![1_u8, 255]), [0x92, 1, 0xcc, 255]);
    assert!(decode::<Value>(&[0xc4, 2, 1, 255]).is_err(), "JSON has no bytes");
}

#[test]
fn points_in_time_are_their_extension_and_text_for_whoever_reads_text() {
    let whole: Timestamp = "2000-01-01T00:00:00Z".parse().unwrap();
    let half: Timestamp = "2000-01-01T00:00:00.500Z".parse().unwrap();
    let before: Timestamp = "1969-12-31T23:59:59.999999999Z".parse().unwrap();
    check(&whole, &[0xd6, 0xff, 0x38, 0x6d, 0x43, 0x80]);
    check(&half, &[0xd7, 0xff, 0x77, 0x35, 0x94, 0x00, 0x38, 0x6d, 0x43, 0x80]);
    check(
        &Some(before),
        &[0xc7, 12, 0xff, 0x3b, 0x9a, 0xc9, 0xff, 255, 255, 255, 255, 255, 255, 255, 255],
    );
    // The last whole second of each of the shorter forms, and the next.
    for (seconds, len) in [((1 << 32) - 1, 6), (1 << 32, 10), ((1 << 34) - 1, 10), (1 << 34, 15)] {
        let timestamp = Timestamp::from_unix(seconds, 0).unwrap();
        assert_eq!(encode(&timestamp).len(), len);
        assert_eq!(decode::<Timestamp>(&encode(&timestamp)).unwrap(), timestamp);
    }
    assert_eq!(decode::<String>(&encode(&half)).unwrap(), "2000-01-01T00:00:00.500Z");
    assert_eq!(decode::<Timestamp>(&encode("2000-01-01T00:00:00Z")).unwrap(), whole);
    assert_eq!(
        Raw::new(HubProtocol::Json, &[whole]).unwrap().as_bytes(),
        b"[\"2000-01-01T00:00:00Z\"]"
    );
    // Other formats get the text, human-readable or not.
    assert_eq!(rmp_serde::to_vec(&whole).unwrap(), encode("2000-01-01T00:00:00Z"));
    assert_eq!(others(&whole), encode("2000-01-01T00:00:00Z"));
    // Other extensions, other lengths, other years.
    for wrong in [
        &[0xd6, 0x05, 0, 0, 0, 0][..],
        &[0xd5, 0xff, 0, 0],
        &[0xd7, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        &[0xc7, 12, 0xff, 0, 0, 0, 0, 127, 0, 0, 0, 0, 0, 0, 0],
    ] {
        assert!(decode::<Timestamp>(wrong).is_err(), "{wrong:?}");
        assert!(decode::<Value>(wrong).is_err(), "{wrong:?}");
        // Whoever does not look does not mind.
        decode::<serde::de::IgnoredAny>(wrong).unwrap();
        assert_eq!(decode::<Raw>(wrong).unwrap().as_bytes(), wrong);
    }
}

#[test]
fn undecoded_values_pass_and_are_translated_for_the_other_protocol() {
    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Holder {
        before: u8,
        anything: Raw,
        list: Vec<Raw>,
        maybe: Option<Raw>,
    }

    // A float that fits an integer, an integer in nine bytes, a timestamp, bytes: nothing of it is touched.
    let anything = [0x94, 0xca, 0x40, 0, 0, 0, 0xcf, 0, 0, 0, 0, 0, 0, 0, 1];
    let anything = [&anything[..], &[0xd6, 0xff, 0x38, 0x6d, 0x43, 0x80, 0xc4, 1, 9]].concat();
    let sent = [
        &[0x84][..],
        &[0xa6],
        b"before",
        &[1, 0xa8],
        b"anything",
        &anything,
        &[0xa4],
        b"list",
        &[0x92, 0xc0, 0x91, 0x01, 0xa5],
        b"maybe",
        &[0xc0],
    ]
    .concat();
    let holder: Holder = decode(&sent).unwrap();
    assert_eq!(holder.anything.as_bytes(), anything);
    assert_eq!(encode(&holder), sent);

    let json = Raw::new(HubProtocol::Json, &holder).unwrap();
    let text = r#"{"before":1,"anything":[2.0,1,"2000-01-01T00:00:00Z","CQ=="],"list":[null,[1]],"maybe":null}"#;
    assert_eq!(String::from_utf8_lossy(json.as_bytes()), text);
    let holder: Holder = json.decode().unwrap();
    assert_eq!(holder.anything.protocol(), HubProtocol::Json);
    let back: Value = decode(&encode(&holder)).unwrap();
    assert_eq!(back, serde_json::from_str::<Value>(text).unwrap());
}

#[test]
fn what_has_no_form_in_the_other_protocol_is_an_error() {
    let list = Raw::new(MESSAGEPACK, &BTreeMap::from([(vec![1], 1)])).unwrap();
    assert!(Raw::new(HubProtocol::Json, &list).is_err());
    let extension: Raw = decode(&[0xd4, 5, 1]).unwrap();
    let error = Raw::new(HubProtocol::Json, &extension).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(source.as_deref(), Some("a value of the extension type 5"));
}

#[test]
fn nothing_is_read_deeper_than_a_message_may_be_nor_beyond_its_end() {
    #[derive(Debug, Deserialize)]
    struct Deep(#[allow(dead_code, reason = "its depth is what matters")] Vec<Self>);

    // The message itself is a level.
    for (levels, is_read) in [(62, true), (63, true)] {
        let mut bytes = vec![0x91; levels - 1];
        bytes.push(0x90);
        assert_eq!(decode::<Deep>(&bytes).is_ok(), is_read, "{levels}");
    }
    // A value of ours may be deeper: it is written, and not read.
    let mut value = json!([]);
    for _ in 0..100 {
        value = json!([value]);
    }
    let raw = Raw::new(MESSAGEPACK, &value).unwrap();
    assert!(raw.decode::<Value>().is_err());
    assert!(Raw::new(HubProtocol::Json, &raw).is_err());
}

#[test]
fn errors_say_what_is_wrong() {
    let why = |bytes: &[u8]| {
        let error = decode::<More>(bytes).unwrap_err();
        std::error::Error::source(&error).expect("it has a source").to_string()
    };
    assert_eq!(why(&encode(&json!({"y": 1}))), "missing field `x`");
    assert_eq!(why(&[0x01]), "invalid type: integer `1`, expected struct More");
    assert_eq!(why(&[0x81, 0xa1, b'x', 0xc0]), "invalid type: unit value, expected u8");
    assert_eq!(why(&[0x81, 0xa1, b'x', 0xa1, b'1']), "invalid type: string \"1\", expected u8");
    assert_eq!(why(&[0x81, 0xa1, 0xff, 0x01]), "no UTF-8 at byte 2");
}

//! The arguments of a call from the hub, as the test wants to see them.

use std::any::type_name;

use hubwire_protocol::Arguments;
use serde::de::DeserializeOwned;

/// What a call from the hub may be expected with: `()` for no argument, `(A,)` for one, `(A, B)` for two, up to eight.
///
/// It cannot be implemented elsewhere.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of arguments",
    note = "write a tuple: `()` for no argument, `(A,)` for one, `(A, B)` for two; each must implement `DeserializeOwned`"
)]
pub trait Expected: Sealed {}

/// What a list of arguments knows to do; not reachable from outside.
#[expect(unnameable_types, reason = "what seals the trait must not be within reach")]
pub trait Sealed: Sized {
    /// The arguments in their types, or what is wrong with them.
    fn read(arguments: &Arguments) -> Result<Self, String>;
}

fn count(arguments: &Arguments, expected: usize) -> Result<(), String> {
    match arguments.len() {
        len if len == expected => Ok(()),
        len => Err(format!("it has {len} argument(s), and {expected} were expected")),
    }
}

fn one<T: DeserializeOwned>(arguments: &Arguments, index: usize) -> Result<T, String> {
    arguments
        .decode(index)
        .map_err(|error| format!("argument {} is no {}: {error}", index + 1, type_name::<T>()))
}

impl Expected for () {}

impl Sealed for () {
    fn read(arguments: &Arguments) -> Result<Self, String> {
        count(arguments, 0)
    }
}

/// Implements the list for tuples of these lengths.
macro_rules! tuples {
    ($($len:literal: $($name:ident $index:literal)+;)+) => {$(
        impl<$($name: DeserializeOwned),+> Expected for ($($name,)+) {}

        impl<$($name: DeserializeOwned),+> Sealed for ($($name,)+) {
            fn read(arguments: &Arguments) -> Result<Self, String> {
                count(arguments, $len)?;
                Ok(($(one::<$name>(arguments, $index)?,)+))
            }
        }
    )+};
}

tuples! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 E 4;
    6: A 0 B 1 C 2 D 3 E 4 F 5;
    7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}

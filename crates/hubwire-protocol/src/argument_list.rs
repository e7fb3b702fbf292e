use serde::Serialize;

use crate::{EncodeError, HubProtocol, Raw, raw::write_value};

/// The arguments of an outgoing call: `()` for none, `(a,)` for one, and so on up to 16, or [`Arguments`] to hand on
/// what came in.
///
/// A trait of its own, because serde writes `()` as null where SignalR wants `[]`. It cannot be implemented elsewhere.
///
/// [`Arguments`]: crate::Arguments
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of arguments",
    note = "write a tuple: `()` for no argument, `(a,)` for one, `(a, b)` for two; each must implement `Serialize`"
)]
pub trait ArgumentList: Sealed {}

/// What a list of arguments knows to do; not reachable from outside.
#[expect(unnameable_types, reason = "what seals the trait must not be within reach")]
pub trait Sealed {
    /// How many elements there are, which some protocols say before them.
    fn count(&self) -> u32;

    /// Gives its elements to `elements`, in order.
    fn write(&self, elements: &mut Elements<'_>) -> Result<(), EncodeError>;
}

/// Takes the elements of one array.
#[expect(unnameable_types, reason = "what seals the trait must not be within reach")]
#[derive(Debug)]
pub struct Elements<'o> {
    protocol: HubProtocol,
    out: &'o mut Vec<u8>,
    is_first: bool,
}

impl<'o> Elements<'o> {
    pub(crate) fn new(protocol: HubProtocol, out: &'o mut Vec<u8>) -> Self {
        Self { protocol, out, is_first: true }
    }

    /// An undecoded value: as it is, or translated.
    pub(crate) fn raw(&mut self, value: &Raw) -> Result<(), EncodeError> {
        if value.protocol == self.protocol {
            self.bytes(&value.bytes);
            Ok(())
        } else {
            self.value(value)
        }
    }

    fn bytes(&mut self, value: &[u8]) {
        self.separate();
        self.out.extend_from_slice(value);
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.separate();
        write_value(self.protocol, self.out, value)
    }

    fn separate(&mut self) {
        match self.protocol {
            HubProtocol::Json if self.is_first => self.is_first = false,
            HubProtocol::Json => self.out.push(b','),
            #[cfg(feature = "messagepack")]
            HubProtocol::MessagePack => {}
        }
    }
}

impl ArgumentList for () {}

impl Sealed for () {
    fn count(&self) -> u32 {
        0
    }

    fn write(&self, _elements: &mut Elements<'_>) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// Counts a type parameter.
const fn one(_name: &str) -> u32 {
    1
}

/// Implements the list for a tuple and for every shorter one.
macro_rules! tuples {
    () => {};
    ($first:ident $($rest:ident)*) => {
        impl<$first: Serialize, $($rest: Serialize),*> ArgumentList for ($first, $($rest,)*) {}

        impl<$first: Serialize, $($rest: Serialize),*> Sealed for ($first, $($rest,)*) {
            fn count(&self) -> u32 {
                const { 1 $(+ one(stringify!($rest)))* }
            }

            #[expect(non_snake_case, reason = "a type parameter names its element too")]
            fn write(&self, elements: &mut Elements<'_>) -> Result<(), EncodeError> {
                let ($first, $($rest,)*) = self;
                elements.value($first)?;
                $(elements.value($rest)?;)*
                Ok(())
            }
        }

        tuples!($($rest)*);
    };
}

tuples!(A B C D E F G H I J K L M N O P);

#[cfg(test)]
mod tests {
    use crate::{ArgumentList, Arguments, DecodeError, HubProtocol};

    fn check(list: &dyn ArgumentList, written: &str, len: usize) {
        let arguments = Arguments::new(HubProtocol::Json, list).unwrap();
        assert_eq!(arguments.frame.bytes(), written);
        assert_eq!((arguments.len(), arguments.is_empty()), (len, len == 0));
        let again = Arguments::new(HubProtocol::Json, &arguments).unwrap();
        assert_eq!((again.frame.bytes() == written, &again), (true, &arguments));
    }

    #[test]
    fn a_tuple_is_an_array_of_its_elements() {
        check(&(), "[]", 0);
        check(&((),), "[null]", 1);
        check(&("a",), "[\"a\"]", 1);
        check(&(&1, &vec![2, 3]), "[1,[2,3]]", 2);
        check(&((1, 2), Some("x"), None::<u8>), "[[1,2],\"x\",null]", 3);
        check(
            &(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
            "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]",
            16,
        );
    }

    #[test]
    fn an_argument_that_is_not_there_is_an_error() {
        let arguments = Arguments::new(HubProtocol::Json, &(1, "two")).unwrap();
        assert_eq!(arguments.decode::<String>(1).unwrap(), "two");
        assert!(matches!(arguments.decode::<u8>(1), Err(DecodeError::Json(_))));
        let absent = arguments.decode::<u8>(2).unwrap_err();
        assert_eq!(absent.to_string(), "argument 2 was asked for, but the invocation has 2");
        assert_eq!(arguments.get(2), None);
    }
}

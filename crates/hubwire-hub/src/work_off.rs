//! Nothing is counted: the feature `testing` is off, and all of this compiles to nothing.

#[derive(Debug)]
pub(crate) struct Counted;

impl Counted {
    pub(crate) fn call() -> Self {
        Self
    }

    pub(crate) fn stream() -> Self {
        Self
    }
}

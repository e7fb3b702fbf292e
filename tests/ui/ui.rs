//! What the compiler says to those who use the macros wrongly: `fail/*.rs`, each beside what is to be read.
//!
//! `TRYBUILD=overwrite cargo test -p hubwire-ui-tests --test ui` writes that anew.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::process::Command;

/// The compiler whose words were written down; another one says the same things a little differently.
const COMPILER: &str = "rustc 1.95.0 ";

#[test]
fn what_is_refused_is_explained() -> Result<(), Box<dyn Error>> {
    let version = compiler_version()?;
    if !version.starts_with(COMPILER) {
        assert!(
            env::var_os("CI").is_none_or(|ci| ci != "true"),
            "CI compares the messages of {COMPILER}, and this is {version}: run both with one version"
        );
        // Past the test runner, which keeps what is printed by tests that pass.
        writeln!(std::io::stderr(), "skipped: {version} is not {COMPILER}")?;
        return Ok(());
    }
    trybuild::TestCases::new().compile_fail("fail/*.rs");
    Ok(())
}

/// What cargo compiles with, as it says itself.
fn compiler_version() -> Result<String, Box<dyn Error>> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(compiler).arg("--version").output()?;
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

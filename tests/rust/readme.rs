//! The README's server is what a stranger tries first: it compiles in an empty crate outside the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The first code block of a language.
fn block<'a>(readme: &'a str, language: &str) -> &'a str {
    let start = format!("```{language}\n");
    let from = readme.find(&start).expect("the README has such a block") + start.len();
    let length = readme[from..].find("```").expect("the block ends");
    &readme[from..from + length]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("the README is there")
}

#[test]
fn the_server_compiles_in_an_empty_crate() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let project = target.join("readme");
    let root = root().canonicalize().expect("the workspace is there");
    let manifest = format!(
        "[package]\nname = \"readme\"\nedition = \"2024\"\n[dependencies]\nactix-web = \"4\"\nhubwire = {{ path = {:?} }}\n[workspace]\n",
        root.join("crates/hubwire")
    );
    fs::create_dir_all(project.join("src")).expect("the target directory is writable");
    fs::write(project.join("Cargo.toml"), manifest).expect("writable");
    fs::write(project.join("src/main.rs"), block(&readme(), "rust")).expect("writable");
    // The workspace's versions, so that nothing new is fetched.
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock")).expect("writable");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--target-dir"])
        .arg(target.join("readme-target"))
        .env("RUSTFLAGS", "-Dwarnings")
        .current_dir(&project)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_page_is_the_page_of_the_minimal_example() {
    let page =
        fs::read_to_string(root().join("examples/minimal/src/page.html")).expect("it is there");
    assert_eq!(block(&readme(), "html"), page);
}

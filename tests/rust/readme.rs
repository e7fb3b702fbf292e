//! What strangers read first is true: the README's server compiles in an empty crate outside the workspace, and the options that people who come from ASP.NET Core are told of are there.

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

#[test]
fn the_options_that_aspnets_become_are_there() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("it is there");
    let page = read("docs/migrating-from-signalr.md");
    let (_, options) = page.split_once("\n## Options\n").expect("the page has the section");
    let (options, _) = options.split_once("\n## ").expect("another section follows");
    let sources = ["hubwire-hub/src/options.rs", "hubwire-transport/src/options.rs"];
    let sources: String = sources.map(|file| read(&format!("crates/{file}"))).concat();
    let rows = options.lines().filter(|line| line.starts_with("| `"));
    let columns = rows.map(|row| row.split(" | ").nth(2).expect("a row has four columns"));
    let names = columns.flat_map(|column| column.split('`').skip(1).step_by(2));
    // Types are written in another case.
    let names: Vec<_> = names.filter(|name| name.starts_with(char::is_lowercase)).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(sources.contains(&format!("pub fn {name}(")), "there is no option {name}");
    }
}

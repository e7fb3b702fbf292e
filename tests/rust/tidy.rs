//! The rules of the house, as far as a machine can read them: over every file that git knows or would add, and over every manifest.
//!
//! A rule is a function from text to what breaks it, tried on an example at the end of this file, so that none of them passes because it finds nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

type Outcome = Result<(), Box<dyn Error>>;

/// Which of our crates may know which: nothing points sideways or up.
const EDGES: [(&str, &[&str]); 7] = [
    (
        "hubwire",
        &[
            "hubwire-actix",
            "hubwire-hub",
            "hubwire-macros",
            "hubwire-protocol",
            "hubwire-transport",
        ],
    ),
    ("hubwire-actix", &["hubwire-transport"]),
    ("hubwire-hub", &["hubwire-protocol", "hubwire-transport"]),
    ("hubwire-macros", &[]),
    ("hubwire-protocol", &[]),
    ("hubwire-redis", &["hubwire-hub", "hubwire-protocol", "hubwire-transport"]),
    ("hubwire-transport", &[]),
];

/// These are data, state machines and futures: no HTTP server, no runtime, no sockets.
const PURE: [&str; 3] = ["hubwire-hub", "hubwire-protocol", "hubwire-transport"];

/// Past this a file has grown a second idea.
const LONGEST: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> Result<String, Box<dyn Error>> {
    fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}").into())
}

fn metadata() -> Result<Metadata, Box<dyn Error>> {
    Ok(MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec()?)
}

/// Every file that belongs to the repository, read as text; none where there is no repository, as in a packaged source.
fn tracked() -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success());
    let Some(listed) = listed else {
        if env::var_os("CI").is_some_and(|ci| ci == "true") {
            return Err("there is no git repository to be tidy, and CI must have one".into());
        }
        // Past the test runner, which keeps what is printed by tests that pass.
        writeln!(std::io::stderr(), "skipped: git does not list the files of this source")?;
        return Ok(Vec::new());
    };
    let names = String::from_utf8(listed.stdout)?;
    let names: BTreeSet<_> = names.split_terminator('\0').collect();
    assert!(names.contains("Cargo.toml"), "git lists another repository: {names:?}");
    // What is removed but not yet committed is listed too; what is no text has no lines to judge.
    let text = |name: &str| fs::read_to_string(root().join(name)).ok();
    Ok(names.into_iter().filter_map(|name| Some((name.to_owned(), text(name)?))).collect())
}

/// Lines that break a rule in files that it is about.
#[track_caller]
fn check(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

fn has_extension(name: &str, extensions: &[&str]) -> bool {
    extensions
        .iter()
        .any(|extension| name.rsplit_once('.').is_some_and(|(_, other)| other == *extension))
}

fn is_source(name: &str) -> bool {
    has_extension(name, &["rs", "js", "mjs"])
}

fn built_with(package: &Package) -> impl Iterator<Item = &cargo_metadata::Dependency> {
    package.dependencies.iter().filter(|edge| edge.kind != DependencyKind::Development)
}

#[test]
fn crates_know_only_those_below_them() -> Outcome {
    let metadata = metadata()?;
    let is_ours = |name: &str| name.starts_with("hubwire");
    let edges: BTreeMap<_, BTreeSet<_>> = metadata
        .packages
        .iter()
        .filter(|package| is_ours(&package.name) && !package.name.ends_with("-tests"))
        .map(|package| {
            let ours = built_with(package).map(|edge| edge.name.as_str());
            (package.name.as_str(), ours.filter(|name| is_ours(name)).collect())
        })
        .collect();
    let allowed =
        EDGES.map(|(name, below)| (name, below.iter().copied().collect::<BTreeSet<_>>())).into();
    assert_eq!(edges, allowed);
    Ok(())
}

#[test]
fn what_is_pure_has_no_server_and_no_runtime() -> Outcome {
    let metadata = metadata()?;
    let pure: Vec<_> =
        metadata.packages.iter().filter(|package| PURE.contains(&package.name.as_str())).collect();
    assert_eq!(pure.len(), PURE.len());
    let broken: Vec<_> = pure
        .iter()
        .flat_map(|package| built_with(package).map(|edge| (package.name.as_str(), edge)))
        .filter(|(_, edge)| brings_a_runtime(&edge.name, &edge.features))
        .map(|(package, edge)| format!("{package} -> {} {:?}", edge.name, edge.features))
        .collect();
    check("pure crates take neither actix nor tokio's runtime, network or clock", &broken);
    Ok(())
}

/// Whether a dependency is an HTTP server, or the part of tokio that does something by itself.
fn brings_a_runtime(name: &str, features: &[String]) -> bool {
    const ACTIVE: [&str; 9] =
        ["fs", "full", "io-std", "net", "process", "rt", "rt-multi-thread", "signal", "time"];
    name.starts_with("actix")
        || (name == "tokio" && features.iter().any(|feature| ACTIVE.contains(&feature.as_str())))
}

#[test]
fn versions_are_chosen_in_one_place() -> Outcome {
    let manifests = tracked()?;
    let broken: Vec<_> = manifests
        .iter()
        .filter(|(name, _)| name.ends_with("/Cargo.toml"))
        .flat_map(|(name, text)| {
            versions(text).into_iter().map(move |line| format!("{name}: {line}"))
        })
        .collect();
    check("dependencies of members say `workspace = true`", &broken);
    Ok(())
}

/// Lines of a member's manifest that choose a version. One of our own crates may be named by its path alone.
fn versions(manifest: &str) -> Vec<&str> {
    let mut is_dependencies = false;
    let mut versions = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            // A table for one dependency is as good as its line, but would have to be read otherwise.
            // A package that is a workspace of its own has a place for versions too.
            is_dependencies = section.trim_end_matches(']').ends_with("dependencies")
                && section != "workspace.dependencies]";
            if section.contains("dependencies.") {
                versions.push(line);
            }
        } else if is_dependencies && !line.is_empty() && !line.starts_with('#') {
            let is_ours = line.starts_with("hubwire") && line.contains("{ path = ");
            if !line.contains("workspace = true") && !is_ours {
                versions.push(line);
            }
        }
    }
    versions
}

#[test]
fn every_dependency_has_its_reason() -> Outcome {
    let broken: Vec<_> = tracked()?
        .iter()
        .filter(|(name, _)| name == "Cargo.toml" || name.ends_with("/Cargo.toml"))
        .flat_map(|(name, text)| {
            without_reason(text).into_iter().map(move |line| format!("{name}: {line}"))
        })
        .collect();
    check("every third-party crate in [workspace.dependencies] has a comment above it", &broken);
    Ok(())
}

/// Third-party crates without a comment directly above their line.
fn without_reason(manifest: &str) -> Vec<&str> {
    let lines: Vec<_> = manifest
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .collect();
    let pairs = lines.windows(2).filter(|pair| {
        let [above, line] = pair else { return false };
        let is_third_party = line.contains('=')
            && !line.starts_with('#')
            && !(line.starts_with("hubwire") && line.contains("path = "));
        is_third_party && !above.starts_with("# ")
    });
    pairs.map(|pair| pair[1]).collect()
}

#[test]
fn no_source_file_is_too_long() -> Outcome {
    let broken: Vec<_> = tracked()?
        .iter()
        .filter(|(name, text)| is_source(name) && text.lines().count() > LONGEST)
        .map(|(name, text)| format!("{name}: {} lines", text.lines().count()))
        .collect();
    check(&format!("no source file is over {LONGEST} lines"), &broken);
    Ok(())
}

#[test]
fn every_library_says_what_it_is() -> Outcome {
    let metadata = metadata()?;
    let libraries: Vec<_> = metadata
        .packages
        .iter()
        .flat_map(|package| &package.targets)
        .filter(|target| target.is_lib() || target.is_proc_macro())
        .collect();
    assert!(libraries.len() >= EDGES.len());
    let mut broken = Vec::new();
    for library in libraries {
        if !fs::read_to_string(&library.src_path)?.starts_with("//! ") {
            broken.push(library.src_path.to_string());
        }
    }
    check("a library begins with its documentation", &broken);
    Ok(())
}

#[test]
fn every_vector_has_its_own_name_and_a_reason() -> Outcome {
    let mut files = 0;
    let mut broken = Vec::new();
    for entry in fs::read_dir(root().join("tests/vectors"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files += 1;
            let vectors = fs::read_to_string(&path)?;
            broken.extend(unfit(&vectors).iter().map(|why| format!("{}: {why}", path.display())));
        }
    }
    assert!(files > 0, "there are vectors");
    check("vectors are JSON arrays of cases with a name of their own and a why", &broken);
    Ok(())
}

/// What is wrong with a file of vectors.
fn unfit(vectors: &str) -> Vec<String> {
    let cases: Vec<serde_json::Map<String, serde_json::Value>> = match serde_json::from_str(vectors)
    {
        Ok(cases) => cases,
        Err(error) => return vec![error.to_string()],
    };
    if cases.is_empty() {
        return vec!["there is no case".to_owned()];
    }
    let mut names = HashSet::new();
    let mut unfit = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let text = |field: &str| case.get(field)?.as_str().filter(|text| !text.is_empty());
        match (text("name"), text("why")) {
            (Some(name), Some(_)) if !names.insert(name) => {
                unfit.push(format!("two are called {name}"));
            }
            (Some(_), Some(_)) => {}
            (name, _) => unfit.push(format!("case {index} ({name:?}) lacks a name or a why")),
        }
    }
    unfit
}

#[test]
fn every_guarantee_has_its_test() -> Outcome {
    let mut broken = Vec::new();
    for row in read("docs/guarantees.md")?.lines().filter(|line| line.starts_with('|')) {
        let tests = row.split('`').skip(1).step_by(2);
        for test in tests {
            let is_there = match test.split_once("::") {
                // A scenario, which runs on every backplane, and there as a test.
                Some(("suite", test)) => {
                    read("tests/rust/backplane/suite.rs")?.contains(&format!("\npub fn {test}("))
                }
                Some((file, test)) => {
                    let folder = if file == "faults" { "backplane" } else { "session" };
                    read(&format!("tests/rust/{folder}/{file}.rs"))?
                        .contains(&format!("#[test]\nfn {test}()"))
                }
                None if test.ends_with(".test.mjs") => root().join("tests").join(test).exists(),
                None => continue,
            };
            if !is_there {
                broken.push(test.to_owned());
            }
        }
    }
    check("docs/guarantees.md names tests that are there", &broken);
    Ok(())
}

#[test]
fn nothing_tells_where_it_was_written() -> Outcome {
    // In pieces, so that this file is not the one that is found.
    let needles = [
        ["..", "/shared"],
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["/Us", "ers/"],
        ["registry.", "npmjs"],
        ["registry.", "yarnpkg"],
        ["npm", "mirror"],
        ["index.", "crates.io"],
        ["static.", "crates.io"],
        ["pypi", ".org"],
        ["arti", "factory"],
        ["j", "frog"],
        ["verd", "accio"],
    ]
    .map(|pieces| pieces.concat());
    let broken: Vec<_> = tracked()?.iter().flat_map(|file| found(file, &needles)).collect();
    check("no file names a place outside of the repository", &broken);
    Ok(())
}

#[test]
fn lock_files_name_no_mirror() -> Outcome {
    // A package of the repository itself is resolved to its folder.
    let resolved = [["\"reso", "lved\": \"http"].concat(), ["\"reso", "lved\": \"git"].concat()];
    let mut broken = Vec::new();
    for file in &tracked()? {
        if file.0.ends_with("package-lock.json") {
            broken.extend(found(file, &resolved));
        }
        if file.0.ends_with("Cargo.lock") {
            broken.extend(foreign_sources(&file.1).map(ToOwned::to_owned));
        }
    }
    check("packages come from wherever the reader's registry is", &broken);
    Ok(())
}

/// Lines of a Cargo.lock about crates that come from elsewhere than crates.io.
fn foreign_sources(lock: &str) -> impl Iterator<Item = &str> {
    const CRATES_IO: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    lock.lines().filter(|line| line.starts_with("source = ") && *line != CRATES_IO)
}

#[test]
fn nothing_is_left_for_later() -> Outcome {
    let needles = [["to", "do!("], ["unimple", "mented!("], ["#[ig", "nore"]].map(|p| p.concat());
    let broken: Vec<_> = tracked()?
        .iter()
        .filter(|(name, _)| has_extension(name, &["rs"]))
        .flat_map(|file| found(file, &needles))
        .collect();
    check("sources are finished and tests run", &broken);
    Ok(())
}

#[test]
fn the_changelog_has_a_place_for_what_comes() -> Outcome {
    let changelog = read("CHANGELOG.md")?;
    assert!(changelog.lines().any(|line| line.trim_end() == "## Unreleased"));
    Ok(())
}

/// Where a file contains one of the needles.
fn found((name, text): &(String, String), needles: &[String]) -> Vec<String> {
    text.lines()
        .zip(1..)
        .filter(|(line, _)| needles.iter().any(|needle| line.contains(needle.as_str())))
        .map(|(line, number)| format!("{name}:{number}: {}", line.trim()))
        .collect()
}

#[test]
fn the_rules_find_what_they_are_for() {
    let features = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(brings_a_runtime("actix-http", &[]));
    assert!(brings_a_runtime("tokio", &features(&["sync", "rt"])));
    assert!(!brings_a_runtime("tokio", &features(&["sync"])));

    let member = "[package]\nversion = \"1\"\n[dependencies]\n# b\na.workspace = true\nb = \"1\"\n\
        hubwire = { path = \"..\" }\n[target.x.dev-dependencies]\nc = { workspace = true }\nd = { path = \"..\" }\n\
        [dependencies.e]\nversion = \"1\"\n[features]\nf = []\n[workspace.dependencies]\n# g\ng = \"1\"";
    assert_eq!(versions(member), ["b = \"1\"", "d = { path = \"..\" }", "[dependencies.e]"]);

    let workspace = "[workspace.dependencies]\nhubwire = { path = \"a\" }\n\n# Why.\na = \"1\"\nb = \"1\"\n\nc = \"1\"\n[profile]\nd = 1";
    assert_eq!(without_reason(workspace), ["b = \"1\"", "c = \"1\""]);

    assert!(unfit(r#"[{"name":"a","why":"b"}]"#).is_empty());
    let cases = [
        r#"{}"#,
        "[]",
        r#"[{"name":"a"}]"#,
        r#"[{"name":"a","why":""}]"#,
        r#"[{"name":"a","why":"b"},{"name":"a","why":"c"}]"#,
    ];
    for vectors in cases {
        assert_eq!(unfit(vectors).len(), 1, "{vectors}");
    }

    let file = ("a.rs".to_owned(), "x\n  needle!()".to_owned());
    assert_eq!(found(&file, &["needle".to_owned()]), ["a.rs:2: needle!()"]);
    let lock = "source = \"registry+https://example.com\"\nname = \"a\"";
    assert_eq!(foreign_sources(lock).count(), 1);
}

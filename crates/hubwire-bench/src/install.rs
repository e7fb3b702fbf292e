//! Peers that are not Rust live in folders beside this program, where builds live too.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The folder of a peer, with the files of ours that it is made of.
pub(crate) fn folder(name: &str, files: &[(&str, &str)]) -> io::Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.set_file_name("peers");
    folder.push(name);
    fs::create_dir_all(&folder)?;
    for (name, text) in files {
        let path = folder.join(name);
        // What is built from it is newer only while it is left alone.
        if fs::read_to_string(&path).ok().as_deref() != Some(text) {
            fs::write(path, text)?;
        }
    }
    Ok(folder)
}

/// Runs what installs or builds; what it says is not for a table on stdout.
pub(crate) fn run(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let said =
        if said.is_empty() { String::from_utf8_lossy(&output.stdout).into_owned() } else { said };
    Err(io::Error::other(format!("{command:?}: {said}")))
}

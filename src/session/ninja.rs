//! A ninja file that reads a tree: an edge for each unit extracts its facts, and one more edge
//! links them.
//!
//! The database may come from an attacker, and ninja passes commands to a shell. So no command has
//! a text of the database: a unit is named by its digest, and its file is only in the descriptions
//! that ninja prints.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cowrap_base::files::{Digest, Place, Shown, is_deceptive};
use cowrap_frontend::compdb;
use cowrap_frontend::worker::LibraryInfo;

use crate::Error;
use crate::depfile::{depfile, word};
use crate::facts_file::{FactsError, UNIT_LIST, UnitList, file_name, list_file, named_unit, not_written, write};
use crate::outputs::{refuse_inputs, refuse_program};
use crate::request::{Input, Request};
use crate::session::Session;

/// What the ninja file does.
#[derive(Clone, Debug)]
pub struct NinjaRequest {
    /// The ninja file.
    pub file: PathBuf,
    /// The directory of the facts files.
    pub facts: PathBuf,
    /// The index to link, if there is one.
    pub index: Option<PathBuf>,
    /// Whether the index may lack units.
    pub allow_incomplete: bool,
    /// The command that writes the ninja file: the program and its arguments. ninja runs it again
    /// when the database changes.
    pub command: Vec<OsString>,
}

/// Writes a ninja file that reads a tree, and the list of its units. Facts files of units that no
/// longer exist are removed.
///
/// # Errors
///
/// There is nothing to read, a file cannot be written, or a ninja file cannot contain its path.
pub fn emit_ninja(request: &Request, ninja: &NinjaRequest) -> Result<(), FactsError> {
    let session = Session::open(request)?;
    let list = UnitList::of(&session);
    let paths = Paths::of(&session, ninja)?;
    let text = text(request, ninja, &paths, &session, &list)?;
    let inputs = depfile_of_list(&paths, &session)?;
    let list_of_units = list_file(&session, list.clone())?;
    let place = |path: &Path| {
        let refuse = |place: Place| {
            refuse_inputs(&place, request)?;
            refuse_program(&place, &session.tree, &sources(&session))?;
            Ok(place)
        };
        Place::given(path).and_then(refuse).map_err(|source| not_written(path, source))
    };
    let file = place(&paths.file)?;
    let (units, depfile) = (place(&paths.facts.join(UNIT_LIST))?, place(&paths.depfile())?);
    remove_others(&paths.facts, &list)?;
    write(&units, &list_of_units)?;
    write(&depfile, &inputs)?;
    write(&file, &text)
}

/// The files of a tree's units.
fn sources(session: &Session<'_>) -> Vec<PathBuf> {
    session.inputs.units.iter().map(|unit| unit.directory.join(&unit.file)).collect()
}

/// The paths in the ninja file, without symbolic links, because ninja resolves `..` by its
/// spelling.
struct Paths {
    file: PathBuf,
    /// The ninja file's name. ninja runs in the directory of this file.
    name: PathBuf,
    facts: PathBuf,
    index: Option<PathBuf>,
    program: PathBuf,
    database: PathBuf,
    /// The files of the packs, with those that they extend.
    packs: Vec<PathBuf>,
}

impl Paths {
    fn of(session: &Session<'_>, ninja: &NinjaRequest) -> Result<Paths, FactsError> {
        let request = session.request;
        let Input::Database(database) = &request.input else {
            return Err(Error::NotADatabase.into());
        };
        let at = |path: &Path| request.working_directory.join(path);
        let file = real_parent(&at(&ninja.file))?;
        let facts = at(&ninja.facts);
        let failed = |source| FactsError::Write { path: facts.shown().to_string(), source };
        std::fs::create_dir_all(&facts).map_err(failed)?;
        let program = ninja.command.first().map(PathBuf::from).unwrap_or_default();
        let paths = Paths {
            name: file.file_name().map(PathBuf::from).unwrap_or_default(),
            file,
            facts: facts.canonicalize().map_err(failed)?,
            index: ninja.index.as_ref().map(|index| real_parent(&at(index))).transpose()?,
            program: program.canonicalize().unwrap_or(program),
            database: compdb::find(&request.working_directory, database.as_deref()).map_err(Error::from)?,
            // If the file does not exist, it is the name of a built-in pack.
            packs: session.packs.packs().iter().flat_map(|pack| &pack.files).map(|file| at(file)).collect(),
        };
        for path in [&paths.name, &paths.facts] {
            word(path).ok_or_else(|| FactsError::Unnameable { path: path.clone(), in_what: "depfile" })?;
        }
        Ok(paths)
    }

    /// The depfile of the ninja file.
    fn depfile(&self) -> PathBuf {
        self.facts.join("units.d")
    }
}

/// A path without symbolic links in the path of its directory, which must exist.
fn real_parent(path: &Path) -> Result<PathBuf, FactsError> {
    let failed = |source| FactsError::Write { path: path.shown().to_string(), source };
    let name = path.file_name().ok_or_else(|| failed(std::io::ErrorKind::InvalidInput.into()))?;
    let parent = path.parent().unwrap_or(Path::new("/"));
    Ok(parent.canonicalize().map_err(failed)?.join(name))
}

/// Removes the facts files of units that are not in the list. Other files stay.
fn remove_others(directory: &Path, list: &UnitList) -> Result<(), FactsError> {
    let listed: HashSet<String> = list.units.iter().map(Digest::to_string).collect();
    let failed = |source| FactsError::Write { path: directory.shown().to_string(), source };
    for entry in directory.read_dir().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if named_unit(&entry.file_name()).is_some_and(|unit| !listed.contains(unit)) {
            std::fs::remove_file(entry.path()).map_err(failed)?;
        }
    }
    Ok(())
}

/// The depfile of the ninja file: the database, and the other files that the list of units depends
/// on.
fn depfile_of_list(paths: &Paths, session: &Session<'_>) -> Result<Vec<u8>, FactsError> {
    let marks = session.details.parsing.marks.iter().map(|mark| session.tree.root.join(&mark.path));
    let files = marks.chain([paths.database.clone()]);
    let files: BTreeSet<PathBuf> =
        files.chain(paths.packs.clone()).chain(session.request.settings.file.clone()).collect();
    let unnameable = || FactsError::Unnameable { path: paths.name.clone(), in_what: "depfile" };
    depfile(&paths.name, files.iter().map(PathBuf::as_path), false).ok_or_else(unnameable)
}

/// The ninja file.
fn text(
    request: &Request,
    ninja: &NinjaRequest,
    paths: &Paths,
    session: &Session<'_>,
    list: &UnitList,
) -> Result<Vec<u8>, FactsError> {
    let library = &session.library;
    let cowrap = program(library, paths)?;
    let mut pack = Vec::new();
    for given in &request.packs {
        let file = request.working_directory.join(given);
        let given = argument(if file.exists() { &file } else { given }.as_os_str())?;
        pack.extend([b" --pack ", given.as_slice()].concat());
    }
    // A run of ninja may find other settings than this one.
    let config = match &request.settings.file {
        Some(file) => [b" --config ", argument(file.as_os_str())?.as_slice()].concat(),
        None => b" --no-config".to_vec(),
    };
    let mut lines = Lines::default();
    lines.line(&[b"# Written by `cowrap index --emit-ninja`, and written again by ninja when the database changes."]);
    lines.line(&[b"ninja_required_version = 1.5"]);
    lines.line(&[b"builddir = ", &value(paths.facts.as_os_str())?]);

    lines.line(&[b"\nrule read"]);
    let database = argument(paths.database.as_os_str())?;
    let root = argument(session.tree.root.as_os_str())?;
    lines.line(&[
        b"  command = ",
        &cowrap,
        b" index -p ",
        &database,
        b" --root ",
        &root,
        &pack,
        &config,
        b" --unit $unit -o $out --depfile $out.d",
    ]);
    lines.line(&[b"  depfile = $out.d\n  deps = gcc\n  restat = 1\n  description = read $name"]);

    lines.line(&[b"\nrule emit"]);
    let directory = argument(request.working_directory.as_os_str())?;
    let arguments: Vec<Vec<u8>> = ninja.command.iter().skip(1).map(|word| argument(word)).collect::<Result<_, _>>()?;
    lines.line(&[b"  command = cd ", &directory, b" && ", &cowrap, b" ", &arguments.join(&b' ')]);
    lines.line(&[b"  depfile = ", &value(paths.depfile().as_os_str())?]);
    lines.line(&[b"  generator = 1\n  restat = 1\n  description = list the translation units"]);

    let mut tools = [path(&paths.program)?, b" ".to_vec(), path(library.path())?].concat();
    let list_path = path(&paths.facts.join(UNIT_LIST))?;
    lines.line(&[b"\nbuild ", &path(&paths.name)?, b" ", &list_path, b": emit | ", &tools]);
    // What the settings say of slots is part of facts.
    let settings = request.settings.file.iter().filter(|_| !request.settings.slots.is_empty());
    for pack in paths.packs.iter().chain(settings) {
        tools.extend([b" ", path(pack)?.as_slice()].concat());
    }

    let mut all = Vec::new();
    for (unit, file) in list.units.iter().zip(&list.files) {
        let facts = path(&paths.facts.join(file_name(*unit)))?;
        lines.line(&[b"\nbuild ", &facts, b": read | ", &tools]);
        lines.line(&[b"  unit = ", unit.to_string().as_bytes(), b"\n  name = ", shown(file).as_bytes()]);
        all.extend([b" ", facts.as_slice()].concat());
    }

    if let Some(index) = &paths.index {
        let incomplete: &[u8] = if ninja.allow_incomplete { b" --allow-incomplete" } else { b"" };
        let directory = argument(paths.facts.as_os_str())?;
        lines.line(&[b"\nrule link"]);
        lines.line(&[b"  command = ", &cowrap, b" link", &pack, &config, incomplete, b" -o $out ", &directory]);
        lines.line(&[b"  description = link $out"]);
        let index = path(index)?;
        lines.line(&[b"\nbuild ", &index, b": link ", &list_path, &all, b" | ", &tools]);
        lines.line(&[b"\ndefault ", &index]);
    }
    Ok(lines.0)
}

/// The program in commands. Which libclang it loads must not depend on who runs ninja.
fn program(library: &LibraryInfo, paths: &Paths) -> Result<Vec<u8>, FactsError> {
    let environment = [
        (&b"LIBCLANG_PATH="[..], library.path().as_os_str()),
        (b"COWRAP_RESOURCE_DIR=", library.resource_directory().as_os_str()),
    ];
    let mut command = Vec::new();
    for (variable, value) in environment {
        command.extend([variable, &argument(value)?, b" "].concat());
    }
    command.extend(argument(paths.program.as_os_str())?);
    Ok(command)
}

/// The text of a ninja file.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn line(&mut self, parts: &[&[u8]]) {
        self.0.extend(parts.concat());
        self.0.push(b'\n');
    }
}

/// An argument of a command, escaped for the shell and for ninja.
fn argument(word: &OsStr) -> Result<Vec<u8>, FactsError> {
    let mut quoted = b"'".to_vec();
    for &byte in word.as_bytes() {
        match byte {
            b'\'' => quoted.extend(b"'\\''"),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    value(OsStr::from_bytes(&quoted)).map_err(|_| unnameable(word))
}

/// The value of a variable, escaped.
fn value(text: &OsStr) -> Result<Vec<u8>, FactsError> {
    let mut value = Vec::new();
    for &byte in text.as_bytes() {
        match byte {
            b'$' => value.extend(b"$$"),
            b'\n' | b'\r' | b'\0' => return Err(unnameable(text)),
            _ => value.push(byte),
        }
    }
    Ok(value)
}

/// A path in a list of paths, escaped.
fn path(path: &Path) -> Result<Vec<u8>, FactsError> {
    let mut escaped = Vec::new();
    for byte in value(path.as_os_str())? {
        match byte {
            b' ' | b':' => escaped.extend([b'$', byte]),
            b'|' => return Err(unnameable(path.as_os_str())),
            _ => escaped.push(byte),
        }
    }
    Ok(escaped)
}

fn unnameable(what: &OsStr) -> FactsError {
    FactsError::Unnameable { path: PathBuf::from(what), in_what: "ninja file" }
}

/// A unit's file as ninja prints it, in one line.
fn shown(file: &Path) -> String {
    let file = file.strip_prefix(".").unwrap_or(file).to_string_lossy();
    file.chars().map(|c| if is_deceptive(c) { '?' } else { c }).collect::<String>().replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(of: fn(&OsStr) -> Result<Vec<u8>, FactsError>, text: &str) -> Option<String> {
        of(OsStr::new(text)).ok().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn no_text_ends_a_word_early() {
        assert_eq!(escaped(argument, "a b").as_deref(), Some("'a b'"));
        assert_eq!(escaped(argument, "it's; $(x) `y`").as_deref(), Some("'it'\\''s; $$(x) `y`'"));
        assert_eq!(escaped(argument, "").as_deref(), Some("''"));
        assert_eq!(escaped(|text| path(Path::new(text)), "/a b:c$d").as_deref(), Some("/a$ b$:c$$d"));
        for text in ["a\nb", "a\rb", "a\0b"] {
            assert!(escaped(argument, text).is_none() && escaped(value, text).is_none(), "{text:?}");
        }
        assert!(path(Path::new("a|b")).is_err());
    }

    #[test]
    fn what_is_printed_is_one_line() {
        assert_eq!(shown(Path::new("./a/b.c")), "a/b.c");
        assert_eq!(shown(Path::new("./a\n  command = x\u{202e}$in\u{1b}.c")), "a?  command = x?$$in?.c");
    }
}

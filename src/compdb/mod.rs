//! TEMPORARY shim until the real module arrives.
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);
#[derive(Debug, Clone)]
pub struct Unit {
    pub file: PathBuf,
    pub directory: PathBuf,
    pub arguments: Vec<OsString>,
    pub outputs: Vec<PathBuf>,
    pub entry: usize,
    pub dropped: Vec<OsString>,
}
#[derive(Debug, Clone)]
pub struct Refusal {
    pub entry: usize,
    pub file: PathBuf,
    pub argument: String,
    pub reason: String,
}
#[derive(Debug, Clone)]
pub struct Database {
    pub path: PathBuf,
    pub units: Vec<Unit>,
    pub refused: Vec<Refusal>,
    pub other_languages: BTreeMap<String, usize>,
}
pub fn find(start: &Path, explicit: Option<&Path>) -> Result<PathBuf, Error> {
    let p = start.join(explicit.unwrap_or(Path::new(".")));
    Ok(if p.is_dir() { p.join("compile_commands.json") } else { p })
}
pub fn read(json: &Path) -> Result<Database, Error> {
    let text = std::fs::read_to_string(json).map_err(|e| Error(e.to_string()))?;
    let v: Vec<serde_json::Value> = serde_json::from_str(&text).map_err(|e| Error(e.to_string()))?;
    let mut units = vec![];
    for (i, e) in v.iter().enumerate() {
        let words: Vec<String> = match e.get("command") {
            Some(c) => shlex::split(c.as_str().unwrap()).unwrap(),
            None => e["arguments"].as_array().unwrap().iter().map(|x| x.as_str().unwrap().to_owned()).collect(),
        };
        let file = e["file"].as_str().unwrap();
        if !file.ends_with(".c") {
            continue;
        }
        let directory = json.parent().unwrap().join(e["directory"].as_str().unwrap());
        let directory = directory.canonicalize().unwrap();
        let mut args: Vec<OsString> = vec![];
        let mut it = words.iter().skip(1);
        while let Some(w) = it.next() {
            if ["-o", "-MF", "-MQ", "-MT"].contains(&w.as_str()) {
                it.next();
                continue;
            }
            if w == file
                || w == "-c"
                || w == "-MD"
                || w == "-MMD"
                || w.starts_with("-W")
                || w.starts_with("-f") && w != "-fPIC" && w != "-fPIE"
            {
                continue;
            }
            args.push(w.into());
        }
        units.push(Unit {
            file: crate::source::normalize(&directory.join(file)),
            directory,
            arguments: args,
            outputs: vec![],
            entry: i,
            dropped: vec![],
        });
    }
    Ok(Database { path: json.canonicalize().unwrap(), units, refused: vec![], other_languages: BTreeMap::new() })
}
pub fn single(file: &Path, directory: &Path, flags: &[OsString]) -> Result<Unit, Refusal> {
    Ok(Unit {
        file: crate::source::normalize(&directory.join(file)),
        directory: directory.into(),
        arguments: flags.to_vec(),
        outputs: vec![],
        entry: 0,
        dropped: vec![],
    })
}

//! Vetting the arguments of one entry.
//!
//! The arguments are read as clang's driver reads them, and those that are kept are written anew:
//! an option with a value becomes two arguments, however it was written, and a value that looks
//! like an option is dropped together with its option. This is what makes the result safe, not how
//! closely the reading follows clang's: see [`Unit::arguments`](super::Unit::arguments).

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::command_line::{self, RefusedWord};
use super::compiler::{Compiler, is_target};
use super::language::{self, Language};
use super::options::{self, OptionForm, OptionGroup, Verdict};
use cowrap_base::files::normalize;

/// What a compiler with OpenMP 4.5 defines.
const OPENMP_MACRO: &str = "_OPENMP=201511";

/// The result of vetting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Vetted {
    Unit(Arguments),
    Refused(RefusedWord),
    Other(Language),
}

/// What a unit takes from its entry's arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) kept: Vec<OsString>,
    pub(super) dropped: Vec<OsString>,
    /// The value of the last `-o`, as written.
    pub(super) output: Option<PathBuf>,
}

/// Vets the arguments after the compiler's name. `file` and `directory` are absolute and
/// normalised; for `roots`, see [`command_line::expand_response_files`].
pub(super) fn vet(file: &Path, directory: &Path, compiler: Compiler, words: Vec<Vec<u8>>, roots: &[PathBuf]) -> Vetted {
    for path in [file, directory] {
        let word = path.as_os_str().as_bytes();
        if word.contains(&0) {
            return Vetted::Refused(RefusedWord { word: word.to_vec(), reason: command_line::CONTAINS_NUL.to_owned() });
        }
    }
    match command_line::expand_response_files(words, directory, roots) {
        Ok(words) => Vetting::new(file, directory, compiler, words).finish(),
        // The unread file may have a `-x`.
        Err(refused) => match language::by_name(language::name_of_file(file, compiler.cxx).as_bytes()) {
            Language::C => Vetted::Refused(refused),
            other => Vetted::Other(other),
        },
    }
}

/// An argument that is still to be read.
#[derive(Debug)]
struct PendingWord {
    text: Vec<u8>,
    /// The argument that it is a part of (`-Wp,-D,X`), if it is.
    whole: Option<Rc<[u8]>>,
}

/// An option that passes the next argument to something other than the driver.
#[derive(Debug)]
struct Carrier {
    /// The option, as written.
    word: Vec<u8>,
    /// The option's name if it passes the argument to a later stage (`-Xclang`); `None` if it
    /// passes it to something whose options are not listed.
    stage: Option<&'static str>,
}

#[derive(Debug)]
struct Vetting<'a> {
    file: &'a Path,
    directory: &'a Path,
    compiler: Compiler,
    words: VecDeque<PendingWord>,
    kept: Vec<OsString>,
    dropped: Vec<OsString>,
    output: Option<PathBuf>,
    /// The first refused argument.
    refused: Option<RefusedWord>,
    /// Whether a target was kept.
    has_target: bool,
    /// Whether OpenMP is on.
    has_openmp: bool,
    /// The value of the last `-x`.
    language: Option<Vec<u8>>,
    /// The value of the last `-x` before the file, once the file was seen.
    language_of_file: Option<Option<Vec<u8>>>,
}

impl<'a> Vetting<'a> {
    fn new(file: &'a Path, directory: &'a Path, compiler: Compiler, words: Vec<Vec<u8>>) -> Self {
        Vetting {
            file,
            directory,
            compiler,
            words: words.into_iter().map(|text| PendingWord { text, whole: None }).collect(),
            kept: Vec::new(),
            dropped: Vec::new(),
            output: None,
            refused: None,
            has_target: false,
            has_openmp: false,
            language: None,
            language_of_file: None,
        }
    }

    fn finish(mut self) -> Vetted {
        self.read_words();
        let by_option = self.language_of_file.take().unwrap_or(self.language.take()).filter(|name| name != b"none");
        let by_file = language::name_of_file(self.file, self.compiler.cxx);
        let name = by_option.as_deref().unwrap_or(by_file.as_bytes());
        match language::by_name(name) {
            Language::C => {}
            other => return Vetted::Other(other),
        }
        if let Some(refused) = self.refused {
            return Vetted::Refused(refused);
        }
        // libclang derives the language from the file's name, so `-x` is needed only if it differs.
        if name != language::name_of_file(self.file, false).as_bytes() {
            let name = word_to_os(name.to_vec());
            self.kept.extend([OsString::from("-x"), name]);
        }
        // Headers may ask whether it is on.
        if self.has_openmp {
            self.kept.splice(0..0, ["-D", OPENMP_MACRO].map(OsString::from));
        }
        // clang derives the target from its own name in the same way.
        if let Some(target) = self.compiler.target
            && !self.has_target
        {
            self.kept.insert(0, OsString::from(format!("--target={target}")));
        }
        Vetted::Unit(Arguments { kept: self.kept, dropped: self.dropped, output: self.output })
    }

    fn read_words(&mut self) {
        let mut carrier = None;
        while let Some(word) = self.words.pop_front() {
            carrier = match carrier {
                None if word.text == b"--" => {
                    while let Some(word) = self.words.pop_front() {
                        self.input(word.text);
                    }
                    return;
                }
                // `-` alone is standard input.
                None if !word.text.starts_with(b"-") || word.text == b"-" => {
                    self.input(word.text);
                    None
                }
                carrier => self.option(word, carrier),
            };
        }
    }

    /// An argument that names a file to compile or to link.
    fn input(&mut self, word: Vec<u8>) {
        let is_file = normalize(&self.directory.join(OsStr::from_bytes(&word))) == self.file;
        if is_file {
            self.language_of_file.get_or_insert(self.language.clone());
        } else {
            self.drop_word(word);
        }
    }

    /// An option, or an argument behind a carrier. Returns the carrier of the next argument.
    fn option(&mut self, word: PendingWord, carrier: Option<Carrier>) -> Option<Carrier> {
        let PendingWord { text: word, whole } = word;
        if let Some(reason) = options::refusal(&word) {
            // As it is written in the database.
            let shown = match (whole, carrier) {
                (Some(whole), _) => whole.to_vec(),
                (None, Some(carrier)) => [carrier.word, word].join(&b' '),
                (None, None) => word,
            };
            self.refuse(shown, reason);
            return None;
        }
        let is_known_stage = carrier.as_ref().is_none_or(|carrier| carrier.stage.is_some());
        let Some((group, name)) = is_known_stage.then(|| options::look_up(&word)).flatten() else {
            self.drop_word(word);
            return None;
        };
        match group.verdict {
            Verdict::Carry => {
                self.drop_word(word.clone());
                return Some(Carrier { word, stage: Some(name) });
            }
            Verdict::CarryAway => {
                self.drop_word(word.clone());
                return Some(Carrier { word, stage: None });
            }
            Verdict::Split(stage) => {
                let whole = whole.unwrap_or_else(|| Rc::from(word.as_slice()));
                let list = word.get(name.len()..).unwrap_or_default();
                for part in list.split(|byte| *byte == b',').rev() {
                    for text in [part, stage.as_bytes()] {
                        self.words.push_front(PendingWord { text: text.to_vec(), whole: Some(Rc::clone(&whole)) });
                    }
                }
                return None;
            }
            _ => {}
        }
        match self.value(&word, group, name, carrier.as_ref()) {
            Some(value) => self.known_option(word, value, group, name, carrier.is_some()),
            None => self.drop_word(word),
        }
        None
    }

    /// The value of an option, empty if it takes none; `None` if it is missing.
    fn value(&mut self, word: &[u8], group: &OptionGroup, name: &str, carrier: Option<&Carrier>) -> Option<Vec<u8>> {
        let joined = word.get(name.len()..).unwrap_or_default();
        match group.form {
            OptionForm::Alone => return Some(Vec::new()),
            OptionForm::Joined => return Some(joined.to_vec()),
            OptionForm::Either if !joined.is_empty() => return Some(joined.to_vec()),
            OptionForm::Separate | OptionForm::Either => {}
        }
        // `-Xclang -include -Xclang FILE`: the value has a carrier of its own.
        if let Some(carrier) = carrier {
            self.words.front().filter(|next| next.text == carrier.word)?;
            self.words.pop_front();
        }
        self.words.pop_front().map(|value| value.text)
    }

    fn known_option(&mut self, word: Vec<u8>, value: Vec<u8>, group: &OptionGroup, name: &'static str, carried: bool) {
        let fits = match group.verdict {
            Verdict::Keep => true,
            Verdict::KeepAs(_) => !value.is_empty(),
            Verdict::KeepValue | Verdict::ForceInclude => is_harmless_value(&value),
            // Behind the driver, other options mean nothing or something else.
            _ if carried => false,
            Verdict::Optimise => is_level(&value),
            Verdict::Machine => is_machine(&value),
            Verdict::Standard => !value.windows(2).any(|pair| pair == b"++"),
            Verdict::Target => return self.target(word, value),
            Verdict::Language => {
                self.language = Some(value);
                return;
            }
            Verdict::OpenMp(is_on) => {
                self.has_openmp = is_on;
                return;
            }
            Verdict::Ignore => return,
            Verdict::DriverMode => return self.driver_mode(word, &value),
            Verdict::Output => {
                self.output = Some(word_to_os(value).into());
                return;
            }
            Verdict::Drop | Verdict::Carry | Verdict::CarryAway | Verdict::Split(_) => false,
        };
        if !fits {
            let is_separate =
                word.len() == name.len() && matches!(group.form, OptionForm::Separate | OptionForm::Either);
            self.drop_word(word);
            if is_separate {
                self.drop_word(value);
            }
            return;
        }
        match group.verdict {
            Verdict::KeepValue => self.kept.extend([OsString::from(name), word_to_os(value)]),
            Verdict::KeepAs(name) => self.kept.push(word_to_os([name.as_bytes(), &value].concat())),
            // For an `-include` of its own, clang's driver takes FILE.pch or FILE.gch if there is
            // one, as a precompiled header of any version. Its front end does not.
            Verdict::ForceInclude => {
                let words = ["-Xclang", "-include", "-Xclang"].map(OsString::from);
                self.kept.extend(words.into_iter().chain([word_to_os(value)]));
            }
            _ => self.kept.push(word_to_os(word)),
        }
    }

    fn target(&mut self, word: Vec<u8>, value: Vec<u8>) {
        if is_target(&value) {
            self.has_target = true;
            self.kept.push(word_to_os([b"--target=", value.as_slice()].concat()));
        } else {
            let word = if word.ends_with(&value) { word } else { [&word, b" ".as_slice(), &value].concat() };
            self.refuse(word, "it is not the target triple of a processor that cowrap knows");
        }
    }

    fn driver_mode(&mut self, word: Vec<u8>, value: &[u8]) {
        match value {
            b"gcc" => self.drop_word(word),
            b"g++" => {
                self.compiler.cxx = true;
                self.drop_word(word);
            }
            _ => self.refuse(word, "it changes how the compiler reads its options"),
        }
    }

    fn refuse(&mut self, word: Vec<u8>, reason: &str) {
        self.refused.get_or_insert(RefusedWord { word, reason: reason.to_owned() });
    }

    fn drop_word(&mut self, word: Vec<u8>) {
        self.dropped.push(word_to_os(word));
    }
}

/// Whether a value may be an argument of its own: it must not look like an option or a response
/// file, in case the option before it is left out later. No real macro or path is lost: `-I -DX` is
/// an empty variable in a makefile.
fn is_harmless_value(value: &[u8]) -> bool {
    !matches!(value.first(), None | Some(b'-' | b'@'))
}

fn is_level(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_digit) || matches!(value, b"s" | b"z" | b"g" | b"fast")
}

/// Options such as `-mtune=generic`, `-msse4.1` and `-mcpu=cortex-a53+crypto`. None of them
/// contains a path.
fn is_machine(value: &[u8]) -> bool {
    value.first().is_some_and(u8::is_ascii_alphanumeric)
        && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"=,._+:-".contains(byte))
}

fn word_to_os(word: Vec<u8>) -> OsString {
    OsString::from_vec(word)
}

//! The encoded form of a saved program: parts that several processors can decode at once.

use std::borrow::Cow;
use std::fmt;

use rayon::prelude::*;
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::{Body, Function, IndexVec, Shared};
use super::SavedProgram;

/// How many functions or bodies are in one part.
const PART: usize = 4096;

/// A saved program without its functions and bodies, and these, in parts.
#[derive(Serialize, Deserialize)]
struct Encoded<'e> {
    #[serde(borrow)]
    program: Bytes<'e>,
    #[serde(borrow)]
    rest: Bytes<'e>,
    #[serde(borrow)]
    functions: Vec<Bytes<'e>>,
    #[serde(borrow)]
    bodies: Vec<Bytes<'e>>,
}

/// An encoded part.
struct Bytes<'e>(Cow<'e, [u8]>);

impl Bytes<'_> {
    fn new<T: Serialize + ?Sized>(value: &T) -> postcard::Result<Bytes<'static>> {
        postcard::to_stdvec(value).map(|bytes| Bytes(Cow::Owned(bytes)))
    }

    fn all<T: Serialize + Sync>(list: &[T]) -> postcard::Result<Vec<Bytes<'static>>> {
        list.par_chunks(PART).map(Bytes::new).collect()
    }

    fn decode<T: DeserializeOwned>(&self) -> postcard::Result<T> {
        postcard::from_bytes(&self.0)
    }
}

/// Decodes the parts of a list.
fn decode_all<T: DeserializeOwned + Send>(parts: &[Bytes<'_>]) -> postcard::Result<Vec<T>> {
    let parts: Vec<Vec<T>> = parts.par_iter().map(Bytes::decode).collect::<postcard::Result<_>>()?;
    let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    parts.into_iter().for_each(|part| all.extend(part));
    Ok(all)
}

impl Serialize for SavedProgram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let SavedProgram { program, mentions, records, units, special } = self;
        let (functions, bodies) = (program.functions.as_slice(), program.bodies.as_slice());
        let rest = || Bytes::new(&(mentions, records, units, special));
        let ((functions, bodies), (program, rest)) = rayon::join(
            || rayon::join(|| Bytes::all(functions), || Bytes::all(bodies)),
            || rayon::join(|| Bytes::new(&program.without_functions_and_bodies()), rest),
        );
        let encoded = || -> postcard::Result<Encoded<'static>> {
            Ok(Encoded { program: program?, rest: rest?, functions: functions?, bodies: bodies? })
        };
        encoded().map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SavedProgram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SavedProgram, D::Error> {
        let Encoded { program, rest, functions, bodies } = Encoded::deserialize(deserializer)?;
        let ((functions, bodies), (program, rest)) = rayon::join(
            || rayon::join(|| decode_all::<Function>(&functions), || decode_all::<Shared<Body>>(&bodies)),
            || rayon::join(|| program.decode(), || rest.decode()),
        );
        let decoded = || -> postcard::Result<SavedProgram> {
            let (mentions, records, units, special) = rest?;
            let mut saved = SavedProgram { program: program?, mentions, records, units, special };
            saved.program.functions = Shared::new(IndexVec::from(functions?));
            saved.program.bodies = bodies?.into();
            Ok(saved)
        };
        decoded().map_err(D::Error::custom)
    }
}

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de: 'e, 'e> Deserialize<'de> for Bytes<'e> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes<'e>, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = Bytes<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Bytes<'de>, E> {
                Ok(Bytes(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes<'de>, E> {
                Ok(Bytes(Cow::Owned(bytes.to_vec())))
            }
        }
        deserializer.deserialize_bytes(Borrowed)
    }
}

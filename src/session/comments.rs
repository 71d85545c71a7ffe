//! The comments for cowrap in the sources of a tree.
//!
//! Few texts have one, and to read all texts of a large tree takes longer than to run the rules. So the cache has the
//! digests of the texts that have none.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use cowrap_analysis::program::{FileId, Program};
use cowrap_base::files::{Digest, Texts, Tree};
use cowrap_csyntax::suppression::{Comment, comments};

use crate::caches::Checkout;

/// How many texts without comments are stored as a small change of the whole set.
const MOST_NEWS: usize = 1000;

/// How many texts the set has at most. Old states of files do not leave it one by one.
const MOST_TEXTS: usize = 200_000;

/// A comment for cowrap, with its file.
pub(crate) struct FileComment {
    pub(crate) file: FileId,
    pub(crate) path: PathBuf,
    pub(crate) comment: Comment,
}

/// The comments for cowrap in the tree's own files. With a cache, `checkout` is what it knows about them.
pub(crate) fn find_comments(
    program: &Program,
    tree: &Tree,
    texts: &Texts,
    checkout: Option<&Checkout>,
) -> Vec<FileComment> {
    let plain = checkout.map(PlainTexts::load);
    let own = (0..program.files.len() as u32).into_par_iter().map(FileId);
    let own = own.filter(|file| tree.is_own(program.path(*file)));
    let found: Vec<Found> = own.map(|file| find_in(file, program.path(file), tree, texts, plain.as_ref())).collect();
    if let Some(plain) = plain {
        plain.store(found.iter().filter_map(|found| found.plain).collect());
    }
    found.into_iter().flat_map(|found| found.comments).collect()
}

/// What is found in a file.
#[derive(Default)]
struct Found {
    comments: Vec<FileComment>,
    /// The digest of a text without comments that the cache does not know as one.
    plain: Option<Digest>,
}

fn find_in(file: FileId, path: &Path, tree: &Tree, texts: &Texts, plain: Option<&PlainTexts<'_>>) -> Found {
    // Changed texts are in memory.
    let plain = plain.filter(|_| !texts.is_changed(path));
    let digest = plain.and_then(|plain| plain.checkout.stat_cache.digest(path));
    if plain.zip(digest).is_some_and(|(plain, digest)| plain.contains(&digest)) {
        return Found::default();
    }
    // A file that cannot be read is reported where it matters.
    let Ok(text) = texts.glance(path) else { return Found::default() };
    let comments = comments(&text);
    if comments.is_empty() {
        // The text may have changed since its units were compared. Then no later run may take this report for one on
        // the text that they saw: `texts` records that it was read.
        let is_same = digest == Some(Digest::of(&text));
        if digest.is_some() && !is_same {
            let _ = texts.text(path);
        }
        return Found { plain: digest.filter(|_| is_same), ..Found::default() };
    }
    // The report depends on this text.
    let _ = texts.text(path);
    let shown = tree.relative(path);
    let comment = |comment| FileComment { file, path: shown.to_path_buf(), comment };
    Found { comments: comments.into_iter().map(comment).collect(), plain: None }
}

/// The texts without comments for cowrap that the cache knows, by their digests.
struct PlainTexts<'c> {
    checkout: &'c Checkout,
    /// The name of the stored set.
    stored: Option<[u8; 16]>,
    whole: FxHashSet<Digest>,
    /// Those that were found since the set was stored as a whole.
    news: FxHashSet<Digest>,
}

impl PlainTexts<'_> {
    fn load(checkout: &Checkout) -> PlainTexts<'_> {
        let decode =
            |bytes: &[u8]| postcard::from_bytes::<Vec<Digest>>(bytes).unwrap_or_default().into_iter().collect();
        let layers = checkout.cache.layers(&checkout.key_of_comments());
        PlainTexts {
            checkout,
            stored: layers.as_ref().map(|layers| layers.name),
            whole: layers.as_ref().map(|layers| decode(layers.whole())).unwrap_or_default(),
            news: layers.as_ref().and_then(|layers| layers.change()).map(decode).unwrap_or_default(),
        }
    }

    fn contains(&self, text: &Digest) -> bool {
        self.whole.contains(text) || self.news.contains(text)
    }

    /// Adds texts to the stored set.
    fn store(mut self, found: Vec<Digest>) {
        if found.is_empty() {
            return;
        }
        self.news.extend(found);
        let key = self.checkout.key_of_comments();
        let encode = |texts: &FxHashSet<Digest>| {
            let mut texts: Vec<&Digest> = texts.iter().collect();
            texts.sort_unstable();
            postcard::to_stdvec(&texts).unwrap_or_default()
        };
        match self.stored.filter(|_| self.news.len() <= MOST_NEWS) {
            Some(name) => self.checkout.cache.put_change(key, name, &encode(&self.news)),
            None => {
                if self.whole.len() + self.news.len() <= MOST_TEXTS {
                    self.news.extend(self.whole);
                }
                self.checkout.cache.put_whole(key, &encode(&self.news));
            }
        }
    }
}

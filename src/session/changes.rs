//! The changes that git sees, and the snapshot that has them.

use cowrap_base::files::Tree;
use cowrap_base::git::{Change, Git, GitError, Side};

use crate::gate::Since;
use crate::snapshot::Snapshot;

/// The changes that a report is about.
pub(crate) struct Changes {
    /// What the snapshot is compared with, for messages.
    pub(crate) base: String,
    pub(crate) files: Vec<Change>,
    pub(crate) git: Git,
    /// The snapshot that is checked.
    pub(crate) snapshot: Snapshot,
}

impl Changes {
    /// Asks git what changed.
    ///
    /// # Errors
    ///
    /// There is no repository, no such revision, or no common history.
    pub(crate) fn find(since: &Since, tree: &Tree) -> Result<Changes, GitError> {
        let git = Git::new(&tree.root)?;
        match since {
            Since::Fork(revision) => {
                let fork = git.fork(&git.commit(revision)?)?;
                let files = git.changes(Side::Commit(&fork), Side::WorkTree)?;
                let base = format!("{revision} ({})", short(&fork));
                Ok(Changes { base, files, git, snapshot: Snapshot::disk() })
            }
            Since::Staged => {
                let snapshot = Snapshot::staged(&git)?;
                let (base, side) = match git.head()? {
                    Some(head) => (format!("HEAD ({})", short(&head)), Some(head)),
                    None => ("an empty tree, since there is no commit yet".to_owned(), None),
                };
                let files = git.changes(side.as_deref().map_or(Side::Nothing, Side::Commit), Side::Index)?;
                Ok(Changes { base, files, git, snapshot })
            }
        }
    }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

//! The pages of the rules as files, to which diagnostics link.
//!
//! The pages are part of the program, which has no site. A `data:` URL would repeat a page in each diagnostic, and few
//! editors open one; all of them open a file. The files exist as long as the server runs. It must never know findings.

use std::collections::HashMap;

use gen_lsp_types::Uri;

use cowrap_report::RuleInfo;
use cowrap_session::{Place, TemporaryDirectory};

use crate::uris::uri_of;

/// The pages that were written.
#[derive(Default)]
pub(crate) struct RulePages {
    /// None until it is needed, and if it cannot be made.
    directory: Option<TemporaryDirectory>,
    /// The URIs by name, with the page that is there; none if it could not be written.
    written: HashMap<String, (String, Option<Uri>)>,
}

impl RulePages {
    /// The URI of the page of a rule.
    pub(crate) fn uri(&mut self, rule: &RuleInfo) -> Option<Uri> {
        let name = match &rule.pack {
            Some(pack) => format!("{pack}-{}.md", rule.name),
            None => format!("{}.md", rule.name),
        };
        if let Some((page, uri)) = self.written.get(&name)
            && *page == rule.page
        {
            return uri.clone();
        }
        let uri = self.write(&name, &rule.page);
        self.written.insert(name, (rule.page.clone(), uri.clone()));
        uri
    }

    fn write(&mut self, name: &str, page: &str) -> Option<Uri> {
        // A pack can have any name.
        if name.contains('/') || name.contains('\0') {
            return None;
        }
        if self.directory.is_none() {
            self.directory = TemporaryDirectory::make().ok();
        }
        let file = self.directory.as_ref()?.path().join(name);
        Place::given(&file).and_then(|place| place.write(page.as_bytes())).ok()?;
        Some(uri_of(&file))
    }
}

//! `wrapper-signature-mismatch`: a wrapper and its target differ in a parameter or in the return type.

use crate::effects::{DeclaredWrapper, Effects};
use crate::wording::name;
use cowrap_report::{Finding, Level, Role};

use super::Rule;
use super::report::{Message, Report};

/// The rule.
pub const RULE: Rule = Rule {
    id: "wrapper-signature-mismatch",
    level: Level::Error,
    summary: "a wrapper and its target have different types",
    opt_in: false,
    fixes: None,
    page: include_str!("../../../rules/wrapper-signature-mismatch.md"),
    check,
};

fn check(effects: &Effects<'_>) -> Vec<Finding> {
    effects.wrappers().iter().filter_map(|wrapper| finding(effects, wrapper)).collect()
}

fn finding(effects: &Effects<'_>, wrapper: &DeclaredWrapper<'_>) -> Option<Finding> {
    let target = wrapper.target?;
    let declarations = &effects.program.function(wrapper.function).declarations;
    let declaration = declarations.iter().find(|declaration| declaration.marks.contains(&wrapper.mark))?;
    let own = declaration.signature.as_deref()?;
    let (target_declaration, wanted) = effects.typed_declaration(target)?;
    if own == wanted {
        return None;
    }
    let (function, target) = (name(effects, wrapper.function), name(effects, target));
    let text = format!("wrapper `{function}` and its target `{target}` have different types");
    let subjects = vec![Role::Wrapper.of(function), Role::Target.of(target)];
    let message = Message { function, subjects, text };
    let mut report =
        Report::new(effects, &RULE, declaration.location, format!("`{function}` has type `{own}`"), message);
    report.label(target_declaration.location, format!("`{target}` has type `{wanted}`"));
    report.help("declare both with the same parameters and return type");
    Some(report.finish())
}

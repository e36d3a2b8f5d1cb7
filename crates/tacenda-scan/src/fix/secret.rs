//! Fixes of classes: a field that holds a credential gets a type whose text hides it.

use ruff_python_ast as ast;
use ruff_python_ast::AnyNodeRef;
use ruff_python_ast::visitor::{self, Visitor};
use ruff_text_size::Ranged;

use super::site::Site;
use super::{Applicability, Fix};
use crate::label::Label;
use crate::lexicon::Class;
use crate::model::Models;

/// Classes of pydantic whose fields take what they are annotated with.
const MODELS: &[&str] =
    &["pydantic.BaseModel", "pydantic.main.BaseModel", "pydantic_settings.BaseSettings"];

impl<'a> Site<'a> {
    /// The credentials of the pydantic model that is written become `SecretStr`. Nothing if this file
    /// reads one of them, since that takes `get_secret_value` from then on, or if one of them is no
    /// plain `str` without a default, which pydantic would leave as it is.
    pub(crate) fn with_secret_fields(&self) -> Option<Fix> {
        let slot = self.slot(None)?;
        let name = slot.value.as_name_expr()?.id.as_str();
        let class = self.class(self.class_of(name)?)?;
        let is_model =
            |base: &ast::Expr| self.path(base).is_some_and(|path| MODELS.contains(&path.as_str()));
        if !class.bases().iter().any(is_model) || self.imports.is_rebound("str") {
            return None;
        }
        let (written, import) = match self.imports.name_of("pydantic.SecretStr", class.start()) {
            Some(own) => (own.to_owned(), None),
            None => {
                let (module, import) = self.module("pydantic", class.start())?;
                (format!("{module}.SecretStr"), import)
            }
        };
        let mut edits = Vec::new();
        for stmt in &class.body {
            let Some((field, annotation, plain)) = credential(stmt) else { continue };
            if !plain || self.reads(field) {
                return None;
            }
            edits.push(self.replace(annotation, written.as_str()));
        }
        if edits.is_empty() {
            return None;
        }
        edits.extend(import);
        let message = "annotate the credential as `SecretStr`: where other files read it, \
                       `get_secret_value()` gives it, and `model_dump_json` hides it";
        Some(Fix { message: message.to_owned(), applicability: Applicability::Unsafe, edits })
    }

    /// The name of the class of a parameter, by its annotation.
    fn class_of(&self, name: &str) -> Option<&'a str> {
        let nodes = self.around(&self.finding.argument)?;
        let function = nodes.into_iter().find_map(|node| match node {
            AnyNodeRef::StmtFunctionDef(function) => Some(function),
            _ => None,
        })?;
        let parameters = function.parameters.iter_non_variadic_params();
        let own = parameters.map(|one| &one.parameter).find(|one| one.name.as_str() == name)?;
        Some(own.annotation()?.as_name_expr()?.id.as_str())
    }

    /// The only class of this name at the top level of the file.
    fn class(&self, name: &str) -> Option<&'a ast::StmtClassDef> {
        let classes = self.parsed.suite().iter().filter_map(ast::Stmt::as_class_def_stmt);
        let mut named = classes.filter(|class| class.name.as_str() == name);
        named.next().filter(|_| named.next().is_none())
    }

    /// Whether the file reads an attribute of this name, of whatever object.
    fn reads(&self, field: &str) -> bool {
        let mut reads = Reads { field, found: false };
        reads.visit_body(self.parsed.suite());
        reads.found
    }
}

/// A field that is named like a credential: its name, its annotation, and whether that is all and is
/// `str`.
fn credential(stmt: &ast::Stmt) -> Option<(&str, &ast::Expr, bool)> {
    let field = stmt.as_ann_assign_stmt()?;
    let name = field.target.as_name_expr()?.id.as_str();
    let class = Models::builtin().classify(name);
    let plain = field.value.is_none()
        && field.annotation.as_name_expr().is_some_and(|annotation| annotation.id == "str");
    let secret = annotation_hides(&field.annotation);
    (matches!(class, Class::Sensitive(Label::Credential, ..)) && !secret).then_some((
        name,
        &*field.annotation,
        plain,
    ))
}

fn annotation_hides(annotation: &ast::Expr) -> bool {
    super::site::last_name(annotation).is_some_and(|name| name.starts_with("Secret"))
}

struct Reads<'f> {
    field: &'f str,
    found: bool,
}

impl<'s> Visitor<'s> for Reads<'_> {
    fn visit_expr(&mut self, expr: &'s ast::Expr) {
        self.found |= matches!(expr, ast::Expr::Attribute(one) if one.attr.as_str() == self.field);
        visitor::walk_expr(self, expr);
    }
}

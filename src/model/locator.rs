//! Where findings about the manifests of one unit are: at the input line of the value first.

use crate::model::instance::Unit;
use tenantry_engine::manifest::Rendered;
use tenantry_engine::view::View;
use tenantry_syntax::diagnostics::{Diagnostic, Sources, Span};
use tenantry_syntax::yaml::NodeId;

/// Places the findings of one unit.
pub struct Locator<'a> {
    /// All files.
    pub sources: &'a Sources,
    /// The unit.
    pub unit: &'a Unit,
    /// Its manifests.
    pub rendered: &'a [Rendered],
}

/// The lines that a finding points at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Places {
    /// The one to mend.
    pub primary: Option<Span>,
    /// The one behind it, with what it is.
    pub secondary: Option<(Span, &'static str)>,
    /// Whether the one to correct is of the repository.
    pub is_own: bool,
}

impl Places {
    /// Puts a finding there.
    pub fn put(&self, diagnostic: Diagnostic, label: &str) -> Diagnostic {
        let diagnostic = diagnostic.at(self.primary, label);
        match self.secondary {
            Some((span, label)) => diagnostic.and(span, label),
            None => diagnostic,
        }
    }
}

impl Locator<'_> {
    /// The input line of a value, if one made it, and its template line.
    pub fn place(&self, view: View<'_>) -> (Option<Span>, Option<Span>) {
        let line = view.line();
        let template = self.sources.line_span(line.file, line.line as usize);
        (self.input(view), template)
    }

    /// The input line of a value, if one made it.
    pub fn input(&self, view: View<'_>) -> Option<Span> {
        let ids: Vec<NodeId> = view
            .sources()
            .into_iter()
            .flat_map(|id| self.unit.derivations.inputs(id))
            .collect();
        let own = |span: &Span| !self.sources.is_built_in(span.file);
        let spans: Vec<Span> = ids
            .iter()
            .filter_map(|id| self.sources.span(*id))
            .map(|span| self.sources.first_line(span))
            .collect();
        spans
            .iter()
            .copied()
            .find(own)
            .or_else(|| spans.first().copied())
    }

    /// Puts a finding at a value: the input line first, else the template line.
    pub fn at(&self, diagnostic: Diagnostic, view: View<'_>, label: &str) -> Diagnostic {
        self.places(view).put(diagnostic, label)
    }

    /// The lines that a finding about a value points at.
    pub fn places(&self, view: View<'_>) -> Places {
        let built_in = |span: &Span| self.sources.is_built_in(span.file);
        let (primary, secondary) = match self.place(view) {
            // Text that the repository's own template joins, and values that nobody there wrote, are
            // corrected in the template.
            (Some(input), Some(template))
                if !built_in(&template) && (view.is_joined() || built_in(&input)) =>
            {
                (Some(template), Some((input, "a value that it prints")))
            }
            (Some(input), template) => {
                let other = template.map(|template| (template, "printed by this template line"));
                (Some(input), other)
            }
            (None, template) => (template, None),
        };
        Places {
            is_own: primary.as_ref().is_some_and(|span| !built_in(span)),
            primary,
            secondary,
        }
    }

    /// Puts a finding at the template line that wrote a place, or at the line of the patch that did.
    pub fn at_template(&self, diagnostic: Diagnostic, view: View<'_>, label: &str) -> Diagnostic {
        let (input, template) = self.place(view);
        diagnostic.at(template.or(input), label)
    }

    /// Puts a finding of a policy at a value of an object: the line of the repository that made it;
    /// failing that, the document of what the object was rendered for.
    pub fn at_own(
        &self,
        diagnostic: Diagnostic,
        view: View<'_>,
        rendered: Option<&Rendered>,
    ) -> Diagnostic {
        let (input, template) = self.place(view);
        let built_in = |span: &Span| self.sources.is_built_in(span.file);
        if input.as_ref().is_some_and(|span| !built_in(span))
            || template.as_ref().is_some_and(|span| !built_in(span))
        {
            return self.at(diagnostic, view, "");
        }
        let instance = rendered
            .and_then(|one| one.instance)
            .and_then(|at| self.unit.instances.get(at));
        let owner = instance.map_or(self.unit.facts.name, |instance| instance.name);
        diagnostic
            .at(self.sources.span(owner), "")
            .and(input, "the default that decides it")
            .and(
                template.filter(|_| input.is_none()),
                "printed by this template line",
            )
    }

    /// `in Deployment/web of globex/ingest, in production on eu-1`.
    pub fn object(&self, rendered: &Rendered) -> String {
        let key = &self.unit.key;
        let component = rendered
            .instance
            .and_then(|at| self.unit.instances.get(at))
            .map(|instance| format!("/{}", instance.component));
        format!(
            "in {}{}{}, in {} on {}",
            rendered.manifest.title(),
            if key.tenant().is_none() {
                String::new()
            } else {
                format!(" of {}", key.tenant_name())
            },
            component.unwrap_or_default(),
            key.environment,
            key.cluster
        )
    }
}

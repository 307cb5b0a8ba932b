//! Findings: what is wrong, where, and what to write instead.
//!
//! A finding is a [`Diagnostic`] with a [`Code`] from the [`catalogue`]; stages put them into a
//! [`Sink`]; [`Sources`] turns node ids into lines. To add a code, add it to the file of its stage
//! in `catalogue/`, and a case in `tests/ui/<code>/`.

pub mod catalogue;
mod sink;
mod source_map;

pub use catalogue::Code;
pub use sink::Sink;
pub use source_map::{Position, SourceFile, Sources};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Should be fixed, does not stop the work.
    Warning,
    /// Must be fixed.
    Error,
}

impl Severity {
    /// The word that output formats print.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A byte range of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file, as an index into [`Sources`].
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// A place and what it has to do with the finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words; may be empty.
    pub message: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one sentence of the user's words.
    pub message: String,
    /// The input line to mend, where there is one.
    pub primary: Option<Label>,
    /// Other places that matter: the other definition, the template line.
    pub secondary: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
    /// Facts that help to judge it.
    pub notes: Vec<String>,
    /// How many more times the same was found (in other instances).
    pub repeated: usize,
    /// The policy that it is a finding of, if it is one.
    pub policy: Option<Box<PolicyFinding>>,
    /// The rendered object that it is about, if waivers may except it.
    pub about: Option<Box<About>>,
    /// Why it does not count, if it does not: a waiver, or a baseline that knows it.
    pub accepted: Option<Accepted>,
}

/// The rendered object that a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The component that it was rendered for; empty for none.
    pub component: String,
    /// The object: `Deployment/web`.
    pub object: String,
    /// The field; empty for the whole.
    pub path: String,
}

/// What only a finding of a policy has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFinding {
    /// The policy's name.
    pub policy: String,
    /// How bad it is: `info` to `critical`.
    pub severity: &'static str,
    /// What the policy asks for.
    pub title: String,
    /// Why it asks, and what to write instead.
    pub help: String,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// A waiver, with its reason.
    Waived {
        /// The waiver's name.
        waiver: String,
        /// Why.
        reason: String,
    },
    /// It was there when the baseline was written.
    Known,
}

impl Diagnostic {
    /// A finding with the severity of its code and no place yet.
    pub fn new(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            help: None,
            notes: Vec::new(),
            repeated: 0,
            policy: None,
            about: None,
            accepted: None,
        }
    }

    /// What people know the kind of finding by: the policy's name, or the code.
    pub fn rule_id(&self) -> &str {
        match &self.policy {
            Some(finding) => &finding.policy,
            None => self.code.id,
        }
    }

    /// How it counts: its severity; `waived` or `known` when it does not.
    pub fn standing(&self) -> &'static str {
        match self.accepted {
            Some(Accepted::Waived { .. }) => "waived",
            Some(Accepted::Known) => "known",
            None => self.severity.name(),
        }
    }

    /// What the kind of finding is, in a few words.
    pub fn rule_title(&self) -> &str {
        match &self.policy {
            Some(finding) => &finding.title,
            None => self.code.title,
        }
    }

    /// Whether a policy denies it; everything else can be compiled.
    pub fn is_denial(&self) -> bool {
        self.policy.is_some() && self.severity == Severity::Error
    }

    /// Whether it must be fixed before anything can be compiled.
    pub fn is_error(&self) -> bool {
        self.policy.is_none() && self.severity == Severity::Error
    }

    /// Points at the line to mend.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>, label: impl Into<String>) -> Diagnostic {
        self.primary = span.into().map(|span| Label {
            span,
            message: label.into(),
        });
        self
    }

    /// Points at another place that matters.
    #[must_use]
    pub fn and(mut self, span: impl Into<Option<Span>>, label: impl Into<String>) -> Diagnostic {
        if let Some(span) = span.into() {
            self.secondary.push(Label {
                span,
                message: label.into(),
            });
        }
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Says which field of an object it is about.
    #[must_use]
    pub fn on(mut self, path: impl Into<String>) -> Diagnostic {
        self.about.get_or_insert_default().path = path.into();
        self
    }

    /// Lets a waiver except it: it is worth knowing, and no more.
    pub fn accept(&mut self, accepted: Accepted) {
        match &accepted {
            Accepted::Waived { waiver, reason } => {
                self.notes.push(format!("waived by `{waiver}`: {reason}"));
                self.help = None;
            }
            Accepted::Known => self.notes.push("known to the baseline".to_owned()),
        }
        self.severity = Severity::Note;
        self.accepted = Some(accepted);
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }
}

/// A text without characters that a terminal would obey or that change the order of others.
pub fn printable(text: &str) -> String {
    let refused = |c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if refused(c) { '\u{fffd}' } else { c })
        .collect()
}

/// The name that the writer most likely meant, if one is near enough to say so.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&wanted.to_lowercase(), &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| *distance <= (wanted.len().max(name.len()) / 3).max(1))
        .min()
        .map(|(_, name)| name)
}

/// The sentence that suggests a name: the nearest, or else all of them when they are few.
pub fn suggest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    if let Some(name) = nearest(wanted, known.iter().copied()) {
        return Some(format!("did you mean `{name}`?"));
    }
    (!known.is_empty() && known.len() <= 32).then(|| format!("known here: {}", list_names(known)))
}

/// a, b and c, for people.
pub fn list_plain(names: &[String]) -> String {
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// `a`, `b` and `c`, for people.
pub fn list_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    list_plain(&names)
}

//! Steps into a tree.

use std::fmt;
use std::sync::Arc;

/// One step into a tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathStep {
    /// Into a mapping.
    Key(Arc<str>),
    /// Into a sequence, from 0.
    Index(usize),
}

impl From<&str> for PathStep {
    fn from(key: &str) -> PathStep {
        PathStep::Key(key.into())
    }
}

/// A way into a tree, written as `spec.containers[0].image`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(pub Vec<PathStep>);

impl Path {
    /// Reads `a.b[0].c` or `a.b[name].c`; a key with dots is written in quotes: `labels."app.kubernetes.io/name"`.
    ///
    /// # Errors
    /// What is wrong with the text, for people.
    pub fn parse(text: &str) -> Result<Path, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let end = inner.find(']').ok_or("a `[` without its `]`")?;
                // `[0]` is a position, `[web]` the item of that name.
                steps.push(
                    inner[..end]
                        .parse()
                        .map_or_else(|_| PathStep::from(&inner[..end]), PathStep::Index),
                );
                rest = &inner[end + 1..];
            } else if let Some(inner) = rest.strip_prefix('"') {
                let end = inner.find('"').ok_or("a quote that is not closed")?;
                steps.push(PathStep::from(&inner[..end]));
                rest = &inner[end + 1..];
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return Err("an empty step".to_owned());
                }
                steps.push(PathStep::from(&rest[..end]));
                rest = &rest[end..];
            }
            rest = match rest.strip_prefix('.') {
                Some("") => return Err("it ends with a dot".to_owned()),
                Some(after) => after,
                None => rest,
            };
        }
        Ok(Path(steps))
    }

    /// This path with one step more.
    #[must_use]
    pub fn join(&self, step: impl Into<PathStep>) -> Path {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Path(steps)
    }
}

/// Writes a key at its place in a path: after a dot, and in quotes when it could be read as a path.
///
/// # Errors
/// Only if `f` has one.
pub fn write_key(f: &mut fmt::Formatter<'_>, position: usize, key: &str) -> fmt::Result {
    if position > 0 {
        f.write_str(".")?;
    }
    if key.contains(['.', '[', '"']) || key.is_empty() {
        write!(f, "\"{key}\"")
    } else {
        f.write_str(key)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Key(key) => write_key(f, position, key)?,
            }
        }
        Ok(())
    }
}

/// The way from the root; made into a path when there is something to tell.
pub enum Trail<'p> {
    /// The root.
    Root,
    /// An entry.
    Key(&'p Trail<'p>, &'p str),
    /// An item.
    Index(&'p Trail<'p>, usize),
}

impl Trail<'_> {
    /// The same way as a path.
    pub fn path(&self) -> Path {
        let mut steps = Vec::new();
        let mut trail = self;
        loop {
            trail = match trail {
                Trail::Root => break,
                Trail::Key(before, key) => {
                    steps.push(PathStep::from(*key));
                    before
                }
                Trail::Index(before, at) => {
                    steps.push(PathStep::Index(*at));
                    before
                }
            };
        }
        steps.reverse();
        Path(steps)
    }
}

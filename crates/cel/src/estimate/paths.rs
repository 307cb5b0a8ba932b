//! Where parts of an expression stand in the schema: paths from a variable.
//!
//! The API server holds a path as a slice of Go, and adds a step in place where the slice has room. Paths that were made
//! of the same path then share their last step: in `self.rules.all(r, r.hosts.all(h, h != r.name))`, `r.hosts` has become
//! `r.name` when the inner loop is multiplied by its size. What it refuses depends on that, so it is done here, too.
//! <https://go.dev/ref/spec#Appending_and_copying_slices>

use std::rc::Rc;

use super::range::NumberRange;
use super::sizes::Sizes;

/// A step of a path.
#[derive(Clone, Debug)]
pub(super) enum SizeStep {
    /// The variable that a path starts at; every one is taken for `self`.
    Variable,
    Field(Rc<str>),
    Items,
    Positions,
    Keys,
    Values,
}

/// A path: how many steps of which buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct SizePath {
    buffer: usize,
    length: usize,
}

/// The buffers of all paths; a buffer is as long as its capacity.
#[derive(Debug, Default)]
pub(super) struct SizePaths(Vec<Vec<SizeStep>>);

impl SizePaths {
    /// A path of one more step; what is computed has no path before.
    pub(super) fn append(&mut self, path: Option<SizePath>, step: SizeStep) -> SizePath {
        let mut steps = Vec::new();
        if let Some(SizePath { buffer, length }) = path {
            let shared = &mut self.0[buffer];
            if length < shared.len() {
                shared[length] = step;
                return SizePath {
                    buffer,
                    length: length + 1,
                };
            }
            steps.clone_from(shared);
        }
        let length = steps.len() + 1;
        // Go doubles the capacity of a slice that is as short as these.
        let capacity = (2 * steps.len()).max(1);
        steps.push(step);
        steps.resize(capacity, SizeStep::Variable);
        self.0.push(steps);
        SizePath {
            buffer: self.0.len() - 1,
            length,
        }
    }

    /// The size of the values at a path, if the schema says something there.
    pub(super) fn size(&self, path: SizePath, root: &Sizes) -> Option<NumberRange> {
        Some(NumberRange::new(0, self.sizes(path, root)?.most))
    }

    /// The size of the values one step from a path.
    pub(super) fn size_inside(
        &self,
        path: SizePath,
        step: &SizeStep,
        root: &Sizes,
    ) -> Option<NumberRange> {
        let sizes = self.sizes(path, root)?.inside(step)?;
        Some(NumberRange::new(0, sizes.most))
    }

    fn sizes<'s>(&self, path: SizePath, root: &'s Sizes) -> Option<&'s Sizes> {
        let steps = &self.0[path.buffer][1..path.length];
        steps
            .iter()
            .try_fold(root, |sizes, step| sizes.inside(step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_share_what_go_shares() {
        let mut paths = SizePaths::default();
        let field = |name: &str| SizeStep::Field(name.into());
        let own = paths.append(None, SizeStep::Variable);
        let [a, b] = ["a", "b"].map(|name| paths.append(Some(own), field(name)));
        assert_ne!(a.buffer, b.buffer, "there is no room after one step");
        let item = paths.append(Some(a), SizeStep::Items);
        let [c, d] = ["c", "d"].map(|name| paths.append(Some(item), field(name)));
        assert_eq!((c.buffer, c.length), (d.buffer, d.length));
        let deeper = paths.append(Some(c), SizeStep::Items);
        assert_ne!(deeper.buffer, c.buffer, "there is no room after four steps");
        assert!(matches!(&paths.0[c.buffer][3], SizeStep::Field(name) if &**name == "d"));
    }
}

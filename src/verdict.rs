//! Everything found, and the answer that says it.

use std::fmt::Write as _;

use crate::json::Value;
use crate::request::RequestError;
use crate::schema::SettingsErrors;
use crate::splice::{self, Edit};
use crate::violation::{Code, Violation};

/// A message names at most this many violations.
pub(crate) const MOST_LINES: usize = 100;

/// The API server keeps 4,096 characters of warnings in all (`maxWarningLength` times 16).
const MOST_WARNINGS: usize = 16;

/// Warnings are cut at this many bytes; the API server would cut them at 256 characters.
const LONGEST_WARNING: usize = 256;

/// What is told, how much more there is, and the codes of that.
pub(crate) type Found = (Vec<Violation>, usize, Vec<Code>);

/// The judgement on a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict<'s> {
    /// What refuses the request, in the order of the document: the first hundred.
    pub violations: Vec<Violation>,
    /// How many more there are.
    pub more_violations: usize,
    /// What is wrong and passes, in the order of the document: the first hundred.
    pub warnings: Vec<Violation>,
    /// How many more there are.
    pub more_warnings: usize,
    /// The codes of what is only counted.
    more_codes: Vec<Code>,
    /// The names of the exemptions without which there would be more.
    pub exempted: Vec<String>,
    /// The images that the request runs from elsewhere, as `from=to`.
    pub rewritten: Vec<String>,
    /// What changes in the object; nothing if the request is refused.
    pub edits: Vec<Edit>,
    /// The object with these changes, as JSON; none without any.
    pub mutated_object: Option<String>,
    docs_url: Option<&'s str>,
}

impl<'s> Verdict<'s> {
    pub(crate) const fn new(docs_url: Option<&'s str>) -> Self {
        Self {
            violations: Vec::new(),
            more_violations: 0,
            warnings: Vec::new(),
            more_warnings: 0,
            more_codes: Vec::new(),
            exempted: Vec::new(),
            rewritten: Vec::new(),
            edits: Vec::new(),
            mutated_object: None,
            docs_url,
        }
    }

    /// Refuses a request that cannot be judged.
    pub fn unreadable(docs_url: Option<&'s str>, error: &RequestError) -> Self {
        let mut verdict = Self::new(docs_url);
        let (place, problem) = (error.place.to_owned(), error.problem.clone());
        let violation = Violation::new(Code::RequestMalformed, place, problem);
        verdict.violations.push(violation);
        verdict
    }

    /// Refuses every request, since nobody can say what the settings mean.
    pub(crate) fn misconfigured(errors: &SettingsErrors) -> Self {
        let mut verdict = Self::new(None);
        verdict.violations = errors
            .iter()
            .map(|error| {
                let (place, problem) = (error.path.clone(), error.problem.clone());
                Violation::new(Code::SettingsInvalid, place, problem)
            })
            .collect();
        verdict
    }

    /// Adds what refuses the request: what is told, how much more there is, and the codes of that.
    pub(crate) fn add_violations(&mut self, (told, more, codes): Found) {
        self.violations.extend(told);
        self.more_violations += more;
        self.more_codes.extend(codes);
    }

    /// Adds what passes, as [`add_violations`](Self::add_violations) adds what does not.
    pub(crate) fn add_warnings(&mut self, (told, more, codes): Found) {
        self.warnings.extend(told);
        self.more_warnings += more;
        self.more_codes.extend(codes);
    }

    pub(crate) fn exempted(&mut self, name: &str) {
        self.exempted.push(name.to_owned());
    }

    /// Makes these changes to the object, if the request passes.
    pub(crate) fn change(&mut self, object: Value<'_>, edits: Vec<Edit>, rewritten: Vec<String>) {
        if !self.accepted() || edits.is_empty() {
            return;
        }
        match splice::apply(object.text(), &edits) {
            Some(object) => {
                self.mutated_object = Some(object);
                self.rewritten = rewritten;
                self.edits = edits;
            }
            // What was judged is not what would run.
            None => self.violations.push(Violation::new(
                Code::RequestMalformed,
                "request.object".to_owned(),
                "the required edits overlap".to_owned(),
            )),
        }
    }

    /// Whether the request passes.
    pub const fn accepted(&self) -> bool {
        self.violations.is_empty()
    }

    /// What the user is told; none if the request passes.
    pub fn message(&self) -> Option<String> {
        let link = self.docs_url.map(|url| format!("see {url}"));
        match self.violations.as_slice() {
            [] => None,
            [only] if self.more_violations == 0 => Some(match link {
                Some(link) => format!("{only} ({link})"),
                None => only.to_string(),
            }),
            all => {
                let count = all.len() + self.more_violations;
                let mut message = format!("{count} problems:");
                for violation in all.iter().take(MOST_LINES) {
                    // Writing to a string cannot fail.
                    let _ = write!(message, "\n{violation}");
                }
                if count > MOST_LINES {
                    let _ = write!(message, "\nand {} more", count - MOST_LINES);
                }
                if let Some(link) = link {
                    message.push('\n');
                    message.push_str(&link);
                }
                Some(message)
            }
        }
    }

    /// Everything wrong as warnings, so that a policy in monitor mode still tells the user.
    pub fn warning_texts(&self) -> Vec<String> {
        let all =
            self.violations.len() + self.more_violations + self.warnings.len() + self.more_warnings;
        let told = if all > MOST_WARNINGS {
            MOST_WARNINGS - 1
        } else {
            all
        };
        let mut texts: Vec<_> = self
            .violations
            .iter()
            .chain(&self.warnings)
            .take(told)
            .map(|violation| cut(violation.to_string(), violation.code))
            .collect();
        if all > told {
            texts.push(format!("and {} more", all - told));
        }
        texts
    }

    /// The codes of everything wrong, notes left out, each once, in the order of the document.
    pub fn codes(&self) -> Vec<Code> {
        let mut codes = Vec::new();
        let told = self.violations.iter().chain(&self.warnings);
        for code in told
            .map(|violation| violation.code)
            .chain(self.more_codes.iter().copied())
        {
            if !code.is_note() && !codes.contains(&code) {
                codes.push(code);
            }
        }
        codes
    }
}

/// At most [`LONGEST_WARNING`] bytes, with a mark where something is missing: before the code.
fn cut(mut text: String, code: Code) -> String {
    if text.len() > LONGEST_WARNING {
        let tail = format!("… [{code}]");
        let mut end = LONGEST_WARNING - tail.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(&tail);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_cut_between_characters() {
        let cut = |text: String| cut(text, Code::TagRejected);
        assert_eq!(cut("a".repeat(256)), "a".repeat(256));
        assert_eq!(
            cut("a".repeat(257)),
            format!("{}… [tag-rejected]", "a".repeat(238))
        );
        let umlauts = cut(format!("a{}", "ä".repeat(128)));
        assert_eq!(umlauts, format!("a{}… [tag-rejected]", "ä".repeat(118)));
        assert!(umlauts.len() <= LONGEST_WARNING);
    }
}

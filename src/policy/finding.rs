//! What is wrong with an object: the first of it whole, and how much more there is.
//!
//! An object may have as much wrong with it as it is long. What is told of it has an end, and so has what is
//! kept.

mod before;

use std::hash::{Hash, Hasher};

use crate::hashing::{Seen, hash_by};
use crate::image::Reference;
use crate::json::{Place, Position};
use crate::verdict::{Found, Verdict};
use crate::violation::{Action, Code, Fate, NamedValue, Outcome, Reason, Violation};
use crate::workload::{ImageField, Malformed};

use super::dated::Dated;
use before::hash_of_member;
pub(super) use before::{Before, Counts, Known, Was};

/// What is told of an image among an object's data.
const NOT_SHOWN: &str = "what the rule says of it is not shown, since it stands in data";

/// What has been found in an object.
pub(super) struct Findings<'j> {
    refusing: Listed,
    passing: Listed,
    /// The annotations that are removed instead of refusing the request, by their position.
    pub(super) removes: Seen,
    before: Before<'j>,
    /// Nothing refuses.
    only_warns: bool,
    /// What dates say of what is added next.
    pub(super) dated: Dated,
}

/// Findings in the order in which they are told, and the rest as a number.
struct Listed {
    findings: Vec<Finding>,
    /// So many are told.
    most: usize,
    /// How many more there are.
    more: usize,
    /// How many of these say what happens to a request that passes.
    more_of_accepted: usize,
    /// For how many of them annotations are removed.
    more_removals: usize,
    /// The codes of these, each once, and whether annotations are removed for them.
    codes: Vec<(Code, bool)>,
}

/// Something wrong with an object.
struct Finding {
    about: About,
    violation: Violation,
}

/// What tells where something wrong belongs.
#[derive(Clone, Copy)]
pub(super) struct About {
    pub(super) code: Code,
    pub(super) action: Action,
    /// Where in the input it stands.
    pub(super) position: Position,
    /// It says what happens to the object, and nothing happens to one that is refused.
    is_of_accepted: bool,
    /// Annotations are removed for it.
    is_removal: bool,
}

/// Stands behind what has a place in the document.
pub(super) const LAST: Position = Position(usize::MAX);

impl About {
    pub(super) const fn new(code: Code, action: Action, position: Position) -> Self {
        Self {
            code,
            action,
            position,
            is_of_accepted: false,
            is_removal: false,
        }
    }
}

impl Listed {
    const fn new(most: usize) -> Self {
        Self {
            findings: Vec::new(),
            most,
            more: 0,
            more_of_accepted: 0,
            more_removals: 0,
            codes: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.more == 0
    }

    /// Whether something is told that stands here, and not only counted.
    fn tells(&self, about: &About) -> bool {
        self.findings.len() < self.most
            || self
                .findings
                .last()
                .is_some_and(|last| about.position < last.about.position)
    }

    fn count(&mut self, about: &About, times: usize) {
        self.more += times;
        if about.is_of_accepted {
            self.more_of_accepted += times;
        } else if !self.codes.contains(&(about.code, about.is_removal)) {
            self.codes.push((about.code, about.is_removal));
        }
        if about.is_removal {
            self.more_removals += times;
        }
    }

    fn insert(&mut self, finding: Finding) {
        let position = finding.about.position;
        let earlier = |earlier: &Finding| earlier.about.position <= position;
        let after = self.findings.iter().rposition(earlier);
        self.findings
            .insert(after.map_or(0, |last| last + 1), finding);
        if self.findings.len() > self.most
            && let Some(last) = self.findings.pop()
        {
            self.count(&last.about, 1);
        }
    }

    fn append(&mut self, other: Self) {
        for finding in other.findings {
            self.insert(finding);
        }
        self.more += other.more;
        self.more_of_accepted += other.more_of_accepted;
        self.more_removals += other.more_removals;
        for code in other.codes {
            if !self.codes.contains(&code) {
                self.codes.push(code);
            }
        }
    }

    /// What is told, and how much more there is.
    fn told(self, is_accepted: bool) -> Found {
        let is_told = |finding: &Finding| is_accepted || !finding.about.is_of_accepted;
        let told = self.findings.into_iter().filter(is_told);
        let untold = if is_accepted {
            0
        } else {
            self.more_of_accepted
        };
        let told = told.map(|finding| finding.violation);
        let codes = self.codes.into_iter().map(|(code, _)| code);
        (told.collect(), self.more - untold, codes.collect())
    }
}

impl<'j> Findings<'j> {
    /// `only_warns`: whatever is wrong, the object runs. Of what refuses and of what passes `most` are told.
    pub(super) fn new(before: Before<'j>, only_warns: bool, most: usize) -> Self {
        Self {
            refusing: Listed::new(most),
            passing: Listed::new(most),
            removes: Seen::default(),
            before,
            only_warns,
            dated: Dated::default(),
        }
    }

    /// What becomes of what is added next, where its rule says this.
    pub(super) fn action(&self, action: Action) -> Action {
        if self.only_warns || self.dated.warns {
            Action::Warn
        } else {
            action
        }
    }

    /// Whether something refuses the request.
    pub(super) fn refuse(&self) -> bool {
        !self.refusing.is_empty()
    }

    /// Adds what is wrong. `identity` makes a violation of the old object and one of the new object the same:
    /// code, place and value, with containers and volumes by name where they have one; what else the old
    /// object must have had, in whichever of its violations, are the `members`. `tell` is asked where it is
    /// told and not only counted.
    pub(super) fn add(
        &mut self,
        mut about: About,
        template: Option<&Place<'_>>,
        removes: &[Position],
        members: &[u64],
        identity: &dyn Fn(&mut dyn Hasher),
        tell: &dyn Fn(Fate) -> Violation,
    ) {
        about.action = self.action(about.action);
        let removes = if self.only_warns || self.dated.warns {
            &[]
        } else {
            removes
        };
        let was = match self.before {
            Before::Nothing => None,
            Before::Was(was) => was.takes(identity, members).then_some(was),
            Before::Counted(counts) => {
                let mut counts = counts.borrow_mut();
                let key = hash_by(identity);
                *counts.entry(key).or_default() += 1;
                for member in members {
                    let key = hash_of_member(*member);
                    *counts.entry(key).or_default() += 1;
                }
                return;
            }
        };
        if was.is_some_and(|was| about.code.is_note() || !was.is_told()) {
            // It was told when it was new, or is not told to whoever asks.
            return;
        }
        about.is_removal = was.is_none() && !removes.is_empty();
        if about.is_removal {
            for position in removes {
                self.removes.insert(position);
            }
        }
        let refuses = about.action == Action::Reject && was.is_none();
        let list = if refuses {
            &mut self.refusing
        } else {
            &mut self.passing
        };
        if !list.tells(&about) {
            return list.count(&about, 1);
        }
        let mut violation = tell(match (about.action, was) {
            (Action::Warn, _) => Fate::Warned,
            (Action::Reject, Some(_)) => Fate::Preexisting,
            (Action::Reject, None) => Fate::Refused,
        });
        violation.problem += &self.dated.note;
        violation.outcome = was.map(|was| {
            let is_refused = about.action == Action::Reject && removes.is_empty();
            if is_refused && template.is_some_and(|template| was.changes(template)) {
                Outcome::TemplateChanges
            } else {
                Outcome::Unchanged
            }
        });
        list.insert(Finding { about, violation });
    }

    /// Adds so many more of what is told before.
    fn add_more(
        &mut self,
        about: About,
        times: usize,
        identity: &dyn Fn(&mut dyn Hasher),
        tell: &dyn Fn() -> Violation,
    ) {
        let kept = match self.before {
            Before::Nothing => 0,
            Before::Was(was) => (0..times).take_while(|_| was.takes(identity, &[])).count(),
            Before::Counted(counts) => {
                let mut counts = counts.borrow_mut();
                let key = hash_by(identity);
                *counts.entry(key).or_default() += times;
                return;
            }
        };
        let refuses = self.action(about.action) == Action::Reject;
        if kept > 0 {
            self.passing.count(&about, kept);
        }
        let new = if refuses {
            &mut self.refusing
        } else {
            &mut self.passing
        };
        if let Some(untold) = (times - kept).checked_sub(1) {
            // One stands for all, so that a request is never refused without a reason.
            let mut violation = tell();
            let (problem, note) = (violation.problem, &self.dated.note);
            violation.problem = format!("{} more: {problem}{note}", untold + 1);
            new.insert(Finding { about, violation });
            if untold > 0 {
                new.count(&about, untold);
            }
        }
    }

    /// A member of the wrong JSON type.
    pub(super) fn add_malformed(&mut self, malformed: &Malformed<'_>, action: Action) {
        let about = About::new(Code::ObjectMalformed, action, malformed.raw.position());
        let identity = |mut hasher: &mut dyn Hasher| {
            (about.code, &malformed.place).hash(&mut hasher);
            (malformed.expected, malformed.found).hash(&mut hasher);
        };
        self.add(about, None, &[], &[], &identity, &|_| {
            let place = malformed.place.location();
            let problem = format!("expected {}, got {}", malformed.expected, malformed.found);
            let told = match place.steps() {
                [] => "object".to_owned(),
                _ => place.to_string(),
            };
            Violation {
                path: place.detached(),
                ..Violation::new(about.code, told, problem)
            }
        });
    }

    /// So many more members of the wrong JSON type than an object keeps.
    pub(super) fn add_more_malformed(&mut self, times: usize, action: Action) {
        let about = About::new(Code::ObjectMalformed, action, LAST);
        let identity = |mut hasher: &mut dyn Hasher| about.code.hash(&mut hasher);
        self.add_more(about, times, &identity, &|| {
            let problem = "of the wrong type".to_owned();
            Violation::new(about.code, "object".to_owned(), problem)
        });
    }

    /// Something wrong at a place, not only with an image, and the same before only if what is said is.
    pub(super) fn add_violation(&mut self, action: Action, violation: &Violation) {
        let about = About::new(violation.code, action, LAST);
        let identity = |mut hasher: &mut dyn Hasher| {
            (about.code, &violation.path).hash(&mut hasher);
            (&violation.rule, &violation.problem).hash(&mut hasher);
        };
        self.add(about, None, &[], &[], &identity, &|_| violation.clone());
    }

    /// So many more of what was [added](Self::add_violation) before, all of them new.
    pub(super) fn add_untold(&mut self, action: Action, code: Code, times: usize) {
        let about = About::new(code, action, LAST);
        if times == 0 {
        } else if self.action(action) == Action::Reject {
            self.refusing.count(&about, times);
        } else {
            self.passing.count(&about, times);
        }
    }

    /// Something wrong with an image.
    fn add_image(&mut self, image: &ImageField<'_>, about: &AboutImage<'_>) {
        let template = image.pod_template().filter(|_| !about.code.is_note());
        let of_all = About {
            is_of_accepted: about.is_of_accepted,
            ..About::new(about.code, about.action, image.raw.position())
        };
        let identity = |mut hasher: &mut dyn Hasher| {
            (about.code, about.position, image.pairing(), about.runs).hash(&mut hasher);
        };
        // Of a note nobody asks what its Pods will be refused for.
        self.add(of_all, template, &[], &[], &identity, &|fate| {
            let (reason, value) = if image.is_private() {
                let reason = Reason::alone(NOT_SHOWN.to_owned());
                (reason, NamedValue::hidden("image"))
            } else {
                let mirror = about.runs.ok().filter(|_| about.is_mirror);
                let value = NamedValue {
                    mirror: mirror.map(Reference::to_string),
                    ..NamedValue::shown("image", &image.text)
                };
                ((about.reason)(fate), value)
            };
            Violation {
                path: image.exact_place().detached(),
                value: Some(value),
                rule: (about.rule)(),
                advice: reason.advice,
                ..Violation::new(about.code, image.told_place(), reason.problem)
            }
        });
    }

    /// Makes warnings of the findings for which annotations are removed, and drops the others: the object is
    /// judged again without these annotations.
    pub(super) fn only_removed(self) -> Self {
        let mut removed = Self::new(Before::Nothing, true, self.passing.most);
        for mut list in [self.refusing, self.passing] {
            list.findings.retain(|finding| finding.about.is_removal);
            for finding in &mut list.findings {
                finding.violation.outcome = Some(Outcome::Removed);
            }
            list.more = list.more_removals;
            list.codes.retain(|(_, is_removal)| *is_removal);
            removed.passing.append(list);
        }
        removed
    }

    /// Says of each finding that it stands where `position` says.
    pub(super) fn move_to(&mut self, position: impl Fn(Position) -> Position) {
        let all = [&mut self.refusing, &mut self.passing];
        for finding in all.into_iter().flat_map(|list| &mut list.findings) {
            finding.about.position = position(finding.about.position);
        }
    }

    /// Adds what else was found.
    pub(super) fn append(&mut self, other: Findings<'_>) {
        self.refusing.append(other.refusing);
        self.passing.append(other.passing);
    }

    /// Says in a verdict what was found.
    pub(super) fn tell(self, verdict: &mut Verdict<'_>) {
        let is_accepted = self.refusing.is_empty();
        verdict.add_violations(self.refusing.told(is_accepted));
        verdict.add_warnings(self.passing.told(is_accepted));
    }
}

/// What is wrong with an image, or happens to it.
pub(super) struct AboutImage<'p> {
    pub(super) code: Code,
    pub(super) action: Action,
    /// What runs; its text where that is no reference.
    pub(super) runs: Result<&'p Reference<'p>, &'p str>,
    /// What runs is a mirror, and is shown.
    pub(super) is_mirror: bool,
    /// Nothing happens to it if the object is refused.
    pub(super) is_of_accepted: bool,
    /// Of the item in its section of the settings.
    pub(super) position: usize,
    /// What that item is called.
    pub(super) rule: &'p dyn Fn() -> Option<String>,
    pub(super) reason: &'p dyn Fn(Fate) -> Reason,
}

/// What is wrong with one image.
pub(super) struct OfImage<'i, 'r> {
    pub(super) image: &'i ImageField<'r>,
    /// Something refuses it.
    pub(super) is_refused: bool,
    is_filled_in_by_istio: bool,
    is_told: bool,
}

impl<'i, 'r> OfImage<'i, 'r> {
    pub(super) const fn new(image: &'i ImageField<'r>, is_filled_in_by_istio: bool) -> Self {
        Self {
            image,
            is_refused: false,
            is_filled_in_by_istio,
            is_told: false,
        }
    }

    /// Adds it to what is wrong with the object.
    pub(super) fn add(&mut self, about: &AboutImage<'_>, findings: &mut Findings<'_>) {
        self.is_refused |= findings.action(about.action) == Action::Reject;
        if !self.is_filled_in_by_istio {
            findings.add_image(self.image, about);
        } else if !std::mem::replace(&mut self.is_told, true) {
            // One warning says enough.
            let action = Action::Warn;
            findings.add_image(self.image, &AboutImage { action, ..*about });
        }
    }
}

//! `JUnit` XML: a test suite for each file, a test case for each object.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use crate::finding::{FileReport, Finding, Severity};

use super::{Report, Run};

pub(super) struct Junit(Suites);

impl Default for Junit {
    fn default() -> Self {
        Self(Suites::new("rollout-guard"))
    }
}

/// The names of the cases of a file: GitLab takes the first one with a name, and drops the others.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    fn unique(&mut self, name: &str) -> String {
        let times = self.0.entry(name.to_owned()).or_default();
        *times += 1;
        match times {
            1 => name.to_owned(),
            times => format!("{name} ({times})"),
        }
    }
}

impl Report for Junit {
    fn file(&mut self, _: &mut dyn Write, file: &FileReport) -> io::Result<()> {
        let mut suite = TestSuite::new(file.name.as_str());
        let mut names = Names::default();
        for problem in &file.problems {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            let message = match &problem.place {
                Some((at, _)) => format!("{}:{}: {}", at.line, at.column, problem.message),
                None => problem.message.clone(),
            };
            status.set_message(message).set_type("not-readable");
            let mut case = TestCase::new(names.unique("readable"), status);
            case.set_classname(file.name.as_str());
            suite.add_test_case(case);
        }
        let warnings: Vec<_> = file
            .warnings
            .iter()
            .filter_map(|warning| {
                let (at, _) = warning.place.as_ref()?;
                Some(format!(
                    "{}:{}:{}: {}",
                    file.name, at.line, at.column, warning.message
                ))
            })
            .collect();
        if !warnings.is_empty() {
            suite.set_system_out(warnings.join("\n"));
        }
        // They come in the order of the objects.
        let mut findings = file.findings.as_slice();

        for (position, object) in file.objects.iter().enumerate() {
            let others = findings.partition_point(|found| found.object <= position);
            let (of_this, behind) = findings.split_at(others);
            findings = behind;
            let of_object = |severity| {
                let found = of_this.iter();
                found.filter(move |found| found.severity == severity && !found.is_in_baseline)
            };
            let line = |found: &Finding| {
                let at = found.start;
                let violation = &found.violation;
                format!("{}:{}:{}: {violation}", file.name, at.line, at.column)
            };
            let errors: Vec<_> = of_object(Severity::Error).map(line).collect();
            let status = match of_object(Severity::Error).next() {
                None => TestCaseStatus::success(),
                Some(first) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status
                        .set_message(first.violation.to_string())
                        .set_type(first.code().as_str())
                        .set_description(errors.join("\n"));
                    status
                }
            };
            let mut case = TestCase::new(names.unique(&object.to_string()), status);
            case.set_classname(file.name.as_str());
            case.extra.insert("file".into(), file.name.as_str().into());
            let baseline = of_this.iter().filter(|found| found.is_in_baseline);
            let accepted = baseline.map(|found| format!("in the baseline: {}", line(found)));
            let told: Vec<_> = of_object(Severity::Warning)
                .map(line)
                .chain(accepted)
                .collect();
            if !told.is_empty() {
                case.set_system_out(told.join("\n"));
            }
            suite.add_test_case(case);
        }
        if !suite.test_cases.is_empty() {
            self.0.add_test_suite(suite);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, _: &Run<'_>) -> io::Result<()> {
        let text = self.0.to_string().map_err(io::Error::other)?;
        writeln!(out, "{}", text.trim_end())
    }
}

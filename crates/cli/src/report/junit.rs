//! `JUnit` XML: a test suite for each file, a test case for each object.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use crate::finding::{FileReport, Severity};

use super::{Report, Run};

pub(super) struct Junit(Suites);

impl Default for Junit {
    fn default() -> Self {
        Self(Suites::new("rollout-guard"))
    }
}

impl Report for Junit {
    fn file(&mut self, _: &mut dyn Write, file: &FileReport) -> io::Result<()> {
        let mut suite = TestSuite::new(file.name.as_str());
        for problem in &file.problems {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            let message = match &problem.place {
                Some((at, _)) => format!("{}:{}: {}", at.line, at.column, problem.message),
                None => problem.message.clone(),
            };
            status.set_message(message).set_type("not-readable");
            suite.add_test_case(TestCase::new("readable", status));
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
                found.filter(move |found| found.severity == severity)
            };
            let lines = |severity| {
                of_object(severity)
                    .map(|found| {
                        let at = found.start;
                        format!(
                            "{}:{}:{}: {}",
                            file.name, at.line, at.column, found.violation
                        )
                    })
                    .collect::<Vec<_>>()
            };
            let errors = lines(Severity::Error);
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
            let mut case = TestCase::new(object.to_string(), status);
            case.set_classname(file.name.as_str());
            let warnings = lines(Severity::Warning);
            if !warnings.is_empty() {
                case.set_system_out(warnings.join("\n"));
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

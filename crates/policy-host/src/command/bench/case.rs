//! A case as it is written on the command line.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// `FILE[,name=NAME][,settings=FILE][,request=FILE][,at-least=RATIO]`.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) policy: PathBuf,
    pub(super) name: String,
    pub(super) settings: Option<PathBuf>,
    pub(super) request: Option<PathBuf>,
    pub(super) at_least: Option<f64>,
}

impl FromStr for Case {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let policy = match parts.next() {
            Some(policy) if !policy.is_empty() => PathBuf::from(policy),
            _ => return Err("a CASE begins with the file of a policy".to_owned()),
        };
        let mut name = None;
        let mut settings = None;
        let mut request = None;
        let mut at_least = None;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            if value.is_empty() {
                return Err(format!("`{key}` has no value"));
            }
            let repeated = match key {
                "name" => name.replace(value.to_owned()).is_some(),
                "settings" => settings.replace(PathBuf::from(value)).is_some(),
                "request" => request.replace(PathBuf::from(value)).is_some(),
                "at-least" => at_least.replace(ratio(value)?).is_some(),
                _ => {
                    return Err(format!(
                        "unknown key `{key}`, expected `name`, `settings`, `request` or `at-least`"
                    ));
                }
            };
            if repeated {
                return Err(format!("`{key}` is given twice"));
            }
        }
        let name = name.unwrap_or_else(|| {
            let files = [Some(&policy), settings.as_ref(), request.as_ref()];
            let stems: Vec<_> = files.into_iter().flatten().map(|file| stem(file)).collect();
            stems.join(" ")
        });
        Ok(Self {
            policy,
            name,
            settings,
            request,
            at_least,
        })
    }
}

/// The name of a file without directory and extension.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// A ratio of two rates.
pub(super) fn ratio(text: &str) -> Result<f64, String> {
    positive(text).ok_or_else(|| format!("`{text}` is no ratio, write it like 0.83"))
}

/// A time.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    positive(text)
        .filter(|seconds| *seconds <= 3600.0)
        .ok_or_else(|| "expected a number of seconds above 0 and up to 3600".to_owned())
}

fn positive(text: &str) -> Option<f64> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number > 0.0)
}

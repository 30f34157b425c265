//! Why a text could not be read.

/// What is wrong with a text, and where: it ends too early, or is no JSON, or is too deep.
///
/// `serde_json` has more to say, with much code for it in the module, and hosts write good JSON.
pub(crate) fn unreadable(error: &serde_json::Error) -> String {
    let problem = if error.is_eof() {
        "ends too early"
    } else {
        "not JSON, or nested deeper than 128 levels,"
    };
    format!(
        "{problem} at line {} column {}",
        error.line(),
        error.column()
    )
}

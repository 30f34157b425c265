//! Fields that look like images: for kinds of which it is not known where they keep theirs.

use rollout_guard::image::Reference;

use crate::manifest::Value;
use crate::object::Object;

/// Deeper than an object that is judged.
const DEEPEST: usize = 128;

/// Lists of containers, whose images are found by their shape.
const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The paths of an object that look like images, and are not those of containers: a key `image`, or one
/// that ends in `Image`, with an image or with a map that has a `repository`.
pub(crate) fn fields(object: &Object<'_>) -> Vec<String> {
    let mut found = Vec::new();
    // A definition has the names of fields, and examples.
    if object.group == "apiextensions.k8s.io" {
        return found;
    }
    for (key, member) in object.value.members() {
        let key = key.text().unwrap_or_default();
        if !["apiVersion", "kind", "metadata", "status"].contains(&key.as_ref()) {
            add(&key, member, &key, 0, &mut found);
        }
    }
    found
}

fn add(path: &str, value: Value<'_>, key: &str, depth: usize, found: &mut Vec<String>) {
    if depth > DEEPEST {
        return;
    }
    let below = depth + 1;
    let is_named = key == "image" || key.ends_with("Image");
    if is_named && (is_image(value) || value.text_at(&["repository"]).is_some()) {
        found.push(path.to_owned());
        return;
    }
    for (position, element) in value.elements().enumerate() {
        if !LISTS.contains(&key) || !element.is_map() {
            add(&format!("{path}[{position}]"), element, "", below, found);
            continue;
        }
        for (name, member) in element.members().filter(|(name, _)| !name.is_text("image")) {
            let name = name.text().unwrap_or_default();
            add(
                &format!("{path}[{position}].{name}"),
                member,
                &name,
                below,
                found,
            );
        }
    }
    for (name, member) in value.members() {
        let name = name.text().unwrap_or_default();
        add(&format!("{path}.{name}"), member, &name, below, found);
    }
}

/// Whether a value is an image, and no file or page.
fn is_image(value: Value<'_>) -> bool {
    value.text().is_some_and(|text| {
        let is_file = [".png", ".svg", ".jpg", ".jpeg", ".gif"]
            .iter()
            .any(|end| text.to_ascii_lowercase().ends_with(end));
        !is_file && !text.contains("://") && Reference::parse(&text).is_ok()
    })
}

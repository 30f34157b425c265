//! Lists of objects as JSON, item by item.

use std::fmt;
use std::io::{BufRead, Read};

use rollout_guard::json::write_string;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// What a stream held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) objects: usize,
    pub(crate) lists: usize,
    /// Lists of which more was to come.
    pub(crate) cut: usize,
    /// How to ask for the rest of the last list.
    pub(crate) next: Option<String>,
}

/// Whether a stream begins as JSON does.
///
/// # Errors
///
/// Where it cannot be read.
pub(crate) fn is_json(reader: &mut dyn BufRead) -> std::io::Result<bool> {
    loop {
        let buffer = reader.fill_buf()?;
        let Some(at) = buffer.iter().position(|byte| !byte.is_ascii_whitespace()) else {
            let length = buffer.len();
            if length == 0 {
                return Ok(false);
            }
            reader.consume(length);
            continue;
        };
        let is_json = buffer.get(at) == Some(&b'{');
        reader.consume(at);
        return Ok(is_json);
    }
}

/// Hands over every object of a stream of JSON values: objects, and the items of lists.
///
/// # Errors
///
/// Where it is no JSON, or ends in the middle of a value. What came before was handed over.
pub(crate) fn read(
    reader: impl Read,
    each: &mut dyn FnMut(String),
) -> Result<Contents, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_reader(reader);
    let mut read = Contents::default();
    while json.end().is_err() {
        let value = ValueSeed {
            each,
            read: &mut read,
        };
        value.deserialize(&mut json)?;
    }
    Ok(read)
}

/// An object with `apiVersion` and `kind`, which the items of typed lists lack.
pub(crate) fn with_kind(object: &str, api_version: &str, kind: &str) -> String {
    let has_kind = {
        #[derive(serde::Deserialize)]
        struct Head<'h> {
            #[serde(borrow)]
            kind: Option<std::borrow::Cow<'h, str>>,
        }
        let head: Result<Head<'_>, _> = serde_json::from_str(object);
        head.is_ok_and(|head| head.kind.is_some())
    };
    let Some(members) = object.strip_prefix('{').filter(|_| !has_kind) else {
        return object.to_owned();
    };
    let mut text = String::with_capacity(object.len() + 64);
    text.push_str("{\"apiVersion\":");
    write_string(&mut text, api_version);
    text.push_str(",\"kind\":");
    write_string(&mut text, kind);
    if !members.trim_start().starts_with('}') {
        text.push(',');
    }
    text.push_str(members);
    text
}

/// A value of the stream.
struct ValueSeed<'s> {
    each: &'s mut dyn FnMut(String),
    read: &'s mut Contents,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of Kubernetes or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut kind, mut api_version) = (None::<String>, None::<String>);
        // The members of an object, and the items of a list whose kind comes later.
        let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
        let mut waiting = Vec::new();
        let mut has_items = false;
        let mut metadata = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "kind" => kind = map.next_value()?,
                "apiVersion" => api_version = map.next_value()?,
                "items" => {
                    has_items = true;
                    map.next_value_seed(ItemsSeed {
                        each: self.each,
                        read: self.read,
                        list: kind.as_deref().zip(api_version.as_deref()),
                        waiting: &mut waiting,
                    })?;
                }
                "metadata" if members.is_empty() => metadata = Some(map.next_value()?),
                _ => members.push((key, map.next_value()?)),
            }
        }
        let kind = kind.unwrap_or_default();
        let api_version = api_version.unwrap_or_default();
        if has_items {
            for item in waiting {
                self.read.objects += 1;
                let item_kind = kind.strip_suffix("List").unwrap_or(&kind);
                (self.each)(with_kind(&item, &api_version, item_kind));
            }
            self.read.lists += 1;
            let head = metadata.map(|metadata: Box<RawValue>| head(metadata.get()));
            self.read.next = head.flatten();
            self.read.cut += usize::from(self.read.next.is_some());
            return Ok(());
        }
        if kind.is_empty() || api_version.is_empty() {
            return Ok(());
        }
        let mut object = String::from("{");
        let mut comma = "";
        let texts = [("apiVersion", &api_version), ("kind", &kind)];
        for (key, text) in texts {
            object.push_str(comma);
            write_string(&mut object, key);
            object.push(':');
            write_string(&mut object, text);
            comma = ",";
        }
        let metadata = metadata.map(|metadata| ("metadata".to_owned(), metadata));
        for (key, value) in metadata.into_iter().chain(members) {
            object.push(',');
            write_string(&mut object, &key);
            object.push(':');
            object.push_str(value.get());
        }
        object.push('}');
        self.read.objects += 1;
        (self.each)(object);
        Ok(())
    }
}

/// The token for the rest of a list; none at its end.
fn head(metadata: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Metadata {
        #[serde(rename = "continue")]
        next: Option<String>,
    }
    let metadata: Metadata = serde_json::from_str(metadata).ok()?;
    metadata.next.filter(|next| !next.is_empty())
}

/// The items of a list.
struct ItemsSeed<'s> {
    each: &'s mut dyn FnMut(String),
    read: &'s mut Contents,
    /// Kind and version of the list, where they come before its items.
    list: Option<(&'s str, &'s str)>,
    /// Items without a kind, where those come later.
    waiting: &'s mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for ItemsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ItemsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the items of a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<Box<RawValue>>()? {
            let item = item.get();
            match self.list {
                Some((kind, api_version)) if kind != "List" => {
                    self.read.objects += 1;
                    let kind = kind.strip_suffix("List").unwrap_or(kind);
                    (self.each)(with_kind(item, api_version, kind));
                }
                _ if has_kind(item) => {
                    self.read.objects += 1;
                    (self.each)(item.to_owned());
                }
                _ => self.waiting.push(item.to_owned()),
            }
        }
        Ok(())
    }
}

fn has_kind(item: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        kind: Option<IgnoredAny>,
    }
    serde_json::from_str::<Head>(item).is_ok_and(|head| head.kind.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(text: &str) -> (Vec<String>, Result<Contents, String>) {
        let mut found = Vec::new();
        let read = read(text.as_bytes(), &mut |object| found.push(object));
        (found, read.map_err(|error| error.to_string()))
    }

    #[test]
    fn items_get_the_kind_of_their_list_wherever_it_stands() {
        let wanted = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}}"#;
        for list in [
            r#"{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{},"items":[{"metadata":{"name":"a"}}]}"#,
            r#"{"items":[{"metadata":{"name":"a"}}],"kind":"DeploymentList","apiVersion":"apps/v1"}"#,
            r#"{"apiVersion":"v1","items":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}}],"kind":"List"}"#,
            r#"{"kind":"Deployment","metadata":{"name":"a"},"apiVersion":"apps/v1"}"#,
        ] {
            assert_eq!(objects(list).0, [wanted], "{list}");
        }
    }

    #[test]
    fn what_is_cut_off_is_an_error_behind_what_came_before() {
        let text = r#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{}},{"meta"#;
        let (found, read) = objects(text);
        assert_eq!(found.len(), 1);
        assert!(read.unwrap_err().contains("EOF"));
        let two = "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"continue\":\"x\"},\"items\":null}\n{\"kind\":\"A\",\"apiVersion\":\"v1\"}";
        let (found, read) = objects(two);
        assert_eq!(found, [r#"{"apiVersion":"v1","kind":"A"}"#]);
        let read = read.unwrap();
        assert_eq!((read.cut, read.lists, read.objects), (1, 1, 1));
    }
}

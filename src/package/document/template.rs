//! Rendered JSON with the places where serving inserts what is known only then.
//!
//! Whether a version is signed by a trusted key changes after import; the notice of a package's newest deprecated version
//! stands in all its versions; a query for a category shows only the policy templates that carry it. All else is copied.

use serde::{Deserialize, Serialize};

use crate::package::json;

/// Rendered JSON and its slots, which can be kept apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The JSON, ASCII, without anything in its slots: valid and complete as it stands.
    pub text: String,
    /// Where things can be inserted.
    pub slots: Slots,
}

/// The places of a template, in bytes from its start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Slots {
    /// Spaces before each of its members.
    #[serde(rename = "i")]
    pub(super) indent: u8,
    #[serde(rename = "p", skip_serializing_if = "Option::is_none")]
    pub(super) policy_templates: Option<TemplateSpans>,
    #[serde(rename = "s")]
    pub(super) signature_path: u32,
    #[serde(rename = "d")]
    pub(super) deprecated: u32,
}

/// Where `policy_templates` is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TemplateSpans {
    /// Start of the member, the comma before it included.
    #[serde(rename = "s")]
    pub(super) start: u32,
    /// Start and end of each policy template, the line break before it included, without commas.
    #[serde(rename = "i")]
    pub(super) items: Vec<(u32, u32)>,
    /// End of the member.
    #[serde(rename = "e")]
    pub(super) end: u32,
}

/// What is inserted into a template; by default nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fill<'a> {
    /// The path of the signature, for a signed version.
    pub signature_path: Option<&'a str>,
    /// The notice of deprecation to show, compact JSON.
    pub deprecated: Option<&'a str>,
    /// The numbers of the policy templates to show, in order; `None` shows all. Documents always show all.
    pub policy_templates: Option<&'a [usize]>,
}

impl Fill<'_> {
    /// Tells whether there is nothing to insert and nothing to leave out: then the text is served as it stands.
    pub fn is_empty(&self) -> bool {
        *self == Fill::default()
    }
}

/// Slots that do not fit the text they were kept beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("rendered document and its slots do not belong together")]
pub struct DamagedTemplate;

impl Template {
    /// Appends the text with `fill` inserted.
    pub fn write(&self, out: &mut Vec<u8>, fill: &Fill) -> Result<(), DamagedTemplate> {
        self.slots.write(out, self.text.as_bytes(), fill)
    }
}

impl Slots {
    /// Appends `text`, which these slots were made with, with `fill` inserted.
    ///
    /// Copies slices; only a notice is looked at byte by byte. When it fails, `out` holds a part.
    pub fn write(
        &self,
        out: &mut Vec<u8>,
        text: &[u8],
        fill: &Fill,
    ) -> Result<(), DamagedTemplate> {
        let mut source = Source { text, at: 0 };
        if let (Some(spans), Some(shown)) = (&self.policy_templates, fill.policy_templates) {
            source.copy_to(out, spans.start)?;
            spans.write_some(out, &mut source, shown)?;
        }
        source.copy_to(out, self.signature_path)?;
        if let Some(path) = fill.signature_path {
            self.start_member(out, "signature_path");
            json::write_pretty(out, path, 0);
        }
        source.copy_to(out, self.deprecated)?;
        if let Some(notice) = fill.deprecated {
            self.start_member(out, "deprecated");
            json::write_indented(out, notice, self.indent.into());
        }
        out.extend_from_slice(text.get(source.at..).ok_or(DamagedTemplate)?);
        Ok(())
    }

    /// A slot never comes first in its object.
    fn start_member(&self, out: &mut Vec<u8>, name: &str) {
        out.push(b',');
        json::new_line(out, self.indent.into());
        json::write_pretty(out, name, 0);
        out.extend_from_slice(b": ");
    }
}

impl TemplateSpans {
    /// Appends the member with the items of `numbers` only; nothing when there is none.
    fn write_some(
        &self,
        out: &mut Vec<u8>,
        source: &mut Source,
        numbers: &[usize],
    ) -> Result<(), DamagedTemplate> {
        let first = self.items.first().ok_or(DamagedTemplate)?.0;
        let last = self.items.last().ok_or(DamagedTemplate)?.1;
        let mut shown = numbers
            .iter()
            .filter_map(|&number| self.items.get(number))
            .peekable();
        if shown.peek().is_some() {
            source.copy_to(out, first)?;
            while let Some(&(start, end)) = shown.next() {
                source.at = start as usize;
                source.copy_to(out, end)?;
                if shown.peek().is_some() {
                    out.push(b',');
                }
            }
            source.at = last as usize;
            source.copy_to(out, self.end)?;
        }
        source.at = self.end as usize;
        Ok(())
    }
}

/// A text that is copied piece by piece.
struct Source<'a> {
    text: &'a [u8],
    at: usize,
}

impl Source<'_> {
    fn copy_to(&mut self, out: &mut Vec<u8>, end: u32) -> Result<(), DamagedTemplate> {
        let end = end as usize;
        out.extend_from_slice(self.text.get(self.at..end).ok_or(DamagedTemplate)?);
        self.at = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element with three policy templates, and its slots.
    fn template() -> Template {
        let head = "  {\n    \"name\": \"n\"";
        let items = [
            "\n      {\n        \"a\": 1\n      }",
            "\n      2",
            "\n      3",
        ];
        let open = ",\n    \"policy_templates\": [";
        let member = format!("{open}{}\n    ]", items.join(","));
        let owner = ",\n    \"owner\": {}";
        let text = format!("{head}{member}{owner},\n    \"group\": \"g\"\n  }}");
        let at = |length: usize| u32::try_from(length).unwrap();
        let mut start = head.len() + open.len();
        let mut spans = Vec::new();
        for item in items {
            spans.push((at(start), at(start + item.len())));
            start += item.len() + 1;
        }
        let end = at(head.len() + member.len());
        let slot = at(head.len() + member.len() + owner.len());
        let slots = Slots {
            indent: 4,
            policy_templates: Some(TemplateSpans {
                start: at(head.len()),
                items: spans,
                end,
            }),
            signature_path: slot,
            deprecated: slot,
        };
        Template { text, slots }
    }

    fn filled(fill: &Fill) -> serde_json::Value {
        let mut out = Vec::new();
        template().write(&mut out, fill).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn nothing_inserted_is_the_text_as_it_stands() {
        let mut out = Vec::new();
        template().write(&mut out, &Fill::default()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), template().text);
        assert!(Fill::default().is_empty());
        for fill in [
            Fill {
                signature_path: Some("s"),
                ..Fill::default()
            },
            Fill {
                deprecated: Some("{}"),
                ..Fill::default()
            },
            Fill {
                policy_templates: Some(&[]),
                ..Fill::default()
            },
        ] {
            assert!(!fill.is_empty());
        }
    }

    #[test]
    fn members_are_inserted_in_order() {
        let fill = Fill {
            signature_path: Some("/a.zip.sig"),
            deprecated: Some(r#"{"since":"1.0.0","x":[]}"#),
            policy_templates: None,
        };
        let mut out = Vec::new();
        template().write(&mut out, &fill).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = concat!(
            ",\n    \"owner\": {},\n    \"signature_path\": \"/a.zip.sig\",\n    \"deprecated\": {\n",
            "      \"since\": \"1.0.0\",\n      \"x\": []\n    },\n    \"group\": \"g\"\n  }"
        );
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn only_the_policy_templates_asked_for_are_shown() {
        let all = serde_json::json!([{"a": 1}, 2, 3]);
        for numbers in [&[0][..], &[1], &[2], &[0, 1], &[0, 2], &[1, 2], &[0, 1, 2]] {
            let fill = Fill {
                policy_templates: Some(numbers),
                ..Fill::default()
            };
            let shown: Vec<_> = numbers.iter().map(|&n| all[n].clone()).collect();
            assert_eq!(filled(&fill)["policy_templates"], serde_json::json!(shown));
            assert_eq!(filled(&fill)["group"], "g");
        }
        let all = Fill {
            policy_templates: Some(&[0, 1, 2]),
            ..Fill::default()
        };
        let mut out = Vec::new();
        template().write(&mut out, &all).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), template().text);
        for none in [&[][..], &[7]] {
            let fill = Fill {
                policy_templates: Some(none),
                ..Fill::default()
            };
            assert!(filled(&fill).get("policy_templates").is_none());
            assert_eq!(filled(&fill)["name"], "n");
        }
    }

    #[test]
    fn slots_come_back_from_json_as_they_went_in() {
        let slots = template().slots;
        let json = serde_json::to_string(&slots).unwrap();
        assert_eq!(
            json,
            r#"{"i":4,"p":{"s":19,"i":[[46,77],[78,86],[87,95]],"e":101},"s":118,"d":118}"#
        );
        assert_eq!(serde_json::from_str::<Slots>(&json).unwrap(), slots);
    }

    #[test]
    fn slots_of_another_text_are_an_error_and_never_a_panic() {
        let Template { text, slots } = template();
        let fill = Fill {
            policy_templates: Some(&[2, 0]),
            ..Fill::default()
        };
        for length in 0..slots.deprecated as usize {
            let mut out = Vec::new();
            let written = slots.write(&mut out, &text.as_bytes()[..length], &fill);
            assert_eq!(written, Err(DamagedTemplate), "{length}");
        }
        let damaged = Slots {
            signature_path: 50,
            deprecated: 40,
            ..slots.clone()
        };
        let mut out = Vec::new();
        assert!(
            damaged
                .write(&mut out, text.as_bytes(), &Fill::default())
                .is_err()
        );
        let empty = TemplateSpans {
            start: 1,
            items: Vec::new(),
            end: 2,
        };
        let damaged = Slots {
            policy_templates: Some(empty),
            ..slots
        };
        assert!(damaged.write(&mut out, text.as_bytes(), &fill).is_err());
    }
}

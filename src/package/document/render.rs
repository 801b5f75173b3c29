//! The order of the members, and where the slots are.

use serde::Serialize;

use super::files::FileList;
use super::template::{Slots, Template, TemplateSpans};
use super::{DocumentError, Manifest};
use crate::package::json;
use crate::package::manifest::{
    DataStreamManifest, DeploymentModes, Deprecated, Image, PolicyTemplate,
};

/// Renders the element of `/search` of a complete manifest.
///
/// The first `stated` of its data streams come from the manifest itself: the reference shows those twice.
pub(super) fn element(manifest: &Manifest, stated: usize) -> Result<Template, DocumentError> {
    let mut members = Members::new(2);
    members.identity(manifest);
    members.policy_templates(&manifest.policy_templates)?;
    members.requirements(manifest);
    members.signature_path_slot()?;
    members.discovery(manifest);
    let data_streams = manifest.data_streams.iter();
    let shown = data_streams.clone().take(stated).chain(data_streams);
    let summaries: Vec<_> = shown.map(DataStreamSummary::of).collect();
    members.list("data_streams", &summaries);
    members.deprecated_slot()?;
    members.relations(manifest);
    members.finish("")
}

/// Renders the document of a complete manifest.
pub(super) fn document(manifest: &Manifest, files: &FileList) -> Result<Template, DocumentError> {
    let mut members = Members::new(0);
    members.identity(manifest);
    members.requirements(manifest);
    members.signature_path_slot()?;
    members.discovery(manifest);
    members.deprecated_slot()?;
    members.relations(manifest);
    let base = format!("/package/{}/{}", manifest.name, manifest.version);
    let assets = files.assets().iter().map(|path| format!("{base}/{path}"));
    members.member("format_version", &manifest.format_version);
    members.member("readme", &format!("{base}/docs/README.md"));
    members.member("license", &manifest.license);
    members.list("screenshots", &manifest.screenshots);
    members.list("assets", &assets.collect::<Vec<_>>());
    members.list("policy_templates", &manifest.policy_templates);
    members.list("data_streams", &manifest.data_streams);
    members.list("vars", &manifest.vars);
    members.optional("elasticsearch", &manifest.elasticsearch);
    members.optional("agent", &manifest.agent);
    members.finish("\n")
}

/// A policy template as `/search` shows it.
#[derive(Serialize)]
struct PolicyTemplateSummary<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "<[Image]>::is_empty")]
    icons: &'a [Image],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    categories: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_modes: Option<&'a DeploymentModes>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    data_streams: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated: Option<&'a Deprecated>,
}

impl<'a> PolicyTemplateSummary<'a> {
    fn of(template: &'a PolicyTemplate) -> Self {
        Self {
            name: template.name.as_str(),
            title: template.title.as_str(),
            description: template.description.as_str(),
            icons: &template.icons,
            categories: template.categories.as_deref().unwrap_or_default(),
            deployment_modes: template.deployment_modes.as_ref(),
            data_streams: &template.data_streams,
            deprecated: template.deprecated.as_ref(),
        }
    }
}

/// A data stream as `/search` shows it.
#[derive(Serialize)]
struct DataStreamSummary<'a> {
    #[serde(rename = "type")]
    data_type: &'a str,
    dataset: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated: Option<&'a Deprecated>,
}

impl<'a> DataStreamSummary<'a> {
    fn of(data_stream: &'a DataStreamManifest) -> Self {
        Self {
            data_type: data_stream.data_type.as_str(),
            dataset: &data_stream.dataset,
            title: data_stream.title.as_str(),
            deprecated: data_stream.deprecated.as_ref(),
        }
    }
}

/// An object that grows member by member.
struct Members {
    text: Vec<u8>,
    slots: Slots,
    indent: usize,
    has_members: bool,
}

impl Members {
    /// Starts an object whose braces stand at `indent` spaces.
    fn new(indent: usize) -> Self {
        let mut text = vec![b' '; indent];
        text.push(b'{');
        Self {
            text,
            slots: Slots::default(),
            indent,
            has_members: false,
        }
    }

    fn identity(&mut self, manifest: &Manifest) {
        let Manifest { name, version, .. } = manifest;
        self.member("name", name);
        self.optional("title", &manifest.title);
        self.member("version", version);
        self.member("release", &manifest.release);
        self.optional("source", &manifest.source);
        self.member("description", &manifest.description);
        self.member("type", &manifest.package_type);
        self.member("download", &format!("/epr/{name}/{name}-{version}.zip"));
        self.member("path", &format!("/package/{name}/{version}"));
        self.list("icons", &manifest.icons);
        self.text(
            "policy_templates_behavior",
            &manifest.policy_templates_behavior,
        );
    }

    fn requirements(&mut self, manifest: &Manifest) {
        self.optional("conditions", &manifest.conditions);
        self.optional("owner", &manifest.owner);
        self.list("categories", &manifest.categories);
    }

    fn discovery(&mut self, manifest: &Manifest) {
        let has_content = |d: &&_| **d != crate::package::manifest::Discovery::default();
        self.optional(
            "discovery",
            &manifest.discovery.as_ref().filter(has_content),
        );
    }

    fn relations(&mut self, manifest: &Manifest) {
        self.optional("requires", &manifest.requires);
        self.text("group", &manifest.group);
    }

    /// Writes the summaries of `templates` and notes where each one is.
    fn policy_templates(&mut self, templates: &[PolicyTemplate]) -> Result<(), DocumentError> {
        if templates.is_empty() {
            return Ok(());
        }
        let start = self.position()?;
        self.name("policy_templates");
        self.text.push(b'[');
        let mut items = Vec::with_capacity(templates.len());
        let item_indent = self.indent + 4;
        for (number, template) in templates.iter().enumerate() {
            if number > 0 {
                self.text.push(b',');
            }
            let item = self.position()?;
            json::new_line(&mut self.text, item_indent);
            json::write_pretty(
                &mut self.text,
                &PolicyTemplateSummary::of(template),
                item_indent,
            );
            items.push((item, self.position()?));
        }
        json::new_line(&mut self.text, self.indent + 2);
        self.text.push(b']');
        let end = self.position()?;
        self.slots.policy_templates = Some(TemplateSpans { start, items, end });
        Ok(())
    }

    fn signature_path_slot(&mut self) -> Result<(), DocumentError> {
        self.slots.signature_path = self.position()?;
        Ok(())
    }

    fn deprecated_slot(&mut self) -> Result<(), DocumentError> {
        self.slots.deprecated = self.position()?;
        Ok(())
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.name(name);
        json::write_pretty(&mut self.text, value, self.indent + 2);
    }

    fn optional<T: Serialize>(&mut self, name: &str, value: &Option<T>) {
        if let Some(value) = value {
            self.member(name, value);
        }
    }

    fn list<T: Serialize>(&mut self, name: &str, values: &[T]) {
        if !values.is_empty() {
            self.member(name, values);
        }
    }

    fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.member(name, value);
        }
    }

    fn name(&mut self, name: &str) {
        if self.has_members {
            self.text.push(b',');
        }
        self.has_members = true;
        json::new_line(&mut self.text, self.indent + 2);
        json::write_pretty(&mut self.text, name, 0);
        self.text.extend_from_slice(b": ");
    }

    fn position(&self) -> Result<u32, DocumentError> {
        u32::try_from(self.text.len()).map_err(|_| DocumentError::TooLarge)
    }

    fn finish(mut self, end: &str) -> Result<Template, DocumentError> {
        json::new_line(&mut self.text, self.indent);
        self.text.push(b'}');
        self.text.extend_from_slice(end.as_bytes());
        self.position()?;
        self.slots.indent = self.indent as u8 + 2;
        Ok(Template {
            text: String::from_utf8(self.text).expect("the printer writes ASCII only"),
            slots: self.slots,
        })
    }
}

//! Every setting, what it is, and who said so.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::frame::{Frame, Section};
use super::tabs::{self, Tab};
use super::{Asked, view};
use crate::admin::error::OperationError;
use crate::admin::routes::Operator;
use crate::admin::settings::SettingReport;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    frame: Frame,
    tabs: Vec<Tab>,
    file: Option<String>,
    said: usize,
    groups: Vec<Group>,
    notes: Vec<String>,
}

/// The settings of one table of the file.
struct Group {
    name: String,
    settings: Vec<SettingReport>,
}

pub(super) async fn show(request: HttpRequest, operator: Data<Operator>) -> HttpResponse {
    view(&request, &operator, Section::System, settings).await
}

fn settings(asked: Asked) -> Result<Settings, OperationError> {
    let report = asked.operator.service.settings.load();
    let mut groups: Vec<Group> = Vec::new();
    for setting in &report.settings {
        let name = setting.key.split_once('.').map_or("", |(table, _)| table);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.settings.push(setting.clone()),
            None => groups.push(Group {
                name: name.to_owned(),
                settings: vec![setting.clone()],
            }),
        }
    }
    let said = report.settings.iter().filter(|it| it.origin != "default");
    Ok(Settings {
        tabs: tabs::system(&asked.frame, "/system/settings"),
        file: report.file.clone(),
        said: said.count(),
        groups,
        notes: report.notes.clone(),
        frame: asked.frame.titled("Settings"),
    })
}

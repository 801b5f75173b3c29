//! What stands around every page: the sections, the lens, who is there.

use std::fmt::Display;

use actix_web::{HttpMessage, HttpRequest};
use jiff::Timestamp;

use super::assets;
use super::lens::Lens;
use crate::admin::error::OperationError;
use crate::admin::roles::{Caller, How, Role};
use crate::admin::status::Service;
use crate::crypto::Secret;
use crate::people::Actor;
use crate::store::{Store, change_sets, distributions};

/// Moments of the past that the lens offers.
const MOMENTS: u32 = 20;

/// The six parts of the admin's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What is served, and what needs somebody.
    Overview,
    /// What there is.
    Packages,
    /// What waits, and what was done.
    Changes,
    /// What comes in.
    Transfer,
    /// Who asks.
    Kibanas,
    /// The appliance itself.
    System,
}

/// What a request says of the frame.
pub(in crate::admin) struct FrameRequest {
    section: Section,
    lens: Lens,
    path: String,
    query: String,
    caller: Option<Caller>,
}

/// The frame of a page.
pub(in crate::admin) struct Frame {
    pub(super) title: String,
    pub(super) section: Section,
    pub(super) lens: Lens,
    pub(super) path: String,
    pub(super) who: String,
    /// The same as the store records it, for what is only looked at.
    pub(super) actor: Actor,
    /// Who is there, whatever they act by.
    pub(super) user: String,
    pub(super) role: Role,
    pub(super) csrf: String,
    pub(super) last_login: Option<String>,
    pub(super) can_log_out: bool,
    pub(super) distributions: Vec<String>,
    pub(super) kibanas: Vec<String>,
    pub(super) moments: Vec<Moment>,
    /// The page's own parameters, which a change of the lens keeps.
    pub(super) kept: Vec<(String, String)>,
    pub(super) search: String,
    pub(super) now: Timestamp,
}

/// A moment of the past.
pub(super) struct Moment {
    pub(super) number: i64,
    pub(super) at: String,
}

/// An entry of the rail.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) icon: &'static str,
    pub(super) key: char,
    pub(super) href: String,
    pub(super) is_here: bool,
}

impl Section {
    /// Returns the section that a path belongs to.
    pub(super) fn of_path(path: &str) -> Self {
        let first = path.split('/').nth(2);
        match first {
            Some("packages") => Self::Packages,
            Some("changes" | "plans" | "diff") => Self::Changes,
            Some("transfer" | "jobs" | "quarantine") => Self::Transfer,
            Some("kibanas") => Self::Kibanas,
            Some("system") => Self::System,
            _ => Self::Overview,
        }
    }
}

impl FrameRequest {
    pub(super) fn of(request: &HttpRequest, section: Section) -> Self {
        Self {
            section,
            lens: Lens::of_query(request.query_string()),
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            caller: request.extensions().get::<Caller>().cloned(),
        }
    }
}

impl Frame {
    pub(super) fn load(
        store: &Store,
        asked: FrameRequest,
        service: &Service,
    ) -> Result<Self, OperationError> {
        let caller = asked.caller.ok_or(OperationError::Nobody)?;
        let (distributions, moments) = store.read(|conn| {
            let names = distributions::all(conn)?.into_iter();
            let newest = change_sets::newest(conn, MOMENTS)?.into_iter();
            let moment = |it: change_sets::ChangeSet| Moment {
                number: it.id.0,
                at: minute(&it.at),
            };
            Ok::<_, crate::store::StoreError>((
                names.map(|it| it.name.to_string()).collect::<Vec<_>>(),
                newest.map(moment).collect(),
            ))
        })?;
        let mut kibanas: Vec<_> = service
            .kibanas
            .list()
            .into_iter()
            .map(|it| it.version)
            .collect();
        kibanas.sort_unstable();
        kibanas.dedup();
        let parameters: Vec<(String, String)> =
            serde_urlencoded::from_str(&asked.query).unwrap_or_default();
        let search = parameters.iter().find(|(name, _)| name == "q");
        let search = search.map(|(_, value)| value.clone()).unwrap_or_default();
        let is_own = |(name, _): &(String, String)| !matches!(name.as_str(), "d" | "kibana" | "at");
        Ok(Self {
            title: String::new(),
            section: asked.section,
            lens: asked.lens,
            path: asked.path,
            csrf: caller.csrf().map(Secret::reveal).unwrap_or_default(),
            last_login: last_login(&caller),
            can_log_out: matches!(caller.how, How::Session { .. }),
            actor: caller.actor(),
            user: caller.user().to_owned(),
            who: caller.name,
            role: caller.role,
            distributions: with_default(distributions),
            kibanas,
            moments,
            kept: parameters.into_iter().filter(is_own).collect(),
            search,
            now: Timestamp::now(),
        })
    }

    /// Returns the frame of a page with this title.
    pub(super) fn titled(self, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..self
        }
    }

    /// Returns the address of a page under this lens.
    pub(super) fn to(&self, path: impl Display) -> String {
        self.lens.address(&path.to_string(), &[])
    }

    /// Returns the same with a further parameter.
    pub(super) fn with(&self, path: &str, name: &str, value: &str) -> String {
        self.lens.address(path, &[(name, value)])
    }

    /// Returns the address of a page where another distribution is looked at.
    pub(super) fn on(&self, distribution: &str, path: &str) -> String {
        self.lens.on(distribution).address(path, &[])
    }

    /// Returns one of the page's own parameters.
    pub(super) fn own(&self, name: &str) -> Option<&str> {
        let found = self.kept.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// Tells whether who is there may do what needs a role.
    pub(super) fn may(&self, role: &str) -> bool {
        Role::ALL
            .into_iter()
            .find(|it| it.name() == role)
            .is_some_and(|needed| self.role >= needed)
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        [
            (Section::Overview, "Overview", "overview", 'o', "/"),
            (Section::Packages, "Packages", "packages", 'p', "/packages"),
            (Section::Changes, "Changes", "changes", 'c', "/changes"),
            (Section::Transfer, "Transfer", "transfer", 't', "/transfer"),
            (Section::Kibanas, "Kibanas", "kibanas", 'k', "/kibanas"),
            (Section::System, "System", "system", 's', "/system"),
        ]
        .map(|(section, name, icon, key, path)| Entry {
            name,
            icon,
            key,
            href: self.to(path),
            is_here: section == self.section,
        })
        .into()
    }
}

/// Returns the names with `default` before all others, whether anything is served there or not.
fn with_default(names: Vec<String>) -> Vec<String> {
    let others = names.into_iter().filter(|name| name != "default");
    std::iter::once("default".to_owned())
        .chain(others)
        .collect()
}

/// Returns the login before this one, and how many failed since, for whoever has a session.
fn last_login(caller: &Caller) -> Option<String> {
    let How::Session {
        former_login: Some(login),
        former_failures,
        ..
    } = &caller.how
    else {
        return None;
    };
    let failed = match former_failures {
        0 => String::new(),
        failures => format!(", {failures} failed since"),
    };
    let at = minute(&login.at.to_string());
    Some(format!("{at} UTC from {}{failed}", login.from))
}

/// Returns a time of the store to the minute: `22 Nov 14:03`.
fn minute(text: &str) -> String {
    text.parse::<Timestamp>().map_or_else(
        |_| text.to_owned(),
        |time| time.strftime("%-d %b %H:%M").to_string(),
    )
}

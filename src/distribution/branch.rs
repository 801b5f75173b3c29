//! The kinds of branches and what may happen to each: package-storage's rules.

use std::fmt;

use crate::crypto::Digest;

/// What a branch is for; decides its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BranchKind {
    /// `production` and `production-7.9`: what is published stays as it is.
    Production,
    /// `staging`: candidates for production.
    Staging,
    /// `snapshot`: builds that come and go.
    Snapshot,
    /// `experimental`: as snapshot.
    Experimental,
    /// A release of the Elastic Stack, frozen for ever.
    Release,
    /// The admin's own packages.
    Local,
}

/// What a rule says to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// It is done.
    Always,
    /// It is done where the operator asks for it by name.
    WhenAsked,
    /// It is done as an exception, with a reason that stays in the history.
    WithReason,
    /// It is done by the import or the tag that makes the branch, and never again.
    AtMaking,
    /// It is refused.
    Never,
}

/// What the operator said beyond the change itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Consent {
    /// The change was asked for by name (`--overwrite`).
    pub is_asked: bool,
    /// A reason was given.
    pub has_reason: bool,
    /// The change is part of making the branch.
    pub is_making: bool,
    /// The digest of the plan that was looked at: another one is not consented to.
    pub plan: Option<Digest>,
}

impl BranchKind {
    /// Every kind there is.
    pub const ALL: [Self; 6] = [
        Self::Production,
        Self::Staging,
        Self::Snapshot,
        Self::Experimental,
        Self::Release,
        Self::Local,
    ];

    /// Returns the kind of the branch that package-storage calls `name`; every other name is the admin's own.
    ///
    /// Releases are not known by their name: they are made as such.
    pub fn of_name(name: &str) -> Self {
        match name {
            "production" => Self::Production,
            "staging" => Self::Staging,
            "snapshot" => Self::Snapshot,
            "experimental" => Self::Experimental,
            _ if name.starts_with("production-") => Self::Production,
            _ => Self::Local,
        }
    }

    /// Returns whether a version that is there may get other content.
    pub fn overwrite(self) -> Permission {
        match self {
            Self::Production | Self::Release => Permission::Never,
            Self::Staging | Self::Local => Permission::WhenAsked,
            Self::Snapshot | Self::Experimental => Permission::Always,
        }
    }

    /// Returns whether a version may go.
    pub fn remove(self) -> Permission {
        match self {
            Self::Production | Self::Release => Permission::Never,
            Self::Staging => Permission::WithReason,
            Self::Snapshot | Self::Experimental | Self::Local => Permission::Always,
        }
    }

    /// Returns whether a version may come.
    pub fn add(self) -> Permission {
        match self {
            Self::Release => Permission::AtMaking,
            Self::Production
            | Self::Staging
            | Self::Snapshot
            | Self::Experimental
            | Self::Local => Permission::Always,
        }
    }

    /// Tells whether versions are promoted from a branch of this kind to one of the kind `to`: snapshot, staging, production.
    pub fn promotes_to(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Snapshot, Self::Staging | Self::Production) | (Self::Staging, Self::Production)
        )
    }

    /// Returns the kind as the store and the command line write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Snapshot => "snapshot",
            Self::Experimental => "experimental",
            Self::Release => "release",
            Self::Local => "local",
        }
    }

    /// Returns the kind that `text` is.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Permission {
    /// Tells whether the change may be done, given what the operator said.
    pub fn admits(self, consent: Consent) -> bool {
        match self {
            Self::Always => true,
            Self::WhenAsked => consent.is_asked,
            Self::WithReason => consent.has_reason,
            Self::AtMaking => consent.is_making,
            Self::Never => false,
        }
    }
}

impl fmt::Display for BranchKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_package_storage_have_their_kind_and_others_are_local() {
        let kinds = [
            "production",
            "production-7.9",
            "staging",
            "snapshot",
            "experimental",
            "local",
            "mine",
        ];
        assert_eq!(
            kinds.map(|name| BranchKind::of_name(name).as_str()),
            [
                "production",
                "production",
                "staging",
                "snapshot",
                "experimental",
                "local",
                "local"
            ],
        );
    }

    #[test]
    fn the_rule_table_is_the_one_of_the_design() {
        use Permission::{Always, AtMaking, Never, WhenAsked, WithReason};
        let table = [
            (BranchKind::Production, Never, Never, Always),
            (BranchKind::Staging, WhenAsked, WithReason, Always),
            (BranchKind::Snapshot, Always, Always, Always),
            (BranchKind::Experimental, Always, Always, Always),
            (BranchKind::Release, Never, Never, AtMaking),
            (BranchKind::Local, WhenAsked, Always, Always),
        ];
        assert_eq!(table.map(|(kind, ..)| kind), BranchKind::ALL);
        for (kind, overwrite, remove, add) in table {
            assert_eq!(
                (kind.overwrite(), kind.remove(), kind.add()),
                (overwrite, remove, add),
                "{kind}"
            );
            assert_eq!(BranchKind::parse(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn each_permission_needs_its_own_consent() {
        let nothing = Consent::default();
        let asked = Consent {
            is_asked: true,
            ..nothing
        };
        let reason = Consent {
            has_reason: true,
            ..nothing
        };
        let making = Consent {
            is_making: true,
            ..nothing
        };
        let admitted = |permission: Permission| {
            [nothing, asked, reason, making].map(|said| permission.admits(said))
        };
        assert_eq!(admitted(Permission::Always), [true; 4]);
        assert_eq!(admitted(Permission::WhenAsked), [false, true, false, false]);
        assert_eq!(
            admitted(Permission::WithReason),
            [false, false, true, false]
        );
        assert_eq!(admitted(Permission::AtMaking), [false, false, false, true]);
        assert_eq!(admitted(Permission::Never), [false; 4]);
    }
}

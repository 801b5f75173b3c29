//! How a command fails: `Error`, `Caused by`, `Hint`. All hints stand here, and each names a command or a setting.

use std::fmt;

use crate::admin::Failure;
use crate::config::ConfigError;

/// A failure on its way to the terminal.
#[derive(Debug)]
pub(crate) struct CliError {
    error: String,
    causes: Vec<String>,
    hints: Vec<String>,
    kind: String,
}

impl CliError {
    pub(crate) fn new(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            kind: String::new(),
        }
    }

    /// Tells whether it is a failure of an operation, of this kind.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// Tells whether a plan that was not committed is whole, and somebody else may commit it.
    pub(crate) fn leaves_plan(&self) -> bool {
        self.is("needs-role") || self.is("needs-second-person")
    }

    /// Adds that the plan waits for them.
    pub(crate) fn plan_waits(self, plan: i64) -> Self {
        self.hint(format!(
            "the plan waits: who may do it commits it with `airlock plans commit {plan}`"
        ))
    }

    /// Returns the failure as the log tells it.
    pub(crate) fn on_one_line(&self) -> String {
        let causes = self.causes.iter().map(String::as_str);
        let parts: Vec<_> = std::iter::once(self.error.as_str()).chain(causes).collect();
        parts.join(": ")
    }

    pub(crate) fn caused_by(mut self, cause: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(cause), |cause| cause.source());
        self.causes.extend(causes.map(ToString::to_string));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<ConfigError> for CliError {
    /// One fault is told like any other; of several each has its line.
    fn from(error: ConfigError) -> Self {
        if let [only] = error.problems.as_slice() {
            let told = Self::new(only.to_string());
            return match &only.hint {
                Some(hint) => told.hint(hint),
                None => told,
            };
        }
        let causes = error.problems.iter().map(|problem| match &problem.hint {
            Some(hint) => format!("{problem}; {hint}"),
            None => problem.to_string(),
        });
        Self {
            causes: causes.collect(),
            ..Self::new(error.to_string())
        }
        .hint("`airlock config check` looks at them again")
    }
}

impl<E: Into<Failure>> From<E> for CliError {
    fn from(failure: E) -> Self {
        let Failure {
            error,
            causes,
            kind,
            similar,
            offset: _,
        } = failure.into();
        let meant = similar.map(|name| format!("Did you mean {name}?"));
        let hints = meant.into_iter().chain(hint(&kind).map(str::to_owned));
        Self {
            error,
            causes,
            hints: hints.collect(),
            kind,
        }
    }
}

/// Returns an error with all its causes, on one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let errors = std::iter::successors(Some(error), |error| error.source());
    errors
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn hint(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "too-many-imports" | "too-many-jobs" => {
            "run it again once one has ended; `airlock plans list` shows what was staged"
        }
        "stopping" => "run it again once `airlock status` answers",
        "no-target" => {
            "name the release with --release 8.5.0, or a branch with --branch production"
        }
        "no-packages" => {
            "`airlock import` takes a package-storage archive or folder, or the folder that holds the packages"
        }
        "not-an-archive" => {
            "`airlock import` takes archives and folders of packages, packages as zips, and images as `docker save`, `podman \
             save` and skopeo write them; of a file that was split name all pieces in their order, as in `airlock import \
             image.tar.*`"
        }
        "broken-source" => {
            "copy it once more from where it came; where it was split name all pieces in their order, as in `airlock \
             import image.tar.*`, and import several archives one by one"
        }
        "several-images" => "name the one that is meant with --image NAME:TAG",
        "too-much-work" => {
            "if you trust it, unpack it and import the folder with `airlock import FOLDER`"
        }
        "release-differs" => {
            "import it under another name with --release, or add to a branch with --branch"
        }
        "other-kind" => "choose another name with --branch or --release",
        "no-such-plan" => "`airlock plans list` shows the plans that wait",
        "no-such-change-set" => "`airlock history` lists the change sets",
        "no-such-version" => "`airlock explain NAME` shows every version of a package",
        "too-many-holds" => {
            "`airlock holds` shows them, `airlock release-hold` lets one go; `airlock hold NAME --at VERSION` keeps back many versions at once"
        }
        "no-such-hold" => "`airlock holds` shows the holds and their numbers",
        "no-such-package" => "name a package that is here, as it is called in its manifest",
        "not-yet-there" => "`airlock history` shows when each distribution was made and set",
        "pruned" => "`airlock history` shows the change sets that are known",
        "no-such-case" => "`airlock quarantine list` shows what is in quarantine",
        "no-such-key" => {
            "`airlock keys list` shows the keys; name one by its fingerprint, or the last 8 digits"
        }
        "keeps-versions" => {
            "`airlock rollback` goes back to an earlier state of everything; `airlock distribution set` serves something else"
        }
        "in-service" => {
            "`airlock distribution set` makes it serve something else, `airlock activate` what answers at /"
        }
        "fetched-lately" => {
            "--dry-run names them; --also-fetched deletes them too, and those Kibanas cannot install them again"
        }
        "no-release" => {
            "`airlock sizes` shows the branches; `airlock remove` takes versions out of one"
        }
        "pkcs12" => {
            "`openssl pkcs12 -in FILE -out ALL.pem -nodes` makes PEM of it, with the key not encrypted: then `airlock tls install ALL.pem`"
        }
        "pkcs7" => {
            "`openssl pkcs7 -print_certs -in FILE -out CERT.pem` makes PEM of it, with `-inform der` where it is binary"
        }
        "tls-request" => {
            "give it to your authority; `airlock tls install` takes the certificate that comes back"
        }
        "tls-broken" => {
            "`airlock tls install` takes PEM and DER; `openssl x509 -in FILE -noout -text` says what OpenSSL makes of it"
        }
        "old-encryption" => {
            "`openssl pkcs8 -topk8 -in FILE -out KEY.pem` encrypts it anew; then `airlock tls install --key KEY.pem --passphrase-file FILE`"
        }
        "no-passphrase" => {
            "put it on the first line of a file and name that with --passphrase-file, and for the server in tls.key_passphrase_file or \
             systemd's credential tls-key-passphrase"
        }
        "wrong-passphrase" => {
            "the first line of the file is the passphrase, exactly; `openssl pkey -in KEY -noout` tries another"
        }
        "unusable-key" => "`airlock tls csr` makes one that can be used, with --rsa one of RSA",
        "no-names" => "`airlock tls csr --name HOST` asks for a certificate with the right names",
        "not-yet-valid" => "look whether the clock of this host is right: `timedatectl`",
        "expired" => "`airlock tls csr` asks for a new one",
        "not-for-servers" => {
            "the authority has to issue it for a TLS server, as the request of `airlock tls csr` asks"
        }
        "missing-issuer" => {
            "name the file with the certificates of its issuers with --chain, or the root's with --ca where there are none between"
        }
        "other-root" => "--ca names the root, and --chain what lies between it and the certificate",
        "tls-chain" => "ask your authority for its chain, and name it with --chain",
        "no-pair" => "name its key with --key; `airlock tls csr` begins anew, with a new key",
        "tls-not-there" => {
            "`airlock tls csr` asks the site's authority for a certificate, `airlock tls init` makes one"
        }
        "tls-unreadable" | "tls-unwritable" => {
            "certificates are mostly root's to read and install: `sudo airlock tls …`"
        }
        "tls-exists" => "`airlock tls show` shows what is there; move the files away to begin anew",
        "no-tls" => "set tls.certificate and tls.key in airlock.toml and restart the server",
        "importing" => "wait until the import has ended, and try again",
        "gone-release" => "import it again with `airlock import`, or go back to another change set",
        "needs-reason" => "say why with --reason",
        "needs-role" => {
            "`control.roles` in airlock.toml gives a user a role, as in roles = { alice = \"approver\" }; `control.role` is that of \
             all others in the group"
        }
        "needs-second-person" => {
            "somebody else looks at it with `airlock plans show`, which prints its digest, and names that with `--digest`"
        }
        "needs-digest" | "plan-changed" => {
            "`airlock plans show` prints what it would change and its digest; name that with `airlock plans commit --digest`"
        }
        "no-such-user" | "user-taken" => "`airlock users list` shows who there is",
        "weak-password" => {
            "choose a longer one; `admin.password_length` says how many characters one has at least"
        }
        "last-admin" => "make somebody else admin first: `airlock users add NAME --role admin`",
        "no-such-token" | "token-taken" => "`airlock tokens list` shows the tokens",
        "token-above-owner" => {
            "ask for a lesser role, as in `airlock tokens add NAME --role viewer --days 30`"
        }
        "too-many" => "`airlock tokens list` and `airlock users list` show what can be removed",
        "no-such-link" => "`airlock setup-link` makes a new one",
        "set-up" => {
            "`airlock users add NAME --role admin` adds another admin, `airlock users reset NAME` gives one another password"
        }
        "not-held" => "`airlock signatures list BRANCH --all` shows what a branch holds",
        "fixed-distribution" => {
            "`airlock distribution create NAME --like` makes one that can be set"
        }
        "no-such-branch" | "no-such-distribution" | "name-taken" => {
            "`airlock distribution list` shows what there is"
        }
        "named-like-release" => {
            "choose another name, or make a release of it with `airlock import --release`"
        }
        "reserved-name" => {
            "choose another name; production, staging, snapshot, experimental and default are taken"
        }
        "in-use" => {
            "wait until the other command has ended; a running `airlock serve` must be of this version and user to be asked"
        }
        "newer-schema" => {
            "use the airlock that wrote this store, or name another folder with --data-dir"
        }
        "not-a-store" => "name another folder with --data-dir",
        "data-folder" => "name a folder you may write to with --data-dir",
        "disk-full" => "free some space, or name another folder with --data-dir",
        _ => return None,
    })
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Error: {}", self.error)?;
        match self.causes.as_slice() {
            [] => {}
            [cause] => writeln!(f, "Caused by: {cause}")?,
            causes => {
                writeln!(f, "Caused by:")?;
                for (number, cause) in (1..).zip(causes) {
                    writeln!(f, "  {number}: {cause}")?;
                }
            }
        }
        self.hints
            .iter()
            .try_for_each(|hint| writeln!(f, "Hint: {hint}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_stands_on_its_line_and_several_are_numbered() {
        let io = std::io::Error::other("disk on fire");
        let error = CliError::new("cannot read x")
            .caused_by(&io)
            .hint("try `airlock demo`");
        assert_eq!(
            error.to_string(),
            "Error: cannot read x\nCaused by: disk on fire\nHint: try `airlock demo`\n"
        );

        let failure = Failure {
            error: "the source does not say which release it is".into(),
            causes: vec!["one".into(), "two".into()],
            kind: "no-target".into(),
            similar: None,
            offset: None,
        };
        insta::assert_snapshot!(CliError::from(failure), @r"
        Error: the source does not say which release it is
        Caused by:
          1: one
          2: two
        Hint: name the release with --release 8.5.0, or a branch with --branch production
        ");
    }
}

//! Users and groups of this host, by name and number, and the addresses of hosts that it knows by name.
//!
//! The C library is not asked in this process: its lookups load plug-ins of the host's own C library, which ends a
//! statically linked program. `/etc/passwd`, `/etc/group` and `/etc/hosts` are read here; what a directory or a name server
//! knows (LDAP, Active Directory through SSSD, systemd, DNS) tells `getent`, the host's own program, where there is one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a directory may take to answer; one that is out of reach keeps a command waiting no longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is looked whether it has answered.
const TICK: Duration = Duration::from_millis(5);
/// Bytes of one line that are read: a group's line names all its members.
const LINE_BYTES: u64 = 1 << 20;

/// Returns the name of the user with the number `id`; `None` where the host knows none, or does not answer in time.
pub fn user_name(id: u32) -> Option<String> {
    let number = id.to_string();
    look_up("passwd", &number, |account| account.number == number).map(|account| account.name)
}

/// Returns the number of the group called `name`; `None` where the host knows none, or does not answer in time.
pub fn group_id(name: &str) -> Option<u32> {
    look_up("group", name, |account| account.name == name)?
        .number
        .parse()
        .ok()
}

/// Returns the addresses of the host called `name`, each once; none where nobody knows it, or answers in time.
pub fn addresses(name: &str) -> Vec<IpAddr> {
    let mut here = Vec::new();
    // Where the file cannot be read, a name server may know all the same.
    let _ = File::open("/etc/hosts").and_then(|file| file.take(LINE_BYTES).read_to_end(&mut here));
    let found = addresses_in(&here, name);
    if !found.is_empty() {
        return found;
    }
    let said = ask("getent", "ahosts", name).unwrap_or_default();
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&said).lines() {
        let first = line.split_whitespace().next();
        if let Some(address) = first.and_then(|first| first.parse().ok())
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

/// Returns what lines as those of `/etc/hosts` say of `name`.
fn addresses_in(hosts: &[u8], name: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(hosts).lines() {
        let mut fields = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let address = fields.next().and_then(|address| address.parse().ok());
        if let Some(address) = address
            && fields.any(|field| field.eq_ignore_ascii_case(name))
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

/// What a line of `/etc/passwd` and one of `/etc/group` have alike.
struct Account {
    name: String,
    number: String,
}

fn look_up(database: &str, key: &str, is_meant: impl Fn(&Account) -> bool) -> Option<Account> {
    // Where the file cannot be read, a directory may know all the same.
    let here = File::open(format!("/etc/{database}")).map(BufReader::new);
    let here = here.and_then(|lines| find(lines, &is_meant)).ok().flatten();
    here.or_else(|| find(ask("getent", database, key)?.as_slice(), is_meant).ok()?)
}

fn find(
    mut lines: impl BufRead,
    is_meant: impl Fn(&Account) -> bool,
) -> io::Result<Option<Account>> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines
            .by_ref()
            .take(LINE_BYTES)
            .read_until(b'\n', &mut line)?
            == 0
        {
            return Ok(None);
        }
        if let Some(account) = Account::parse(&line).filter(|account| is_meant(account)) {
            return Ok(Some(account));
        }
    }
}

impl Account {
    /// Reads `name:password:number:…`.
    fn parse(line: &[u8]) -> Option<Self> {
        let mut fields = std::str::from_utf8(line).ok()?.trim_end().split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let number = fields.nth(1)?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        // A name is shown and kept.
        let is_plain = !name.chars().any(char::is_control);
        (is_number && is_plain).then(|| Self {
            name: name.to_owned(),
            number: number.to_owned(),
        })
    }
}

/// Returns what the host's own `program` says of `key`; `None` where it is not there, knows nothing or takes too long.
fn ask(program: &str, database: &str, key: &str) -> Option<Vec<u8>> {
    // A key that looks like an option or is a number where a name is meant would ask for something else.
    if key.is_empty() || key.starts_with('-') {
        return None;
    }
    let mut child = Command::new(program)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .args([database, key])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(None) if begun.elapsed() < PATIENCE => std::thread::sleep(TICK),
            Ok(Some(_)) => return None,
            Ok(None) | Err(_) => {
                // It may have ended since.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
    // It fits into the pipe, or it would not have ended.
    let mut said = Vec::new();
    child.stdout.take()?.read_to_end(&mut said).ok()?;
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_number_and_by_name() {
        assert_eq!(user_name(0).as_deref(), Some("root"));
        assert_eq!(group_id("root"), Some(0));
        assert_eq!(user_name(4_000_000_000), None);
        assert_eq!(group_id("no such group"), None);
        assert_eq!(group_id("-h"), None);
        assert_eq!(group_id("0"), None, "a number is no name");
    }

    #[test]
    fn lines_that_say_no_account_are_passed_over() {
        let file = "# note\n:x:7:7::/:\nname:x\nempty:x::0\nminus:x:-1:0\nb\u{7}ll:x:7:7\n+::::::\nalice:x:7:8:Alice:/:/bin/sh";
        let found = |number: &str| {
            let account = find(file.as_bytes(), |account| account.number == number);
            account.unwrap().map(|account| account.name)
        };
        assert_eq!(found("7").as_deref(), Some("alice"));
        assert_eq!(found(""), None);
        assert_eq!(found("-1"), None);
    }

    #[test]
    fn a_line_longer_than_any_is_read_in_pieces() {
        let long = format!("{}\nalice:x:7:8\n", "x".repeat(3 << 20));
        let account = find(long.as_bytes(), |account| account.name == "alice");
        assert_eq!(account.unwrap().unwrap().number, "7");
    }

    #[test]
    fn addresses_are_found_by_any_name_of_a_line() {
        let hosts = b"127.0.0.1 localhost\n::1 localhost ip6-localhost # epr.site\n10.1.2.3\tEPR.site epr\nx epr\n";
        let found = |name| {
            let found = addresses_in(hosts, name);
            found.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found("localhost"), ["127.0.0.1", "::1"]);
        assert_eq!(found("epr.site"), ["10.1.2.3"]);
        assert_eq!(found("EPR"), ["10.1.2.3"]);
        assert!(found("10.1.2.3").is_empty() && found("").is_empty());
        assert!(addresses("localhost").iter().all(IpAddr::is_loopback));
        assert!(addresses("-i").is_empty());
    }

    #[test]
    fn a_program_that_is_not_there_or_fails_says_nothing() {
        assert_eq!(ask("no-such-program", "passwd", "0"), None);
        assert_eq!(ask("false", "passwd", "0"), None);
        let said = ask("echo", "alice:x", "7:8").unwrap();
        assert_eq!(said, b"alice:x 7:8\n");
    }
}

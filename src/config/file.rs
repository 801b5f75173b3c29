//! The file: TOML 1.1, sections of strings, numbers, switches, arrays and one table. Every fault is told with its line.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Problem;
use super::given::{Layers, Origin, Value};
use super::keys::{self, Form, KEYS};

/// Bytes of the file: a hundred times the sample.
const MOST_BYTES: u64 = 1 << 20;

/// Gives what `file` says to `layers`.
pub fn give(file: &Path, layers: &mut Layers) {
    match read(file) {
        Ok(text) => Reader { file, text: &text }.give(layers),
        Err(problem) => layers.complain(problem),
    }
}

/// Returns the text of a file of settings.
pub fn read(file: &Path) -> Result<String, Problem> {
    let about = |problem: String, hint: &str| {
        let origin = Origin::File {
            file: file.to_owned(),
            line: 0,
        };
        Problem::new(origin, "", problem, Some(hint.to_owned()))
    };
    let mut text = String::new();
    let opened =
        File::open(file).and_then(|opened| opened.take(MOST_BYTES + 1).read_to_string(&mut text));
    match opened {
        Err(error) => Err(about(
            format!("cannot be read: {error}"),
            "name another file with --config; it holds no secrets, so everybody who runs airlock may read it",
        )),
        Ok(bytes) if bytes as u64 > MOST_BYTES => Err(about(
            format!("has more than {MOST_BYTES} bytes"),
            "name the file of settings with --config",
        )),
        Ok(_) => Ok(text),
    }
}

struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn give(&self, layers: &mut Layers) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        if !errors.is_empty() {
            // What could be read beside a fault of form may be anything: nothing is said of it.
            for error in errors {
                let place = error.span().map_or(0, |span| span.start);
                let text = error.message().replace('\n', ", ");
                layers.complain(Problem::new(self.at(place), "", text, None));
            }
            return;
        }
        for (name, value) in table.get_ref().iter() {
            let section = name.get_ref().as_ref();
            match (keys::find(section), value.get_ref()) {
                (Some(_), _) => self.give_key(section, name, value, layers),
                (None, DeValue::Table(keys)) if is_section(section) => {
                    for (name, value) in keys.iter() {
                        let key = format!("{section}.{}", name.get_ref());
                        self.give_key(&key, name, value, layers);
                    }
                }
                (None, DeValue::Table(_)) => {
                    let sections = KEYS.iter().filter_map(|key| key.name.split_once('.'));
                    let meant = keys::similar(section, sections.map(|(section, _)| section));
                    let hint = meant.map(|meant| format!("did you mean [{meant}]?"));
                    let problem =
                        Problem::new(self.of(name), section, "no such section".to_owned(), hint);
                    layers.complain(problem);
                }
                (None, _) => layers.complain(self.unknown(section, name)),
            }
        }
    }

    fn give_key<T>(
        &self,
        key: &str,
        name: &Spanned<T>,
        value: &Spanned<DeValue<'_>>,
        layers: &mut Layers,
    ) {
        let Some(known) = keys::find(key) else {
            layers.complain(self.unknown(key, name));
            return;
        };
        match self.value(known.form, value) {
            Ok(value) => layers.give(known.name, value, self.of(name)),
            Err(wrong) => layers.complain(Problem::new(
                self.of(&wrong.place),
                known.name,
                wrong.problem,
                Some(wrong.hint),
            )),
        }
    }

    fn value(&self, form: Form, value: &Spanned<DeValue<'_>>) -> Result<Value, WrongForm> {
        match (form, value.get_ref()) {
            (Form::List, DeValue::Array(items)) => {
                let items = items.iter().map(string);
                Ok(Value::List(items.collect::<Result<_, _>>()?))
            }
            (Form::List, _) => Ok(Value::List(vec![string(value)?])),
            (Form::Table, DeValue::Table(rows)) => {
                let rows = rows
                    .iter()
                    .map(|(name, value)| Ok((name.get_ref().clone().into_owned(), string(value)?)));
                Ok(Value::Table(rows.collect::<Result<_, _>>()?))
            }
            (Form::Table, _) => Err(WrongForm::of(
                value,
                "a table is needed here",
                "as in { alice = \"publisher\" }",
            )),
            (Form::Path, _) => {
                let text = string(value)?;
                let folder = self.file.parent().unwrap_or(Path::new(""));
                Ok(Value::Text(
                    folder.join(text).to_string_lossy().into_owned(),
                ))
            }
            (Form::Number, DeValue::Integer(number)) => Ok(Value::Text(number.to_string())),
            (Form::Switch, DeValue::Boolean(word)) => Ok(Value::Text(word.to_string())),
            (Form::Text | Form::Number | Form::Switch, _) => Ok(Value::Text(string(value)?)),
        }
    }

    fn unknown<T>(&self, key: &str, name: &Spanned<T>) -> Problem {
        let hint = keys::most_like(key).map_or_else(
            || "`airlock config show` lists all keys".to_owned(),
            |meant| format!("did you mean {meant}?"),
        );
        Problem::new(self.of(name), key, "no such key".to_owned(), Some(hint))
    }

    fn of<T>(&self, spanned: &Spanned<T>) -> Origin {
        self.at(spanned.span().start)
    }

    /// Returns the line that byte `place` is in.
    fn at(&self, place: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(place);
        Origin::File {
            file: self.file.to_owned(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
        }
    }
}

struct WrongForm {
    place: Spanned<()>,
    problem: String,
    hint: String,
}

impl WrongForm {
    fn of(value: &Spanned<DeValue<'_>>, problem: &str, hint: impl Into<String>) -> Self {
        Self {
            place: Spanned::new(value.span(), ()),
            problem: problem.to_owned(),
            hint: hint.into(),
        }
    }
}

/// Returns the text of a string; numbers and dates are quoted by whoever means them as text.
fn string(value: &Spanned<DeValue<'_>>) -> Result<String, WrongForm> {
    let quoted = match value.get_ref() {
        DeValue::String(text) => return Ok(text.clone().into_owned()),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(word) => word.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => {
            let hint = "a single text in double quotes";
            return Err(WrongForm::of(value, "a string is needed here", hint));
        }
    };
    Err(WrongForm::of(
        value,
        "a string is needed here",
        format!("write it in double quotes: \"{quoted}\""),
    ))
}

fn is_section(name: &str) -> bool {
    let mut sections = KEYS.iter().filter_map(|key| key.name.split_once('.'));
    sections.any(|(section, _)| section == name)
}

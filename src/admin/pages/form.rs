//! What a form sent: its fields, read once and bounded, and the one operation that it asks for.
//!
//! Every form of a page is read here. What a form sends is what somebody typed, or what somebody else's page made a browser
//! send: nothing of it is taken for granted.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::lens::Lens;
use super::{act, problem};
use crate::admin::entrance;
use crate::admin::error::OperationError;
use crate::admin::routes::Operator;
use crate::people::Actor;
use crate::store::Store;

/// Bytes of a form: a name, a reason, a few numbers.
pub(super) const FEW_BYTES: usize = 64 << 10;

/// The fields of a form, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the form that a request brings, of at most `max_bytes`. Fails where it does not come from a page of the caller's
    /// own session.
    pub(super) async fn read(
        request: &HttpRequest,
        body: Payload,
        max_bytes: usize,
    ) -> Result<Self, OperationError> {
        let invalid = |why: String| OperationError::InvalidRequest(why);
        let of_form = |kind: &str| kind.starts_with("application/x-www-form-urlencoded");
        let kind = request.headers().get(CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.to_str().is_ok_and(of_form)) {
            return Err(invalid("it is no form".to_owned()));
        }
        let bytes = body.to_bytes_limited(max_bytes).await;
        let bytes = bytes.map_err(|_| invalid(format!("a form of more than {max_bytes} bytes")))?;
        let bytes = bytes.map_err(|error| invalid(error.to_string()))?;
        let fields = serde_urlencoded::from_bytes(&bytes);
        let form = Self(fields.map_err(|error| invalid(error.to_string()))?);
        entrance::check_form(request, form.as_sent("csrf")).await?;
        Ok(form)
    }

    /// Returns what a field holds, without space around it; empty where it was not sent.
    pub(super) fn text(&self, name: &str) -> &str {
        let mut fields = self.0.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// Returns the same, `None` where there is nothing in it.
    pub(super) fn filled(&self, name: &str) -> Option<String> {
        let text = self.text(name);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Returns what a field holds exactly as it was sent, as passwords are.
    pub(super) fn as_sent(&self, name: &str) -> &str {
        let mut fields = self.0.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value)
    }

    /// Returns all fields.
    pub(super) fn fields(&self) -> &[(String, String)] {
        &self.0
    }

    /// Returns the number in a field.
    pub(super) fn number(&self, name: &str) -> Result<i64, OperationError> {
        let text = self.text(name);
        let shown: String = text.chars().take(100).collect();
        text.parse()
            .map_err(|_| OperationError::InvalidRequest(format!("{shown:?} is no number")))
    }

    /// Fails where the field `typed` does not hold `expected`, which the page asks to be typed.
    pub(super) fn check_typed(&self, expected: &str) -> Result<(), OperationError> {
        match self.text("typed") == expected {
            true => Ok(()),
            false => Err(OperationError::NotTyped(expected.to_owned())),
        }
    }
}

/// What an operation that a form asks for is done with.
pub(super) struct Doing<'a> {
    pub(super) operator: &'a Operator,
    pub(super) store: &'a Store,
    pub(super) who: &'a Actor,
    pub(super) form: &'a Form,
}

/// Does the operation that a form asks for, and leads to the page whose path it returns, under the lens of the form's own.
pub(super) async fn submit(
    request: &HttpRequest,
    operator: &Data<Operator>,
    body: Payload,
    operation: impl FnOnce(&Doing<'_>) -> Result<Next, OperationError> + Send + 'static,
) -> HttpResponse {
    submit_large(request, operator, body, FEW_BYTES, operation).await
}

/// As [`submit`], of a form of at most `max_bytes`.
pub(super) async fn submit_large(
    request: &HttpRequest,
    operator: &Data<Operator>,
    body: Payload,
    max_bytes: usize,
    operation: impl FnOnce(&Doing<'_>) -> Result<Next, OperationError> + Send + 'static,
) -> HttpResponse {
    let form = match Form::read(request, body, max_bytes).await {
        Ok(form) => form,
        Err(error) => return problem::page(request, error).await,
    };
    let lens = Lens::of_query(request.query_string());
    let of_server = operator.clone();
    act(request, operator, move |store, who| {
        let next = operation(&Doing {
            operator: &of_server,
            store,
            who,
            form: &form,
        })?;
        Ok(next.under(&lens))
    })
    .await
}

/// The page that a form leads to.
#[derive(Debug)]
pub(super) struct Next {
    path: String,
    done: &'static str,
}

impl Next {
    /// Returns the page at `path`, below `/admin`, which tells what was done by the word `done`.
    pub(super) fn page(path: impl Into<String>, done: &'static str) -> Self {
        Self {
            path: path.into(),
            done,
        }
    }

    fn under(&self, lens: &Lens) -> String {
        let more = [("done", self.done)];
        let more = if self.done.is_empty() { &[] } else { &more[..] };
        let address = lens.address(&self.path, more);
        address.trim_start_matches("/admin").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Form(fields.iter().map(own).collect())
    }

    #[test]
    fn fields_are_taken_by_their_names_without_space_around_them() {
        let form = form(&[("a", " x "), ("b", ""), ("n", "7")]);
        assert_eq!(
            [form.text("a"), form.text("b"), form.text("c")],
            ["x", "", ""]
        );
        assert_eq!(
            [form.filled("a"), form.filled("b")],
            [Some("x".to_owned()), None]
        );
        assert_eq!(form.number("n").unwrap(), 7);
        assert!(form.number("a").is_err());
    }

    #[actix_web::test]
    async fn a_form_that_is_too_long_is_not_read_to_its_end() {
        let read = async |bytes: usize| {
            let (request, mut body) = actix_web::test::TestRequest::post()
                .insert_header((CONTENT_TYPE, "application/x-www-form-urlencoded"))
                .set_payload("x".repeat(bytes))
                .to_http_parts();
            let body = <Payload as actix_web::FromRequest>::from_request(&request, &mut body).await;
            Form::read(&request, body.unwrap(), 8).await
        };
        assert!(read(8).await.is_ok());
        let refused = read(9).await.unwrap_err().to_string();
        assert!(
            refused.ends_with("a form of more than 8 bytes"),
            "{refused}"
        );
    }

    #[test]
    fn only_what_was_asked_for_is_typed() {
        let form = form(&[("typed", "8.5.0")]);
        assert!(form.check_typed("8.5.0").is_ok());
        for other in ["8.5", "8.5.00", ""] {
            assert!(form.check_typed(other).is_err(), "{other}");
        }
    }

    #[test]
    fn where_it_leads_keeps_the_lens() {
        let lens = Lens::of_query("d=prod&kibana=9.2.0");
        assert_eq!(
            Next::page("/system/keys", "added").under(&lens),
            "/system/keys?d=prod&kibana=9.2.0&done=added"
        );
        let next = Next::page("/plans/7", "");
        assert_eq!(next.under(&Lens::default()), "/plans/7");
    }
}

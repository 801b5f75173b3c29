//! Whole answers as text, for snapshots.

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody, to_bytes};
use actix_web::http::StatusCode;

/// Returns status, headers and body of an answer: all headers, sorted, the length as it would be sent.
pub async fn text(answer: HttpResponse) -> String {
    let mut lines: Vec<String> = answer
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    let has_length = !matches!(
        answer.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    if let (true, BodySize::Sized(bytes)) = (has_length, answer.body().size()) {
        lines.push(format!("content-length: {bytes}"));
    }
    lines.sort();
    let status = answer.status();
    let body = to_bytes(answer.into_body()).await.unwrap();
    format!(
        "{status}\n{}\n\n{}",
        lines.join("\n"),
        String::from_utf8_lossy(&body)
    )
}

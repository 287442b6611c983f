//! Authentication: which requests the server accepts.

use super::check::ServerCheck;
use super::client::{MADE_UP, TestClient, UNAUTHENTICATED};
use super::verdict::{CheckResult, failed, one_line, skipped};

const TENANT: &str = "{ tenant { code } }";

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck { name: "the token", expected: "gives access to its tenant", run: tenant_code },
    ServerCheck {
        name: "no token",
        expected: "UNAUTHENTICATED, no data",
        run: |client| {
            let answer = client.send_retrying(&client.post(TENANT).anonymous())?;
            answer.require(answer.code() == Some(UNAUTHENTICATED) && answer.body["data"]["tenant"].is_null())?;
            Ok(format!("{} UNAUTHENTICATED", answer.status))
        },
    },
    ServerCheck {
        name: "an unknown tenant",
        expected: "the same as another's tenant",
        run: |client| {
            let request = client.with_token(client.post(TENANT))?.with("x-tenant", "VEXTSELFTEST0");
            let answer = client.send(&request)?;
            answer.require(answer.body["data"]["tenant"].is_null())?;
            Ok(format!("{} {}", answer.status, one_line(answer.code().unwrap_or("null"))))
        },
    },
    ServerCheck { name: "a made-up token", expected: "401, WWW-Authenticate: Bearer", run: made_up },
    ServerCheck { name: "tokens in answers", expected: "none", run: tokens },
];

/// The code of the token's tenant.
pub(super) fn tenant_code(client: &TestClient) -> CheckResult {
    let answer = client.send(&client.with_token(client.post(TENANT))?)?;
    match (answer.body["data"]["tenant"]["code"].as_str(), answer.code()) {
        (Some(code), None) => Ok(one_line(code)),
        (_, Some("TENANT_REQUIRED")) => Err(skipped("needs --tenant: the token is for several")),
        (None, None) if client.tenant().is_some() => Err(failed(format!("{} without a tenant", answer.summary()))),
        _ => Err(failed(answer.summary())),
    }
}

/// Sent only once, because a server allows each address few wrong tokens.
fn made_up(client: &TestClient) -> CheckResult {
    let made_up = client.post(TENANT).anonymous().with("authorization", &format!("Bearer {MADE_UP}"));
    let answer = client.send_retrying(&made_up)?;
    let answer = answer.expect_status(401)?.expect_code(UNAUTHENTICATED)?;
    answer.expect_header("www-authenticate", |value| value == "Bearer")?.pass()
}

fn tokens(client: &TestClient) -> CheckResult {
    if client.leaked_token() { Err(failed("an answer contains one")) } else { Ok("none".into()) }
}

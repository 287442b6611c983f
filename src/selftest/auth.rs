//! Who is let in.

use super::check::DoorCheck;
use super::client::{MADE_UP, TestClient, UNAUTHENTICATED};
use super::verdict::{Judged, failed, shown, skipped};

const TENANT: &str = "{ tenant { code } }";

pub(super) const CHECKS: &[DoorCheck] = &[
    DoorCheck { name: "the token", expected: "opens its tenant", run: tenant_code },
    DoorCheck {
        name: "no token",
        expected: "UNAUTHENTICATED, no data",
        run: |client| {
            let answer = client.reply(&client.post(TENANT).anonymous())?;
            answer.must(answer.code() == Some(UNAUTHENTICATED) && answer.body["data"]["tenant"].is_null())?;
            Ok(format!("{} UNAUTHENTICATED", answer.status))
        },
    },
    DoorCheck {
        name: "a tenant that there is not",
        expected: "nothing, as if it were another's",
        run: |client| {
            let ask = client.signed(client.post(TENANT))?.with("x-tenant", "VEXTSELFTEST0");
            let answer = client.send(&ask)?;
            answer.must(answer.body["data"]["tenant"].is_null())?;
            Ok(format!("{} {}", answer.status, shown(answer.code().unwrap_or("null"))))
        },
    },
    DoorCheck { name: "a made-up token", expected: "401, WWW-Authenticate: Bearer", run: made_up },
    DoorCheck { name: "tokens in answers", expected: "none", run: tokens },
];

/// The code of the tenant that the token opens.
pub(super) fn tenant_code(client: &TestClient) -> Judged {
    let answer = client.send(&client.signed(client.post(TENANT))?)?;
    match (answer.body["data"]["tenant"]["code"].as_str(), answer.code()) {
        (Some(code), None) => Ok(shown(code)),
        (_, Some("TENANT_REQUIRED")) => Err(skipped("needs --tenant: the token is for several")),
        (None, None) if client.tenant().is_some() => Err(failed(format!("{} without a tenant", answer.seen()))),
        _ => Err(failed(answer.seen())),
    }
}

/// Once: a server allows an address few of them.
fn made_up(client: &TestClient) -> Judged {
    let made_up = client.post(TENANT).anonymous().with("authorization", &format!("Bearer {MADE_UP}"));
    let answer = client.reply(&made_up)?;
    let answer = answer.status(401)?.refuses_with(UNAUTHENTICATED)?;
    answer.says("www-authenticate", |value| value == "Bearer")?.fine()
}

fn tokens(client: &TestClient) -> Judged {
    if client.heard_token() { Err(failed("an answer repeats one")) } else { Ok("none".into()) }
}

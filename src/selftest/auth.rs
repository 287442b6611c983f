//! Who is let in.

use super::check::Check;
use super::client::{Client, MADE_UP, UNAUTHENTICATED};
use super::verdict::{Judged, failed, shown, skipped};

const TENANT: &str = "{ tenant { code } }";

pub(super) const CHECKS: &[Check] = &[
    Check { name: "the token", expected: "opens its tenant", run: tenant_code },
    Check {
        name: "no token",
        expected: "UNAUTHENTICATED, no data",
        run: |client| {
            let answer = client.reply(&client.post(TENANT).anonymous())?;
            answer.must(answer.code() == Some(UNAUTHENTICATED) && answer.body["data"]["tenant"].is_null())?;
            Ok(format!("{} UNAUTHENTICATED", answer.status))
        },
    },
    Check {
        name: "a tenant that there is not",
        expected: "nothing, as if it were another's",
        run: |client| {
            let ask = client.signed(client.post(TENANT))?.with("x-tenant", "VEXTSELFTEST0");
            let answer = client.send(&ask)?;
            answer.must(answer.body["data"]["tenant"].is_null())?;
            Ok(format!("{} {}", answer.status, shown(answer.code().unwrap_or("null"))))
        },
    },
    Check { name: "a made-up token", expected: "401, WWW-Authenticate: Bearer", run: made_up },
    Check { name: "tokens in answers", expected: "none", run: tokens },
];

/// The code of the tenant that the token opens.
pub(super) fn tenant_code(client: &Client) -> Judged {
    let answer = client.send(&client.signed(client.post(TENANT))?)?;
    match (answer.body["data"]["tenant"]["code"].as_str(), answer.code()) {
        (Some(code), None) => Ok(shown(code)),
        (_, Some("TENANT_REQUIRED")) => Err(skipped("needs --tenant: the token is for several")),
        (None, None) if client.tenant().is_some() => Err(failed(format!("{} without a tenant", answer.seen()))),
        _ => Err(failed(answer.seen())),
    }
}

/// Once: a server allows an address few of them.
fn made_up(client: &Client) -> Judged {
    let made_up = client.post(TENANT).anonymous().with("authorization", &format!("Bearer {MADE_UP}"));
    let answer = client.reply(&made_up)?;
    let answer = answer.status(401)?.refuses_with(UNAUTHENTICATED)?;
    answer.says("www-authenticate", |value| value == "Bearer")?.fine()
}

fn tokens(client: &Client) -> Judged {
    if client.heard_token() { Err(failed("an answer repeats one")) } else { Ok("none".into()) }
}

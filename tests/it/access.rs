//! Who may ask: tokens, and what is seen without one.

use crate::engines::{Engine, on_each_engine};
use crate::harness::{Server, TOKEN};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use vext::domain::Code;
use vext::service::NewToken;

const TENANT: &str = "{ tenant(code: \"CANISTRACCI\") { code } tenants { code } }";

async fn without_a_valid_token_nothing_of_a_tenant_is_visible(engine: Engine) {
    let server = Server::start(engine);
    let (status, answer) = server.post(&[], &json!({ "query": "{ tenant(code: \"CANISTRACCI\") { code } }" })).await;
    assert_eq!((status, &answer["data"]["tenant"]), (StatusCode::OK, &Value::Null));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let id = server.extension("108").await.0;
    for query in [
        TENANT.to_owned(),
        format!("{{ node(id: \"{id}\") {{ id }} }}"),
        format!("{{ nodes(ids: [\"{id}\"]) {{ id }} }}"),
    ] {
        let answer = server.post(&[], &json!({ "query": query })).await.1;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{query}");
        assert!(!answer.to_string().contains("CANISTRACCI"), "{answer}");
    }
    let mutation = format!(
        "mutation {{ virtualExtensionNoteUpdate(input: {{id: \"{id}\", note: {{}}}}) {{ userErrors {{ code }} }} }}"
    );
    let answer = server.post(&[], &json!({ "query": mutation })).await.1;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    for wrong in ["Bearer nonsense", "Bearer ", "Basic dGVzdA==", "nonsense"] {
        let (status, answer) = server.post(&[("authorization", wrong)], &json!({ "query": TENANT })).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(answer.get("data").is_none(), "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{wrong}");
    }
}

async fn a_revoked_token_is_worth_nothing_at_once(engine: Engine) {
    let server = Server::start(engine);
    assert_eq!(server.answer(TOKEN, TENANT, json!({})).await["data"]["tenant"]["code"], "CANISTRACCI");
    assert!(server.app.revoke_token(TOKEN).await.unwrap());
    let (status, _) = server.post(&[("authorization", &format!("Bearer {TOKEN}"))], &json!({ "query": TENANT })).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!server.app.revoke_token(TOKEN).await.unwrap(), "twice");
}

fn stands_in(text: &str, bytes: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn tokens_are_random_shown_once_and_kept_as_hashes(engine: Engine) {
    let server = Server::start(engine);
    let new = |name: &str| NewToken {
        name: name.into(),
        tenants: vec!["MOLLOY".into()],
        all_tenants: false,
        write: false,
        delete: false,
        explore: false,
    };
    let one = server.app.create_token(new("one"), None).await.unwrap().unwrap();
    let two = server.app.create_token(new("two"), None).await.unwrap().unwrap();
    assert!(one != two && one.starts_with("vext_") && one.len() > 40, "{one}");
    let listed = format!("{:?}", server.app.tokens().await.unwrap());
    assert!(listed.contains("\"one\"") && !listed.contains(&one));
    let kept = server.live.bytes();
    assert!(stands_in("one", &kept) && !stands_in(&one, &kept), "the token stands in the database");
}

async fn bad_token_requests_are_told_everything_at_once(engine: Engine) {
    let server = Server::start(engine);
    let new = NewToken {
        name: " ".into(),
        tenants: vec!["NOBODY".into()],
        all_tenants: true,
        write: false,
        delete: false,
        explore: false,
    };
    let problems = server.app.create_token(new, None).await.unwrap().unwrap_err();
    let codes: Vec<_> = problems.iter().map(|p| (p.path.join("."), p.code)).collect();
    assert_eq!(
        codes,
        [
            ("name".to_owned(), Code::InvalidFormat),
            ("tenants".to_owned(), Code::Contradiction),
            ("tenants".to_owned(), Code::NotFound),
        ]
    );
    let twice = NewToken {
        name: TOKEN.into(),
        tenants: vec!["MOLLOY".into()],
        all_tenants: false,
        write: false,
        delete: false,
        explore: false,
    };
    assert_eq!(server.app.create_token(twice, None).await.unwrap().unwrap_err()[0].code, Code::Duplicate);
}

/// What a secret was is nowhere in the file, and in no answer.
async fn secrets_stand_nowhere(engine: Engine) {
    let server = Server::start(engine);
    let (id, _) = server.extension("108").await;
    let secrets = ["73958204", "58203917", "Tr0ub4dor-und-3", "MFRGGZDFMZTWQ2LK", "+393409998877"];
    let input = json!({ "id": id,
        "information": { "securityPin": secrets[0] },
        "security": { "lockPin": secrets[1] },
        "webUserPanel": { "webPassword": secrets[2], "twoFactorSecret": secrets[3], "twoFactorMobile": secrets[4] } });
    let payload = server.mutate("virtualExtensionUpdate", input).await;
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!(payload["changes"].as_array().unwrap().len(), secrets.len());
    let kept = server.live.bytes();
    assert!(stands_in("Ivy Morgan", &kept));
    for secret in secrets {
        assert!(!payload.to_string().contains(secret), "{payload}");
        assert!(!stands_in(secret, &kept), "{secret} stands in the database");
    }
}

async fn the_door_takes_json_only(engine: Engine) {
    let server = Server::start(engine);
    let post = |kind: &str, body: &str| {
        Request::post("/graphql").header("content-type", kind).body(Body::from(body.to_owned())).unwrap()
    };
    let status = async |request| server.send(request).await.status();
    assert_eq!(status(post("text/plain", r#"{"query":"{__typename}"}"#)).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(status(post("application/json", "{")).await, StatusCode::BAD_REQUEST);
    assert_eq!(status(post("application/json; charset=utf-8", r#"{"query":"{__typename}"}"#)).await, StatusCode::OK);
    assert_eq!(status(Request::get("/graphql").body(Body::empty()).unwrap()).await, StatusCode::FORBIDDEN);
    assert_eq!(status(post("application/json", &" ".repeat(300_000))).await, StatusCode::PAYLOAD_TOO_LARGE);
    let nested = json!({ "query": format!("{{a(x:{}", "[".repeat(4000)) });
    assert_eq!(server.post(&[], &nested).await.1["errors"][0]["extensions"]["code"], "VALUE_TOO_DEEP");
}

on_each_engine!(
    without_a_valid_token_nothing_of_a_tenant_is_visible,
    a_revoked_token_is_worth_nothing_at_once,
    tokens_are_random_shown_once_and_kept_as_hashes,
    bad_token_requests_are_told_everything_at_once,
    secrets_stand_nowhere,
    the_door_takes_json_only,
);

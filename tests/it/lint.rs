//! The lint of a whole tenant.

use crate::engines::{Engine, on_each_engine};
use crate::harness::{ALL, MOLLOY, READ, Server, TOKEN};
use serde_json::{Value, json};

const NONE: [&str; 0] = [];

/// A page of what is wrong in a tenant.
async fn page(server: &Server, token: &str, arguments: Value) -> Value {
    let query = "query($code: String, $first: Int, $after: String, $severity: Severity, $codes: [FindingCode!], $kinds: [Kind!]) {
        tenantLint(code: $code, first: $first, after: $after, severity: $severity, codes: $codes, kinds: $kinds) {
            edges { cursor }
            nodes { label kind path code severity message value relatedId whatToDo object { id name } }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let answer = server.answer(token, query, arguments).await;
    assert!(answer.get("errors").is_none(), "{answer:#}");
    answer["data"]["tenantLint"].clone()
}

/// `label: path CODE`, in order; errors begin with `!`.
fn told(page: &Value) -> Vec<String> {
    let path = |node: &Value| node["path"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect();
    let told = |node: &Value| {
        let path: Vec<String> = path(node);
        let mark = if node["severity"] == "ERROR" { "! " } else { "" };
        let (label, code) = (node["label"].as_str().unwrap(), node["code"].as_str().unwrap());
        format!("{mark}{label}: {} {code}", path.join("."))
    };
    page["nodes"].as_array().unwrap().iter().map(told).collect()
}

/// All pages of a length, joined.
async fn walk(server: &Server, mut arguments: Value, first: usize) -> Vec<Value> {
    arguments["first"] = json!(first);
    let mut found = Vec::new();
    loop {
        let mut page = page(server, ALL, arguments.clone()).await;
        let info = page["pageInfo"].clone();
        assert_eq!(info["hasPreviousPage"], json!(!found.is_empty()));
        let nodes = page["nodes"].as_array_mut().unwrap();
        assert!(nodes.len() == first || info["hasNextPage"] == false, "{nodes:#?}");
        found.append(nodes);
        if info["hasNextPage"] == false {
            return found;
        }
        arguments["after"] = info["endCursor"].clone();
    }
}

/// A tenant in which there is something of everything, most of it in order, and what must be said of the rest, in order.
struct Acme {
    server: Server,
    tenant: String,
}

impl Acme {
    async fn new(engine: Engine) -> Self {
        let server = Server::start(engine);
        let query = "mutation($input: TenantCreateInput!) { tenantCreate(input: $input) { object { id } userErrors { message } } }";
        let input = json!({ "code": "ACME", "name": "Acme Ltd", "timezone": "UTC", "transcription": true, "ai": true });
        let made = server.answer(ALL, query, json!({ "input": input })).await;
        let tenant = made["data"]["tenantCreate"]["object"]["id"].as_str().unwrap().to_owned();
        Self { server, tenant }
    }

    async fn make(&self, kind: &str, mut input: Value) -> String {
        input["tenant"] = json!("ACME");
        self.server.save(ALL, &format!("{kind}Create"), input).await
    }

    /// An extension whose calls go on to voicemail, and more.
    async fn extension(&self, number: &str, mut form: Value) -> String {
        form["information"]["number"] = json!(number);
        form["information"]["name"] = json!(format!("Number {number}"));
        self.make("virtualExtension", form).await
    }

    async fn change(&self, kind: &str, id: &str, mut input: Value) {
        input["id"] = json!(id);
        self.server.save(ALL, &format!("{kind}Update"), input).await;
    }

    async fn change_tenant(&self, mut input: Value) {
        input["id"] = json!(self.tenant);
        let query = "mutation($input: TenantUpdateInput!) { tenantUpdate(input: $input) { userErrors { message } } }";
        let saved = self.server.answer(ALL, query, json!({ "input": input })).await;
        assert_eq!(saved["data"]["tenantUpdate"]["userErrors"], json!([]), "{saved}");
    }

    async fn lint(&self, mut arguments: Value) -> Value {
        arguments["code"] = json!("ACME");
        arguments["first"] = json!(100);
        page(&self.server, ALL, arguments).await
    }

    async fn told(&self) -> Vec<String> {
        told(&self.lint(json!({})).await)
    }

    /// What must be found, in the order of the objects.
    async fn broken(engine: Engine) -> (Self, Vec<&'static str>) {
        let acme = Self::new(engine).await;
        let device =
            |number: &str| json!({ "number": number, "name": number, "technology": "CUSTOM", "dialString": "x" });
        let (phone, lost) = (acme.make("extension", device("100")).await, acme.make("extension", device("101")).await);
        let mailbox = acme.make("voicemailBox", json!({ "number": "190", "name": "Box", "transcript": true })).await;
        let past = json!([{ "endsAt": "2020-01-01T00:00:00Z" }]);
        let past = json!({ "name": "Past", "conditionType": "CALENDAR", "spans": past });
        let past = acme.make("condition", past).await;
        let answered = json!({ "onNoAnswerEnabled": true, "onNoAnswer": [{ "objectId": mailbox }] });
        let form = |members: &[&str], rest: Value| {
            let mut form = json!({ "information": { "memberIds": members }, "additionalDestinations": answered });
            for (section, fields) in rest.as_object().unwrap() {
                if let Some(section) = form.get_mut(section) {
                    section.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
                } else {
                    form[section] = fields.clone();
                }
            }
            form
        };
        let off = json!({ "additionalDestinations": { "onNoAnswerEnabled": false } });
        acme.extension("200", form(&[&phone], json!({}))).await;
        acme.extension("201", form(&[], off.clone())).await;
        acme.extension("202", form(&[], json!({}))).await;
        acme.extension("203", form(&[&phone], off)).await;
        let lamp = json!({ "voicemailMwiMailboxId": mailbox });
        let hangup = json!({ "onNoAnswer": [{ "hangup": "BUSY" }] });
        acme.extension("204", form(&[&phone], json!({ "information": lamp, "additionalDestinations": hangup }))).await;
        let by_number = json!({ "onNoAnswer": [{ "number": "190" }] });
        acme.extension("205", form(&[&phone], json!({ "information": lamp, "additionalDestinations": by_number })))
            .await;
        let late = json!({ "enabled": true, "number": "100", "dialMethod": "SIMULTANEOUS", "delaySeconds": 30 });
        acme.extension("206", form(&[&phone], json!({ "followMe": late }))).await;
        acme.extension("207", form(&[&phone, &lost], json!({ "outboundRecording": { "transcript": true } }))).await;
        let hours = json!({ "workingHoursEnabled": true, "workingHoursConditionId": past });
        acme.extension("208", form(&[&phone], json!({ "security": hours }))).await;
        acme.make("queue", json!({ "number": "401", "name": "Queue", "members": [{ "extensionId": lost }] })).await;
        acme.make("huntList", json!({ "number": "411", "name": "List", "members": [{ "objectId": phone }] })).await;
        acme.make(
            "did",
            json!({ "name": "Main", "phoneNumber": "+3905550100", "transcript": true, "aiSummary": true }),
        )
        .await;
        // What breaks what was right when it was saved.
        acme.change("extension", &lost, json!({ "enabled": false })).await;
        acme.change_tenant(json!({ "transcription": false })).await;
        let expected = vec![
            "! 190 Box: transcript FEATURE_NOT_AVAILABLE",
            "Past: spans NEVER_TRUE",
            "201 Number 201: information.memberIds CALLS_DROPPED",
            "202 Number 202: information.memberIds CALLS_DROPPED",
            "203 Number 203: additionalDestinations.onNoAnswerEnabled CALLS_DROPPED",
            "204 Number 204: information.voicemailMwiMailboxId VOICEMAIL_NEVER_REACHED",
            "206 Number 206: followMe.delaySeconds NEVER_RINGS",
            "! 207 Number 207: outboundRecording.transcript FEATURE_NOT_AVAILABLE",
            "207 Number 207: information.memberIds.1 MEMBER_DISABLED",
            "208 Number 208: security.workingHoursConditionId NEVER_TRUE",
            "401 Queue: members.0.extensionId MEMBER_DISABLED",
            "411 List: onTimeout CALLS_DROPPED",
            "! Main: transcript FEATURE_NOT_AVAILABLE",
        ];
        (acme, expected)
    }
}

async fn everything_is_found_where_it_is(engine: Engine) {
    let (acme, expected) = Acme::broken(engine).await;
    let found = acme.lint(json!({})).await;
    assert_eq!(told(&found), expected);
    let disabled = &found["nodes"].as_array().unwrap().iter().find(|node| node["code"] == "MEMBER_DISABLED").unwrap();
    assert_eq!((&disabled["kind"], &disabled["object"]["name"]), (&json!("VIRTUAL_EXTENSION"), &json!("Number 207")));
    assert!(disabled["relatedId"].is_string() && disabled["relatedId"] == disabled["value"], "{disabled:#}");
    assert_eq!(disabled["whatToDo"], "Enable the member, or remove it from the list.");
    assert_eq!(found["edges"].as_array().unwrap().len(), expected.len());
    // What has been put right is not said any more.
    acme.change_tenant(json!({ "transcription": true })).await;
    assert_eq!(told(&acme.lint(json!({ "severity": "ERROR" })).await), NONE);
    assert_eq!(acme.told().await.len(), expected.len() - 3);
}

async fn severity_code_and_kind_choose(engine: Engine) {
    let (acme, expected) = Acme::broken(engine).await;
    let chosen = |choose: &dyn Fn(&str) -> bool| {
        expected.iter().copied().filter(|finding| choose(finding)).map(str::to_owned).collect::<Vec<_>>()
    };
    for (arguments, wanted) in [
        (json!({ "severity": "ERROR" }), chosen(&|finding| finding.starts_with('!'))),
        (json!({ "severity": "WARNING" }), chosen(&|finding| !finding.starts_with('!'))),
        (json!({ "codes": ["CALLS_DROPPED"] }), chosen(&|finding| finding.ends_with("CALLS_DROPPED"))),
        (json!({ "kinds": ["QUEUE", "HUNT_LIST"] }), chosen(&|finding| finding.starts_with('4'))),
        (json!({ "kinds": ["VIRTUAL_EXTENSION"], "severity": "ERROR" }), chosen(&|f| f.starts_with("! 207"))),
        (json!({ "codes": [] }), vec![]),
        (json!({ "kinds": [] }), vec![]),
    ] {
        assert_eq!(told(&acme.lint(arguments.clone()).await), wanted, "{arguments}");
        // A cursor is good whatever is chosen.
        let mut behind = arguments.clone();
        behind["after"] = acme.lint(json!({})).await["edges"][6]["cursor"].clone();
        let rest = expected[7..].iter().filter(|finding| wanted.iter().any(|w| w == *finding)).collect::<Vec<_>>();
        assert_eq!(told(&acme.lint(behind).await).iter().collect::<Vec<_>>(), rest, "{arguments}");
    }
}

async fn short_pages_join_to_a_long_one(engine: Engine) {
    let (acme, expected) = Acme::broken(engine).await;
    let whole = acme.lint(json!({})).await;
    let whole = whole["nodes"].as_array().unwrap();
    assert_eq!(whole.len(), expected.len());
    for first in [1, 2, 5, whole.len(), 100] {
        assert_eq!(&walk(&acme.server, json!({ "code": "ACME" }), first).await, whole, "{first}");
        let warnings = walk(&acme.server, json!({ "code": "ACME", "severity": "WARNING" }), first).await;
        assert!(warnings.iter().eq(whole.iter().filter(|node| node["severity"] == "WARNING")), "{first}");
    }
    for (arguments, word) in
        [("first: 0", "first"), ("first: 101", "first"), ("after: \"x\"", "after"), ("after: \"MS4\"", "after")]
    {
        let query = format!("{{ tenantLint({arguments}) {{ nodes {{ code }} }} }}");
        let refused = acme.server.answer(TOKEN, &query, json!({})).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
        assert!(refused["errors"][0]["message"].as_str().unwrap().starts_with(word), "{refused}");
    }
}

/// An expression is tried on what it is for, and only then doubted.
async fn expressions_are_tried_on_known_numbers(engine: Engine) {
    let acme = Acme::new(engine).await;
    let phone = json!({ "number": "100", "name": "100", "technology": "CUSTOM", "dialString": "x" });
    let phone = acme.make("extension", phone).await;
    let provider = acme.make("provider", json!({ "name": "Trunk", "peerName": "trunk" })).await;
    let route = |pattern: &str| json!({ "pattern": pattern, "providerId": provider });
    let emergency = json!({ "pattern": "^112$", "providerId": provider, "emergency": true });
    let routes = json!([route("^0586"), route("^0044"), emergency, { "pattern": "^899" }, route("^0551234")]);
    let profile = json!({ "name": "Routes", "profileType": "VOICE", "routes": routes });
    acme.make("routingProfile", profile.clone()).await;
    let mut fax = profile;
    (fax["name"], fax["profileType"]) = (json!("Fax"), json!("FAX"));
    acme.make("routingProfile", fax).await;
    let answered = json!({ "onNoAnswerEnabled": true, "onNoAnswer": [{ "hangup": "BUSY" }] });
    let form = |security: Value, calls: Value| json!({ "information": { "memberIds": [phone] }, "additionalDestinations": answered, "security": security, "outboundCalls": calls });
    let only = |pattern: &str| json!({ "outboundMode": "REGEX", "outboundRegex": pattern });
    let own = |digits: &str, pattern: &str| {
        json!({ "useTenantAreaCode": false, "useTenantAreaCodeRegex": false, "areaCode": digits,
            "areaCodeMinDigits": 4, "areaCodeMaxDigits": 5, "areaCodeRegex": pattern })
    };
    acme.extension("201", form(only("^0586"), json!({}))).await;
    acme.extension("202", form(only("^077"), json!({}))).await;
    // 1234 becomes 0771234.
    acme.extension("203", form(only("^077"), own("077", "^1"))).await;
    acme.extension("204", form(json!({}), own("077", "^2"))).await;
    // Nothing is put in front, so that it does not matter; nor does what is not asked.
    acme.extension("205", form(json!({}), own("", "^2"))).await;
    acme.extension("206", form(json!({ "outboundRegex": "^077" }), json!({}))).await;
    let caller =
        |name: &str, pattern: &str| json!({ "name": name, "conditionType": "CALLER_ID", "callerIdPattern": pattern });
    for (name, pattern) in [("Port calls", "^0586"), ("We call", "\\+39"), ("Colleagues", "^20\\d$"), ("Nobody", "^7")]
    {
        acme.make("condition", caller(name, pattern)).await;
    }
    let rule = |of: &str, pattern: &str, stop: bool| json!({ "appliesTo": of, "pattern": pattern, "replacement": "", "stop": stop });
    let rules = json!([
        rule("NUMBER", "^\\+39", true),
        rule("NUMBER", "^0", false),
        rule("NUMBER", "^1", true),
        rule("NAME", "^Acme", true),
        rule("NAME", "^Ajax", true)
    ]);
    acme.make("callerIdRuleSet", json!({ "name": "Rules", "rules": rules })).await;
    // Who knows no numbers says nothing, and colleagues, feature codes and slots are no outside numbers.
    acme.make("parkingLot", json!({ "name": "Lot", "firstSlot": "700", "lastSlot": "709" })).await;
    acme.make("shortNumber", json!({ "number": "61", "name": "Slot", "destination": "705" })).await;
    acme.make("shortNumber", json!({ "number": "62", "name": "Code", "destination": "*78" })).await;
    acme.make("shortNumber", json!({ "number": "63", "name": "Colleague", "destination": "201" })).await;
    assert_eq!(
        acme.told().await,
        [
            "Port calls: callerIdPattern MATCHES_NOTHING",
            "We call: callerIdPattern MATCHES_NOTHING",
            "Nobody: callerIdPattern MATCHES_NOTHING"
        ]
    );
    // Each of the fields that hold outside numbers is known.
    let books = json!({ "name": "Book", "entries": [{ "name": "Port", "phone1": "0586010200" }] });
    acme.make("phoneBook", books).await;
    acme.make("did", json!({ "name": "Main", "phoneNumber": "+3905550100" })).await;
    acme.make("shortNumber", json!({ "number": "64", "name": "Taxi", "destination": "1234" })).await;
    let shown = json!({ "externalCallerIdNumber": "+3905550100", "externalCallerIdName": "Acme" });
    acme.extension("207", form(json!({}), shown)).await;
    acme.change_tenant(
        json!({ "areaCode": "055", "areaCodeMinDigits": 4, "areaCodeMaxDigits": 6, "areaCodeRegex": "^2" }),
    )
    .await;
    let expected = [
        "Acme Ltd: areaCodeRegex MATCHES_NOTHING",
        "Routes: routes.1.pattern MATCHES_NOTHING",
        "Routes: routes.4.pattern MATCHES_NOTHING",
        "202 Number 202: security.outboundRegex MATCHES_NOTHING",
        "204 Number 204: outboundCalls.areaCodeRegex MATCHES_NOTHING",
        "Nobody: callerIdPattern MATCHES_NOTHING",
        "Rules: rules.1.pattern MATCHES_NOTHING",
        "Rules: rules.4.pattern MATCHES_NOTHING",
    ];
    let found = acme.lint(json!({})).await;
    assert_eq!(told(&found), expected);
    let itself = &found["nodes"][0];
    assert_eq!((&itself["kind"], &itself["object"]), (&Value::Null, &Value::Null), "{itself}");
    assert_eq!(itself["value"], "^2");
    // The tenant's area code completes the taxi's number.
    acme.change_tenant(json!({ "areaCodeRegex": "^1" })).await;
    let found = acme.told().await;
    assert!(!found.contains(&expected[0].to_owned()) && !found.contains(&expected[2].to_owned()), "{found:#?}");
    // Nothing is tried when nobody asks for it.
    assert_eq!(told(&acme.lint(json!({ "codes": ["CALLS_DROPPED"] })).await), NONE);
    let chosen = acme.lint(json!({ "kinds": ["CONDITION"] })).await;
    assert_eq!(told(&chosen), ["Nobody: callerIdPattern MATCHES_NOTHING"]);
}

/// Each field that holds an outside number of others makes it known.
async fn every_field_with_a_number_is_known(engine: Engine) {
    let acme = Acme::new(engine).await;
    let pattern = "^0586010200$";
    let caller = json!({ "name": "Port", "conditionType": "CALLER_ID", "callerIdPattern": pattern });
    acme.make("condition", caller).await;
    let doubted = ["Port: callerIdPattern MATCHES_NOTHING"];
    let chosen = async || told(&acme.lint(json!({ "kinds": ["CONDITION"] })).await);
    acme.make("shortNumber", json!({ "number": "60", "name": "x", "destination": "0999" })).await;
    assert_eq!(chosen().await, doubted);
    let number = "0586010200";
    let off = json!({ "enabled": false, "number": number });
    for (kind, known, unknown) in [
        ("phoneBook", json!({ "entries": [{ "name": "x", "phone1": number }] }), json!({ "entries": [] })),
        ("phoneBook", json!({ "entries": [{ "name": "x", "phone2": number }] }), json!({ "entries": [] })),
        ("shortNumber", json!({ "destination": number }), json!({ "destination": "0999" })),
        ("queue", json!({ "onFull": [{ "number": number }] }), json!({ "onFull": [] })),
        ("phone", json!({ "keys": [{ "keyType": "SPEED_DIAL", "number": number }] }), json!({ "keys": [] })),
        (
            "callList",
            json!({ "entries": [{ "number": number }] }),
            json!({ "entries": [{ "number": number, "prefix": true }] }),
        ),
        ("did", json!({ "phoneNumber": number }), json!({ "phoneNumber": "0999" })),
        ("extension", json!({ "externalCallerIdNumber": number }), json!({ "externalCallerIdNumber": null })),
        ("virtualExtension", json!({ "followMe": off }), json!({ "followMe": { "number": null } })),
        (
            "virtualExtension",
            json!({ "outboundCalls": { "externalCallerIdNumber": number } }),
            json!({ "outboundCalls": { "externalCallerIdNumber": null } }),
        ),
    ] {
        let mut whole = json!({ "name": "x" });
        match kind {
            "queue" | "shortNumber" => whole["number"] = json!("499"),
            "extension" => whole = json!({ "name": "x", "number": "499", "technology": "CUSTOM", "dialString": "x" }),
            "phone" => whole["isVirtual"] = json!(true),
            "virtualExtension" => whole = json!({ "information": { "name": "x", "number": "499" } }),
            _ => {}
        }
        whole.as_object_mut().unwrap().extend(known.as_object().unwrap().clone());
        let id = acme.make(kind, whole).await;
        assert_eq!(chosen().await, NONE, "{kind} {known}");
        acme.change(kind, &id, unknown).await;
        assert_eq!(chosen().await, doubted, "{kind} {known}");
        let query = "mutation($id: ID!) { objectDelete(input: {id: $id}) { deletedId userErrors { message } } }";
        let gone = acme.server.answer(ALL, query, json!({ "id": id })).await;
        assert!(gone["data"]["objectDelete"]["deletedId"].is_string(), "{gone}");
    }
}

/// The demo data shows a rule set for numbers in a form that the tenant has none of, and is in order else.
async fn the_demo_is_in_order(engine: Engine) {
    let server = Server::start(engine);
    let expected =
        ["International form: rules.1.pattern MATCHES_NOTHING", "International form: rules.2.pattern MATCHES_NOTHING"];
    assert_eq!(told(&page(&server, TOKEN, json!({})).await), expected);
    assert_eq!(told(&page(&server, MOLLOY, json!({})).await), NONE);
}

/// A tenant's own field says what the root field does, of itself alone.
async fn a_tenant_says_itself_what_is_wrong_in_it(engine: Engine) {
    let (acme, _) = Acme::broken(engine).await;
    let server = &acme.server;
    let inner = "(first: $first, after: $after, severity: $severity, codes: $codes, kinds: $kinds) {
        edges { cursor node { label } } nodes { label kind path code severity message value relatedId whatToDo object { id } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";
    let root = inner.replacen('(', "(code: $code, ", 1);
    let variables =
        "$code: String, $first: Int, $after: String, $severity: Severity, $codes: [FindingCode!], $kinds: [Kind!]";
    let query = format!("query({variables}) {{ tenantLint{root} tenant(code: $code) {{ lint{inner} }} }}");
    let whole = page(server, ALL, json!({ "code": "ACME", "first": 100 })).await;
    let nodes = whole["nodes"].as_array().unwrap();
    assert!(nodes.len() > 10, "{nodes:#?}");
    let behind = whole["edges"][6]["cursor"].clone();
    for arguments in [
        json!({}),
        json!({ "first": 2 }),
        json!({ "first": 3, "after": behind }),
        json!({ "severity": "ERROR" }),
        json!({ "codes": [nodes[0]["code"], nodes[3]["code"]] }),
        json!({ "kinds": ["VIRTUAL_EXTENSION"] }),
    ] {
        for code in ["ACME", "CANISTRACCI", "MOLLOY"] {
            let mut arguments = arguments.clone();
            arguments["code"] = json!(code);
            let answer = server.answer(ALL, &query, arguments.clone()).await;
            assert!(answer.get("errors").is_none(), "{answer:#}");
            assert_eq!(answer["data"]["tenant"]["lint"], answer["data"]["tenantLint"], "{arguments}");
            if code == "ACME" {
                assert_ne!(answer["data"]["tenant"]["lint"]["nodes"], json!([]), "{arguments}");
            }
        }
    }
    // Of all tenants at once, each says its own.
    let all = "{ tenants { code lint(first: 100) { nodes { label path code } } } }";
    let all = server.answer(ALL, all, json!({})).await;
    assert!(all.get("errors").is_none(), "{all:#}");
    let tenants = all["data"]["tenants"].as_array().unwrap();
    assert_eq!(tenants.len(), 3);
    for tenant in tenants {
        let alone = "query($code: String) { tenantLint(code: $code, first: 100) { nodes { label path code } } }";
        let alone = server.answer(ALL, alone, json!({ "code": tenant["code"] })).await;
        assert_eq!(tenant["lint"], alone["data"]["tenantLint"], "{tenant}");
    }
    // Who does not see the tenant sees nothing of it, whichever way it is asked for.
    let theirs = json!({ "id": acme.tenant });
    let node = "query($id: ID!) { node(id: $id) { ... on Tenant { lint { nodes { label } } } } tenant(code: \"ACME\") { lint { nodes { label } } } }";
    let hidden = server.answer(TOKEN, node, theirs.clone()).await;
    assert_eq!(hidden["data"], json!({ "node": null, "tenant": null }), "{hidden}");
    let shown = server.answer(ALL, node, theirs).await;
    assert_eq!(shown["data"]["node"], shown["data"]["tenant"], "{shown}");
    assert!(shown["data"]["node"]["lint"]["nodes"].as_array().unwrap().len() > 10, "{shown}");
}

async fn a_tenant_that_is_not_ones_own_is_not_there(engine: Engine) {
    let server = Server::start(engine);
    let whole = page(&server, TOKEN, json!({})).await;
    assert_eq!(page(&server, READ, json!({})).await, whole, "reading is enough");
    assert_eq!(page(&server, ALL, json!({ "code": "CANISTRACCI" })).await, whole);
    for code in ["CANISTRACCI", "NOBODY"] {
        assert_eq!(page(&server, MOLLOY, json!({ "code": code })).await, Value::Null);
    }
    // Another tenant's cursor is only a place.
    let behind = page(&server, MOLLOY, json!({ "after": whole["pageInfo"]["startCursor"] })).await;
    assert_eq!(told(&behind), NONE);
    let undecided = server.answer(ALL, "{ tenantLint { nodes { code } } }", json!({})).await;
    assert_eq!(undecided["errors"][0]["extensions"]["code"], "TENANT_REQUIRED", "{undecided}");
}

/// More objects than are checked together: each is found once, and a long page asks as many statements as a short one.
async fn many_objects_are_walked_in_chunks(engine: Engine) {
    const MANY: usize = 1200;
    let server = Server::start(engine);
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})");
    // Paging groups without members.
    let rows = format!(
        "INSERT INTO pbx_object (tenant_id, object_id, kind, number, name, description, enabled, version, created_at,
           changed_at, name_folded)
         {numbers} SELECT o.tenant_id, 10000 + i, o.kind, CAST(10000 + i AS TEXT), o.name, '', o.enabled, 1,
           o.created_at, o.changed_at, o.name_folded FROM pbx_object o, n WHERE o.tenant_id = 1 AND o.number = '442'"
    );
    let details = format!(
        "INSERT INTO paging_group (tenant_id, object_id, duplex, skip_busy, ring_timeout_seconds)
         {numbers} SELECT p.tenant_id, 10000 + i, p.duplex, p.skip_busy, 5 FROM paging_group p
           JOIN pbx_object o ON o.tenant_id = p.tenant_id AND o.object_id = p.object_id, n
           WHERE o.tenant_id = 1 AND o.number = '442'"
    );
    let mut counts = Vec::new();
    let mut count = async |first: usize, found: usize| {
        let mut least = u64::MAX;
        // Who asks is looked up only where they are not remembered.
        for _ in 0..3 {
            let before = server.app.statements();
            let page = page(&server, TOKEN, json!({ "first": first, "kinds": ["PAGING_GROUP"] })).await;
            least = least.min(server.app.statements() - before);
            assert_eq!(page["nodes"].as_array().unwrap().len(), found);
        }
        counts.push(least);
    };
    count(1, 0).await;
    assert_eq!((server.live.execute(&rows), server.live.execute(&details)), (MANY as u64, MANY as u64));
    for first in [1, 2, 100] {
        count(first, first).await;
    }
    assert_eq!([counts[1], counts[2]], [counts[3]; 2]);
    println!("statements for a page: {counts:?}");
    let all = walk(&server, json!({ "code": "CANISTRACCI" }), 100).await;
    let labels: Vec<_> = all.iter().skip(2).map(|node| node["label"].as_str().unwrap()[..5].to_owned()).collect();
    let expected: Vec<_> = (10_001..=10_000 + MANY).map(|number| number.to_string()).collect();
    assert_eq!(labels, expected);
    let rare = page(&server, TOKEN, json!({ "first": 1, "codes": ["MATCHES_NOTHING"] })).await;
    assert_eq!((rare["nodes"].as_array().unwrap().len(), &rare["pageInfo"]["hasNextPage"]), (1, &json!(true)));
}

on_each_engine!(
    everything_is_found_where_it_is,
    severity_code_and_kind_choose,
    short_pages_join_to_a_long_one,
    expressions_are_tried_on_known_numbers,
    every_field_with_a_number_is_known,
    the_demo_is_in_order,
    a_tenant_says_itself_what_is_wrong_in_it,
    a_tenant_that_is_not_ones_own_is_not_there,
    many_objects_are_walked_in_chunks,
);

//! The checks that span fields, each broken alone.

use crate::engines::{Engine, on_each_engine};
use crate::harness::{MOLLOY, Server, TOKEN, problems};
use crate::plans::Draw;
use serde_json::{Value, json};

/// Ids of CANISTRACCI's objects by kind, with those of 108's own form.
struct Ids {
    server: Server,
    ivy: String,
    form: Value,
}

impl Ids {
    async fn of(server: Server) -> Self {
        let (ivy, _) = server.extension("108").await;
        let query = "{ tenant { virtualExtension(by: {number: \"108\"}) {
            information { memberIds voicemailMwiMailboxId callGroupIds }
            callSettings { musicOnHoldId parkingLotId recordedNameMediaId parkingLot { firstSlot lastSlot name } }
            webUserPanel { userProfileId webUser } outboundCalls { doNotCallListIds onlyAllowCallListIds externalCallerIdNumber }
            security { workingHoursConditionId } } } }";
        let form = server.data(query, json!({})).await["tenant"]["virtualExtension"].clone();
        Self { server, ivy, form }
    }

    /// An object of the tenant by name, as the demo data calls it.
    fn id(&self, pointer: &str) -> String {
        self.form
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{pointer} in {:#}", self.form))
            .to_owned()
    }

    /// The problems of a new extension 150 with these sections, on a dry run.
    async fn create(&self, sections: Value) -> (Vec<String>, Vec<String>) {
        let mut input = sections;
        let information = input["information"].as_object().cloned().unwrap_or_default();
        let mut whole = json!({ "number": "150", "name": "Test" });
        whole.as_object_mut().unwrap().extend(information);
        input["information"] = whole;
        input["dryRun"] = json!(true);
        let payload = self.server.mutate("virtualExtensionCreate", input).await;
        (problems(&payload["userErrors"]), problems(&payload["warnings"]))
    }

    async fn errors(&self, sections: Value) -> Vec<String> {
        self.create(sections).await.0
    }

    async fn warnings(&self, sections: Value) -> Vec<String> {
        let (errors, warnings) = self.create(sections).await;
        assert_eq!(errors, [] as [&str; 0]);
        warnings
    }
}

async fn ids(engine: Engine) -> Ids {
    Ids::of(Server::start(engine)).await
}

async fn information(engine: Engine) {
    let t = ids(engine).await;
    assert_eq!(
        t.errors(json!({ "information": { "number": null, "name": null } })).await,
        ["information.name REQUIRED", "information.number REQUIRED"]
    );
    assert_eq!(
        t.errors(json!({ "information": { "internalCallerIdMode": "CUSTOM" } })).await,
        ["information.internalCallerIdName REQUIRED_WHEN", "information.internalCallerIdNumber REQUIRED_WHEN"]
    );
    let member = t.id("/information/memberIds/0");
    assert_eq!(
        t.errors(json!({ "information": { "memberIds": [t.ivy] } })).await,
        ["information.memberIds.0 MEMBER_NOT_REAL"]
    );
    assert_eq!(
        t.errors(json!({ "information": { "memberIds": [member, member] } })).await,
        ["information.memberIds.1 DUPLICATE"]
    );
    assert_eq!(
        t.errors(json!({ "information": { "callGroupIds": [member] } })).await,
        ["information.callGroupIds.0 WRONG_KIND"]
    );
    let mailbox = t.id("/information/voicemailMwiMailboxId");
    assert_eq!(
        t.errors(json!({ "callSettings": { "musicOnHoldId": mailbox } })).await,
        ["callSettings.musicOnHoldId WRONG_KIND"]
    );
    let reached = json!({ "onNoAnswerEnabled": true, "onNoAnswer": [{ "objectId": mailbox }] });
    // Where the queue sends its callers is not the form's to know.
    let queued = json!({ "onNoAnswerEnabled": true, "onNoAnswer": [{ "objectId": t.server.object("401").await }] });
    let lamp = json!({ "voicemailMwiMailboxId": mailbox });
    let hangup = json!({ "onNoAnswerEnabled": true, "onNoAnswer": [{ "hangup": "BUSY" }] });
    for destinations in [reached, queued] {
        let form = json!({ "information": lamp, "additionalDestinations": destinations });
        assert_eq!(t.warnings(form).await, [] as [&str; 0]);
    }
    assert_eq!(
        t.warnings(json!({ "information": lamp, "additionalDestinations": hangup })).await,
        ["information.voicemailMwiMailboxId VOICEMAIL_NEVER_REACHED"]
    );
}

/// A number is taken by whatever has it, of any kind; parking slots are reserved.
async fn numbers_are_unique_across_kinds(engine: Engine) {
    let t = ids(engine).await;
    for taken in ["100", "108"] {
        let payload =
            t.server.mutate("virtualExtensionCreate", json!({ "information": { "number": taken, "name": "x" } })).await;
        let error = &payload["userErrors"][0];
        assert_eq!(error["code"], "NUMBER_TAKEN", "{payload:#}");
        assert!(error["relatedId"].is_string() && error["suggestion"].is_string(), "{error}");
        let free = error["suggestion"].as_str().unwrap();
        assert_eq!(
            t.errors(json!({ "information": { "number": free } })).await,
            [] as [&str; 0],
            "{free} is suggested as free"
        );
    }
    // Every object that has a number holds it, whatever its kind.
    let kinds = "{ tenant { virtualExtension(by: {number: \"108\"}) { information { voicemailMwiMailbox { number name } } } } }";
    let mailbox =
        t.server.data(kinds, json!({})).await["tenant"]["virtualExtension"]["information"]["voicemailMwiMailbox"]
            .clone();
    if let Some(number) = mailbox["number"].as_str() {
        let payload = t
            .server
            .mutate("virtualExtensionCreate", json!({ "information": { "number": number, "name": "x" } }))
            .await;
        let message = payload["userErrors"][0]["message"].as_str().unwrap();
        assert!(message.contains("voicemail box") && message.contains(mailbox["name"].as_str().unwrap()), "{message}");
    }
    let slot = t.id("/callSettings/parkingLot/firstSlot");
    let payload =
        t.server.mutate("virtualExtensionCreate", json!({ "information": { "number": slot, "name": "x" } })).await;
    assert_eq!(problems(&payload["userErrors"]), ["information.number NUMBER_RESERVED"]);
    let message = payload["userErrors"][0]["message"].as_str().unwrap();
    assert!(message.contains(&slot) && message.contains(&t.id("/callSettings/parkingLot/lastSlot")), "{message}");
    // The other tenant may use the same number.
    let other = json!({ "dryRun": true, "information": { "number": "109", "name": "x" } });
    assert_eq!(t.errors(json!({ "information": { "number": "109" } })).await, ["information.number NUMBER_TAKEN"]);
    assert_eq!(
        problems(&t.server.mutate_as(MOLLOY, "virtualExtensionCreate", other).await["userErrors"]),
        [] as [&str; 0]
    );
    // Its own number is no clash, and a new one is moved to.
    let moved =
        t.server.mutate("virtualExtensionUpdate", json!({ "id": t.ivy, "information": { "number": "153" } })).await;
    assert_eq!((problems(&moved["userErrors"]), &moved["object"]["number"]), (vec![], &json!("153")));
}

async fn outbound_recording(engine: Engine) {
    let t = ids(engine).await;
    assert_eq!(
        t.errors(json!({ "outboundRecording": { "transcript": false, "aiSummary": true } })).await,
        ["outboundRecording.transcript REQUIRED_WHEN"]
    );
    assert_eq!(
        t.errors(json!({ "outboundRecording": { "transcript": true, "aiSummary": true, "aiSentiment": true } })).await,
        [] as [&str; 0]
    );
    let input = json!({ "information": { "number": "150", "name": "x" }, "outboundRecording": { "transcript": true, "aiSummary": true } });
    let refused = t.server.mutate_as(MOLLOY, "virtualExtensionCreate", input).await;
    assert_eq!(
        problems(&refused["userErrors"]),
        ["outboundRecording.aiSummary FEATURE_NOT_AVAILABLE", "outboundRecording.transcript FEATURE_NOT_AVAILABLE"]
    );
}

/// What else can be transcribed.
async fn transcripts_are_a_feature_of_the_tenant(engine: Engine) {
    let server = Server::start(engine);
    let mailbox = json!({ "name": "x", "transcript": true });
    let did =
        json!({ "name": "x", "phoneNumber": "+3999", "transcript": true, "aiSummary": true, "aiSentiment": true });
    let all = ["aiSentiment", "aiSummary", "transcript"].map(|field| format!("{field} FEATURE_NOT_AVAILABLE"));
    for (mutation, input, lacking) in [("voicemailBoxCreate", mailbox, &all[2..]), ("didCreate", did, &all)] {
        let refused = server.mutate_as(MOLLOY, mutation, input.clone()).await;
        assert_eq!(problems(&refused["userErrors"]), lacking);
        assert_eq!(problems(&server.mutate(mutation, input).await["userErrors"]), [] as [&str; 0]);
    }
}

/// A condition says itself when there is nothing that could make it true.
async fn conditions_that_are_never_true(engine: Engine) {
    let server = Server::start(engine);
    let warnings = async |input: Value| problems(&server.mutate("conditionCreate", input).await["warnings"]);
    for (of, field) in [
        ("WEEKDAY", "spans"),
        ("WEEKTIME", "spans"),
        ("HOURS", "spans"),
        ("CALENDAR", "spans"),
        ("ALL_OF", "partIds"),
        ("ANY_OF", "partIds"),
        ("NOT", "partIds"),
        ("EXTENSION_STATUS", "extensionIds"),
        ("CALLER_ID", "callerIdPattern"),
    ] {
        let blank = json!({ "name": of, "conditionType": of });
        assert_eq!(warnings(blank).await, [format!("{field} NEVER_TRUE")]);
    }
    // The clock of the tests stands in November 2026.
    for (ends, found) in [("2026-11-01T00:00:00Z", &["spans NEVER_TRUE"][..]), ("2026-12-01T00:00:00Z", &[])] {
        let calendar = json!({ "name": ends, "conditionType": "CALENDAR", "spans": [{ "endsAt": ends }] });
        assert_eq!(warnings(calendar).await, found);
    }
}

async fn security(engine: Engine) {
    let t = ids(engine).await;
    assert_eq!(
        t.errors(json!({ "security": { "outboundMode": "REGEX" } })).await,
        ["security.outboundRegex REQUIRED_WHEN"]
    );
    assert_eq!(t.errors(json!({ "security": { "locked": true } })).await, ["security.lockPin REQUIRED_WHEN"]);
    assert_eq!(t.errors(json!({ "security": { "locked": true, "lockPin": "4827" } })).await, [] as [&str; 0]);
    assert_eq!(
        t.errors(json!({ "security": { "workingHoursEnabled": true } })).await,
        ["security.workingHoursConditionId REQUIRED_WHEN"]
    );
    let hours = t.id("/security/workingHoursConditionId");
    let on = |id: &str| json!({ "security": { "workingHoursEnabled": true, "workingHoursConditionId": id } });
    assert_eq!(t.errors(on(&hours)).await, [] as [&str; 0]);
    assert_eq!(
        t.errors(on(&t.id("/callSettings/musicOnHoldId"))).await,
        ["security.workingHoursConditionId WRONG_KIND"]
    );
    let timeless = condition(&t.server, "CALLER_ID").await;
    assert_eq!(t.errors(on(&timeless)).await, ["security.workingHoursConditionId WRONG_KIND"]);
    let composed = condition(&t.server, "ALL_OF").await;
    assert_eq!(t.errors(on(&composed)).await, [] as [&str; 0], "composed of conditions that only ask the time");
    let huge = json!({ "security": { "outboundMode": "REGEX", "outboundRegex": "((\\d{0,200}){0,200}){0,200}" } });
    assert_eq!(t.errors(huge).await, ["security.outboundRegex UNSAFE_REGEX"]);
}

/// A condition of CANISTRACCI by type, found by its id: ids of a tenant are small numbers.
async fn condition(server: &Server, kind: &str) -> String {
    use base64::Engine as _;
    let ids: Vec<_> =
        (1..200).map(|local| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("1.{local}"))).collect();
    for page in ids.chunks(100) {
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Condition { id conditionType } } }";
        let nodes = server.data(query, json!({ "ids": page })).await["nodes"].clone();
        if let Some(found) = nodes.as_array().unwrap().iter().find(|node| node["conditionType"] == kind) {
            return found["id"].as_str().unwrap().to_owned();
        }
    }
    panic!("the demo data has no condition {kind}");
}

async fn web_user_panel(engine: Engine) {
    let t = ids(engine).await;
    let panel = |fields: Value| json!({ "webUserPanel": fields });
    assert_eq!(
        t.errors(panel(json!({ "userPanelEnabled": true }))).await,
        ["webUserPanel.webPassword REQUIRED_WHEN", "webUserPanel.webUser REQUIRED_WHEN"]
    );
    let login =
        |password: &str| panel(json!({ "userPanelEnabled": true, "webUser": "someone", "webPassword": password }));
    assert_eq!(t.errors(login("correct horse")).await, [] as [&str; 0]);
    assert_eq!(t.errors(login("short")).await, ["webUserPanel.webPassword WEAK_PASSWORD"]);
    let named = json!({ "information": { "name": "Test Person" }, "webUserPanel": { "webPassword": "TEST person" } });
    assert_eq!(t.errors(named).await, ["webUserPanel.webPassword WEAK_PASSWORD"]);
    let taken = t.id("/webUserPanel/webUser").to_uppercase();
    assert_eq!(t.errors(panel(json!({ "webUser": taken }))).await, ["webUserPanel.webUser LOGIN_TAKEN"]);
    assert_eq!(
        t.errors(panel(json!({ "userPanelEnabled": true, "webUser": "someone", "useLdap": true }))).await,
        [] as [&str; 0]
    );
    let ldap =
        json!({ "dryRun": true, "information": { "number": "150", "name": "x" }, "webUserPanel": { "useLdap": true } });
    assert_eq!(
        problems(&t.server.mutate_as(MOLLOY, "virtualExtensionCreate", ldap).await["userErrors"]),
        ["webUserPanel.useLdap NO_LDAP_SERVER"]
    );
    for (factor, needs) in [("TOTP", "twoFactorSecret"), ("EMAIL", "notificationEmail"), ("SMS", "twoFactorMobile")] {
        assert_eq!(
            t.errors(panel(json!({ "twoFactorType": factor }))).await,
            [format!("webUserPanel.{needs} REQUIRED_WHEN")]
        );
    }
    assert_eq!(t.errors(panel(json!({ "useIpFilter": true }))).await, ["webUserPanel.ipFilter REQUIRED_WHEN"]);
    assert_eq!(
        t.errors(panel(json!({ "ipFilter": ["10.0.0.0/8", "10.0.0.0/33"] }))).await,
        ["webUserPanel.ipFilter.1 INVALID_FORMAT"]
    );
}

async fn outbound_calls(engine: Engine) {
    let t = ids(engine).await;
    let calls = |fields: Value| json!({ "outboundCalls": fields });
    let list = t.id("/outboundCalls/doNotCallListIds/0");
    assert_eq!(
        t.errors(calls(json!({ "doNotCallListIds": [list], "onlyAllowCallListIds": [list] }))).await,
        ["outboundCalls.onlyAllowCallListIds.0 CONTRADICTION"]
    );
    assert_eq!(
        t.errors(calls(json!({ "areaCodeMinDigits": 8, "areaCodeMaxDigits": 6 }))).await,
        ["outboundCalls.areaCodeMinDigits OUT_OF_RANGE"]
    );
    let answered = json!({ "onNoAnswerEnabled": true, "onNoAnswer": [{ "hangup": "BUSY" }] });
    let mut unowned = calls(json!({ "externalCallerIdNumber": "+4412345678" }));
    unowned["additionalDestinations"] = answered.clone();
    assert_eq!(t.warnings(unowned).await, ["outboundCalls.externalCallerIdNumber NUMBER_NOT_OWNED"]);
    let mut own = calls(json!({ "externalCallerIdNumber": t.id("/outboundCalls/externalCallerIdNumber") }));
    own["additionalDestinations"] = answered.clone();
    assert_eq!(t.warnings(own).await, [] as [&str; 0]);
    let mut idle = calls(json!({ "useThisCallerIdInVirtual": true }));
    idle["additionalDestinations"] = answered;
    assert_eq!(t.warnings(idle).await, ["outboundCalls.useThisCallerIdInVirtual NO_EFFECT"]);
}

async fn follow_me(engine: Engine) {
    let t = ids(engine).await;
    let follow = |fields: Value| json!({ "followMe": fields });
    assert_eq!(t.errors(follow(json!({ "enabled": true }))).await, ["followMe.number REQUIRED_WHEN"]);
    assert_eq!(t.errors(follow(json!({ "number": "150" }))).await, ["followMe.number SELF_REFERENCE"]);
    assert_eq!(t.errors(follow(json!({ "callerIdMode": "FIXED" }))).await, ["followMe.fixedCallerId REQUIRED_WHEN"]);
    let late = json!({ "enabled": true, "number": "101", "dialMethod": "SIMULTANEOUS", "delaySeconds": 30 });
    let late = json!({ "information": { "inboundTimeoutSeconds": 30 }, "followMe": late });
    assert_eq!(t.warnings(late).await, ["followMe.delaySeconds NEVER_RINGS"]);
    let outside = follow(json!({ "enabled": true, "number": "+393331234567" }));
    assert_eq!(t.warnings(outside).await, ["followMe.callerIdMode CALLER_ID_REFUSED"]);
}

async fn additional_destinations(engine: Engine) {
    let t = ids(engine).await;
    let slots = |fields: Value| json!({ "additionalDestinations": fields });
    for (switch, list) in [
        ("unconditionalEnabled", "unconditional"),
        ("onBusyEnabled", "onBusy"),
        ("onOfflineEnabled", "onOffline"),
        ("onNoAnswerEnabled", "onNoAnswer"),
    ] {
        assert_eq!(
            t.errors(slots(json!({ switch: true }))).await,
            [format!("additionalDestinations.{list} REQUIRED_WHEN")]
        );
    }
    assert_eq!(
        t.errors(slots(json!({ "onConditionEnabled": true }))).await,
        ["additionalDestinations.conditionId REQUIRED_WHEN", "additionalDestinations.onCondition REQUIRED_WHEN"]
    );
    let own = json!({ "id": t.ivy, "dryRun": true, "additionalDestinations": { "onBusy": [{ "objectId": t.ivy }] } });
    let refused = t.server.mutate("virtualExtensionUpdate", own).await;
    assert_eq!(problems(&refused["userErrors"]), ["additionalDestinations.onBusy.0.objectId SELF_REFERENCE"]);
    let group = t.id("/information/callGroupIds/0");
    assert_eq!(
        t.errors(slots(json!({ "onBusy": [{ "objectId": group }] }))).await,
        ["additionalDestinations.onBusy.0.objectId WRONG_KIND"]
    );
    for (number, fits) in [
        ("109", true),
        ("110", true),
        ("190", true),
        ("401", true),
        ("411", true),
        ("421", true),
        ("431", true),
        ("441", true),
        ("451", true),
        ("61", false),
    ] {
        let to = slots(json!({ "onBusy": [{ "objectId": t.server.object(number).await }] }));
        let refused: &[_] = if fits { &[] } else { &["additionalDestinations.onBusy.0.objectId WRONG_KIND"] };
        assert_eq!(t.errors(to).await, refused, "{number}");
    }
    assert_eq!(
        t.errors(slots(json!({ "onBusy": [{ "number": "x" }] }))).await,
        ["additionalDestinations.onBusy.0.number INVALID_FORMAT"]
    );
    assert_eq!(t.warnings(json!({})).await, ["additionalDestinations.onNoAnswerEnabled CALLS_DROPPED"]);
    let media = t.id("/callSettings/recordedNameMediaId");
    let list = |first: Value| slots(json!({ "onNoAnswerEnabled": true, "onNoAnswer": [first, { "hangup": "BUSY" }] }));
    assert_eq!(t.warnings(list(json!({ "objectId": media }))).await, [] as [&str; 0]);
    assert_eq!(
        t.warnings(list(json!({ "number": "101" }))).await,
        ["additionalDestinations.onNoAnswer.1 UNREACHABLE_DESTINATION"]
    );
}

/// An error that stood in the form already, in a section that is not sent, does not keep others from being saved.
async fn what_was_wrong_before_does_not_block_other_sections(engine: Engine) {
    let t = ids(engine).await;
    // A parking lot that was moved over 108 by other means.
    let lot = "UPDATE parking_lot SET first_slot = '108', last_slot = '109' WHERE tenant_id = 1";
    assert!(t.server.live.execute(lot) > 0);
    let note = t.server.mutate("virtualExtensionUpdate", json!({ "id": t.ivy, "note": { "branch": "Genoa" } })).await;
    assert_eq!(problems(&note["userErrors"]), [] as [&str; 0]);
    assert_eq!(problems(&note["warnings"]), ["information.number BROKEN_RULE NUMBER_RESERVED"]);
    let told = &note["warnings"][0];
    assert!(told["message"].as_str().unwrap().contains("108 to 109") && told["value"] == "108", "{told:#}");
    // Warnings stand beside what is forgiven, in their own words.
    let both = json!({ "id": t.ivy, "dryRun": true, "followMe": { "number": "101", "dialMethod": "SIMULTANEOUS",
        "delaySeconds": 60 } });
    let both = t.server.mutate("virtualExtensionUpdate", both).await;
    let expected = ["followMe.delaySeconds NEVER_RINGS", "information.number BROKEN_RULE NUMBER_RESERVED"];
    assert_eq!(
        (problems(&both["userErrors"]), problems(&both["warnings"])),
        (vec![], expected.map(str::to_owned).into())
    );
    let sent = json!({ "id": t.ivy, "information": { "description": "x" } });
    let sent = t.server.mutate("virtualExtensionUpdate", sent).await;
    assert_eq!(problems(&sent["userErrors"]), ["information.number NUMBER_RESERVED"]);
}

async fn what_is_pointed_at_may_be_disabled_or_hopeless(engine: Engine) {
    let t = ids(engine).await;
    let (member, media) = (t.id("/information/memberIds/0"), t.id("/callSettings/recordedNameMediaId"));
    let local = |id: &str| {
        String::from_utf8(base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, id).unwrap())
            .unwrap()
    };
    let live = &t.server.live;
    for id in [&member, &media] {
        let local: i64 = local(id).split_once('.').unwrap().1.parse().unwrap();
        let off = format!("UPDATE pbx_object SET enabled = NOT enabled WHERE tenant_id = 1 AND object_id = {local}");
        assert_eq!(live.execute(&off), 1);
    }
    let never = condition(&t.server, "WEEKDAY").await;
    live.execute("DELETE FROM condition_span");
    let form = json!({
        "information": { "memberIds": [member] },
        "callSettings": { "recordedNameMediaId": media },
        "security": { "workingHoursConditionId": never },
        "additionalDestinations": { "onNoAnswerEnabled": true, "onNoAnswer": [{ "hangup": "BUSY" }] },
    });
    assert_eq!(
        t.warnings(form).await,
        [
            "callSettings.recordedNameMediaId REFERENCE_DISABLED",
            "information.memberIds.0 MEMBER_DISABLED",
            "security.workingHoursConditionId NEVER_TRUE",
        ]
    );
    // A disabled reference answers as an object all the same.
    let query =
        "{ tenant { virtualExtension(by: {number: \"108\"}) { callSettings { recordedNameMedia { enabled } } } } }";
    let found = t.server.data(query, json!({})).await;
    assert_eq!(found["tenant"]["virtualExtension"]["callSettings"]["recordedNameMedia"]["enabled"], false);
}

/// What a field of a section may be sent as.
type Choices<'a> = (&'a str, Vec<Value>);

/// Sections with fields that rules look at, of which some break rules of sections that are not sent.
fn choices(mailbox: &str) -> Vec<(&'static str, Vec<Choices<'static>>)> {
    let numbers = || vec![json!("151"), json!("152"), json!("101")];
    let switch = || vec![json!(true), json!(false)];
    let to = |to: Value| json!([to]);
    let lists = vec![
        to(json!({ "number": "151" })),
        to(json!({ "number": "152" })),
        to(json!({ "objectId": mailbox })),
        to(json!({ "hangup": "BUSY" })),
        json!([]),
    ];
    let timeouts = vec![json!(5), json!(60)];
    vec![
        (
            "information",
            vec![
                ("number", numbers()),
                ("name", vec![json!("Test"), json!("")]),
                ("inboundTimeoutSeconds", timeouts.clone()),
                ("internalCallerIdMode", vec![json!("AUTO"), json!("CUSTOM")]),
                ("voicemailMwiMailboxId", vec![json!(mailbox), json!(null)]),
            ],
        ),
        (
            "followMe",
            vec![
                ("enabled", switch()),
                ("number", numbers()),
                ("dialMethod", vec![json!("SIMULTANEOUS"), json!("IMMEDIATE")]),
                ("delaySeconds", timeouts),
                ("callerIdMode", vec![json!("FIXED"), json!("EXTENSION")]),
            ],
        ),
        (
            "additionalDestinations",
            vec![
                ("unconditionalEnabled", switch()),
                ("unconditional", lists.clone()),
                ("onNoAnswerEnabled", switch()),
                ("onNoAnswer", lists),
            ],
        ),
        (
            "webUserPanel",
            vec![
                ("userPanelEnabled", switch()),
                ("webUser", vec![json!("somebody"), json!("ivy"), json!(null)]),
                ("webPassword", vec![json!("151-Sesame-street"), json!(null)]),
                ("useLdap", switch()),
            ],
        ),
        ("security", vec![("outboundMode", vec![json!("REGEX"), json!("ALL")]), ("locked", switch())]),
        ("outboundCalls", vec![("useThisCallerIdInVirtual", switch())]),
        ("note", vec![("branch", vec![json!("Pisa"), json!("Lucca")])]),
    ]
}

/// [`Server::mutate`] compares each change with one for a client that does not ask for warnings.
async fn what_is_wrong_does_not_depend_on_who_asks_for_warnings(engine: Engine) {
    let t = ids(engine).await;
    let mailbox = t.id("/information/voicemailMwiMailboxId");
    let made = json!({ "information": { "number": "151", "name": "Test" } });
    let id = t.server.save(TOKEN, "virtualExtensionCreate", made).await;
    let (mut draw, choices) = (Draw(31), choices(&mailbox));
    let (mut saved, mut elsewhere) = (0, 0);
    for _ in 0..300 {
        let mut input = json!({ "id": id });
        for _ in 0..=draw.below(2) {
            let (section, fields) = &choices[draw.below(choices.len())];
            let mut sent = serde_json::Map::new();
            for (field, values) in fields {
                if draw.below(2) == 0 {
                    sent.insert((*field).to_owned(), values[draw.below(values.len())].clone());
                }
            }
            input[section] = sent.into();
        }
        let payload = t.server.mutate("virtualExtensionUpdate", input.clone()).await;
        let errors = payload["userErrors"].as_array().unwrap();
        let unsent = |error: &Value| input.get(error["path"][0].as_str().unwrap()).is_none();
        saved += i32::from(errors.is_empty() && payload["changes"] != json!([]));
        elsewhere += i32::from(errors.iter().any(unsent));
    }
    assert!(saved > 40 && elsewhere > 10, "{saved} saved, {elsewhere} refused for a section that was not sent");
}

on_each_engine!(
    information,
    what_is_wrong_does_not_depend_on_who_asks_for_warnings,
    numbers_are_unique_across_kinds,
    outbound_recording,
    transcripts_are_a_feature_of_the_tenant,
    conditions_that_are_never_true,
    security,
    web_user_panel,
    outbound_calls,
    follow_me,
    additional_destinations,
    what_was_wrong_before_does_not_block_other_sections,
    what_is_pointed_at_may_be_disabled_or_hopeless,
);

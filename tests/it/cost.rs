//! What a field costs, added up: struct field, column, answer and input agree, and every field makes the whole trip.

use std::collections::BTreeSet;

use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{Server, TOKEN, paths, problems};
use serde_json::{Map, Value, json};
use vext::domain::Kind;
use vext::form::{FieldInfo, Form, Place, Rows, camel};
use vext::objects::KindInfo;
use vext::service::Database;

/// The nine sections by the names that clients use, each with its fields.
pub fn form_fields() -> Vec<(String, &'static [FieldInfo])> {
    Form::infos().iter().map(|info| (info.client_name.clone(), info.fields.as_slice())).collect()
}

/// The other kinds: what each is, and of its detail the table and the fields.
pub fn details() -> Vec<(Kind, &'static str, &'static [FieldInfo])> {
    KindInfo::all().iter().map(|info| (info.kind, info.detail.table, info.detail.fields.as_slice())).collect()
}

/// The columns of a table in the live database.
pub fn columns(live: &Live, table: &str) -> BTreeSet<String> {
    let sql = match live.database {
        Database::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}')"),
        Database::Postgres(_) => format!(
            "SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'"
        ),
    };
    live.texts(&sql).into_iter().collect()
}

/// The members of a type or input of the served schema.
async fn members(server: &Server, name: &str) -> Vec<String> {
    let query = "query($name: String!) { __type(name: $name) { fields { name } inputFields { name } } }";
    let found = server.data(query, json!({ "name": name })).await;
    let lists = ["fields", "inputFields"].map(|list| found["__type"][list].as_array().cloned().unwrap_or_default());
    lists.concat().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect()
}

/// A field of a struct has its column or its list, stands in the answer and in the input, and nothing else does.
async fn struct_columns_answer_and_input_agree(engine: Engine) {
    let server = Server::start(engine);
    for info in Form::infos() {
        let (table, of_form) = (info.table, vext::form::Information::OF_OBJECT);
        let of_object = |field: &FieldInfo| table == "information" && of_form.contains(&field.name);
        let own = info.fields.iter().filter(|field| field.place == Place::Column && !of_object(field));
        let own = ["tenant_id", "object_id"].into_iter().chain(own.map(|field| field.name));
        assert_eq!(columns(&server.live, table), own.map(str::to_owned).collect(), "{table}");

        let names: Vec<_> = info.fields.iter().map(|field| field.client_name.clone()).collect();
        assert_eq!(members(&server, info.input).await, names, "{table}");
        answer_has(&members(&server, info.name).await, &names, info.name);
    }
}

/// A type's answer has the fields, and behind them nothing but what their ids lead to.
fn answer_has(answered: &[String], names: &[String], type_name: &str) {
    for name in names {
        let secret = format!("{name}Set");
        assert!(answered.contains(name) != answered.contains(&secret), "{type_name}.{name}");
    }
    for reference in &answered[names.len()..] {
        let stem = reference.trim_end_matches('s');
        let known = |name: &String| name == &format!("{reference}Id") || name == &format!("{stem}Ids");
        assert!(names.iter().any(known), "{type_name}.{reference} belongs to no field");
    }
}

/// The same for every other kind: struct, columns, the tables of its lists, and the answer, where the fields that all
/// kinds have stand first.
async fn details_columns_and_answers_agree(engine: Engine) {
    let server = Server::start(engine);
    let mut kinds: Vec<_> = details().iter().map(|(kind, ..)| kind.word()).collect();
    kinds.extend([Kind::VirtualExtension, Kind::FormDefaults].map(Kind::word));
    kinds.sort_unstable();
    let mut all: Vec<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    all.sort_unstable();
    assert_eq!(kinds, all);
    let common = members(&server, "PbxObject").await;
    for (kind, table, fields) in details() {
        let own = fields.iter().filter(|field| field.place == Place::Column).map(|field| field.name);
        let own = ["tenant_id", "object_id"].into_iter().chain(own).map(str::to_owned).collect();
        assert_eq!(columns(&server.live, table), own, "{table}");
        for field in fields {
            if let Place::Rows(Rows { table, columns: entry, slotted: false }) = field.place {
                let own = ["tenant_id", "owner_id", "position"].iter().chain(entry).map(|&c| c.to_owned()).collect();
                assert_eq!(columns(&server.live, table), own, "{table}");
            }
        }
        let type_name = camel(&format!("_{}", kind.word().to_lowercase()));
        let answered = members(&server, &type_name).await;
        let (head, own) = answered.split_at(common.len());
        assert_eq!(head, common, "{type_name}");
        // All but virtual extensions can be out of use.
        let own = own.strip_prefix(&["enabled".to_owned()]).unwrap_or_else(|| panic!("{type_name}: {own:?}"));
        let names: Vec<_> = fields.iter().map(|field| camel(field.name)).collect();
        answer_has(own, &names, &type_name);
    }
}

/// The answer's fields of a section, destinations with what they hold.
pub fn selection(fields: &[FieldInfo]) -> String {
    let one = |field: &FieldInfo| match field.place {
        Place::Rows(rows) if rows.table == "destination" => {
            format!("{} {{ objectId number hangup }}", field.client_name)
        }
        _ => field.answer_name.clone(),
    };
    fields.iter().map(one).collect::<Vec<_>>().join(" ")
}

pub async fn form(server: &Server, number: &str) -> Map<String, Value> {
    let sections = form_fields().into_iter().map(|(name, fields)| format!("{name} {{ {} }}", selection(fields)));
    let sections: Vec<_> = sections.collect();
    let query = format!(
        "query($n: ExtensionNumber!) {{ tenant {{ virtualExtension(by: {{number: $n}}) {{ {} }} }} }}",
        sections.join(" ")
    );
    let mut data = server.data(&query, json!({ "n": number })).await;
    data["tenant"]["virtualExtension"].as_object_mut().unwrap().clone()
}

/// An answer as an input: as it is, but that secrets are given.
fn as_input(form: &Map<String, Value>) -> Map<String, Value> {
    let secrets = [
        ("securityPin", "7305"),
        ("lockPin", "4827"),
        ("webPassword", "correct horse battery"),
        ("twoFactorSecret", "JBSWY3DPEHPK3PXP"),
        ("twoFactorMobile", "+393331234567"),
    ];
    let section = |fields: &Value| {
        let mut input = Map::new();
        for (name, value) in fields.as_object().unwrap() {
            match secrets.iter().find(|(secret, _)| name == &format!("{secret}Set")) {
                Some((secret, text)) => input.insert((*secret).to_owned(), json!(text)),
                None => input.insert(name.clone(), value.clone()),
            };
        }
        Value::Object(input)
    };
    form.iter().map(|(name, fields)| (name.clone(), section(fields))).collect()
}

/// Copies every field of the demo's 108 into a new extension through the API and reads it back.
async fn every_field_makes_the_whole_trip(engine: Engine) {
    let server = Server::start(engine);
    let original = form(&server, "108").await;
    let mut input = as_input(&original);
    input["information"]["number"] = json!("150");
    input["webUserPanel"]["webUser"] = json!("copy-of-108");
    let payload = server.mutate("virtualExtensionCreate", Value::Object(input)).await;
    assert_eq!(problems(&payload["userErrors"]), [] as [&str; 0], "{payload:#}");

    let mut copy = form(&server, "150").await;
    copy["information"]["number"] = json!("108");
    copy["webUserPanel"]["webUser"] = original["webUserPanel"]["webUser"].clone();
    assert_eq!(Value::Object(copy), Value::Object(original));
}

/// Writes every field of every section: all of 108 into a new extension, and into one that was blank before.
pub async fn rewrite_every_field(server: &Server) {
    let mut input = as_input(&form(server, "108").await);
    let blank = json!({ "information": { "number": "161", "name": "Blank" } });
    let id = server.mutate("virtualExtensionCreate", blank).await["object"]["id"].clone();
    for (mutation, number, target) in
        [("virtualExtensionCreate", "160", None), ("virtualExtensionUpdate", "161", Some(id))]
    {
        input["information"]["number"] = json!(number);
        input["webUserPanel"]["webUser"] = json!(format!("copy-{number}"));
        input.extend(target.map(|id| ("id".to_owned(), id)));
        let payload = server.mutate(mutation, Value::Object(input.clone())).await;
        assert_eq!(problems(&payload["userErrors"]), [] as [&str; 0], "{payload:#}");
    }
}

/// Each field of 108 is sent alone to a blank extension, where it must be the only change: no field is ignored, and
/// none touches another.
async fn every_field_changes_itself_alone(engine: Engine) {
    let server = Server::start(engine);
    let blank = json!({ "information": { "number": "151", "name": "Blank" } });
    let payload = server.mutate("virtualExtensionCreate", blank).await;
    let id = payload["object"]["id"].as_str().unwrap().to_owned();
    let (full, now) = (as_input(&form(&server, "108").await), as_input(&form(&server, "151").await));
    let mut unchanged = BTreeSet::new();
    for (section, fields) in &full {
        for (field, value) in fields.as_object().unwrap() {
            let value = if field == "number" && section == "information" { &json!("152") } else { value };
            // 108's login is taken; any other shows as much.
            let value = if field == "webUser" { &json!("someone-else") } else { value };
            let input = json!({ "id": id, "dryRun": true, section: { field: value } });
            let changes = server.mutate("virtualExtensionUpdate", input).await["changes"].clone();
            let paths = paths(&changes);
            if paths.is_empty() && &now[section][field] == value {
                unchanged.insert(format!("{section}.{field}"));
            } else {
                assert_eq!(paths, [format!("{section}.{field}")]);
            }
        }
    }
    // What 108 has in common with the tenant's defaults cannot show a change.
    assert!(unchanged.len() < 25, "too many fields of 108 are as the defaults have them: {unchanged:?}");
}

/// A patch in the variables is as good as one in the text.
async fn an_omitted_variable_keeps_the_field(engine: Engine) {
    let server = Server::start(engine);
    let (id, _) = server.extension("108").await;
    let before = form(&server, "108").await;
    let query = "mutation($id: ID!, $name: String, $dnd: Boolean) {
        virtualExtensionInformationUpdate(input: {id: $id, information: {name: $name, dnd: $dnd}}) { userErrors { code } } }";
    let answer = server.answer(TOKEN, query, json!({ "id": id, "dnd": true })).await;
    assert_eq!(answer["data"]["virtualExtensionInformationUpdate"]["userErrors"], json!([]), "{answer}");
    let mut after = form(&server, "108").await;
    assert_eq!(after["information"]["dnd"], json!(true));
    after["information"]["dnd"] = before["information"]["dnd"].clone();
    assert_eq!(after, before);
}

/// What panels show at most, a page of a hundred whole forms with what they refer to, needs no option.
async fn a_page_of_whole_forms_passes(engine: Engine) {
    let server = Server::over(Live::new(engine, Content::Demo));
    let sections = form_fields().into_iter().map(|(name, fields)| format!("{name} {{ {} }}", selection(fields)));
    let query = format!(
        "{{ tenant {{ virtualExtensions(first: 100) {{ totalCount nodes {{ id version number name {}
           information {{ members {{ number name }} callGroups {{ name }} pickupGroups {{ name }} spyGroups {{ name }} }}
           callSettings {{ musicOnHold {{ name }} }} security {{ workingHoursCondition {{ name }} }}
           outboundCalls {{ routingProfile {{ name }} }} }} }} }} }}",
        sections.collect::<String>()
    );
    let answer = server.answer(TOKEN, &query, json!({})).await;
    let requested = answer["extensions"]["cost"]["requested"].as_i64().unwrap_or_default();
    assert!(requested > 5000, "{requested}, {}", answer["errors"]);
    assert!(answer.get("errors").is_none() && answer["data"]["tenant"]["virtualExtensions"]["totalCount"] != json!(0));
}

on_each_engine!(
    a_page_of_whole_forms_passes,
    struct_columns_answer_and_input_agree,
    details_columns_and_answers_agree,
    every_field_makes_the_whole_trip,
    every_field_changes_itself_alone,
    an_omitted_variable_keeps_the_field,
);

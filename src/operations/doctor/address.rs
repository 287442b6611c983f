//! Checks whether the server can listen at its addresses, or answers there already. The check itself does not listen on
//! the port, because a server that starts at that moment must find it free.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use super::check::DoctorCheck;

/// How long a program that listens there may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn address(listen: SocketAddr, metrics: Option<SocketAddr>) -> DoctorCheck {
    let (mut check, mut ok) = (DoctorCheck::new("address"), Vec::new());
    match listener_at(listen) {
        Ok(None) => ok.push(format!("{listen} is free")),
        Ok(Some(there)) => match check_ready(there) {
            Ok(()) => ok.push(format!("a server answers at {listen} and is ready")),
            Err(why) => check.fail(format!("{listen}: {why}.")),
        },
        Err(why) => check.fail(format!("{why}.")),
    }
    match metrics.map(|metrics| (metrics, listener_at(metrics))) {
        None => {}
        Some((metrics, Ok(None))) => ok.push(format!("{metrics} is free for the metrics")),
        Some((metrics, Ok(Some(there)))) => match get(there, "/metrics") {
            Ok((200, text)) if text.contains("vext_build_info") => ok.push(format!("metrics are at {metrics}")),
            _ => check.fail(format!("another program listens at {metrics}: stop it, or change --metrics-listen.")),
        },
        Some((_, Err(why))) => check.fail(format!("{why}.")),
    }
    check.or_ok(format!("{}.", ok.join("; ")))
}

/// The reachable form of an address at which a program already listens; `None` if the address is free.
fn listener_at(address: SocketAddr) -> Result<Option<SocketAddr>, String> {
    if address.port() == 0 {
        return Ok(None);
    }
    // Any port will do to see whether the machine has the address.
    TcpListener::bind((address.ip(), 0)).map_err(|e| format!("cannot listen at {address} on this machine: {e}"))?;
    let there = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let there = SocketAddr::new(there, address.port());
    match TcpStream::connect_timeout(&there, TIMEOUT) {
        Ok(_) => Ok(Some(there)),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(None),
        Err(error) => Err(format!("{address} is neither free nor reachable: {error}")),
    }
}

/// Checks whether a server is ready.
fn check_ready(there: SocketAddr) -> Result<(), String> {
    let other = "another program listens there: stop it, or change --listen";
    let (status, body) = get(there, "/readyz").map_err(|why| format!("{other} (it does not answer /readyz: {why})"))?;
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let Some(checks) = body["checks"].as_object() else { return Err(other.into()) };
    let wrong = checks.iter().filter(|(_, state)| *state != "ok");
    let wrong: Vec<_> = wrong.map(|(name, state)| format!("{name}: {}", state.as_str().unwrap_or_default())).collect();
    match (status, wrong.as_slice()) {
        (200, []) => Ok(()),
        _ => Err(format!("the server is not ready ({}); its log says why", wrong.join(", "))),
    }
}

fn get(there: SocketAddr, path: &str) -> Result<(u16, String), ureq::Error> {
    let agent = Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).proxy(None).build();
    let mut answer = Agent::new_with_config(agent).get(format!("http://{there}{path}")).call()?;
    Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
}

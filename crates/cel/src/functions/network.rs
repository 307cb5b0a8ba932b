//! Addresses. <https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-ip-address-library>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::{Function, global, guarded, method, mismatch, text_of};
use crate::types::Sig::{self, Bool, Int, Text};
use crate::value::{CelValue, Kubernetes};
use crate::{Evaluated, EvaluationError};

const IP: Sig = Sig::Named("net.IP");
const CIDR: Sig = Sig::Named("net.CIDR");

/// The functions of this library.
pub const TABLE: &[Function] = &[
    guarded(
        "ip",
        &[
            global("string_to_ip", &[Text], IP, 30, ip),
            method("cidr_ip", &[CIDR], IP, 30, ip),
        ],
    ),
    guarded(
        "string",
        &[
            global("ip_to_string", &[IP], Text, 30, to_string),
            global("cidr_to_string", &[CIDR], Text, 30, to_string),
        ],
    ),
    guarded("isIP", &[global("is_ip", &[Text], Bool, 30, is_ip)]),
    guarded(
        "ip.isCanonical",
        &[global("ip_is_canonical", &[Text], Bool, 30, is_canonical)],
    ),
    guarded("family", &[method("ip_family", &[IP], Int, 30, family)]),
    guarded(
        "isUnspecified",
        &[method("ip_is_unspecified", &[IP], Bool, 30, |v| {
            asks("isUnspecified", v, |ip| ip.is_unspecified())
        })],
    ),
    guarded(
        "isLoopback",
        &[method("ip_is_loopback", &[IP], Bool, 30, |v| {
            asks("isLoopback", v, |ip| ip.is_loopback())
        })],
    ),
    guarded(
        "isLinkLocalMulticast",
        &[method("ip_is_link_local_multicast", &[IP], Bool, 30, |v| {
            asks("isLinkLocalMulticast", v, link_local_multicast)
        })],
    ),
    guarded(
        "isLinkLocalUnicast",
        &[method("ip_is_link_local_unicast", &[IP], Bool, 30, |v| {
            asks("isLinkLocalUnicast", v, link_local)
        })],
    ),
    guarded(
        "isGlobalUnicast",
        &[method("ip_is_global_unicast", &[IP], Bool, 30, |v| {
            asks("isGlobalUnicast", v, global_unicast)
        })],
    ),
    guarded("cidr", &[global("string_to_cidr", &[Text], CIDR, 30, cidr)]),
    guarded("isCIDR", &[global("is_cidr", &[Text], Bool, 30, is_cidr)]),
    guarded(
        "containsIP",
        &[
            method(
                "cidr_contains_ip_string",
                &[CIDR, Text],
                Bool,
                30,
                contains_ip,
            ),
            method("cidr_contains_ip_ip", &[CIDR, IP], Bool, 30, contains_ip),
        ],
    ),
    guarded(
        "containsCIDR",
        &[
            method(
                "cidr_contains_cidr_string",
                &[CIDR, Text],
                Bool,
                30,
                contains_cidr,
            ),
            method("cidr_contains_cidr", &[CIDR, CIDR], Bool, 30, contains_cidr),
        ],
    ),
    guarded(
        "masked",
        &[method("cidr_masked", &[CIDR], CIDR, 30, masked)],
    ),
    guarded(
        "prefixLength",
        &[method(
            "cidr_prefix_length",
            &[CIDR],
            Int,
            30,
            prefix_length,
        )],
    ),
];

/// Kubernetes refuses zones, and IPv4 addresses that are written as IPv6.
fn parse_ip(text: &str) -> Option<IpAddr> {
    let ip: IpAddr = text.parse().ok()?;
    match ip {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => None,
        ip => Some(ip),
    }
}

fn parse_cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, length) = text.split_once('/')?;
    let ip = parse_ip(ip)?;
    if length.len() > 1 && length.starts_with('0') || length.starts_with('+') {
        return None;
    }
    let length: u8 = length.parse().ok()?;
    (length <= bits(ip)).then_some((ip, length))
}

fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn network(ip: IpAddr, length: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            Ipv4Addr::from_bits(ip.to_bits() & mask).into()
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            Ipv6Addr::from_bits(ip.to_bits() & mask).into()
        }
    }
}

fn value<'a>(value: Kubernetes) -> CelValue<'a> {
    CelValue::Kubernetes(Arc::new(value))
}

fn ip<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    if let [CelValue::Kubernetes(inner)] = arguments
        && let Kubernetes::Cidr(ip, _) = &**inner
    {
        return Ok(value(Kubernetes::Ip(*ip)));
    }
    let text = text_of("ip", arguments, 0)?;
    match parse_ip(text) {
        Some(ip) => Ok(value(Kubernetes::Ip(ip))),
        None => Err(EvaluationError::Malformed(format!(
            "`{text}` is not an IP address"
        ))),
    }
}

fn to_string<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    match arguments.first().and_then(crate::convert::to_text) {
        Some(text) => Ok(CelValue::text(text)),
        None => Err(mismatch("string", arguments)),
    }
}

fn is_ip<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    Ok(CelValue::Bool(
        parse_ip(text_of("isIP", arguments, 0)?).is_some(),
    ))
}

fn is_canonical<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("ip.isCanonical", arguments, 0)?;
    match parse_ip(text) {
        Some(ip) => Ok(CelValue::Bool(ip.to_string() == text)),
        None => Err(EvaluationError::Malformed(format!(
            "`{text}` is not an IP address"
        ))),
    }
}

fn ip_of(name: &str, arguments: &[CelValue<'_>]) -> Result<IpAddr, EvaluationError> {
    match arguments.first() {
        Some(CelValue::Kubernetes(value)) => match &**value {
            Kubernetes::Ip(ip) => Ok(*ip),
            _ => Err(mismatch(name, arguments)),
        },
        _ => Err(mismatch(name, arguments)),
    }
}

fn cidr_of(name: &str, arguments: &[CelValue<'_>]) -> Result<(IpAddr, u8), EvaluationError> {
    match arguments.first() {
        Some(CelValue::Kubernetes(value)) => match &**value {
            Kubernetes::Cidr(ip, length) => Ok((*ip, *length)),
            _ => Err(mismatch(name, arguments)),
        },
        _ => Err(mismatch(name, arguments)),
    }
}

fn family<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let ip = ip_of("family", arguments)?;
    Ok(CelValue::Int(if ip.is_ipv4() { 4 } else { 6 }))
}

fn asks<'a>(name: &str, arguments: &[CelValue<'a>], question: fn(IpAddr) -> bool) -> Evaluated<'a> {
    Ok(CelValue::Bool(question(ip_of(name, arguments)?)))
}

fn link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn link_local_multicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
    }
}

/// As Go's `netip.Addr.IsGlobalUnicast`.
fn global_unicast(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || link_local(ip) || broadcast)
}

fn cidr<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let text = text_of("cidr", arguments, 0)?;
    match parse_cidr(text) {
        Some((ip, length)) => Ok(value(Kubernetes::Cidr(ip, length))),
        None => Err(bad_cidr(text)),
    }
}

/// What is wrong with a network: the server tells a prefix that is too long from the rest.
fn bad_cidr(text: &str) -> EvaluationError {
    let parts = text
        .split_once('/')
        .map(|(ip, length)| (parse_ip(ip), length.parse::<u32>()));
    match parts {
        Some((Some(ip), Ok(length))) if length > u32::from(bits(ip)) => {
            EvaluationError::Range(format!("`{text}` has a prefix that is too long"))
        }
        _ => EvaluationError::Malformed(format!("`{text}` is not a CIDR such as `10.0.0.0/8`")),
    }
}

fn is_cidr<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    Ok(CelValue::Bool(
        parse_cidr(text_of("isCIDR", arguments, 0)?).is_some(),
    ))
}

fn contains_ip<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let (own, length) = cidr_of("containsIP", arguments)?;
    let other = match &arguments[1] {
        CelValue::Text(text) => parse_ip(text.as_str()).ok_or_else(|| {
            EvaluationError::Malformed(format!("`{}` is not an IP address", text.as_str()))
        })?,
        other => ip_of("containsIP", std::slice::from_ref(other))?,
    };
    Ok(CelValue::Bool(
        own.is_ipv4() == other.is_ipv4() && network(own, length) == network(other, length),
    ))
}

fn contains_cidr<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let (own, length) = cidr_of("containsCIDR", arguments)?;
    let (other, other_length) = match &arguments[1] {
        CelValue::Text(text) => parse_cidr(text.as_str()).ok_or_else(|| bad_cidr(text.as_str()))?,
        other => cidr_of("containsCIDR", std::slice::from_ref(other))?,
    };
    Ok(CelValue::Bool(
        own.is_ipv4() == other.is_ipv4()
            && other_length >= length
            && network(own, length) == network(other, length),
    ))
}

fn masked<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    let (ip, length) = cidr_of("masked", arguments)?;
    Ok(value(Kubernetes::Cidr(network(ip, length), length)))
}

fn prefix_length<'a>(arguments: &[CelValue<'a>]) -> Evaluated<'a> {
    Ok(CelValue::Int(cidr_of("prefixLength", arguments)?.1.into()))
}

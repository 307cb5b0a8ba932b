//! `src/model/scalars.rs`.

use tenantry::engine::scalars::*;

#[test]
fn quantities_are_read_as_kubernetes_reads_them() {
    for (text, thousandths) in [
        ("2", 2000),
        ("0.5", 500),
        ("500m", 500),
        ("1k", 1_000_000),
        ("1Ki", 1_024_000),
        ("1.5Gi", 1_610_612_736_000),
        ("1e3", 1_000_000),
        ("100u", 1),
        ("-1", -1000),
        ("+1", 1000),
        (".5", 500),
    ] {
        assert_eq!(Amount::parse(text), Some(Amount { thousandths }), "{text}");
    }
    for text in ["", "4GB", "Gi", "1.2.3", "1 Gi", "0x10", "1e99", "abc", "."] {
        assert_eq!(Amount::parse(text), None, "{text}");
    }
}

#[test]
fn limits_are_scaled_and_rounded_up() {
    let scaled = |text: &str, factor| Amount::parse(text).unwrap().times(factor);
    assert_eq!(scaled("2", 1.5).as_cpu(), "3");
    assert_eq!(scaled("250m", 1.5).as_cpu(), "375m");
    assert_eq!(scaled("4Gi", 1.2).as_bytes(), "4916Mi");
    assert_eq!(scaled("5Gi", 1.2).as_bytes(), "6Gi");
}

#[test]
fn formats_accept_and_refuse() {
    for (format, good, bad) in [
        ("name", "globex-eu", "Globex"),
        ("duration", "1h30m", "90"),
        ("cron", "*/15 * * * *", "every day"),
        ("cron", "0 2 * * 1-5", "0 25 * * *"),
        ("cron", "@midnight", "@noon"),
        ("cron", "0 2 * JAN MON-FRI", "0 0 L * MON#1"),
        ("quantity", "1.5Gi", "-2Gi"),
        ("timezone", "Europe/Zurich", "Mars/Olympus"),
        ("semver", "1.2.3", "1.2"),
        ("semver-requirement", "^1.2", "newest"),
        ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
        ("url", "https://example.com/a", "example.com"),
        ("day", "2027-01-31", "2027-02-30"),
        ("image", "registry.example.com:5000/team/app", "nginx:1.25"),
        ("value-path", "security.runAsUser", "a..b"),
        ("permission", "data:read:restricted", "data:read:secret"),
        ("permission", "agent:*", "agent"),
        ("time-of-day", "08:00", "8:00"),
    ] {
        assert_eq!(check_format(format, good), Ok(()), "{format} {good}");
        assert!(check_format(format, bad).is_err(), "{format} {bad}");
    }
}

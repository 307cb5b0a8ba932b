//! `src/model/recovery.rs`.

use tenantry::model::recovery::*;

#[test]
fn times_are_said_as_people_say_them() {
    for (seconds, text) in [
        (0.0, "0 min"),
        (1.0, "1 min"),
        (5400.0, "1 h 30 min"),
        (86_400.0, "1 day"),
        (176_400.0, "2 days 1 h"),
    ] {
        assert_eq!(readable(seconds), text);
    }
}

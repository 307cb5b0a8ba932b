//! `src/model/schedule.rs`.

use jiff::civil::Date;
use tenantry::engine::schedule::*;

#[test]
fn schedules_fire_when_they_say() {
    let day = |text: &str, date: Date| CronSchedule::parse(text).unwrap().fires_on(date);
    let friday = jiff::civil::date(2026, 11, 13);
    assert!(day("0 2 * * *", friday));
    assert!(day("0 2 13 * mon", friday), "either day will do");
    assert!(!day("0 2 * * 0", friday));
    assert!(day("0 2 * * 0", jiff::civil::date(2026, 11, 15)), "Sunday");
    assert!(!day("0 2 * feb *", friday));
    assert_eq!(
        CronSchedule::parse("*/15 9-10 * * *")
            .unwrap()
            .minutes_of_day(),
        [540, 555, 570, 585, 600, 615, 630, 645]
    );
    let runs = |text: &str| CronSchedule::parse(text).unwrap().runs_in_month();
    assert!((runs("@daily") - 365.0 / 12.0).abs() < 1e-9);
    assert!((runs("*/30 * * * *") - 48.0 * 365.0 / 12.0).abs() < 1e-9);
    assert!((runs("0 3 1 * *") - 1.0).abs() < 1e-9);
    for bad in [
        "",
        "* * * *",
        "60 * * * *",
        "0 0 0 * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "0 0 * * fun",
        "0 2 * * 7",
    ] {
        assert_eq!(CronSchedule::parse(bad), None, "{bad}");
    }
}

//! Nothing is lost or fired twice where slots and levels meet, however far time moves at once.

use corio_timer::Wheel;

const YEAR: u64 = 365 * 24 * 3600 * 1_000_000_000;

/// The first and the last slot of every level as seen from `origin`, give or take a nanosecond and a tick.
fn boundaries(origin: u64) -> Vec<u64> {
    let mut deadlines = vec![u64::MAX, u64::MAX - 1];
    for level in 0..7 {
        let slot = 1u64.checked_shl(16 + 8 * level).unwrap_or(0);
        for slots in [1, 2, 255, 256, 257] {
            let distance = slot.saturating_mul(slots);
            let aligned = (origin / slot.max(1))
                .saturating_add(slots)
                .saturating_mul(slot);
            for around in [origin.saturating_add(distance), aligned] {
                for delta in [-65_537, -65_536, -1, 0, 1, 65_536, 65_537] {
                    deadlines.push(around.saturating_add_signed(delta));
                }
            }
        }
    }
    deadlines.retain(|deadline| *deadline > origin);
    deadlines
}

fn all_fire_once_in_order(origin: u64, mut advance: impl FnMut(&mut Wheel<usize>, u64) -> u64) {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.expire(origin), None);
    let deadlines = boundaries(origin);
    for (id, deadline) in deadlines.iter().enumerate() {
        wheel.insert(*deadline, id);
    }
    let mut expected: Vec<usize> = (0..deadlines.len()).collect();
    expected.sort_by_key(|id| deadlines[*id]);

    let mut fired = Vec::new();
    let mut now = origin;
    while !wheel.is_empty() {
        let next = advance(&mut wheel, now);
        assert!(next > now || next == u64::MAX);
        while let Some(id) = wheel.expire(next) {
            assert!(
                now < deadlines[id] && deadlines[id] <= next,
                "{} fired between {now} and {next}",
                deadlines[id]
            );
            fired.push(id);
        }
        now = next;
    }
    assert_eq!(fired, expected);
}

const ORIGINS: [u64; 7] = [
    0,
    1,
    65_535,
    0x00ff_ffff,
    0x0123_4567_89ab_cdef,
    YEAR,
    u64::MAX - (1 << 40),
];

#[test]
fn in_one_jump_to_the_end_of_time() {
    for origin in ORIGINS {
        all_fire_once_in_order(origin, |_, _| u64::MAX);
    }
}

#[test]
fn in_jumps_of_a_year() {
    for origin in ORIGINS {
        all_fire_once_in_order(origin, |_, now| now.saturating_add(YEAR));
    }
}

#[test]
fn wake_by_wake() {
    for origin in ORIGINS {
        all_fire_once_in_order(origin, |wheel, _| wheel.next_wake().unwrap());
    }
}

#[test]
fn a_nanosecond_before_each_wake_and_then_at_it() {
    for origin in ORIGINS {
        let mut before = true;
        all_fire_once_in_order(origin, |wheel, now| {
            let wake = wheel.next_wake().unwrap();
            before = !before && wake - 1 > now;
            if before { wake - 1 } else { wake }
        });
    }
}

#[test]
fn tick_by_tick_through_the_nearer_levels() {
    let mut wheel = Wheel::new();
    let end = 3 << 24;
    let deadlines: Vec<u64> = (0..end).step_by(4_099).collect();
    for deadline in &deadlines {
        wheel.insert(*deadline, *deadline);
    }
    let mut fired = Vec::new();
    for now in (0..=end).step_by(65_536) {
        while let Some(deadline) = wheel.expire(now) {
            assert!(deadline <= now && (now == 0 || deadline > now - 65_536));
            fired.push(deadline);
        }
    }
    assert_eq!(fired, deadlines);
}

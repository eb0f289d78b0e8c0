//! Every edge of the state machine.

use super::*;

#[test]
fn a_woken_task_is_queued_once_and_a_finished_one_never() {
    let state = State::queued_task();
    assert!(!state.wake());
    assert_eq!(state.begin(), Begin::Poll);
    assert!(state.wake());
    assert!(!state.wake());
    state.suspend();
    assert_eq!(state.begin(), Begin::Poll);
    state.future_left();
    state.finish(Outcome::Value);
    assert!(!state.wake());
    assert!(!state.relay());
    assert_eq!(state.stage(), Stage::Output);
}

#[test]
fn a_relayed_wake_passes_the_queue_twice_and_gives_way_to_a_direct_one() {
    let state = State::queued_task();
    assert_eq!(state.begin(), Begin::Poll);
    state.suspend();
    assert!(state.relay());
    assert!(!state.relay());
    assert!(state.wake());
    assert_eq!(state.begin(), Begin::Relay);
    assert!(!state.wake());
    assert_eq!(state.begin(), Begin::Poll);
    assert!(state.wake());
    assert!(!state.relay());
}

#[test]
fn requests_are_looked_at_before_the_poll_and_force_comes_first() {
    let state = State::queued_task();
    state.attend();
    assert_eq!(state.begin(), Begin::Attend);
    state.suspend();
    state.abort();
    assert!(state.wake());
    assert_eq!(state.begin(), Begin::Abort);
}

#[test]
fn every_outcome_has_its_stage() {
    for (outcome, stage) in [
        (Outcome::Value, Stage::Output),
        (Outcome::Cancelled, Stage::Cancelled),
        (Outcome::Panicked, Stage::Panic),
        (Outcome::Failed, Stage::Empty),
    ] {
        let state = State::queued_task();
        assert_eq!(state.outcome(), None);
        state.future_left();
        state.finish(outcome);
        assert_eq!(state.outcome(), Some(outcome));
        assert_eq!(state.stage(), stage);
        assert_eq!(state.output_left(), stage == Stage::Output);
        assert!(!state.output_left(), "a value leaves once");
    }
}

#[test]
fn a_cancelled_callback_leaves_nothing_in_its_stage() {
    let state = State::callback();
    assert!(state.cancel_callback() && state.take_callback());
    assert_eq!(state.stage(), Stage::Empty);
    assert!(!state.cancel_callback());
}

#[test]
fn the_holder_of_a_lent_future_owes_a_step_until_that_begins_or_the_task_has_ended() {
    let state = State::queued_task();
    state.lend();
    assert_eq!(state.begin(), Begin::PollProxy);
    state.tell();
    state.suspend();
    assert!(state.is_told());
    assert!(state.begin_lent() && !state.is_told());
    state.suspend();
    state.tell();
    state.finish(Outcome::Value);
    assert!(!state.is_told());
    assert_eq!(state.outcome(), Some(Outcome::Value));
}

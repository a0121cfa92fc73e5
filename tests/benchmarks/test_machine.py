"""The report says how busy the machine was."""

from tests.benchmarks.machine import Clock, as_sentence


def test_steal_is_the_share_of_all_time():
    before = Clock(1.25, (100, 0, 100, 800, 0, 0, 0, 0))
    later = Clock(9.0, (150, 0, 120, 820, 0, 0, 0, 10))
    facts = before.until(later)
    assert facts["steal"] == 10
    assert facts["load before"] == 1.25
    assert as_sentence(facts | {"MHz": 2100.4}) == (
        "the load average before was 1.2; 10.0 % of the processors' time went to other virtual machines; "
        "the processors ran at 2,100 MHz."
    )


def test_unknown_facts_are_left_out():
    facts = Clock(0.5, ()).until(Clock(0.5, ()))
    assert facts["steal"] is None
    assert as_sentence(facts | {"MHz": None}) == "the load average before was 0.5."


def test_this_machine_can_be_read():
    assert Clock.now().load >= 0

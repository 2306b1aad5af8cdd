from harness.clock import SimulatedClock, SystemClock


def test_simulated_time_moves_only_when_told() -> None:
    clock = SimulatedClock(wall_ms=1000)
    clock.advance(2_500_000)
    assert (clock.now_ns(), clock.wall_ms()) == (2_500_000, 1002)
    clock.sleep_ns(2_500_000)
    clock.sleep_ns(-1)
    assert clock.now_ns() == 5_000_000


def test_two_clocks_with_one_anchor_agree() -> None:
    clock = SystemClock(wall_at_zero_ns=SystemClock().wall_at_zero_ns - 10**12)
    other = SystemClock(clock.wall_at_zero_ns)
    first, second, third = clock.wall_ms(), other.wall_ms(), clock.wall_ms()
    assert first <= second <= third


def test_system_clock_never_falls_and_sleeps_long_enough() -> None:
    clock = SystemClock()
    before, wall = clock.now_ns(), clock.wall_ms()
    clock.sleep_ns(2_000_000)
    assert clock.now_ns() >= before + 2_000_000
    assert clock.wall_ms() >= wall + 1
    clock.sleep_ns(-1)  # returns

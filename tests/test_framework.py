"""The description of torch."""

import pytest
import torch

from workloads.framework import _one_line, describe_torch, settle_threads


def test_torch_describes_itself_in_one_line() -> None:
    framework = describe_torch()
    assert framework.name == "torch"
    assert framework.version == torch.__version__
    assert framework.threads == torch.get_num_threads()
    assert "\n" not in framework.build
    assert "CPU capability usage" in framework.build


def test_build_flags_lose_heading_bullets_and_doubled_spaces() -> None:
    shown = "PyTorch built with:\n  - GCC 13.3\n  - Build settings:  A=1, B=2, \n"
    assert _one_line(shown) == "GCC 13.3; Build settings: A=1, B=2"


@pytest.mark.parametrize(("asked", "settled"), [(None, 1), ("2", 2)])
def test_one_thread_unless_the_environment_asks(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, settled: int
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    settle_threads()
    assert torch.get_num_threads() == settled
    torch.set_num_threads(before)

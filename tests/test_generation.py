"""Generating: the engine against the plain model, and the system under test in all scenarios."""

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from toy import MS, toy_subject

from harness.clock import SystemClock
from harness.inference import Target, Task, infer
from harness.queries import read_query_log
from harness.records import InferenceSettings, Mode, RunStatus, Scenario
from harness.tracker import Tracker
from workloads import generation
from workloads.generation import Engine, Generating, drawn
from workloads.llama import Llama, LlamaShape, fresh_llama

SHAPE = LlamaShape(
    vocabulary=7, layers=1, width=8, heads=2, kv_heads=1, hidden=8, context=12,
    rope_base=100.0, norm_epsilon=1e-5, spread=1.0,
)  # fmt: skip
PROMPT, NEW, SAMPLES = 5, 6, 20
SEEDS = {"library": 2, "order": 3, "schedule": 4}


def model() -> Llama:
    return fresh_llama(SHAPE, torch.Generator().manual_seed(0)).eval()


class Prompts:
    """A library of random prompts and draws, all of them always loaded."""

    total_samples = performance_samples = SAMPLES

    def __init__(self) -> None:
        random = np.random.Generator(np.random.PCG64(0))
        self.prompt = random.integers(0, 7, (SAMPLES, PROMPT), dtype=np.uint8)
        self.draws = random.integers(0, 2**32, (SAMPLES, NEW), dtype=np.uint32)

    def load(self, indices: Any) -> None:
        pass

    def unload(self, indices: Any) -> None:
        pass

    def get(self, indices: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        if (indices >= SAMPLES).any():
            raise IndexError("no such sample")
        return {"prompt": self.prompt[indices], "draws": self.draws[indices]}


LIBRARY = Prompts()


def plainly(sample: int) -> list[int]:
    """The sample's answer: the whole sequence through the model for every token."""
    tokens = LIBRARY.prompt[sample].tolist()
    for draw in LIBRARY.draws[sample].tolist():
        with torch.inference_mode():
            shares = model()(torch.tensor([tokens]))[0, -1].double().softmax(-1).tolist()
        token, above = 0, shares[0]
        while above <= draw / 2**32:
            token += 1
            above += shares[token]
        tokens.append(token)
    return tokens[PROMPT:]


PLAIN = {sample: plainly(sample) for sample in range(SAMPLES)}


def share_right(answers: dict[int, Any]) -> float:
    return sum(answer == PLAIN[sample] for sample, answer in answers.items()) / SAMPLES


# ---- drawing


def test_a_draw_takes_the_token_in_whose_share_it_lies() -> None:
    logits = torch.log(torch.tensor([[0.25, 0.5, 0.25]])).expand(5, -1)
    draws = torch.tensor([0.0, 0.24, 0.26, 0.74, 1.0], dtype=torch.float64)
    assert drawn(logits, draws).tolist() == [0, 0, 1, 1, 2]


def test_tokens_come_as_often_as_they_are_probable() -> None:
    logits = torch.randn(1, 7, generator=torch.Generator().manual_seed(0))
    draws = (torch.arange(70_000, dtype=torch.float64) + 0.5) / 70_000
    counts = torch.bincount(drawn(logits.expand(70_000, -1), draws), minlength=7)
    assert torch.allclose(counts.double() / 70_000, logits.double().softmax(-1)[0], atol=2e-5)


# ---- engine


def test_sequences_that_join_and_leave_do_not_disturb_one_another() -> None:
    engine = Engine(model(), 4)
    prompts = torch.from_numpy(LIBRARY.prompt.astype(np.int64))
    draws = torch.from_numpy(LIBRARY.draws / 2**32)
    found: dict[int, list[int]] = {sample: [] for sample in range(4)}

    def note(samples: list[int], tokens: list[int]) -> None:
        for sample, token in zip(samples, tokens, strict=True):
            found[sample].append(token)

    with torch.inference_mode():
        note([0, 1], engine.join(prompts[:2], draws[:2]))
        note([0, 1], engine.advance())
        note([2], engine.join(prompts[2:3], draws[2:3]))
        note([0, 1, 2], engine.advance())
        engine.keep([0, 2])
        note([0, 2], engine.advance())
        note([3], engine.join(prompts[3:4], draws[3:4]))
        for _ in range(2):
            note([0, 2, 3], engine.advance())
    assert found[0] == PLAIN[0]
    assert {s: tokens == PLAIN[s][: len(tokens)] for s, tokens in found.items()} == dict.fromkeys(
        range(4), True
    )
    assert [len(found[s]) for s in range(4)] == [6, 3, 5, 3]


# ---- system under test


def measured(folder: Path, scenario: Scenario, mode: Mode) -> tuple[Any, Any]:
    settings = InferenceSettings(
        min_duration_ns=20 * MS, min_query_count=30, target_rate=400.0,
        latency_bound_ns=10**10, ttft_bound_ns=10**10, tpot_bound_ns=10**10,
    )  # fmt: skip
    target = Target("g:G", Generating(LIBRARY, model(), NEW), LIBRARY, share_right)
    task = Task(scenario, mode, settings, SEEDS)
    run = infer(target, task, folder, toy_subject(), SystemClock())
    return run, read_query_log((folder / "queries.npy").read_bytes(), "q")


@pytest.mark.parametrize("scenario", [s for s in Scenario if s != Scenario.TRAIN])
def test_every_scenario_counts_its_tokens(
    tmp_path: Path, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "MOST_TOGETHER", 8)
    run, log = measured(tmp_path / "r", scenario, Mode.PERFORMANCE)
    assert run.status == RunStatus.COMPLETE
    assert run.failed_queries == 0
    assert set(log["tokens"]) == {NEW}
    assert (log["first_token"] >= log["issued"]).all()
    assert (log["completed"] > log["first_token"]).all()


@pytest.mark.parametrize("scenario", [Scenario.SINGLE_STREAM, Scenario.OFFLINE])
def test_answers_are_those_of_the_plain_model(tmp_path: Path, scenario: Scenario) -> None:
    run, _ = measured(tmp_path / "r", scenario, Mode.ACCURACY)
    assert run.quality == 1.0


class Fails(Llama):
    def forward(self, *_: Any) -> Any:
        raise RuntimeError("out of memory")


def test_what_the_model_raises_fails_the_samples_and_the_system_goes_on() -> None:
    sut = Generating(LIBRARY, Fails(SHAPE), NEW)
    books = Tracker(SystemClock())
    for _ in range(2):
        sut.issue(books.enter(np.arange(SAMPLES)))
        assert books.wait(10**10)
    assert books.log["error"].all()
    assert {reason for _, reason in books.failures} == {"RuntimeError: out of memory"}


def test_a_sample_that_cannot_be_read_is_the_caller_s_to_hear_of() -> None:
    books = Tracker(SystemClock())
    with pytest.raises(IndexError, match="no such sample"):
        Generating(LIBRARY, model(), NEW).issue(books.enter(np.array([SAMPLES])))


def test_unwanted_work_is_dropped_and_the_idle_thread_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generation, "_IDLE_S", 0.01)
    sut = Generating(LIBRARY, model(), NEW)
    books = Tracker(SystemClock())
    for _ in range(100):
        sut.issue(books.enter(np.arange(SAMPLES)))
    books.close()
    deadline = time.monotonic() + 60
    while any(thread.name == "generation" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert (books.log["completed"] >= 0).sum() < 100 * SAMPLES
    again = Tracker(SystemClock(), keep=lambda _: True)
    sut.issue(again.enter(np.array([3])))
    assert again.wait(10**10)
    assert again.answers == {0: PLAIN[3]}

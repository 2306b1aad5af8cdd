"""Finding workloads: names, cards, scorers, digests, and what must not be imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from workloads import catalogue


def test_the_workload_is_found_and_its_card_bears_its_name() -> None:
    names = catalogue.workload_names()
    assert "image_classification" in names
    assert all(catalogue.load_card(name).name == name for name in names)


def test_an_unknown_workload_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="did you mean image_classification"):
        catalogue.load_card("image_clasification")


@pytest.mark.parametrize("name", ["../rules", "", "image_classification/.."])
def test_a_name_is_not_a_path(name: str) -> None:
    with pytest.raises(UsageError, match="no such workload"):
        catalogue.load_scorer(name)


def test_an_engine_is_found_and_a_misspelt_one_answered() -> None:
    spec = catalogue.engine_spec("image_classification", "onnx")
    assert spec == "workloads.image_classification.engines:Onnx"
    with pytest.raises(UsageError, match="did you mean compiled"):
        catalogue.engine_spec("image_classification", "compile")
    with pytest.raises(UsageError, match="known: eager, compiled, onnx"):
        catalogue.engine_spec("image_classification", "xyz")


def test_looking_and_scoring_import_neither_torch_nor_scikit_learn() -> None:
    program = (
        "import sys, workloads.catalogue as c\n"
        "c.load_card('image_classification'), c.workload_digest('image_classification')\n"
        "c.engine_spec('image_classification', 'compiled')\n"
        "score = c.load_scorer('image_classification')\n"
        "score(dict.fromkeys(range(896), 1))\n"
        "print('torch' in sys.modules, 'sklearn' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


def make_workload(root: Path) -> Path:
    folder = root / "toy"
    folder.mkdir()
    (folder / "card.toml").write_text("name = 'toy'")
    (folder / "model.py").write_text("WIDTH = 8")
    return folder


def test_the_digest_ignores_caches_and_sees_names_and_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "_ROOT", tmp_path)
    folder = make_workload(tmp_path)
    digest = catalogue.workload_digest("toy")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/model.cpython-311.pyc").write_bytes(b"compiled")
    (folder / "README.md").write_text("A page.")
    (folder / "rcp.json").write_text("[]")
    assert catalogue.workload_digest("toy") == digest
    (folder / "model.py").write_text("WIDTH = 9")
    changed = catalogue.workload_digest("toy")
    (folder / "model.py").rename(folder / "net.py")
    assert len({digest, changed, catalogue.workload_digest("toy")}) == 3


@pytest.mark.parametrize("name", catalogue.workload_names())
def test_the_shipped_points_serve(name: str) -> None:
    """Each point: as many runs as seeds, no seed twice, at most one of twenty lost."""
    points = catalogue.load_points(name)
    assert [p.global_batch_size for p in points] == sorted(p.global_batch_size for p in points)
    for point in points:
        assert len(set(point.seeds)) == len(point.samples_to_converge) >= 10
        lost = point.samples_to_converge.count(None)
        assert lost <= max(1, len(point.seeds) // 20)
        assert point.hyperparameters["global_batch_size"] == point.global_batch_size


POINT = """{"global_batch_size": 8, "samples_to_converge": [800, null], "seeds": [0, 1],
    "hyperparameters": {}, "measured_on": "here"}"""


def test_points_are_those_of_the_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_ROOT", tmp_path)
    folder = make_workload(tmp_path)
    assert catalogue.load_points("toy") == ()
    (folder / "rcp.standard.json").write_text(f"[{POINT}]")
    assert catalogue.load_points("toy") == ()
    (point,) = catalogue.load_points("toy.standard")
    assert point.samples_to_converge == (800, None)


@pytest.mark.parametrize("name", ["tyo", "", "..", "../toy", "toy/../toy"])
def test_what_is_not_installed_has_no_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(catalogue, "_ROOT", tmp_path)
    (make_workload(tmp_path) / "rcp.json").write_text(f"[{POINT}]")
    assert catalogue.load_points(name) == ()

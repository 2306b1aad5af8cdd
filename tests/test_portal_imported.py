"""A site of an imported round: boards, result pages, log pages, and our own bundles beside it."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from official_results import RUNS, checkout, imported, lora_lines, text, write
from portal_example import example
from test_portal_site import pages

from harness.cli import cli
from portal.boards import make_boards
from portal.imported import read_imported
from portal.imported_terms import as_card, as_points, asked
from portal.listing import OFFICIAL, Listing, Published, list_results
from portal.scores import compared_runs, scaling, score_interval
from portal.site import publish
from rules.mlperf.strict_terms import read_strict_terms
from rules.mlperf.terms import read_official_round
from submissions.keys import Keyring
from submissions.mlperf_imported import find_imported

ROUND = read_official_round("mlperf-training-5.1")
STRICT = read_strict_terms(ROUND.name)
BOARD = "r/mlperf-training-5.1/llama2_70b_lora/train/closed/index.html"


def read(folder: Path) -> list[Published]:
    found = find_imported(folder / "out")
    assert found is not None
    return [*read_imported(found, Keyring())]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A round of one system whose third log has a learning rate far out."""
    folder = checkout(tmp_path_factory.mktemp("imported"))
    lines = [
        (key, 99.0 if key == "opt_base_learning_rate" else value, metadata)
        for key, value, metadata in lora_lines(2)
    ]
    lines.insert(4, ("tracked_stats", {"loss": 1.0}, {}))
    write(folder / f"results/{RUNS}/result_2.txt", text(lines))
    imported(folder)
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    words = ["publish", str(folder / "out"), "--out", str(folder / "site")]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert (done.exit_code, "1 bundle in" in done.output) == (0, True)
    return folder / "site"


@pytest.fixture(scope="module")
def listing(folder: Path) -> Listing:
    (board,) = make_boards(list_results(read(folder)))
    return board.listings[0]


def test_a_result_with_strict_findings_is_ranked(listing: Listing) -> None:
    assert listing.errors == ()
    assert (listing.rank, listing.accepted) == (1, True)
    assert "MLPERF-17" in {finding.rule for finding in listing.warnings}
    assert listing.trust == "imported, unverified by us"


def test_the_score_is_the_published_one_with_its_interval(listing: Listing) -> None:
    value, runs = listing.entry.result.value, compared_runs(listing)
    assert value is not None
    assert runs is not None
    assert runs.score == pytest.approx(value)
    assert runs.reference == 3072
    assert score_interval(listing) is not None
    assert scaling(listing) is None


def test_every_link_and_anchor_of_the_site_resolves(site: Path) -> None:
    found = pages(site)
    for path, page in found.items():
        for link in page.links:
            address, _, anchor = link.partition("#")
            address = address.partition("?")[0]
            target = (path.parent / address).resolve() if address else path
            assert target.is_file(), f"{path}: {link}"
            assert not anchor or anchor in found[target].ids, f"{path}: {link}"


@pytest.mark.parametrize("pattern", ["index.html", BOARD, "x/*/index.html", "x/*/runs/3/*.html"])
def test_no_page_hides_that_it_is_imported(site: Path, pattern: str) -> None:
    (page,) = site.glob(pattern)
    assert "<strong>imported, unverified by us.</strong>" in page.read_text("utf-8")


def test_a_result_page_has_the_verdict_and_the_findings_with_their_lines(site: Path) -> None:
    (page,) = site.glob("x/*/index.html")
    told = page.read_text("utf-8")
    assert re.search(r"Verdict</th><td[^>]*>accepted", told)
    assert "Score with the factor" in told
    assert re.search(r'MLPERF-17.*?href="[^"]*runs/3/index.html#L\d+"', told, re.DOTALL)
    assert "levelfield check BUNDLE --reading official" in told
    assert "accelerator model name" in told


def test_a_log_page_holds_milestones_and_no_log_is_copied(site: Path) -> None:
    (page,) = site.glob("x/*/runs/3/index.html")
    told = page.read_text("utf-8")
    assert "run_stop" in told
    assert "tracked_stats" not in told
    assert "results/llama2_70b_lora/train/result_2/events.log" in told
    assert [*site.rglob("events.log")] == []


def test_what_its_own_tools_refuse_is_not_ranked(tmp_path: Path) -> None:
    checkout(tmp_path)
    for seed in (1, 2):
        write(tmp_path / f"results/{RUNS}/result_{seed}.txt", text(lora_lines(seed)[:-1]))
    imported(tmp_path)
    (board,) = make_boards(list_results(read(tmp_path)))
    (refused,) = board.refused
    assert board.ranked == ()
    assert {finding.rule for finding in refused.errors} == {OFFICIAL}
    told = publish(read(tmp_path), tmp_path / "site").parent / refused.address
    assert "2 files do not comply" in told.read_text("utf-8")


def test_imported_and_own_bundles_stand_on_one_site(folder: Path, tmp_path: Path) -> None:
    index = publish([*read(folder), *example()], tmp_path / "site")
    told, data = index.read_text("utf-8"), index.parent / "data/results.json"
    rounds = {one["round"] for one in json.loads(data.read_text("utf-8"))["results"]}
    assert "MLPerf Training v5.1" in told
    assert len(rounds) > 1


@pytest.mark.parametrize("name", ROUND.benchmarks)
def test_every_benchmark_has_a_card(name: str) -> None:
    benchmark = ROUND.benchmarks[name]
    card = as_card(name, benchmark, STRICT.benchmarks[name])
    assert all(len(text) > 3 for text in (card.task, card.model, card.data))
    assert card.training.target.met(benchmark.target.value)
    assert asked(benchmark)["global_batch_size"]


def test_epochs_are_told_in_samples() -> None:
    facts = STRICT.benchmarks["retinanet"]
    (point,) = as_points({256: [2.0004, 3]}, ROUND.benchmarks["retinanet"], facts)
    assert point.samples_to_converge == (2 * facts.train_samples, 3 * facts.train_samples)


def test_an_imported_bundle_is_compared_like_any_other(folder: Path) -> None:
    words = ["compare", str(folder / "out"), str(folder / "out"), "--json"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0
    (row,) = json.loads(done.output)["comparisons"]
    assert row["workload"] == "llama2_70b_lora"
    assert "cannot tell" in json.dumps(row)

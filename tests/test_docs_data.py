"""docs/data.md: the code in it works on the files of a site."""

import re
from pathlib import Path

import pytest
from portal_example import example

from portal.boards import make_boards
from portal.content import Content
from portal.data_files import write_data
from portal.listing import list_results

TEXT = (Path(__file__).parents[1] / "docs/data.md").read_text("utf-8")
CODE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    write_data(site, Content(tuple(make_boards(list_results(example())))))
    return site / "data"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("code", CODE, ids=["pandas", "duckdb", "snapshot"])
def test_the_code_works(code: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "duckdb" in code:
        pytest.importorskip("duckdb")
    monkeypatch.chdir(data)
    names: dict[str, object] = {}
    exec(compile(code, "docs/data.md", "exec"), names)
    if "pandas" in code:
        assert len(names["results"]) == 14  # type: ignore[arg-type]
        assert len(names["runs"]) == 40  # type: ignore[arg-type]


def test_it_names_every_file(data: Path) -> None:
    for path in data.iterdir():
        assert path.name == "index.html" or f"`{path.name}`" in TEXT

from pathlib import Path

import pytest

from harness.errors import LevelfieldError
from harness.system import Declared, System, find_system, read_declared

GOOD = 'id = "box"\nname = "Box"\norganisation = "Acme"\navailability = "available"\n'


def test_a_machine_is_found_out() -> None:
    import os
    import platform

    system = find_system(None, None)
    assert system.processor.threads == len(os.sched_getaffinity(0))
    assert system.software.python.endswith(platform.python_version())
    assert system.software.packages["numpy"]
    assert system.software.blas is not None
    assert System.model_validate_json(system.to_json()) == system


def test_nothing_names_the_host_or_the_user() -> None:
    import getpass
    import platform

    text = find_system(None, None).to_json()
    assert platform.node() not in text
    assert f'"{getpass.getuser()}"' not in text


def test_what_is_declared_is_added(tmp_path: Path) -> None:
    path = tmp_path / "system.toml"
    path.write_text(GOOD + 'price_usd = 1200.0\nprice_source = "shop"\n')
    system = find_system(read_declared(path), None)
    assert (system.id, system.name) == ("box", "Box")
    assert system.declared == Declared(
        id="box", name="Box", organisation="Acme", availability="available",
        price_usd=1200.0, price_source="shop",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('id = "Box!"\nname = "Box"\norganisation = "Acme"', "id"),
        ('id = "box"\nname = "Box"', "organisation"),
        (GOOD + "price_usd = -1.0\n", "price_usd"),
        (GOOD + "colour = 1\n", "colour"),
        (GOOD.replace('"available"', '"soon"'), "availability"),
        ("id = ", "not TOML"),
    ],
)
def test_a_bad_file_is_refused_by_field(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "system.toml"
    path.write_text(text)
    with pytest.raises(LevelfieldError, match=named):
        read_declared(path)

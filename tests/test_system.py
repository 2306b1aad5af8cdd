from pathlib import Path

import pytest

from harness.errors import LevelfieldError
from harness.price import Grid, Price
from harness.system import Declared, System, find_system, read_declared

GOOD = 'id = "box"\nname = "Box"\norganisation = "Acme"\navailability = "available"\n'
PRICE = """[price]
amount = 2
currency = "EUR"
kind = "on_demand"
source = "https://a.example/"
date = 2026-11-01
"""
GRID = """[grid]
g_co2_per_kwh = 350.0
region = "North"
source = "http://b.example/"
date = "2026-11-02"
"""


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
    path.write_text(GOOD + PRICE + GRID)
    system = find_system(read_declared(path), None)
    assert (system.id, system.name) == ("box", "Box")
    assert system.declared == Declared(
        id="box", name="Box", organisation="Acme", availability="available",
        price=Price(amount=2, currency="EUR", kind="on_demand", source="https://a.example/",
                    date="2026-11-01"),
        grid=Grid(g_co2_per_kwh=350.0, region="North", source="http://b.example/",
                  date="2026-11-02"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('id = "Box!"\nname = "Box"\norganisation = "Acme"', "id"),
        ('id = "box"\nname = "Box"', "organisation"),
        (GOOD + "price_usd = 1.0\n", "price_usd"),
        (GOOD + PRICE.replace("= 2\n", "= -2\n"), "price.amount"),
        (GOOD + PRICE.replace("EUR", "euro"), "price.currency"),
        (GOOD + PRICE.replace("https:", "javascript:"), "price.source"),
        (GOOD + PRICE.replace("2026-11-01", "2026-11-31"), "not TOML|price.date"),
        (GOOD + PRICE.replace("2026-11-01", '"yesterday"'), "price.date: not a day"),
        (GOOD + PRICE.replace("on_demand", "owned"), "price: an owned system needs amort"),
        (GOOD + PRICE + "utilisation = 0.5\n", "price: .* are for owned systems"),
        (GOOD + GRID.replace("350.0", "-1"), "grid.g_co2_per_kwh"),
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


def test_a_second_has_a_price() -> None:
    told = {"currency": "EUR", "source": "https://a.example/", "date": "2026-11-01"}
    assert Price(amount=7.2, kind="on_demand", **told).per_second == 0.002
    owned = Price(amount=31557600.0, kind="owned", amortisation_years=4, utilisation=0.5, **told)
    assert owned.per_second == 0.5


def test_a_joule_has_its_carbon() -> None:
    grid = Grid(g_co2_per_kwh=360.0, region="North", source="https://b.example/", date="2026-11-01")
    assert grid.kg_per_joule == pytest.approx(1e-7)

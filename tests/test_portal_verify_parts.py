"""Parts of the browser's verifier against the same parts in Python."""

import base64
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from chromium import needs_chromium
from playwright.sync_api import Browser, Page

from portal.content import Content
from portal.verify_page import write_verify
from submissions.curve import unsound
from submissions.manifest import bundle_id
from submissions.merkle import inclusion_ranges, leaf_hash, root_of
from submissions.strict_json import doubt

pytestmark = needs_chromium
DOUBTFUL = [
    "", " ", "{", "[1,]", "{,}", '{"a"}', '{"a":1,}', "01", "+1", "1.", ".5", "1e", "-", "tru",
    "nulll", '"', '"\\x"', '"\\u12"', '"\n"', '"\x7f"', '"\\ud83d\\ude00"', '"\\ude00\\ud83d"',
    "[[[[]]]]", "[" * 32 + "]" * 32, "[" * 33 + "]" * 33, "1 2", "-0", "0e5", "-0e5", "1e308",
    "1e309", "9007199254740991", "-9007199254740992", "12345678901234567890", "1E2", "NaN",
    "-Infinity", "Infinity", '{"a":1,"\\u0061":2}', '{"__proto__":1,"__proto__":2}',
    '{"__proto__":1}', '{"toString":1}', "toString", "constructor", "\ufeff1", "1\x00", "\x0b1",
    "é", '"é"', "'a'", "/**/1", "undefined", "true", "\t[ 1 , -2.5e-3 ]\r\n",
]  # fmt: skip


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    site = tmp_path_factory.mktemp("portal")
    write_verify(site, Content(()))
    page = browser.new_page()
    page.goto((site / "verify.html").as_uri())
    yield page
    page.close()


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_strict_json_is_as_strict(page: Page) -> None:
    found = page.evaluate(
        """texts => texts.map(text => {
          try { levelfield.json.parse(levelfield.bytes.ofBase64(text, "x"), "x"); return ""; }
          catch (error) { return error.message; }
        })""",
        [encoded(text.encode()) for text in DOUBTFUL],
    )
    for text, said in zip(DOUBTFUL, found, strict=True):
        assert bool(said) == bool(doubt(text.encode())), (text, said)


def test_decimals_are_written_alike(page: Page) -> None:
    chance = random.Random(1)
    values = [0.0, 1.0, 123.0, 1e15, 1e16, 1e17, 1e22, 123456.789, 1e-7, 5e-324, 1.7e308, 0.1]
    values += [chance.uniform(-1, 1) * 10 ** chance.randrange(-30, 30) for _ in range(500)]
    found = page.evaluate("values => values.map(levelfield.content.decimal)", values)
    assert found == [format(Decimal(repr(value)), "f") for value in values]


def test_bundles_get_the_same_ids(page: Page) -> None:
    digests = [random.Random(n).randbytes(32).hex() for n in range(50)]
    found = page.evaluate("digests => digests.map(levelfield.bytes.idOf)", digests)
    assert found == list(map(bundle_id, digests))


def test_the_same_keys_are_sound(page: Page) -> None:
    p = 2**255 - 19
    order_8 = 2707385501144840649318225287225658788936804267575313519463743609750303021258
    points = [0, 1, 2, p - 1, p, p + 1, 2**255 - 1, 1 << 255, (1 << 255) | 1, (1 << 255) | (p - 1)]
    points += [order_8, p - order_8, order_8 | 1 << 255]
    raws = [point.to_bytes(32, "little") for point in points]
    raws += [random.Random(n).randbytes(32) for n in range(20)] + [b"", bytes(31)]
    found = page.evaluate(
        'raws => raws.map(raw => levelfield.bytes.unsound(levelfield.bytes.ofBase64(raw, "x")))',
        list(map(encoded, raws)),
    )
    assert found == [unsound(raw) or "" for raw in raws]
    assert {"a point of small order, which verifies any message", ""} <= set(found)


def test_proofs_of_inclusion_hold_in_trees_of_every_size(page: Page) -> None:
    proofs: list[dict[str, Any]] = []
    for size in range(1, 20):
        leaves = [leaf_hash(bytes([number])) for number in range(size)]
        for index in range(size):
            steps = [root_of(leaves[a:b]).hex() for a, b in inclusion_ranges(index, size)]
            whole = {"leaf": leaves[index].hex(), "size": size, "root": root_of(leaves).hex()}
            proofs.append({**whole, "index": index, "steps": steps, "holds": True})
            for wrong in ([*steps, "00" * 32], steps[1:] if steps else ["00" * 32], steps[::-1]):
                if wrong != steps:
                    proofs.append({**whole, "index": index, "steps": wrong, "holds": False})
            proofs.append({**whole, "index": size, "steps": steps, "holds": False})
    found = page.evaluate(
        """proofs => Promise.all(proofs.map(one => {
          const hex = levelfield.bytes.ofHex;
          return levelfield.log.included(hex(one.leaf), one.index, one.size, one.steps.map(hex),
            hex(one.root));
        }))""",
        proofs,
    )
    assert found == [one["holds"] for one in proofs]

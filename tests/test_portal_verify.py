"""The verifier in the browser says of every bundle what the one in Python says."""

import base64
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bad_bundles import BAD, ZIPS, files_of, zip_bytes
from chromium import needs_chromium
from playwright.sync_api import Browser, Page
from verify_cases import Case, write
from verify_judged import files_of_case, golden, good_files, reason_of

from portal.content import Content
from portal.verify_page import write_verify

CASES = golden()
KEYRING = CASES["good"].keyring or ""
browser = needs_chromium
VERIFY = """async ({files, zip, keyring, log}) => {
  const lv = levelfield, blob = (data, name) => new Blob([lv.bytes.ofBase64(data, name)]);
  const blobs = new Map();
  for (const path of Object.keys(files)) { blobs.set(path, blob(files[path], path)); }
  try {
    const trust = await lv.trust.fromProof({keyring, log, standing: null});
    const source = zip === null ? lv.source.folder(blobs)
      : lv.source.zip(blob(zip, "zip"), "the zip");
    return await lv.verify(source, trust, () => {});
  } catch (error) {
    return {verdict: "refused", level: "L0", step: null, reason: error.message};
  }
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The verify page of an empty site, which stands for all."""
    site = tmp_path_factory.mktemp("portal")
    write_verify(site, Content(()))
    page = browser.new_page()
    page.goto((site / "verify.html").as_uri())
    yield page
    page.close()


def in_browser(page: Page, files: dict[str, bytes], **more: Any) -> dict[str, Any]:
    data = {path: base64.b64encode(held).decode() for path, held in files.items()}
    asked = {"files": data, "zip": None, "keyring": KEYRING, "log": None, **more}
    found: dict[str, Any] = page.evaluate(VERIFY, asked)
    return found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_python_judges_the_golden_cases(case: Case) -> None:
    level, reason = reason_of(files_of_case(case), case.keyring or "", case.log)
    assert level == case.level
    assert re.search(case.reason, reason)
    assert bool(reason) == bool(case.reason)


def test_there_are_good_and_bad_cases_of_every_step() -> None:
    assert len(CASES) > 60
    assert {case.step for case in CASES.values()} >= {None, 2, 3, 4, 5, 6, 7, 9, 10}
    assert {case.level for case in CASES.values()} == {"L0", "L1", "L2"}


class TestBrowser:
    """What needs Chromium."""

    pytestmark = browser

    @pytest.mark.parametrize("case", CASES.values(), ids=CASES)
    def test_judges_the_golden_cases_alike(self, page: Page, case: Case) -> None:
        found = in_browser(page, files_of_case(case), keyring=case.keyring, log=case.log)
        assert found["verdict"] == ("refused" if case.reason else "verified")
        assert (found["step"] if case.reason else None) == case.step
        assert found["level"] == case.level
        assert re.search(case.reason, found.get("reason", ""))

    @pytest.mark.parametrize("name", BAD)
    def test_refuses_every_bad_bundle_by_name(self, page: Page, tmp_path: Path, name: str) -> None:
        root = write(tmp_path / "bundle", files_of_case(CASES["good-signed-only"]))
        BAD[name].spoil(root)
        found = in_browser(page, files_of(root))
        assert found["verdict"] == "refused"
        assert re.search(BAD[name].reason, found["reason"]), found["reason"]

    @pytest.mark.parametrize("name", ZIPS)
    def test_refuses_every_bad_zip_by_name(self, page: Page, name: str) -> None:
        spoil, reason = ZIPS[name]
        data = base64.b64encode(spoil(good_files())).decode()
        found = in_browser(page, {}, zip=data)
        assert found["verdict"] == "refused"
        assert re.search(reason, found["reason"]), found["reason"]

    @pytest.mark.parametrize("pack", [False, True], ids=["stored", "deflated"])
    def test_a_good_zip_is_good(self, page: Page, pack: bool) -> None:
        data = base64.b64encode(zip_bytes(good_files(), pack=pack)).decode()
        found = in_browser(page, {}, zip=data)
        assert (found["verdict"], found["level"]) == ("verified", "L2")

    @pytest.mark.parametrize("seed", range(8))
    def test_any_byte_that_changes_is_found_by_both(self, page: Page, seed: int) -> None:
        chance, good = random.Random(seed), good_files()
        for _ in range(8):
            path = chance.choice([path for path in good if good[path]])
            at, bit = chance.randrange(len(good[path])), 1 << chance.randrange(8)
            data = bytearray(good[path])
            data[at] ^= bit
            files = {**good, path: bytes(data)}
            found, (_, reason) = in_browser(page, files), reason_of(files, KEYRING, None)
            assert reason, (path, at)
            assert found["verdict"] == "refused", (path, at)

    @pytest.mark.parametrize("path", ["../up", "a\\b", "a\u202eb", ".git", "nul.txt", "a" * 101])
    def test_a_doubtful_name_is_refused(self, page: Page, path: str) -> None:
        found = in_browser(page, {**good_files(), path: b"{}"})
        assert (found["verdict"], found["step"]) == ("refused", 1)
        assert "refused as a path" in found["reason"]

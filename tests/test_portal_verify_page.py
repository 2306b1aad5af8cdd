"""Verifying in a real browser: the picker, the file to take along, and "Verify here"."""

import base64
import hashlib
import json
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from bad_bundles import files_of, zip_bytes
from chromium import needs_chromium
from playwright.sync_api import Browser, Page
from verify_site import Site, make_site

from portal.content import Content
from portal.proof import keyring_of
from portal.rendering import STATIC
from portal.verify_page import CORE, PAGE, write_verify

browser_tests = needs_chromium
WITHOUT_ED25519 = """
  const original = crypto.subtle.importKey.bind(crypto.subtle);
  crypto.subtle.importKey = (format, data, algorithm, ...rest) => algorithm.name === "Ed25519"
    ? Promise.reject(new DOMException("no", "NotSupportedError"))
    : original(format, data, algorithm, ...rest);
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("verify"))


@pytest.fixture(scope="module")
def served(site: Site) -> Iterator[str]:
    """The site's address over http, below a path."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    handler = partial(Quiet, directory=str(site.folder.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{site.folder.name}/"
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page; whatever it complains about fails the test."""
    page, complaints = browser.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert complaints == []


def verdict(page: Page) -> tuple[str, str]:
    """What all steps come to, in a word and in a sentence."""
    found = page.wait_for_selector(".verify-result[data-verdict]")
    assert found is not None
    return found.get_attribute("data-verdict") or "", page.locator(".verify-sum").inner_text()


def state(page: Page, step: int) -> str:
    return page.locator(".verify-steps li").nth(step).inner_text()


def drop(page: Page, path: Path) -> None:
    """As a hand would drop a file or a folder."""
    box = page.locator("#verify-drop").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    held = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    place = {"x": box["x"] + 30, "y": box["y"] + 30}
    for event in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": event, "data": held, **place})


def test_the_files_policy_allows_its_own_script_and_style_alone(tmp_path: Path) -> None:
    write_verify(tmp_path, Content(()))
    text = (tmp_path / "verify.html").read_text("utf-8")
    policy = re.search(r'Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    for tag in ("script", "style"):
        (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.S)
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy[1]
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', text) == []
    assert "style=" not in re.sub(r"<script>.*?</script>", "", text, flags=re.S)


def test_no_script_writes_markup_or_evaluates() -> None:
    for name in (*CORE, PAGE, "verify-here.js"):
        text = (STATIC / name).read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text)
        assert "</" not in text


class TestBrowser:
    """What needs Chromium."""

    pytestmark = browser_tests

    @pytest.mark.parametrize("address", ["verify/index.html", "verify.html"])
    def test_a_folder_is_verified(self, page: Page, site: Site, address: str) -> None:
        page.goto((site.folder / address).as_uri())
        page.set_input_files("#verify-folder", site.signed.root)
        word, text = verdict(page)
        assert word == "verified"
        assert "signed by acme" in text
        assert "countersigned by lab" in text

    def test_a_zip_is_verified(self, page: Page, site: Site, tmp_path: Path) -> None:
        (tmp_path / "b.zip").write_bytes(zip_bytes(files_of(site.signed.root), pack=True))
        page.goto((site.folder / "verify/index.html").as_uri())
        page.set_input_files("#verify-zip", tmp_path / "b.zip")
        assert verdict(page)[0] == "verified", verdict(page)[1]

    def test_the_log_of_a_bundle_that_the_site_knows(self, page: Page, site: Site) -> None:
        page.goto((site.folder / "verify/index.html").as_uri())
        page.set_input_files("#verify-folder", site.logged.root)
        assert verdict(page)[0] == "verified", verdict(page)[1]
        assert "proved to be in the log a.example/p" in state(page, 9)
        assert "submitted: " in state(page, 11)

    def test_an_unsigned_bundle_is_refused(self, page: Page, site: Site) -> None:
        page.goto((site.folder / "verify/index.html").as_uri())
        page.set_input_files("#verify-folder", site.unsigned.root)
        word, text = verdict(page)
        assert word == "refused"
        assert "unsigned" in text

    def test_a_change_turns_the_step_red_and_names_the_file(
        self, page: Page, site: Site, tmp_path: Path
    ) -> None:
        root = Path(shutil.copytree(site.signed.root, tmp_path / "bundle"))
        log = next(root.rglob("events.log"))
        log.write_bytes(log.read_bytes().replace(b"run_start", b"run_stars"))
        page.goto((site.folder / "verify/index.html").as_uri())
        page.set_input_files("#verify-folder", root)
        word, text = verdict(page)
        assert word == "refused"
        assert f"{log.relative_to(root)}: its SHA-256 differs" in text
        assert page.locator(".verify-steps li.failed").count() == 1
        assert "failed" in state(page, 7)
        assert "not reached" in state(page, 3)
        page.set_input_files("#verify-folder", site.signed.root)
        page.wait_for_selector(".verify-result[data-verdict=verified]")

    def test_keys_of_the_readers_own_count_alone(
        self, page: Page, site: Site, tmp_path: Path
    ) -> None:
        lab = [key for key in site.signed.keyring.keys if key.organisation == "lab"]
        (tmp_path / "lab.json").write_text(keyring_of(lab))
        page.goto((site.folder / "verify/index.html").as_uri())
        page.set_input_files("#verify-folder", site.signed.root)
        assert verdict(page)[0] == "verified", verdict(page)[1]
        page.click("summary")
        page.set_input_files("#verify-extra", tmp_path / "lab.json")
        page.wait_for_selector(".verify-result[data-verdict=refused]")
        assert "signed by an unknown key" in state(page, 3)
        (tmp_path / "bad.json").write_text('{"keys": 1, "keys": 2}')
        page.set_input_files("#verify-extra", tmp_path / "bad.json")
        page.wait_for_selector("text=duplicate key")
        assert page.locator(".verify-steps").count() == 0

    def test_receipts_of_the_readers_own(self, page: Page, site: Site, tmp_path: Path) -> None:
        text = (site.folder / f"verify/proofs/{site.logged.id}.js").read_text()
        proof = json.loads(text.partition(" = ")[2].removesuffix(";\n"))
        (tmp_path / "keyring.json").write_text(proof["keyring"])
        (tmp_path / "receipt.json").write_text(proof["log"]["receipts"][0])
        page.goto((site.folder / "verify.html").as_uri())
        page.set_input_files("#verify-folder", site.logged.root)
        assert verdict(page)[0] == "verified", verdict(page)[1]
        assert "not possible here" in state(page, 9)
        page.click("summary")
        page.set_input_files(
            "#verify-extra", [tmp_path / "keyring.json", tmp_path / "receipt.json"]
        )
        page.wait_for_selector("li:has-text('proved to be in the log')")
        page.set_input_files("#verify-extra", tmp_path / "receipt.json")
        page.wait_for_selector("li:has-text('proved to be in the log')")

    def test_a_rounds_zip_is_replayed_without_the_site(self, page: Page, site: Site) -> None:
        page.goto((site.folder / "verify.html").as_uri())
        page.set_input_files("#verify-folder", site.logged.root)
        assert verdict(page)[0] == "verified", verdict(page)[1]
        assert "the zip of one can be given beside keys" in state(page, 11)
        page.click("summary")
        page.set_input_files("#verify-extra", site.folder / "log/practice.zip")
        page.wait_for_selector("li:has-text('Replayed here, all 1 entries of the log')")
        assert verdict(page)[0] == "verified", verdict(page)[1]
        assert "as entry 0" in state(page, 9)
        page.set_input_files("#verify-folder", site.signed.root)
        page.wait_for_selector(".verify-result[data-verdict=refused]")
        assert "signed by an unknown key" in state(page, 3)

    def test_here_over_http_every_file_is_fetched_and_hashed(
        self, page: Page, site: Site, served: str
    ) -> None:
        requests = list[str]()
        page.on("request", lambda request: requests.append(request.url))
        address = site.page(site.logged.id).relative_to(site.folder)
        page.goto(f"{served}{address}")
        assert not [url for url in requests if re.search("core.js|proofs|logs/", url)]
        page.click("text=Verify here")
        assert verdict(page)[0] == "verified", verdict(page)[1]
        assert "proved to be in the log" in state(page, 9)
        assert {url for url in requests if not url.startswith(served)} == set()

    def test_here_a_changed_file_on_the_site_is_found(
        self, page: Page, site: Site, served: str
    ) -> None:
        shown = site.page(site.logged.id)
        log = shown.parent / "runs/1/events.log"
        whole = log.read_bytes()
        log.write_bytes(whole[:-2] + b" \n")
        try:
            page.goto(f"{served}{shown.relative_to(site.folder)}")
            page.click("text=Verify here")
            word, text = verdict(page)
        finally:
            log.write_bytes(whole)
        assert word == "refused"
        assert "events.log: its SHA-256 differs" in text

    def test_here_in_a_file_says_what_it_cannot_read(self, page: Page, site: Site) -> None:
        page.goto(site.page(site.logged.id).as_uri())
        page.click("text=Verify here")
        word, text = verdict(page)
        assert word == "partial"
        assert "Not checked: every file (step 7)" in text
        assert "may not read others" in state(page, 7)
        assert "done" in state(page, 6)

    def test_without_ed25519_it_says_so_and_gives_the_command(self, page: Page, site: Site) -> None:
        page.add_init_script(WITHOUT_ED25519)
        page.goto((site.folder / "verify/index.html").as_uri())
        page.set_input_files("#verify-folder", site.signed.root)
        word, text = verdict(page)
        assert word == "partial"
        assert "Verified" not in text
        assert "levelfield verify BUNDLE" in state(page, 3)

    def test_without_scripts_the_command_stands_there(self, browser: Browser, site: Site) -> None:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto((site.folder / "verify/index.html").as_uri())
        assert page.locator("text=levelfield verify BUNDLE").first.is_visible()
        assert page.locator("#verify-drop").is_hidden()
        page.goto(site.page(site.logged.id).as_uri())
        assert page.locator("text=Verify here").is_hidden()
        context.close()

    @pytest.mark.parametrize("width", [390, 1280, 2560])
    def test_within_the_width_with_names_that_are_hostile(
        self, browser: Browser, site: Site, width: int, tmp_path: Path
    ) -> None:
        root = Path(shutil.copytree(site.signed.root, tmp_path / "bundle"))
        (root / f"<img src=x onerror=alert(1)>{'w' * 200}").write_text("x")
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        page.goto((site.folder / "verify/index.html").as_uri())
        page.set_input_files("#verify-folder", root)
        word, text = verdict(page)
        assert word == "refused"
        assert "<img" in text
        assert page.locator(".verify-result img").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()

    def test_a_folder_that_is_dropped_is_read_where_the_browser_lets_us(
        self, page: Page, site: Site, served: str
    ) -> None:
        page.goto(f"{served}verify/index.html")
        drop(page, site.signed.root)
        assert verdict(page)[0] == "verified"
        page.goto((site.folder / "verify/index.html").as_uri())
        drop(page, site.signed.root)
        assert "Choose it with the button" in verdict(page)[1]

    def test_a_zip_that_is_dropped_is_read(self, page: Page, site: Site, tmp_path: Path) -> None:
        (tmp_path / "b.zip").write_bytes(zip_bytes(files_of(site.signed.root)))
        page.goto((site.folder / "verify.html").as_uri())
        drop(page, tmp_path / "b.zip")
        assert verdict(page)[0] == "verified"

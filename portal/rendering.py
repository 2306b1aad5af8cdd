"""Templates to pages: escaping is on, an undefined name is an error, links are relative."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from portal.slugs import organisation_address, round_address, system_address

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


def is_web_link(text: object) -> bool:
    """Whether ``text`` from a bundle may become a link: http or https with a host, no spaces."""
    if not isinstance(text, str) or any(c.isspace() or not c.isprintable() for c in text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def plural(count: int, noun: str) -> str:
    """``1 run``, ``2 runs``, ``1,024 samples``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


_PRIVATE = ContextVar("private", default=False)


@contextmanager
def pages_are_private(private: bool) -> Iterator[None]:
    """Whether pages that are rendered inside say that they are not for the public."""
    token = _PRIVATE.set(private)
    try:
        yield
    finally:
        _PRIVATE.reset(token)


def is_private() -> bool:
    """Whether the pages that are being rendered are not for the public."""
    return _PRIVATE.get()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["is_web_link"] = is_web_link
    environment.globals["plural"] = plural
    environment.globals["is_private"] = is_private
    for address in (round_address, organisation_address, system_address):
        environment.globals[address.__name__] = address
    return environment


def prepare() -> None:
    """Compile every template, so that processes that are forked from this one need not."""
    for name in _environment().list_templates():
        _environment().get_template(name)


def root_of(address: str) -> str:
    """The way from the page at ``address`` back up to the root of the site."""
    return "../" * address.count("/")


def render(template: str, /, **values: Any) -> str:
    """The text of ``template``."""
    return _environment().get_template(template).render(values)


def write_page(site: Path, address: str, template: str, /, **values: Any) -> None:
    """Render ``template`` to ``address`` below ``site``; ``root`` leads back up from there."""
    text = render(template, **{"root": root_of(address), "here": "", "crumbs": (), **values})
    path = site / address
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.lstrip(), "utf-8")

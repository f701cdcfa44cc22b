"""The files that pages load: a closed list, kept by browsers, and headers that let nothing else in."""

from __future__ import annotations

import re

import pytest
import requests

from tests.web.browser import Browser
from web import static


def test_the_files_of_a_page_are_there_and_are_kept(service: str) -> None:
    page = Browser(service).see("/sign-in").text
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(addresses) >= 3
    for address in addresses:
        answer = requests.get(service + address, timeout=10)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert re.findall(r'(?:src|href|action)="(https?:|//)', page) == [], "nothing is loaded from elsewhere"


def test_the_charts_program_is_the_one_of_its_package_packed(service: str) -> None:
    address = service + static.address("bokeh.min.js")
    packed = requests.get(address, timeout=30)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < 500_000
    plain = requests.get(address, headers={"Accept-Encoding": "identity"}, timeout=30)
    assert "Content-Encoding" not in plain.headers
    assert plain.content == packed.content
    assert b"Bokeh" in plain.content


@pytest.mark.parametrize(
    "path",
    ["/static/x/pages.css", "/static/x/app.py", "/static/../app.py", "/static/x/..%2f..%2fapp.py", "/static/x/%2e%2e",
     "/static/x/pages.css%00", "/static/x/\\..\\app.py"],
)  # fmt: skip
def test_nothing_else_lies_there(service: str, path: str) -> None:
    prepared = requests.Request("GET", service).prepare()
    prepared.url = service + path
    with requests.Session() as session:
        assert session.send(prepared, timeout=10).status_code == 404


def test_a_name_that_is_not_in_the_list_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError, match=r"pages\.css"):
        static.address("nothing.js")


def test_a_page_lets_a_browser_do_only_what_it_needs(service: str) -> None:
    first, second = (Browser(service).see("/sign-in").headers["Content-Security-Policy"] for _ in range(2))
    assert "unsafe" not in first
    assert "default-src 'none'" in first
    assert "script-src 'self';" in first
    assert "frame-ancestors 'none'" in first
    assert first != second, "the nonce is another one each time"


def test_the_charts_script_stands_before_the_program_whose_styles_it_signs() -> None:
    """The program makes styles as soon as it is loaded: without the nonce the browser would block them."""
    page = (static._HERE.parents[1] / "quality/pages/templates/quality/department.html").read_text(encoding="utf-8")
    assert page.index("charts.js") < page.index("bokeh.min.js")

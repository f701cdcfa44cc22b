"""Hostile use of the pages: scripts in titles and reasons, forged and huge forms, planted sessions, odd addresses."""

from __future__ import annotations

import json
import socket
from contextlib import closing

import pytest
import requests

from hub.visitor import DEPARTMENT
from hub.words import Words
from quality.issues import service as issues
from quality.pages import charts, report
from quality.pages.routes import today
from quality.scores.service import Point
from tests.departments import ORGAN
from tests.quality.pages.conftest import EVIL, OTHER, Pages, pages, stock
from tests.web.browser import PASSWORD, Browser, form_word
from web import forms

__all__ = ["pages", "stock"]

SCRIPT = "<img src=x onerror=alert(1)>"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_title_that_is_a_script_is_only_shown(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    code, entry = pages.issue(OTHER), pages.entry("other")
    every = [
        "/quality", f"/quality/organs/{OTHER}", "/quality/issues", f"/quality/issues/{code}", "/quality/quarantine",
        f"/quality/records/quarantined/{entry}", f"/quality/organs/{OTHER}/report/{today():%Y-%m}?language=en",
    ]  # fmt: skip
    for path in every:
        text = steward.see(path).text
        assert EVIL not in text, path
        assert "&lt;script&gt;alert(" in text, f"{path} shows the title as it is"


def test_reasons_values_and_filters_are_only_shown(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    code = pages.issue(ORGAN)
    issues.note(pages.runtime.engine, code, actor="account:anna", reason=SCRIPT)
    assert SCRIPT not in steward.see(f"/quality/issues/{code}").text
    record = f"/quality/records/quarantined/{pages.entry('labour')}"
    back = steward.fill_in(
        f"{record}/propose", {"to:/PHASE_CODE": f'"><script>{SCRIPT}', "reason": SCRIPT}, page=record
    )
    assert back.status_code == 409
    assert SCRIPT not in back.text
    for path in ("/quality/quarantine", "/quality/issues"):
        for name in ("source", "stream", "field", "rule", "organ", "status", "severity", "done"):
            assert SCRIPT not in steward.see(path, params={name: f'"><script>{SCRIPT}'}).text, (path, name)
    assert SCRIPT not in steward.see("/no/such/page", params={"q": SCRIPT}).text
    assert SCRIPT not in steward.see(f"/quality/issues/{SCRIPT}").text


def test_a_chart_cannot_end_its_script_element() -> None:
    made = charts.trend([Point(today(), 1, 2, {}, 0), Point(today(), 2, 2, {}, 0)], Words("zh"))
    assert not {"<", ">", "&"} & set(made)
    assert json.loads(made)["root_id"]


def test_a_form_without_its_word_does_nothing(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    code = pages.issue(ORGAN)
    target = f"{pages.url}/quality/issues/{code}/acknowledge"
    other = pages.browser("steward", "bernd")
    words = [
        None,
        "",
        "wrong",
        form_word(other.see("/quality").text),
        form_word(Browser(pages.url).see("/sign-in").text),
    ]
    for word in words:
        fields = {"reason": "forged"} | ({} if word is None else {"form_word": word})
        answer = steward.post(target, fields, headers={"Origin": "https://evil.example"}, timeout=10)
        assert answer.status_code == 403, word
    assert issues.found(pages.runtime.engine, code).status == "new"
    sign_out = steward.post(f"{pages.url}/sign-out", {"a": "b"}, timeout=10)
    assert sign_out.status_code == 403
    assert steward.see("/quality").url.endswith("/quality"), "nobody signs others out"


def test_signing_in_is_no_form_of_another_site(pages: Pages) -> None:
    """Else a stranger could sign a victim in as the stranger, and read what the victim then writes."""
    pages.browser("steward", "anna")
    victim = Browser(pages.url)
    word = form_word(Browser(pages.url).see("/sign-in").text)
    answer = victim.post(f"{pages.url}/sign-in", {"code": "anna", "password": PASSWORD, "form_word": word}, timeout=10)
    assert answer.status_code == 403
    assert "hub_session" not in victim.cookies


def test_nothing_is_done_by_an_address_alone(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    code, entry = pages.issue(ORGAN), pages.entry("labour")
    for path in (f"/quality/issues/{code}/acknowledge", f"/quality/records/quarantined/{entry}/reveal", "/sign-out"):
        assert steward.see(path).status_code == 405, path


def test_huge_slow_and_broken_forms_are_refused(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    steward = pages.browser("steward", "anna")
    target = f"{pages.url}/quality/issues/{pages.issue(ORGAN)}/note"

    def status(body: bytes, **headers: str) -> int:
        return steward.post(target, body, headers=FORM | headers, timeout=30).status_code

    assert status(b"reason=" + b"x" * (forms.MOST_BYTES + 1)) == 413
    assert status(b"&".join(b"a%d=1" % number for number in range(forms.MOST_FIELDS + 1))) == 400
    assert status(b"reason=%ff%fe") == 400
    assert status("reason=é".encode()) == 400
    assert status(b"reason=a&reason=b") == 400
    assert status(b"reason=%00") == 400
    assert status(b"{}", **{"Content-Type": "application/json"}) == 415
    assert status(b"--x\r\n", **{"Content-Type": "multipart/form-data; boundary=x"}) == 415
    monkeypatch.setattr(forms, "SECONDS", 0.5)
    host, port = pages.url.removeprefix("http://").split(":")
    cookies = "; ".join(f"{one.name}={one.value}" for one in steward.cookies)
    with closing(socket.create_connection((host, int(port)), timeout=20)) as caller:
        path = target.removeprefix(pages.url)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\nContent-Length: 100\r\n"
        caller.sendall((head + "Content-Type: application/x-www-form-urlencoded\r\n\r\nreason=a").encode())
        assert b" 408 " in caller.recv(4096)


def test_answers_carry_no_header_of_a_callers_making(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    for query in ("to=/%0d%0aX-Evil:%201", "to=/%0aSet-Cookie:%20a=b"):
        answer = requests.get(f"{pages.url}/language/en?{query}", timeout=10, allow_redirects=False)
        assert "X-Evil" not in answer.headers
        assert answer.headers["Location"] == "/"
        assert "a=b" not in answer.headers["Set-Cookie"]
    for organ in ("x%0d%0aX-Evil: 1", '";evil="', "..%2f..%2fetc"):
        answer = steward.see(f"/quality/organs/{organ}/report/{today():%Y-%m}")
        assert answer.status_code in (400, 404)
        assert "X-Evil" not in answer.headers


ODD = (
    "/quality/organs/%2e%2e",
    "/quality/organs/..%2f..%2fetc%2fpasswd",
    "/quality/organs/%00",
    "/quality/organs/' OR 1=1--",
    "/quality/records/quarantined/1;DROP",
    "/quality/records/quarantined/99999999999999999999999",
    "/quality/records/quarantined/-1",
    "/quality/records/quarantined/１",
    "/quality/records/%2e%2e/1",
    "/quality/issues/%00",
    "/quality/issues?from=-1",
    "/quality/issues?from=x",
    "/quality/issues?organ=%00",
    "/quality?level=../x",
    "/quality/quarantine?after=1e9",
    f"/quality/quarantine?source={'x' * 5000}",
    "/quality/organs/x/report/2026-13",
    "/quality/organs/x/report/../../x",
)


def test_odd_addresses_are_refused_and_break_nothing(pages: Pages) -> None:
    steward = pages.browser("steward", "anna")
    for path in ODD:
        assert steward.see(path).status_code in (200, 400, 404), path


def test_a_report_can_run_nothing(pages: Pages) -> None:
    text = report.text(pages.runtime.engine, pages.runtime.settings, OTHER, today().replace(day=1), "zh")
    assert text is not None
    assert "<script" not in text.lower()
    assert "javascript:" not in text.lower()
    assert "机密意见" not in text


def test_cookies_that_are_no_sessions_are_nobodys(pages: Pages) -> None:
    for value in ("x", "x" * 5000, "%00", '"', "a" * 43, "éé"):
        stranger = Browser(pages.url)
        stranger.headers["Cookie"] = f"hub_session={value}".encode().decode("latin-1")
        assert stranger.get(f"{pages.url}/quality", allow_redirects=False, timeout=10).status_code in (303, 400)


def test_a_department_steward_cannot_make_a_report_of_others(pages: Pages) -> None:
    steward = pages.browser(DEPARTMENT)
    assert steward.see(f"/quality/organs/{OTHER}/report/{today():%Y-%m}").status_code == 404
    assert steward.see(f"/quality/organs/{ORGAN}/report/{today():%Y-%m}").status_code == 200

"""The REST service of the demonstration answers as a real one: token, pages, limits, and never a path outside."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from lxml import etree

from connectors.loading import load_sources
from demo.model import Placed
from demo.services.rest import Service
from demo.services.settings import settings_of
from demo.services.soap import row
from demo.shapes.layout import department_place
from demo.shapes.registry import SHAPES
from demo.shapes.store import STORE, read_page
from hub.records import Slice
from kit.preview import NothingKnown
from kit.subject import Subject
from pipeline.preparing.prepare import prepare
from tests.demo.shape_rounds import SOURCES, departments, province, records, written


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("service")
    work = province(300)
    written(work, departments(work)["rest"], home, 1)
    running = Service(home)
    Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def ask(service: Service, path: str, *, token: str | None = None) -> tuple[int, Any, Any]:
    port = service.server_address[1]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}")
    request.add_header("Authorization", f"Bearer {service.token if token is None else token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers


def department(service: Service) -> str:
    return next(path.name for path in (service.home / "demo" / "departments").iterdir())


def test_a_wrong_token_gets_nothing(service: Service) -> None:
    status, body, _ = ask(service, f"{department(service)}/api/v1/steps", token="wrong")
    assert status == 401
    assert "data" not in body


def test_pages_hold_all_records_once_oldest_change_first(service: Service) -> None:
    seen: list[tuple[int, str]] = []
    page = 1
    while True:
        status, body, headers = ask(service, f"{department(service)}/api/v1/steps?page={page}&size=20")
        if status == 429:
            assert headers["Retry-After"] == "1"
            continue
        seen += [(one["updatedAt"], one["id"]) for one in body["data"]["items"]]
        if len(seen) >= body["data"]["total"]:
            break
        page += 1
    assert seen == sorted(seen)
    assert len(set(seen)) == body["data"]["total"]
    newest = seen[-1][0]
    _, body, _ = ask(service, f"{department(service)}/api/v1/steps?updatedAfter={newest}")
    assert body["data"] == {"total": 0, "items": []}


def test_it_is_too_busy_now_and_then(service: Service) -> None:
    answers = [ask(service, f"{department(service)}/api/v1/pauses")[0] for _ in range(50)]
    assert answers.count(429) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("..%2F..%2Fetc/api/v1/steps", 404), ("x/api/v1/passwords", 404), ("x/api/v1/steps?page=a", 400), ("", 404)],
)
def test_what_it_does_not_have_it_says(service: Service, path: str, status: int) -> None:
    got = ask(service, path)[0]
    assert (got if got != 429 else ask(service, path)[0]) == status


def test_port_and_token_are_chosen_once(tmp_path: Path) -> None:
    first = settings_of(tmp_path)
    assert settings_of(tmp_path) == first
    assert (tmp_path / "demo" / "service.json").stat().st_mode & 0o777 == 0o600
    assert first.rest_url("press").endswith(f":{first.rest}/press")
    assert len({first.rest, first.soap, first.amqp, first.sftp}) == 4


def test_an_object_without_values_is_null(service: Service) -> None:
    _, body, _ = ask(service, f"{department(service)}/api/v1/applications?size=200")
    assert any(one["agent"] is None for one in body["data"]["items"])
    assert all(one["applicant"]["name"] for one in body["data"]["items"])
    assert records([]) == []


def test_a_record_of_the_soap_service_breaks_off_in_its_middle(tmp_path: Path) -> None:
    """The answer stays well-formed; the record has no version, is refused, and the others stand."""
    work = province(300)
    soap = departments(work)["soap"]
    (half,) = [one for one in SHAPES["soap"].write(soap, work, tmp_path, 1, dry=False)
               if isinstance(one, Placed) and one.defect == "half_record"]  # fmt: skip
    _, bodies = read_page(department_place(tmp_path, soap.code) / STORE, "Process", -1, 1, 10_000)
    rows = [etree.fromstring(row("Process", json.loads(body))) for body in bodies]
    found = [{child.tag: child.text for child in one} for one in rows]
    subject = Subject.of(load_sources([SOURCES / "hall-soap-service"])[0])
    piece = Slice("Process", found, list(range(len(found))), {}, last=True)
    done = prepare(subject.desk("Process"), piece, NothingKnown(), drop_known=False).incoming
    told = [(done.keys[one.record], one.rule) for one in done.findings if one.record >= 0 and one.refuses]
    assert (half.key, *half.rules) in told
    assert (half.outcome, half.rules) == ("quarantined", ("unreadable_version",))
    assert [rule for key, rule in told if key == half.key] == ["unreadable_version"]
    assert not [one for one in done.findings if one.record < 0], "the shape of the stream did not change"

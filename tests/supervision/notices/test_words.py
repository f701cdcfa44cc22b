"""What notices say, when they are held, and how a gateway's file is filled."""

from __future__ import annotations

import json
import re
import string
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.settings import SettingError, Settings
from supervision.notices import wording
from supervision.notices.errors import GatewayFile
from supervision.notices.quiet import Quiet
from supervision.notices.template import Asked, load

PUBLISHED = ("明日到期", "今日到期，明日即逾期", "产生逾期件，已被监察", "反馈", "挂起即将到期")
FULL = {name: f"<{name}>" for name in wording.PLACES}


def test_the_published_wordings_are_used() -> None:
    said = "\n".join(one["zh"] for one in wording.catalogue().values())
    assert [text for text in PUBLISHED if text not in said] == []


@pytest.mark.parametrize("key", sorted(wording.catalogue()))
def test_both_languages_fill_the_same_places_and_nothing_of_a_person_has_one(key: str) -> None:
    both = [
        {name for _, name, _, _ in string.Formatter().parse(said) if name} for said in wording.catalogue()[key].values()
    ]
    assert both[0] == both[1] <= set(wording.PLACES)
    assert re.search("[一-鿿]", wording.text(key, FULL, "zh"))
    assert not re.search("[一-鿿]", wording.text(key, FULL, "en"))


@given(st.text(max_size=300))
def test_whatever_an_organ_is_called_a_text_is_one_line_and_short(name: str) -> None:
    said = wording.text("warning.tomorrow", {"organ": name, "card": "1"}, "zh")
    assert said.isprintable()
    assert len(said) < 200


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.times(), st.times())  # noqa: DTZ001  # made aware below
def test_quiet_hours_end_after_now_within_a_day_at_an_hour_that_is_not_quiet(
    at: datetime, begins: time, ends: time
) -> None:
    begins, ends = (one.replace(second=0, microsecond=0) for one in (begins, ends))
    if begins == ends:
        return
    quiet, now = Quiet(begins, ends, frozenset()), at.replace(tzinfo=UTC)
    over = quiet.until(now)
    if over is not None:
        assert timedelta(0) < over - now <= timedelta(days=1)
        assert quiet.until(over) is None


@pytest.mark.parametrize("span", ["", "22-8", "25:00-08:00", "08:00-08:00", "always"])
def test_quiet_hours_that_are_none_are_refused(span: str) -> None:
    with pytest.raises(SettingError, match="HUB_NOTICE_QUIET"):
        Quiet.of(span, frozenset())
    assert Quiet.of("none", frozenset()).until(datetime.now(UTC)) is None


SAID = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)


@given(SAID)
def test_a_value_arrives_as_it_is_in_every_form(value: str) -> None:
    values = {"text": value, "key": "k"}
    json_ = {"Content-Type": "application/json"}
    as_json = Asked(url="https://a.example/", headers=json_, body='{"a": "{text}", "b": "{key}"}')
    assert json.loads(as_json.request(values, "utf-8").body) == {"a": value, "b": "k"}
    assert json.loads(as_json.request(values, "gbk").body.decode("gbk")) == {"a": value, "b": "k"}
    form = Asked(
        url="https://a.example/?t={text}&k=1", headers={"content-type": "application/x-www-form-urlencoded"},
        body="a={text}&b={key}",
    ).request(values, "utf-8")  # fmt: skip
    assert parse_qs(form.body.decode(), keep_blank_values=True) == {"a": [value], "b": ["k"]}
    assert parse_qs(urlsplit(form.url).query, keep_blank_values=True) == {"t": [value], "k": ["1"]}


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), max_size=80))
def test_a_value_in_xml_stays_one_value(value: str) -> None:
    xml = Asked(url="https://a.example/", headers={"Content-Type": "text/xml"}, body='<m t="{text}">{text}</m>')
    read = ET.fromstring(xml.request({"text": value}, "utf-8").body)
    assert read.text in (value, value or None)


def described(folder: Path, **changes: Any) -> Settings:
    send = {"url": "https://sms.example.gov.cn/send", "taken": "ok", **changes.pop("send", {})}
    file = folder / "sms.yml"
    file.write_text(json.dumps({"name": "g", "send": send, **changes}), encoding="utf-8")
    return Settings(sms_gateway=file)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"send": {"taken": "("}}, "send.taken"),
        ({"send": {"url": "ftp://x"}}, "send.url"),
        ({"send": {"body": "{mobile}"}}, "mobile"),
        ({"send": {"url": "http://sms.example.gov.cn/"}}, "over https"),
        ({"send": {"url": "http://10.0.0.7/"}}, "over https"),
        ({"colour": "red"}, "colour"),
        ({"receipts": {"state": "s", "delivered": ["x"]}}, "neither key nor number"),
        ({"charset": "latin-1"}, "charset"),
        ({"seconds": 0}, "seconds"),
    ],
)
def test_a_wrong_file_is_told_before_anything_is_sent(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(GatewayFile, match=told):
        load(described(tmp_path, **changes))


def test_the_gateway_of_the_page_is_one_and_its_patterns_read_what_they_say(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "supervise" / "notices.md"
    (text,) = re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    file = tmp_path / "sms.yml"
    file.write_text(text, encoding="utf-8")
    made = load(Settings(sms_gateway=file))
    assert made is not None
    assert made.ask is not None
    assert re.search(made.send.taken, '{"code": 0, "msgid": "7"}')
    assert not re.search(made.send.taken, '{"code": 01}')
    assert made.ask.request({"key": "a b"}, "utf-8").url.endswith("?id=a%20b")


def test_all_faults_of_a_file_are_told_at_once_and_a_good_one_is_taken(tmp_path: Path) -> None:
    with pytest.raises(GatewayFile) as wrong:
        load(described(tmp_path, colour="red", send={"taken": "(", "method": "HEAD"}))
    assert [word in str(wrong.value) for word in ("colour", "send.taken", "send.method")] == [True] * 3
    assert load(Settings()) is None
    made = load(described(tmp_path))
    assert made is not None
    assert made.name == "g"
    with pytest.raises(GatewayFile, match="cannot be read"):
        load(Settings(sms_gateway=tmp_path / "nothing.yml"))

"""The log of an organ, page by page, for its own organ only; reading it is logged. The matrix: tests/web/access."""

from __future__ import annotations

from tests.verification.conftest import Asker
from tests.verification.registry import ASKER, Registry, body


def test_the_log_of_an_organ_is_read_page_by_page_and_reading_it_is_logged(registry: Registry, asker: Asker) -> None:
    registry.share(class_="unconditional")
    registry.credential()
    told = [asker.check(body())["id"] for _ in range(3)]
    first = asker.get("/v1/log?limit=2").json()
    second = asker.get(f"/v1/log?limit=2&after={first['next']}").json()
    assert [one["check"] for one in (*first["entries"], *second["entries"])][:3] == told
    assert second["entries"][1]["outcome"] == "log"
    assert asker.get("/v1/log?limit=0").status_code == 400
    assert ASKER not in asker.get("/v1/log").text

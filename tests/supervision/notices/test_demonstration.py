"""The demonstration's gateway: its two settings lead the hub there, and its page shows what came."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path

import requests
from typer.testing import CliRunner

from demo.services.phonesetting import phones_of
from hub.cli import build
from supervision.notices.service import Sender
from tests.supervision.notices.conftest import Office, notice


def test_the_two_settings_that_the_command_prints_lead_to_the_phones(office: Office, tmp_path: Path) -> None:
    home = tmp_path / "province"
    done = CliRunner().invoke(build(), ["demo", "phones", "--home", str(home), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    file = Path(said["HUB_SMS_GATEWAY"])

    def send(secret: str) -> None:
        settings = office.settings(None, sms_gateway=file, sms_secret=secret)
        made = Sender.of(office.runtime.engine, office.runtime.protector, settings)
        asyncio.run(replace(made, clock=office.clock).round())

    office.queue(notice())
    phones = phones_of(home)
    thread = threading.Thread(target=phones.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        send("wrong")
        assert office.rows()[0]["fault"] == "status_401"
        office.clock.later(minutes=1)
        send(said["HUB_SMS_SECRET"])
        assert "13912345678" in requests.get(said["page"], timeout=10).text
        assert office.states() == ["sent"]
    finally:
        phones.shutdown()
        phones.server_close()
        thread.join(5)

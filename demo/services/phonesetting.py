"""Where the fake SMS gateway of this demonstration answers, and the file by which the hub finds it."""

from __future__ import annotations

import json
import secrets
import socket
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from demo.services.phones import Phones, PhonesSettings

GATEWAY = "sms.yml"
_FILE = """\
# The demonstration's fake SMS gateway, as HUB_SMS_GATEWAY names it; HUB_SMS_SECRET opens it.
name: fake-gateway
deduplicates: true
send:
  url: {at}/send
  headers: {{Content-Type: application/json, Authorization: "Bearer {{secret}}"}}
  body: '{{"mobile": "{{phone}}", "content": "{{text}}", "id": "{{key}}"}}'
  taken: '"code": 0\\b'
  number: '"msgid": "([^"]+)"'
ask:
  url: {at}/report
  headers: {{Content-Type: application/json, Authorization: "Bearer {{secret}}"}}
  body: '{{"id": "{{key}}"}}'
  delivered: '"DELIVRD"'
  undelivered: '"UNDELIV"'
  under_way: '"ACCEPTD"'
  unknown: '"NOTFOUND"'
receipts: {{entries: reports, key: id, state: state, delivered: [DELIVRD], under_way: [ACCEPTD]}}
"""


def gateway_of(home: Path) -> tuple[PhonesSettings, Path]:
    """Return the settings of this demonstration's gateway, made when they are asked for first, and the hub's file."""
    file, described = home / "demo" / "phones.json", home / "demo" / GATEWAY
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(socket.create_server(("127.0.0.1", 0))) as probe:
            made = PhonesSettings(int(probe.getsockname()[1]), secrets.token_urlsafe(24))
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(made)), encoding="utf-8")
    settings = PhonesSettings(**json.loads(file.read_text(encoding="utf-8")))
    described.write_text(file_text(f"http://127.0.0.1:{settings.port}"), encoding="utf-8")
    return settings, described


def file_text(at: str) -> str:
    """Return the description of a gateway that answers at an address."""
    return _FILE.format(at=at)


def phones_of(home: Path) -> Phones:
    """Open this demonstration's gateway."""
    return Phones(home / "demo" / "phones.sqlite", gateway_of(home)[0])

"""Where the departments' services answer and what opens them: chosen when it is asked for first, then kept."""

from __future__ import annotations

import json
import secrets
import socket
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import paramiko

USER = "hub"
"""The account that the departments gave to the hub."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """The ports on loopback, the secret of the hub's account, and the SFTP server's host key as its clients know it."""

    rest: int
    soap: int
    amqp: int
    sftp: int
    token: str
    host_key: str

    def rest_url(self, department: str) -> str:
        """Return the address of a department's REST service, with its token."""
        return f"http://:{self.token}@127.0.0.1:{self.rest}/{department}"

    def soap_url(self, department: str) -> str:
        """Return the address of a department's WSDL, with the account that goes into each message."""
        return f"http://{USER}:{self.token}@127.0.0.1:{self.soap}/{department}/services/approval?wsdl"

    def amqp_url(self, department: str) -> str:
        """Return the address of a department's virtual host at the broker."""
        return f"amqp://{USER}:{self.token}@127.0.0.1:{self.amqp}/{department}"

    def sftp_url(self, department: str) -> str:
        """Return the address of a department's folder, with the fingerprint of the server's key."""
        key = quote(self.host_key, safe=":")
        return f"sftp://{USER}:{self.token}@127.0.0.1:{self.sftp}/{department}/out?host_key={key}"


def host_key_file(home: Path) -> Path:
    """Return where the SFTP server's own key lies."""
    return home / "demo" / "host_key"


def settings_of(home: Path) -> ServiceSettings:
    """Return the settings of this demonstration's services."""
    file = home / "demo" / "service.json"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        key = paramiko.ECDSAKey.generate()
        key.write_private_key_file(str(host_key_file(home)))
        rest, soap, amqp, sftp = _free_ports(4)
        made = ServiceSettings(rest, soap, amqp, sftp, secrets.token_urlsafe(24), str(key.fingerprint))
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(made)), encoding="utf-8")
    return ServiceSettings(**json.loads(file.read_text(encoding="utf-8")))


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody uses now; all are held until the last is found, so that they differ."""
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in range(count)]
        return [int(probe.getsockname()[1]) for probe in probes]

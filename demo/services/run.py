"""Runs the services of all departments that have one, together, and the fake SMS gateway beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread

from demo.services.broker import Broker
from demo.services.phonesetting import phones_of
from demo.services.rest import Service
from demo.services.sftp import SftpService
from demo.services.soap import SoapService

ASKED = 0.05
"""Seconds after which a service sees that it is to end."""


@contextmanager
def serving(home: Path) -> Iterator[list[Thread]]:
    """Serve until the end of the block; the threads live as long as their services do."""
    rest, soap, sftp, broker = Service(home), SoapService(home), SftpService(home), Broker(home)
    phones = phones_of(home)
    over_http = (rest, soap, phones)
    deeds: list[Callable[[], None]] = [partial(http.serve_forever, poll_interval=ASKED) for http in over_http]
    deeds += [sftp.serve_forever, broker.serve_forever]
    threads = [Thread(target=deed, daemon=True) for deed in deeds]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for http in over_http:
            http.shutdown()
            http.server_close()
        sftp.close()
        broker.close()
        for thread in threads:
            thread.join(5)


def serve(home: Path) -> None:
    """Run all services until one of them ends or the process is asked to stop."""
    with serving(home) as threads, suppress(KeyboardInterrupt):
        while all(thread.is_alive() for thread in threads):
            threads[0].join(0.5)

"""Addresses and receivers that mean ill: private networks in every spelling; those that hang, drip, redirect, flood."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime import Runtime
from tests.verification.receiver import receiving, speaking
from tests.verification.registry import NOW
from verification.notices import subscriptions
from verification.notices.sending import BadAddress, NotSent, Place, may_reach, post
from verification.notices.subscriptions import SubscriptionRefused

LOOPBACK = (ip_network("127.0.0.0/8"),)

PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::1",
    "fec0::1", "::10.0.0.1", "192.0.0.192", "198.18.0.1", "240.0.0.1", "168.63.129.16", "100.100.100.200", "3fff::1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_spelling_of_a_private_address_is_reached(address: str) -> None:
    assert not may_reach(address, ())


def test_public_addresses_and_allowed_networks_are_reached() -> None:
    assert may_reach("1.1.1.1", ())
    assert may_reach("2606:4700:4700::1111", ())
    assert may_reach("10.1.2.3", (ip_network("10.0.0.0/8"),))
    assert may_reach("::ffff:10.1.2.3", (ip_network("10.0.0.0/8"),))
    assert not may_reach("192.168.1.1", (ip_network("10.0.0.0/8"),))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/", "file:///etc/passwd", "https://", "https:///x", "https://u:p@a.example/", "https://u@a.example/",
        "https://a.example/?token=x", "https://a.example/#x", "https://a.example:99999/", "https://a.example/\r\nX: y",
        "https://a.example/ x", "https://a.example/é", "https://[::1/", "javascript:alert(1)", "//a.example/", "",
        "https://a.example/" + "x" * 1000, "gopher://127.0.0.1:25/_HELO",
    ],
)  # fmt: skip
def test_what_is_no_address_is_not_subscribed(url: str) -> None:
    with pytest.raises(BadAddress):
        Place.of(url)


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data", "http://hub.example.gov.cn/",
     "https://10.0.0.1/", "https://localhost/"],
)  # fmt: skip
def test_a_private_or_open_address_is_not_subscribed(url: str, runtime: Runtime) -> None:
    with pytest.raises(SubscriptionRefused, match="HUB_NOTICE_NETWORKS"):
        subscriptions.subscribe(runtime.engine, client="x", url=url, actor="a", allowed=())


def fault(url: str, *, allowed: tuple[object, ...] = LOOPBACK, seconds: float = 1.0) -> str:
    begun = time.monotonic()
    with pytest.raises(NotSent) as missed:
        asyncio.run(post(Place.of(url), b"token", allowed=allowed, seconds=seconds))  # type: ignore[arg-type]  # networks
    assert time.monotonic() - begun < 20, "it hangs"
    return missed.value.fault


def test_a_name_that_leads_inside_is_judged_when_it_is_posted_to() -> None:
    with receiving() as receiver:
        inside = receiver.at.replace("127.0.0.1", "localhost")
        assert fault(inside, allowed=()) == "address_not_allowed"
        assert fault(inside, allowed=(ip_network("10.0.0.0/8"),)) == "address_not_allowed"
        assert fault("http://no-such-host.invalid/", seconds=10) == "no_such_host"
        assert receiver.got == []


def test_a_redirection_is_never_followed() -> None:
    with receiving() as inner, receiving(status=307, headers={"Location": inner.at}) as receiver:
        assert fault(receiver.at) == "redirected"
        assert (len(receiver.got), inner.got) == (1, [])


def test_ten_megabytes_of_an_answer_are_never_read() -> None:
    with receiving(status=200, body=b"x" * (10 << 20)) as receiver:
        asyncio.run(post(Place.of(receiver.at), b"token", allowed=LOOPBACK))
    with receiving(status=500, body=b"x" * (10 << 20)) as receiver:
        assert fault(receiver.at) == "status_500"


def _hang(_line: socket.socket) -> None:
    """Take the connection, say nothing."""


def _drip(line: socket.socket) -> None:
    for one in b"HTTP/1.1 200 OK\r\n" * 10:
        line.send(bytes([one]))
        time.sleep(0.2)


def _continue_for_ever(line: socket.socket) -> None:
    while True:
        line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def _endless_head(line: socket.socket) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        line.sendall(b"X: " + b"y" * 1000 + b"\r\n")


def _rubbish(line: socket.socket) -> None:
    line.sendall(b"\x16\x03\x01 220 mail ESMTP\r\n\r\n")


def _close(line: socket.socket) -> None:
    line.close()


def test_bad_receivers_cost_seconds_and_some_kilobytes() -> None:
    cases = {
        _hang: {"too_slow"}, _drip: {"too_slow"}, _continue_for_ever: {"too_slow", "not_http"},
        _endless_head: {"not_http"}, _rubbish: {"not_http"}, _close: {"not_http", "not_reached"},
    }  # fmt: skip
    for manner, expected in cases.items():
        with speaking(manner) as url:
            assert fault(url) in expected, manner.__name__
    assert fault("http://127.0.0.1:1/") == "not_reached"


def _certificate(folder: Path) -> Path:
    """A certificate of nobody's for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "nobody.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file


def test_a_certificate_of_nobody_is_refused_until_the_machine_trusts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)

    def answer(line: socket.socket) -> None:
        with context.wrap_socket(line, server_side=True) as inner:
            got = b""
            # A line that is closed before all is read would be reset.
            while not got.endswith(b"token") and (piece := inner.recv(4096)):
                got += piece
            inner.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    with speaking(answer) as url:
        at = url.replace("http:", "https:")
        assert fault(at, seconds=10) == "certificate_refused"
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        asyncio.run(post(Place.of(at), b"token", allowed=LOOPBACK))
        assert fault(at.replace("127.0.0.1", "localhost"), seconds=10) in ("certificate_refused", "not_reached")


@given(st.text(max_size=60) | st.from_regex(r"https?://[^ ]{0,40}", fullmatch=True))
def test_whatever_is_said_to_be_an_address_is_read_or_refused(url: str) -> None:
    try:
        place = Place.of(url)
    except BadAddress:
        return
    assert place.host
    assert not set(place.target) & set("\r\n ")

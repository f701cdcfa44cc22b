"""Opens an SSH session: the host key is compared before anything of ours is sent, and every step has its time-out."""

from __future__ import annotations

import logging
import socket
import time
from typing import Any

import paramiko

from connectors.kinds.files.locations.address import Address
from connectors.kinds.files.locations.hostkeys import fingerprint_of
from hub.errors import RetrySource, SourceUnreachable, StopSource, WrongCredentials

_KEEP_ALIVE = 30
_QUIET = "connectors.sftp"


def connect(address: Address, source: str) -> tuple[paramiko.Transport, str]:
    """Return an authenticated transport and what was verified.

    Raises:
        SourceUnreachable: nothing answers.
        StopSource: the host key is not the known one; nothing was sent to whoever answered.
        WrongCredentials: the server refuses us.
        RetrySource: it broke off.
    """
    transport = _transport(address, source)
    try:
        told = _verify(_greet(transport, address, source), address, source)
        _log_in(transport, address, source)
    except BaseException:
        transport.close()
        raise
    transport.set_keepalive(_KEEP_ALIVE)
    return transport, told


def _transport(address: Address, source: str) -> paramiko.Transport:
    _hush()
    try:
        line = socket.create_connection((address.host, address.port), address.timeout)
    except (OSError, UnicodeError) as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        raise SourceUnreachable(source=source, got=f"no SFTP server answers ({reason})") from None
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else many a question waits for an acknowledgement
    try:
        transport = paramiko.Transport(line)
    except paramiko.SSHException:
        line.close()
        raise RetrySource(source=source, got="the SFTP server broke off") from None
    transport.set_log_channel(_QUIET)
    for step in ("banner_timeout", "handshake_timeout", "auth_timeout", "channel_timeout"):
        setattr(transport, step, address.timeout)
    options: Any = transport.get_security_options()
    known = [one for one in address.keys.types if one in options.key_types]
    if known:
        options.key_types = (*known, *(one for one in options.key_types if one not in known))
    return transport


def _greet(transport: paramiko.Transport, address: Address, source: str) -> paramiko.PKey:
    """Agree on ciphers, and return the key that the server has proven to hold."""
    try:
        transport.start_client(timeout=address.timeout)  # which says nothing when the time is over
        return transport.get_remote_server_key()
    except paramiko.ssh_exception.IncompatiblePeer:
        raise StopSource(
            source=source, got="the SFTP server and the hub have no cipher, key exchange or host key type in common",
            hint="Ask the department to update its server.",
        ) from None  # fmt: skip
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise RetrySource(
            source=source, got=f"the SFTP server broke off while it was greeted ({type(error).__name__})"
        ) from None


def _verify(key: paramiko.PKey, address: Address, source: str) -> str:
    """Compare the server's key with the known ones, and say what was verified."""
    name, shown = key.get_name(), fingerprint_of(key.asbytes())
    keys = address.keys
    if keys.accept(name, shown):
        return f"host key {name} {shown} {keys.told}"
    if shown in keys.revoked:
        got, hint = f"the server's host key {name} {shown} is marked as revoked", "Ask the department for its new key."
    elif keys.known:
        got = f"the server's host key is {name} {shown}, another than the known one"
        hint = "Either the server was changed or somebody stands in between: ask the department by telephone."
    else:
        got = f"the server's host key {name} {shown} is unknown"
        hint = "Compare it with the department by another way, then add it to the connection as host_key=…"
    raise StopSource(source=source, got=got, known=keys.expected, hint=hint)


def _log_in(transport: paramiko.Transport, address: Address, source: str) -> None:
    key = None if address.key_file is None else _key(address, source)
    began = time.monotonic()
    try:
        if key is not None:
            transport.auth_publickey(address.user, key)
        else:
            transport.auth_password(address.user, address.password)
    except paramiko.BadAuthenticationType as error:
        raise WrongCredentials(
            source=source, got="the SFTP server does not take this way to log in", known=", ".join(error.allowed_types)
        ) from None
    except paramiko.AuthenticationException as error:
        if transport.is_active() and time.monotonic() - began < address.timeout:
            raise WrongCredentials(source=source, got="the SFTP server refuses our name, password or key") from None
        raise RetrySource(source=source, got=f"the SFTP server broke off at log-in ({type(error).__name__})") from None
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise RetrySource(source=source, got=f"the SFTP server broke off at log-in ({type(error).__name__})") from None
    if not transport.is_authenticated():
        raise WrongCredentials(source=source, got="the SFTP server asks for a second way to log in, which we have not")


def _key(address: Address, source: str) -> paramiko.PKey:
    """Read the private key; the connection's password opens it where it is locked."""
    try:
        load: Any = paramiko.PKey.from_path  # the stubs forget the password, which is called otherwise before version 5
        key: paramiko.PKey = load(str(address.key_file), address.password.encode() or None)
    except (paramiko.SSHException, paramiko.pkey.UnknownKeyType, OSError, ValueError, TypeError) as error:
        raise WrongCredentials(
            source=source, got=f"the private key of `key_file` cannot be read ({type(error).__name__})",
            hint="It is a private key in OpenSSH or PEM form; the connection's password opens a locked one.",
        ) from None  # fmt: skip
    return key


def _hush() -> None:
    """Let paramiko say nothing: it would log names of users and of files."""
    logging.getLogger(_QUIET).setLevel(logging.CRITICAL + 1)

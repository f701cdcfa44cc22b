"""Where files lie: a local folder, an SFTP server, or any place that fsspec knows. The connection's URL decides."""

from __future__ import annotations

from urllib.parse import urlsplit

from connectors.kinds.files.locations.place import Place


def open_place(url: str, source: str, stream: str | None = None) -> Place:
    """Open the place that a connection names; the caller closes it.

    Raises:
        SourceTrouble: the connection names no place, or the place cannot be entered.
    """
    scheme = urlsplit(url).scheme.lower()
    if scheme == "sftp":
        from connectors.kinds.files.locations.sftp import SftpPlace  # noqa: PLC0415  # paramiko is heavy

        return SftpPlace(url, source, stream)
    if scheme not in {"", "file"}:
        from connectors.kinds.files.locations.remote import FsspecPlace  # noqa: PLC0415  # only where it is used

        return FsspecPlace(url, source, stream)
    from connectors.kinds.files.locations.local import LocalPlace, folder_of  # noqa: PLC0415  # as its siblings

    return LocalPlace(folder_of(url, source), source, stream)


__all__ = ["Place", "open_place"]

"""What can be wrong with the archive:

ArchiveError (a RepositoryError)
├── ArchiveMissing   no object of this name is there
├── ArchiveDamaged   the object was cut, changed, renamed, or its key does not open it
└── ArchiveErased    its data key was destroyed on purpose: nobody can read it any more
"""

from __future__ import annotations

from hub.errors import RepositoryError


class ArchiveError(RepositoryError):
    """The archive cannot give what was asked for; carries the object's key."""

    next_step = "See docs/operate/archive.md."

    def __init__(self, key: str, got: str) -> None:
        self.key, self.got = key, got
        super().__init__(f"archive object {key}: {got}. {self.next_step}")


class ArchiveMissing(ArchiveError):
    """No object of this name is in the archive."""

    next_step = "Check HUB_ARCHIVE_URL, or bring the object back from a backup of the archive."


class ArchiveDamaged(ArchiveError):
    """The object was cut, changed or renamed, or its key does not open it; nothing of it was used."""

    next_step = "Bring the object back from a backup of the archive; the hub does not use a part of it."


class ArchiveErased(ArchiveError):
    """The object's data key was destroyed on purpose."""

    next_step = "Its records were erased and cannot be rebuilt; the erasure stands beside the keys."

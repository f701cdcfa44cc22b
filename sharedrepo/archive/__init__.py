"""The archive: what departments sent, as received, kept encrypted and self-describing; the truth to rebuild from."""

from sharedrepo.archive.archive import Archive, ArchiveRef, object_key
from sharedrepo.archive.errors import ArchiveDamaged, ArchiveErased, ArchiveError, ArchiveMissing

__all__ = [
    "Archive",
    "ArchiveDamaged",
    "ArchiveErased",
    "ArchiveError",
    "ArchiveMissing",
    "ArchiveRef",
    "object_key",
]

"""The archive: what departments sent, as received, kept encrypted and self-describing; the truth to rebuild from."""

from sharedrepo.archive.archive import Archive, ArchiveRef
from sharedrepo.archive.errors import ArchiveDamaged, ArchiveErased, ArchiveError, ArchiveMissing
from sharedrepo.archive.names import object_key

__all__ = [
    "Archive",
    "ArchiveDamaged",
    "ArchiveErased",
    "ArchiveError",
    "ArchiveMissing",
    "ArchiveRef",
    "object_key",
]

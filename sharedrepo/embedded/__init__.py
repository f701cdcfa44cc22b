"""The embedded PostgreSQL of the demonstration and of development: started by the hub, in the hub's own folder."""

from sharedrepo.embedded.server import DATABASES, EmbeddedServer, Status
from sharedrepo.embedded.user import EmbeddedTrouble

__all__ = ["DATABASES", "EmbeddedServer", "EmbeddedTrouble", "Status"]

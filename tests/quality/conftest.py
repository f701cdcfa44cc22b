"""A department and a hub that pulls it."""

from tests.journeys.conftest import Hub, department, hub

__all__ = ["Hub", "department", "hub"]

"""An empty repository beside, to rebuild into."""

from tests.pipeline.conftest import empty_runtime

__all__ = ["empty_runtime"]

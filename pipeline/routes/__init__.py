"""Routes of the API that belong to the pipeline; `web/` mounts them, and they know nothing of it."""

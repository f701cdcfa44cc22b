"""The API's document (OpenAPI 3.1), committed as docs/integrate/openapi.json: a promise that a test holds us to."""

from __future__ import annotations

from typing import Any

import orjson

from supervision.cards.routes.post_feedback import Feedback
from verification.questions import Bulk, CredentialCheck, PrerequisitesCheck, Progress
from verification.routes.post_balance import Countersignature
from verification.routes.post_inquiry import Inquiring
from verification.routes.post_inquiry_answer import OfficerAnswer
from verification.routes.post_live import AskingLive
from web.app import create
from web.problems import Problem


def document() -> dict[str, Any]:
    """Return the document of all routes; nothing is opened for it."""
    made = create().openapi()
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for model in (
        Problem,
        CredentialCheck,
        PrerequisitesCheck,
        Bulk,
        Progress,
        Countersignature,
        Feedback,
        Inquiring,
        OfficerAnswer,
        AskingLive,
    ):  # read by routes that mind their bodies themselves
        found = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= found.pop("$defs", {})
        schemas[model.__name__] = found
    return made


def text() -> str:
    """Return the document as the file holds it."""
    return orjson.dumps(document(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"

"""The ways in which a call of a model fails; the fault of a call ends its run with status 20.

    ModelFailed
    ├── KeyRefused        401, 403
    ├── ModelNotFound     404
    ├── RequestRefused    400, 413, 422 and their like: asking again gives the same
    ├── QuotaUsedUp       402, and 429 for an account without money
    ├── RateLimited       429                    may be asked again
    ├── EndpointFailed    5xx                    may be asked again
    ├── EndpointTimedOut  no answer in time      may be asked again
    ├── AnswerCut         the connection broke   may be asked again
    ├── Unreachable       nobody listens, no such host, no certificate
    ├── AnswerBroken      no JSON, or not the form that was agreed on
    ├── AnswerFiltered    a filter, or the model itself, refused to answer
    ├── AnswerEmpty       neither text nor a tool call
    ├── AnswerUnfit       the answer does not fit the schema
    ├── CommandFailed     the program ended with a status, wrote too much, or is not there
    └── NoRecordedAnswer  nothing on record answers these messages

`failure_of_status` tells an endpoint's error from its status and its body.
"""

from __future__ import annotations

import email.utils
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from gvstore import host
from gvstore.models.fault import ContextOverflow, ModelFailed

MOST_TOLD = 400  # characters of what an endpoint says

_OVERFLOW = ("context_length_exceeded", "exceed_context_size_error")
_OVERFLOW_TEXT = re.compile(r"maximum context length|prompt is too long|exceeds? (?:the )?(?:available )?context")
_QUOTA = ("insufficient_quota", "billing_error", "insufficient_balance", "insufficient_credits")
_STATUS_OF_TYPE = {
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "invalid_request_error": 400,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class KeyRefused(ModelFailed):
    """The endpoint does not take the key."""

    hint = "Look at the key in the environment, and whether it may use this model."


class ModelNotFound(ModelFailed):
    """The endpoint has no such model, or the address no such endpoint."""

    hint = "Look at the model's name and at the base URL, which often ends in /v1."


class RequestRefused(ModelFailed):
    """The endpoint does not take the request; asking again gives the same."""


class QuotaUsedUp(ModelFailed):
    """The account has nothing left."""

    hint = "Look at the account's plan and billing."


class RateLimited(ModelFailed):
    """The endpoint was asked too often."""

    hint = "`[models.limits]` in the configuration sets how often it is asked."
    again = True


class EndpointFailed(ModelFailed):
    """The endpoint failed."""

    hint = "Try again later."
    again = True


class EndpointTimedOut(ModelFailed):
    """No answer came in time."""

    hint = "Allow more time with `timeout_s`, or ask for fewer tokens."
    again = True


class AnswerCut(ModelFailed):
    """The connection broke before the answer was whole."""

    hint = "Try again."
    again = True


class Unreachable(ModelFailed):
    """The endpoint cannot be reached."""

    hint = "Is it running, and is the base URL right?"


class AnswerBroken(ModelFailed):
    """The answer is no JSON, or none of the form that was agreed on."""

    hint = "Is the base URL that of a compatible endpoint?"


class AnswerFiltered(ModelFailed):
    """A filter, or the model itself, refused to answer."""

    hint = "Word the messages otherwise."


class AnswerEmpty(ModelFailed):
    """The answer has neither text nor a tool call."""


class AnswerUnfit(ModelFailed):
    """The answer does not fit the schema that was given; `text` is the answer."""

    hint = "Sample again, describe the form in the prompt too, or take a schema that the model can follow."

    def __init__(self, model: str, why: str, text: str) -> None:
        self.text = text
        super().__init__(model, f"the answer does not fit the schema: {why}")


class CommandFailed(ModelFailed):
    """The program that stands for a model failed."""


class NoRecordedAnswer(ModelFailed):
    """Nothing on record answers these messages."""

    hint = "The recorded answers are for other messages: record them anew, or ask a model."


def failure_of_status(
    model: str, status: int, headers: Mapping[str, str], body: bytes, clean: Callable[[str], str]
) -> ModelFailed:
    """Returns the failure that an endpoint's answer with an error status stands for.

    `headers` are found by lower-case names; `clean` takes secrets out of what the endpoint says.
    """
    message, kinds = error_in(body)
    said = clean(" ".join(message.split()))[:MOST_TOLD]
    why = f"{status} {said}".strip()
    after_s = retry_after_s(headers)
    if any(kind in _OVERFLOW for kind in kinds) or (status in (400, 413) and _OVERFLOW_TEXT.search(said)):
        return ContextOverflow(model, 0, 0, why)
    if status == 402 or any(kind in _QUOTA for kind in kinds):
        return QuotaUsedUp(model, why)
    if status in (401, 403):
        return KeyRefused(model, why)
    if status in (404, 410):
        return ModelNotFound(model, why)
    if "content_filter" in kinds:
        return AnswerFiltered(model, why)
    found: ModelFailed
    if status == 429:
        found = RateLimited(model, why, after_s=after_s)
    elif status in (408, 504):
        found = EndpointTimedOut(model, why, after_s=after_s)
    elif status >= 500:
        found = EndpointFailed(model, why, after_s=after_s)
    elif 300 <= status < 400:
        where = clean(headers.get("location", "elsewhere"))[:MOST_TOLD]
        hint = "If you trust that address, make it the base URL: the key is not sent where a redirection leads."
        return RequestRefused(model, f"{status}: the endpoint has moved to {where}", hint=hint)
    else:
        found = RequestRefused(model, why)
    if headers.get("x-should-retry", "").lower() == "false":
        found.again = False
    return found


def failure_of_event(model: str, event: Mapping[str, Any], clean: Callable[[str], str]) -> ModelFailed:
    """Returns the failure that an error in the midst of a stream stands for."""
    body = json.dumps(event).encode()
    _, kinds = error_in(body)
    codes = [int(kind) for kind in kinds if kind.isdecimal() and 400 <= int(kind) < 600]
    named = [_STATUS_OF_TYPE[kind] for kind in kinds if kind in _STATUS_OF_TYPE]
    return failure_of_status(model, [*codes, *named, 500][0], {}, body, clean)


def error_in(body: bytes) -> tuple[str, tuple[str, ...]]:
    """Returns (what an error's body says, its type and code), in the forms that endpoints use; HTML as its words."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        text = body[:20_000].decode("utf-8", "replace")
        text = re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", text) if "<" in text else text
        return re.sub(r"<[^<>]{0,1000}>", " ", text), ()
    error = found.get("error", found) if isinstance(found, dict) else found
    if not isinstance(error, dict):
        return error if isinstance(error, str) else json.dumps(error), ()
    said = next((error[key] for key in ("message", "detail", "error", "msg") if error.get(key)), error)
    kinds = tuple(str(error[key]) for key in ("code", "type", "status") if error.get(key))
    return said if isinstance(said, str) else json.dumps(said), kinds


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Returns how many seconds an endpoint asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    try:
        if (told := headers.get("retry-after-ms")) is not None:
            return _sane(float(told) / 1000)
        if (told := headers.get("retry-after")) is None:
            return None
        try:
            return _sane(float(told))
        except ValueError:
            return _sane(email.utils.parsedate_to_datetime(told).timestamp() - host.now_us() / 1e6)
    except (ValueError, TypeError, OverflowError):
        return None


def _sane(seconds: float) -> float | None:
    """Returns the seconds, at least 0; None for what is no number."""
    return max(0.0, seconds) if seconds == seconds else None

"""Generative models behind one protocol: the local one, endpoints, programs, and answers given before.

Names are loaded when they are first used: the command line listens to
`progress` and has no need of the rest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gvstore.models.call import chat as chat
    from gvstore.models.call import complete as complete
    from gvstore.models.conversation import Conversation as Conversation
    from gvstore.models.conversation import converse as converse
    from gvstore.models.local import completions as completions
    from gvstore.models.protocol import ChatModel as ChatModel
    from gvstore.models.protocol import Completion as Completion
    from gvstore.models.protocol import Message as Message
    from gvstore.models.protocol import Options as Options
    from gvstore.models.protocol import ToolCall as ToolCall
    from gvstore.models.settings import Settings as Settings
    from gvstore.models.settings import using as using
    from gvstore.models.tool import Tool as Tool

_WHERE = {
    "ChatModel": "protocol",
    "Completion": "protocol",
    "Conversation": "conversation",
    "Message": "protocol",
    "Options": "protocol",
    "Settings": "settings",
    "Tool": "tool",
    "ToolCall": "protocol",
    "chat": "call",
    "complete": "call",
    "completions": "local",
    "converse": "conversation",
    "using": "settings",
}

__all__ = [
    "ChatModel",
    "Completion",
    "Conversation",
    "Message",
    "Options",
    "Settings",
    "Tool",
    "ToolCall",
    "chat",
    "complete",
    "completions",
    "converse",
    "using",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    return found


def __dir__() -> list[str]:
    return __all__

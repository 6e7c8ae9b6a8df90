"""Generative models behind one protocol: the local one, endpoints, programs, and answers given before."""

from __future__ import annotations

from gvstore.models.call import chat, complete
from gvstore.models.local import completions
from gvstore.models.protocol import ChatModel, Completion, Message, Options, ToolCall
from gvstore.models.settings import Settings, using

__all__ = ["ChatModel", "Completion", "Message", "Options", "Settings", "ToolCall", "chat", "complete", "completions", "using"]

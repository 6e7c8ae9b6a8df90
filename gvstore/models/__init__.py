"""Generative models behind one protocol: today the local one, endpoints to come."""

from __future__ import annotations

from gvstore.models.completion import chat, complete
from gvstore.models.local import completions
from gvstore.models.protocol import ChatModel, Completion, Message, Options

__all__ = ["ChatModel", "Completion", "Message", "Options", "chat", "complete", "completions"]

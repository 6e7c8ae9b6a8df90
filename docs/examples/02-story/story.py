"""A story writer: plans, drafts and revises with the local model, one component a step.

gv run story.py:write --topic otters
"""

import gvstore as gv


@gv.register
def outline(topic: str) -> str:
    """Returns a plan in three sentences."""
    return gv.models.chat(
        [
            {"role": "system", "content": "You plan short stories for children."},
            {
                "role": "user",
                "content": f"Plan a story about {topic}. Who is in it, what goes wrong, and how does "
                "it end? Answer in three short sentences.",
            },
        ],
        max_tokens=70,
        temperature=0.6,
        stop=["\n\n"],
    )


@gv.register
def draft(topic: str, plan: str) -> str:
    """Returns a first version."""
    return gv.models.chat(
        [
            {"role": "system", "content": "You write short stories for children."},
            {"role": "user", "content": f"Write a short story about {topic}, from this plan: {plan}"},
        ],
        max_tokens=110,
        temperature=0.6,
    )


@gv.register
def revise(text: str) -> str:
    """Returns a better version."""
    return gv.models.chat(
        [
            {"role": "system", "content": "You are an editor. You answer with the rewritten text only."},
            {"role": "user", "content": f"Rewrite this story so that it is shorter and ends happily:\n\n{text}"},
        ],
        max_tokens=90,
        temperature=0.6,
    )


@gv.register
def write(topic: str) -> str:
    """Returns a short story about `topic`."""
    plan = outline(topic)
    text = draft(topic, plan)
    return revise(text)

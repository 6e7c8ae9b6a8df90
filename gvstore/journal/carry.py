"""References and what they lead to: carried into the store whose record holds them.

A program may invoke into a store in memory and return the invocation, or a
reference, from a call that a repository records.
"""

from __future__ import annotations

from gvstore.objects.carry import Carried
from gvstore.objects.expand import EXPANDERS, Expansion, register_expander
from gvstore.objects.number import REF
from gvstore.store.ref import Ref

_expand = EXPANDERS[Ref]


def _ref(ref: Ref[object]) -> Expansion:
    expansion = _expand(ref)
    if ref.store is not None and expansion[0] == REF:
        return REF, (Carried(ref.oid, ref.store.objects),)
    return expansion


register_expander(Ref, _ref)

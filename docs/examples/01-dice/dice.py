"""Rolls dice: the smallest program in which every run differs.

    gv run dice.py:roll_sum 2

With DICE_SEED in the environment the rolls repeat: every process starts the
same sequence anew.
"""

import os
import random

import gvstore as gv

RNG = random.Random(os.environ.get("DICE_SEED"))


@gv.register
def roll_die(sides: int) -> int:
    """Returns a number from 1 to `sides`."""
    return RNG.randint(1, sides)


@gv.register
def roll_sum(num_rolls: int) -> int:
    """Returns the sum of that many rolls of a die with six sides."""
    return sum(roll_die(6) for _ in range(num_rolls))

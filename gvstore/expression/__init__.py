"""Expressions of text: Python's, checked and evaluated over their syntax tree, within bounds.

Two languages are made of them: conditions of state machines (`expr("epochs > 100")`), and
queries over runs (`args.topic == "otters" and tokens > 500`), which read attributes and forgive what is missing.
"""

"""Graphs and chains of other libraries as actions: `hamilton`, `langchain`.  Each is imported by its own name, and loads its library then.

wiring: what goes in and where what comes out goes; held_call: how the call of a graph or chain is recorded
"""

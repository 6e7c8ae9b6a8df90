"""STATE MACHINES: actions that read and write named parts of a state, joined by conditional transitions.

Being built.  What stands, each in its file: `expr` (an expression of text,
evaluated over its syntax tree within bounds; what it computes with is in
`expr_eval`, what it may call in `expr_call`, how much in `expr_bound`).
"""

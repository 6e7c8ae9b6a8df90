"""STATE MACHINES: actions that read and write named parts of a state, joined by conditional transitions.

Being built.  What stands, each in its file:

    expr        an expression of text over its syntax tree, within bounds
                (expr_eval: its nodes, expr_call: what it may call, expr_bound: how much)
    condition   when, expr, default, on_error, and what they are joined to
    node        what a graph sees of an action
    transition  an edge; graph: which action comes after which, and its builder
    draft       a machine as it was typed; validate: all that is wrong with it, as findings
    state       named values, immutable: over cell (a version of a field; row: a list's items), part (its bytes)
                and duplicate (copies), stored as wholes and changes (change), as JSON (serde), typed
                (typing_system, annotation), changed by values (delta), compared (difference); errors: state_fault
    draw        text, Mermaid, DOT and SVG of a sketch (draw_svg: the picture, layout: where all lies)
"""

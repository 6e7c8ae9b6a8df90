"""PIPELINES: steps of model calls, written in YAML beside their prompt files.

Being built.  What stands, each in its file:

    extract         files out of a model's answer; file_name: the path in the words around a block
    working_folder  where they are written and nowhere else; working_path: which paths, open_folder: one step of the walk
    sandbox         runs a program within limits, through the script supervisor, which leaves nobody behind
    debug_loop      run, and let a model mend what fails; environment: what a program's requirements are installed into
    codebase        files as text for a model
    refusal         what the built-in modules refuse
"""

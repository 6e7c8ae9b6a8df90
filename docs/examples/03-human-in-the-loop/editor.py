"""The same program, question by question in one process: the editor here is a list of wishes.

    python editor.py
"""

from letter import write

import gvstore as gv

if __name__ == "__main__":
    wishes = iter(["I miss you.", ""])
    with gv.open() as repo:
        generator = gv.InvocationGenerator.from_callable(write, args=("Grace",))
        for question in generator:
            print(question.for_value(), end="\n\n")
            generator.set_input(next(wishes))
        print(generator.invocation.get_output())
        print(repo.runs.last)

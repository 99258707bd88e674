"""Forms from JSON Schema, rendered on the server: the questions, the answers, and what is wrong with them.

It reads what the forms of Backstage's scaffolder use: draft 7 with `dependencies` and `if`/`then`/`else`, `enumNames`,
and the `ui:` keywords. A page is made in four pure steps:

    values = fill_defaults(schema, values)              # what is not answered yet
    values = read_answers(schema, group_pairs(form.multi_items()))      # or: what was posted, typed
    problems = check_answers(schema, values)            # in words, by field
    fields = make_fields(schema, values, problems=problems, choices=choices)    # for the macro `ui.fields`

Which questions are asked may depend on answers; a field with `decides` brings others, so its change asks for the form
again. Fields with a `ui:field` are found with `find_pickers`; whoever knows the catalog gives their `choices`.
What no input can ask (a list of objects) is asked as JSON.
"""

from roadbed.core.forms.answers import group_pairs, read_answers
from roadbed.core.forms.fields import Choices, Field, Picker, find_pickers, list_errors, make_fields
from roadbed.core.forms.problems import NEEDED, FieldProblem, check_answers
from roadbed.core.forms.questions import Schema, fill_defaults, find_schema_problem, list_questions, walk_parts

__all__ = [
    "NEEDED",
    "Choices",
    "Field",
    "FieldProblem",
    "Picker",
    "Schema",
    "check_answers",
    "fill_defaults",
    "find_pickers",
    "find_schema_problem",
    "group_pairs",
    "list_errors",
    "list_questions",
    "make_fields",
    "read_answers",
    "walk_parts",
]

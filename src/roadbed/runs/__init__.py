"""Everything that happens over time: one model, one page, one API.

Words. A *run* is something that happens for a *subject*, asked for by an initiator: its *plan*, frozen when it
starts, is a list of *steps*. A step has a *kind*, the versioned code that does it, and JSON inputs. A run moves in
*segments*: one durable workflow carries it forward, step by step, until it ends or must *wait*; waiting is a row, and
whatever ends the wait starts the next segment in its own transaction. A step may run more than once (a crash, a retry):
step kinds are idempotent, and find what they made before by the step's id.
"""

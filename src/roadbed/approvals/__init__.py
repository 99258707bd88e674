"""Decisions that a run waits for.

Words: an *approval* is one question with its answer. *Approvers* are refs of the users and groups that may answer it;
admins always may. *Who asked* is whoever started the run, or one of the runs above it; under *four eyes* they never
answer their own question. An approval waits until it is approved, rejected, expired, or withdrawn with its run.
"""

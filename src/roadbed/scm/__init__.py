"""Repositories, their commits and change requests, and the built-in git host.

Words: a *repository* is named `owner/name` and lies under its id, so that renaming it moves nothing; its *default
branch* is protected unless somebody decides otherwise: changes reach it through a *change request* (elsewhere: pull
request, merge request). A *status* is what a pipeline says about one commit. A *host* keeps the git data: the built-in
one here, others through `ScmHost`. Refs under `refs/roadbed/` belong to Roadbed: readable by everyone, written by
nobody else.
"""

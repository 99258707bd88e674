"""Definitions of APIs: what a text in one of the known formats says, and what changed between two of them.

A *definition* is the text in `spec.definition` of an API. Each format has a module that turns it into the one model of
`model`; `expansion` makes rows of it for people, `comparison` tells changes by the rules of `breaking`. Texts are
hostile until proven otherwise, so reading and comparing happens in a process of its own: `work` is what runs there.
"""

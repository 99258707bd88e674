"""Accounts, roles, sessions and tokens: who somebody is, and what they may do.

Words: an *account* is a person (user) or a program (service). A *role* is a named set of permission patterns, kept as
data. A *session* is a browser that is signed in; a *token* lets a program act as an account, within the token's
*scopes*. An account is linked to its entity in the catalog by a ref; its *groups* come from there.
"""

"""Golden paths: templates that make a service with its repository, and what became of each.

Words: a *path* is a Template entity with the files beside it; its *values* are the answers to its parameters; its
*steps* each call an *action*; the *source* is the commit that its files are read from. What a path made
stays connected with it: a *product* is a repository that one run of a path created.
"""

"""Resources that workloads use, such as databases: asked for, matched, planned, made, deleted.

Words: a *resource type* is the contract of something that can be asked for; a *resource definition* one way to provide
it, by a *driver*. A *resource* is one of a type, with an id, in one environment of an application. *Matching* chooses
the definition: among those whose criteria hold, the most specific. *Outputs* are what a workload needs to use it;
secret ones are `secret://` references.
"""

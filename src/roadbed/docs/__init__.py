"""Documentation and runbooks, rendered from repositories.

Words: a *site* is what is rendered of one folder of one branch, however many entities it documents; a *subject* is an
entity that has the annotation `backstage.io/techdocs-ref`; a *version* is a site as it was at one commit; a *source* is
where a site's files come from. A *runbook* says what to do when something is wrong, and is a page of a site or an
address elsewhere.
"""

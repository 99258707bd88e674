"""What can be wrong with a question, in Backstage's words."""


class BadQuestion(ValueError):
    """The question cannot be understood; the message says why."""

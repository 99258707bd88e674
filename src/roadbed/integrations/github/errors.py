"""Errors of the integration."""

from roadbed.core.errors import Invalid, Unauthenticated


class DeliveryRefused(Unauthenticated):
    """Whoever sent it does not know the secret of the webhook."""

    code = "github.delivery_refused"


class DeliveryInvalid(Invalid):
    code = "github.delivery_invalid"

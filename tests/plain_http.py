"""Requests to servers of this machine. None is reached over TLS, so that nothing needs to be read that it would trust:
that takes 50 ms for each client.
"""

import ssl
from functools import partial

import httpx

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
Client = partial(httpx.Client, verify=NO_TLS)
AsyncClient = partial(httpx.AsyncClient, verify=NO_TLS)
get = partial(httpx.get, verify=NO_TLS)

"""A transport as a user brings it for HTTP/2 over TLS; at the top level, so that generators can import it."""

import os
import ssl

import httpx

CA_VARIABLE = "LAB_TEST_CA"
"""Names the file of the authority that is trusted."""


class _Named(httpx.AsyncHTTPTransport):
    """Says in each request which device asks."""

    def __init__(self, client: int) -> None:
        trusted = ssl.create_default_context(cafile=os.environ[CA_VARIABLE])
        super().__init__(http1=False, http2=True, verify=trusted, trust_env=False)
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["X-Device"] = str(self._client)
        return await super().handle_async_request(request)


def of_device(client: int) -> httpx.AsyncBaseTransport:
    return _Named(client)

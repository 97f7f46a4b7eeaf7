"""An ASGI application as an httpx transport for synchronous clients."""

from __future__ import annotations

import asyncio

import httpx


class AppTransport(httpx.BaseTransport):
    """Runs each request through the application, in an event loop of its own."""

    def __init__(self, app) -> None:
        self._inner = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._send(request))

    async def _send(self, request: httpx.Request) -> httpx.Response:
        request.read()
        response = await self._inner.handle_async_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        )
        body = b"".join([part async for part in response.stream])
        return httpx.Response(response.status_code, headers=response.headers, content=body)

# The routes of App/Program.cs as an ASGI application, for Uvicorn: no framework between, so that the server is what is measured.
# Static files are not among them: Uvicorn serves none.

import asyncio
import json

GREETING = b"Hello, World!"
ZEROS = bytes(1 << 20)


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await echo(receive, send)
    elif scope["type"] == "http":
        await ROUTES.get(scope["path"], missing)(scope, receive, send)


async def answer(send, content, media_type, status=200):
    headers = [(b"content-type", media_type), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def missing(scope, receive, send):
    await answer(send, b"", b"text/plain", 404)


async def plaintext(scope, receive, send):
    await answer(send, GREETING, b"text/plain")


async def message(scope, receive, send):
    await answer(send, json.dumps({"message": "Hello, World!"}).encode(), b"application/json")


async def leave(scope, receive, send):
    await asyncio.sleep(0)
    await answer(send, GREETING, b"text/plain")


async def delay(scope, receive, send):
    await asyncio.sleep(0.001)
    await answer(send, GREETING, b"text/plain")


async def upload(scope, receive, send):
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    await answer(send, str(length).encode(), b"text/plain")


async def octets(scope, receive, send):
    count = int(scope["query_string"].partition(b"n=")[2])
    await answer(send, ZEROS[:count], b"application/octet-stream")


async def echo(receive, send):
    while True:
        message = await receive()
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif message["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})
        else:
            return


ROUTES = {
    "/plaintext": plaintext,
    "/json": message,
    "/async": leave,
    "/delay": delay,
    "/upload": upload,
    "/bytes": octets,
}

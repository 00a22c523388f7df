"""A web service that awaits one shared client: ``GET /runspaces`` answers how many there are in each state.

Needs ``pip install starlette uvicorn``. With SRS_URL, SRS_USERNAME, SRS_PASSWORD and perhaps SRS_CA_FILE
or SRS_THUMBPRINT in the environment: ``uvicorn --app-dir examples service:app``
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from srs_vsphere import ApiError, AsyncSrsClient, SrsError


class State(TypedDict):
    client: AsyncSrsClient


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[State]:
    async with AsyncSrsClient.from_env() as client:
        yield {"client": client}


async def count_runspaces(request: Request) -> JSONResponse:
    client: AsyncSrsClient = request.state.client
    counts: Counter[str] = Counter()
    async with client.runspaces.stream() as runspaces:
        async for runspace in runspaces:
            counts[str(runspace.state)] += 1
    return JSONResponse(counts)


async def explain(request: Request, error: Exception) -> JSONResponse:
    """Answer for the service behind: 502 if it said no, 504 if it said nothing."""
    status = 502 if isinstance(error, ApiError) else 504
    return JSONResponse({"error": str(error)}, status_code=status)


app = Starlette(
    routes=[Route("/runspaces", count_runspaces)],
    exception_handlers={SrsError: explain},
    lifespan=lifespan,
)

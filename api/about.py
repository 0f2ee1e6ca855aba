"""What the model knows, and how good it is."""

from fastapi import APIRouter, Request, Security
from starlette.concurrency import run_in_threadpool

from api.access import Guard, caller
from api.answers import CategoryAnswer, Labels, ModelAnswer
from api.problems import documented
from model.bundle import read_manifest, read_taxonomy
from model.bundle_files import parse_json, read_listed
from model.versions import active_bundle

router = APIRouter(tags=["model"], dependencies=[Security(caller)])


@router.get(
    "/categories", summary="List the categories", response_model=list[CategoryAnswer],
    responses=documented(401, 403, 429, 500, 503),
)  # fmt: skip
async def categories() -> list[CategoryAnswer]:
    """Codes, names and scopes of all categories of the model in use."""
    taxonomy = await run_in_threadpool(lambda: read_taxonomy(active_bundle()))
    return [CategoryAnswer(code=one.code, label=Labels.of(one), scope=one.scope) for one in taxonomy.categories]


@router.get(
    "/model", summary="Show the model in use", response_model=ModelAnswer, responses=documented(401, 403, 429, 500, 503)
)
async def model(request: Request) -> ModelAnswer:
    """Name, version, settings and what was measured."""
    return await run_in_threadpool(_model, request.app.state.guard)


def _model(guard: Guard) -> ModelAnswer:
    folder = active_bundle()
    manifest = read_manifest(folder)
    report = "metrics.json"
    metrics = None
    if report in manifest["files"]:
        metrics = parse_json(read_listed(folder, manifest, report), report).get("overall")
    return ModelAnswer(
        name=manifest["name"],
        version=manifest["version"],
        categories=len(read_taxonomy(folder)),
        threshold=manifest["settings"]["threshold"],
        coverage=manifest["settings"]["coverage"],
        metrics=metrics,
        access="open" if guard.open(guard.tokens()) else "token",
    )

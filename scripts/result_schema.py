"""Print the JSON Schema of a result file: ``python -m scripts.result_schema > docs/result.schema.json``."""

import json
from typing import Any

from benchmark.results.store import SCHEMA_VERSION, Result


def result_schema() -> dict[str, Any]:
    """The schema of what is written, of version :data:`~benchmark.results.store.SCHEMA_VERSION`, checksum included."""
    tree = Result.model_json_schema()
    sha256 = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **tree,
        "title": f"Result of a run, version {SCHEMA_VERSION}",
        "properties": {**tree["properties"], "checksum": sha256},
        "required": [*tree["required"], "checksum"],
    }


if __name__ == "__main__":
    print(json.dumps(result_schema(), indent=1))

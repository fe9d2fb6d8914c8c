"""The base of everything that is printed as JSON."""

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """A frozen model; `model_json_schema()` is its published schema."""

    model_config = ConfigDict(frozen=True)

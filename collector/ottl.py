"""Small builders of OTTL statements, so that no module assembles them by hand.

Every `set` carries `where ... != nil`: setting nil creates an empty attribute, and the connectors would then
take it for present and lose the default label value.
"""

from collections.abc import Iterable


def attribute(scope: str, key: str) -> str:
    """`span.attributes["key"]`; `scope` is span, log or resource."""
    return f'{scope}.attributes["{key}"]'


def copy(target: str, source: str, *, condition: str = "", as_string: bool = False) -> str:
    """Set `target` to `source` where the source exists and `condition` holds."""
    value = f"String({source})" if as_string else source
    where = f"{source} != nil" + (f" and {condition}" if condition else "")
    return f"set({target}, {value}) where {where}"


def constant(target: str, value: str, condition: str = "") -> str:
    """Set `target` to a constant where `condition` holds."""
    return f'set({target}, "{value}")' + (f" where {condition}" if condition else "")


def equals_any(expression: str, values: Iterable[str]) -> str:
    """One anchored match instead of a chain of comparisons."""
    return f'IsMatch({expression}, "^({"|".join(values)})$")'


def all_of(*conditions: str) -> str:
    """Conjunction of the conditions that are not empty."""
    return " and ".join(c for c in conditions if c)

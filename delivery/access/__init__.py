"""Who asks, and what that person may do: for the API of the release controller and for its console."""

from delivery.access.roles import Person, Role, role_for
from delivery.access.tokens import Secrets, bearer, same

__all__ = ["Person", "Role", "Secrets", "bearer", "role_for", "same"]

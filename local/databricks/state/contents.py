"""What a workspace stores: notebooks, other workspace objects, secrets, files."""

from dataclasses import dataclass, field

from local.databricks.crypto.vault import Sealed

Principal = tuple[str, str]
"""The field that names it (user_name, group_name or service_principal_name), and its name."""


@dataclass
class Notebook:
    object_id: int
    path: str
    language: str
    created_at: float
    modified_at: float
    content: Sealed


@dataclass
class StoredObject:
    """A workspace object that is no notebook: FILE, LIBRARY or DASHBOARD. A library's content is in the root bucket
    and can't be read here."""

    object_id: int
    object_type: str
    path: str
    size: int
    created_at: float
    modified_at: float
    content: Sealed | None


@dataclass
class Contents:
    """What a workspace stores: everything in it is really encrypted. `repos` are those of the folders that are Git
    folders; `permissions` are those given to an object itself, by its id."""

    folders: dict[str, int] = field(default_factory=dict)
    repos: set[str] = field(default_factory=set)
    notebooks: dict[str, Notebook] = field(default_factory=dict)
    others: dict[str, StoredObject] = field(default_factory=dict)
    permissions: dict[int, dict[Principal, str]] = field(default_factory=dict)
    secrets: dict[str, dict[str, tuple[Sealed, float]]] = field(default_factory=dict)
    files: dict[str, tuple[Sealed, float]] = field(default_factory=dict)

    def sealed(self) -> list[Sealed]:
        """Every stored object."""
        found = [notebook.content for notebook in self.notebooks.values()]
        found += [other.content for other in self.others.values() if other.content is not None]
        found += [sealed for scope in self.secrets.values() for sealed, _ in scope.values()]
        return found + [sealed for sealed, _ in self.files.values()]

    def in_repo(self, path: str) -> bool:
        """Whether `path` is inside a Git folder."""
        return any(path.startswith(f"{repo}/") for repo in self.repos)

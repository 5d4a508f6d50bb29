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
class Unreachable:
    """A notebook with "/" in its name: it is listed in its folder, and no path leads to it."""

    folder: str
    notebook: Notebook


@dataclass
class StoredObject:
    """A workspace object that is no notebook: FILE, LIBRARY, DASHBOARD, a type that nobody here knows, or without a
    type (""). Without content here it can't be read: a library's is in the root bucket."""

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
    unreachable: list[Unreachable] = field(default_factory=list)
    unlistable: set[str] = field(default_factory=set)
    """Folders that the caller may not list."""
    permissions: dict[int, dict[Principal, str]] = field(default_factory=dict)
    secrets: dict[str, dict[str, tuple[Sealed, float]]] = field(default_factory=dict)
    files: dict[str, tuple[Sealed, float]] = field(default_factory=dict)

    def sealed(self) -> list[Sealed]:
        """Every stored object."""
        found = [notebook.content for notebook in self.notebooks.values()]
        found += [each.notebook.content for each in self.unreachable]
        found += [other.content for other in self.others.values() if other.content is not None]
        found += [sealed for scope in self.secrets.values() for sealed, _ in scope.values()]
        return found + [sealed for sealed, _ in self.files.values()]

    def in_repo(self, path: str) -> bool:
        """Whether `path` is inside a Git folder."""
        return any(path.startswith(f"{repo}/") for repo in self.repos)

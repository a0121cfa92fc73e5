"""What the REST API of GitHub returns about releases, assets, workflow runs and artifacts."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

REPOSITORY = "example/sample"
TIME = "2026-11-01T12:00:00Z"
COMMIT = "1f2e3d4c" * 5
USER = {
    "login": "octocat",
    "id": 1,
    "node_id": "MDQ6VXNlcjE=",
    "avatar_url": "https://example.org/a",
    "gravatar_id": "",
    "url": "https://example.org/u",
    "html_url": "https://example.org/u",
    **{
        f"{name}_url": "https://example.org/u"
        for name in (
            *("followers", "following", "gists", "starred", "subscriptions", "organizations", "repos"),
            *("events", "received_events"),
        )
    },
    "type": "User",
    "site_admin": False,
}


RUN_LINKS = ("jobs", "logs", "check_suite", "cancel", "rerun", "artifacts", "workflow")

REPOSITORY_LINKS = (
    *("archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare"),
    *("contents", "contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs"),
    *("git_tags", "hooks", "html", "issue_comment", "issue_events", "issues", "keys", "labels", "languages"),
    *("merges", "milestones", "notifications", "pulls", "releases", "stargazers", "statuses", "subscribers"),
    *("subscription", "tags", "teams", "trees"),
)


@dataclass(frozen=True)
class Asset:
    """An asset of a release."""

    id: int
    release: int
    name: str
    content: bytes
    state: str = "uploaded"
    digest: str | None = ""


@dataclass
class Release:
    """A release."""

    id: int
    tag: str
    draft: bool = False
    prerelease: bool = False
    immutable: bool = False


@dataclass
class Artifact:
    """An artifact of a workflow run."""

    id: int
    run: int
    name: str
    content: bytes
    expired: bool = False


@dataclass
class Run:
    """A workflow run."""

    id: int
    branch: str = "main"
    commit: str = COMMIT
    workflow: str = "wheels.yml"
    conclusion: str = "success"


def release_document(server: str, release: Release, assets: Iterable[Asset]) -> dict[str, object]:
    """Describe a release with its assets; ``server`` is the root of the server."""
    url = f"{server}api/v3/repos/{REPOSITORY}/releases/{release.id}"
    uploads = f"{server}api/uploads/repos/{REPOSITORY}/releases/{release.id}/assets{{?name,label}}"
    return {
        "url": url,
        "assets_url": f"{url}/assets",
        "html_url": url,
        "upload_url": uploads,
        "id": release.id,
        "node_id": "x",
        "tag_name": release.tag,
        "target_commitish": "main",
        "name": release.tag,
        "draft": release.draft,
        "prerelease": release.prerelease,
        "immutable": release.immutable,
        "created_at": TIME,
        "published_at": TIME,
        "author": USER,
        "tarball_url": url,
        "zipball_url": url,
        "body": None,
        "assets": [asset_document(server, asset) for asset in assets],
    }


def asset_document(server: str, asset: Asset) -> dict[str, object]:
    """Describe an asset; ``server`` is the root of the server."""
    url = f"{server}api/v3/repos/{REPOSITORY}/releases/assets/{asset.id}"
    digest = f"sha256:{hashlib.sha256(asset.content).hexdigest()}" if asset.digest == "" else asset.digest
    return {
        "url": url,
        "browser_download_url": url,
        "id": asset.id,
        "node_id": "x",
        "name": asset.name,
        "label": None,
        "state": asset.state,
        "size": len(asset.content),
        "content_type": "application/octet-stream",
        "digest": digest,
        "download_count": 0,
        "created_at": TIME,
        "updated_at": TIME,
        "uploader": USER,
    }


def run_document(server: str, run: Run) -> dict[str, object]:
    """Describe a workflow run; ``server`` is the root of the server."""
    url = f"{server}{REPOSITORY}/actions/runs/{run.id}"
    return {
        "id": run.id,
        "head_sha": run.commit,
        "head_branch": run.branch,
        "html_url": url,
        "status": "completed",
        "conclusion": run.conclusion,
        "path": run.workflow,
        "url": url,
        "node_id": "x",
        "run_number": 1,
        "display_title": "Wheels",
        "event": "push",
        "workflow_id": 1,
        "created_at": TIME,
        "updated_at": TIME,
        "pull_requests": [],
        **{f"{name}_url": url for name in RUN_LINKS},
        "head_commit": None,
        "repository": _repository(url),
        "head_repository": _repository(url),
    }


def artifact_document(server: str, artifact: Artifact) -> dict[str, object]:
    """Describe an artifact; ``server`` is the root of the server."""
    url = f"{server}api/v3/repos/{REPOSITORY}/actions/artifacts/{artifact.id}"
    return {
        "id": artifact.id,
        "node_id": "x",
        "name": artifact.name,
        "size_in_bytes": len(artifact.content),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": artifact.expired,
        "created_at": TIME,
        "expires_at": TIME,
        "updated_at": TIME,
        "digest": f"sha256:{hashlib.sha256(artifact.content).hexdigest()}",
    }


def _repository(url: str) -> dict[str, object]:
    texts = {f"{name}_url": url for name in REPOSITORY_LINKS}
    names = {"id": 1, "node_id": "x", "name": "sample", "full_name": REPOSITORY, "owner": USER}
    return {**texts, **names, "description": None, "fork": False, "private": False, "url": url}

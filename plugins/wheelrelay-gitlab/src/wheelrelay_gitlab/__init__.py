"""The generic packages of a GitLab project as a remote for wheelrelay."""

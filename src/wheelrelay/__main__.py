"""``python -m wheelrelay`` is ``wheelrelay``."""

from wheelrelay.cli import main

if __name__ == "__main__":
    main()

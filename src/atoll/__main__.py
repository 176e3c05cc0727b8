"""`python -m atoll` is the command line."""

from atoll.cli import main

if __name__ == "__main__":
    main()

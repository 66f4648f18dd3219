"""`python -m response` is the command `tumor-response`."""

import sys

from response.cli import main

if __name__ == "__main__":
    sys.exit(main())

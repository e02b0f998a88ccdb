"""`python -m server.known_answer`: see `server`, which it starts."""

import sys

from server.known_answer.server import main

sys.exit(main())

"""How many files, and so connections, this process may have open."""

import resource

import pytest

OTHERS = 500  # what is open besides: servers' logs, clients, the driver's pools


def allow_connections(count):
    """Raises the limit where it is too low; skips the test where that may not be done."""
    wanted = count + OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            pytest.skip(f"{count} connections are more than the {hard} files that may be open")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

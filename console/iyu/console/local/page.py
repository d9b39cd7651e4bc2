"""The page of `iyu up`: on its usual port, or on a free one where that is taken."""

from iyu.console.terminal.optional_libraries import has_web_libraries

#: Where the page is unless another port is asked for.
USUAL_PORT = 8321


def choose_page_port(wanted: int | None) -> int | None:
    """Return the port for the page; None where its libraries are not installed."""
    # Here: it loads redis-py, and every command reads the name of the port from this file.
    from iyu.console.local.embedded_redis import free_port, is_free

    if not has_web_libraries():
        return None
    if wanted:
        return wanted
    return USUAL_PORT if is_free(USUAL_PORT) else free_port()

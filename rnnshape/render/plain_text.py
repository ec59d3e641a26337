"""What every markup format needs: characters that it can hold, on a stream that may hold fewer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

# XML 1.0 has no way to write these, not even escaped; nor has HTML.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(text: str) -> str:
    """The text with a replacement character for what markup cannot hold.

    >>> xml("a\\x00b")
    'a\ufffdb'
    """
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def put(markup: str, stream: TextIO) -> None:
    """Write markup, which says that it is UTF-8; on a stream of another encoding é becomes a reference, ``&#233;``."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    utf8 = encoding.lower().replace("-", "").replace("_", "") == "utf8"
    stream.write(markup if utf8 else markup.encode("ascii", "xmlcharrefreplace").decode("ascii"))

"""Characters in markup formats: those that XML forbids, and those that the stream's encoding lacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

# XML 1.0 and HTML do not allow these characters, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(text: str) -> str:
    """The text with U+FFFD for each character that markup does not allow.

    >>> xml("a\\x00b")
    'a\ufffdb'
    """
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def put(markup: str, stream: TextIO) -> None:
    """Write markup; if the stream is not UTF-8, characters such as é become references (``&#233;``)."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    utf8 = encoding.lower().replace("-", "").replace("_", "") == "utf8"
    stream.write(markup if utf8 else markup.encode("ascii", "xmlcharrefreplace").decode("ascii"))

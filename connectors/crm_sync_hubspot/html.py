"""Plain text to HubSpot's rich-text properties and back, so that what is written reads the same.

`to_html` escapes everything: no text can become markup. `from_html` undoes it, and makes readable
text of what a person has formatted in HubSpot's editor.
"""

from __future__ import annotations

import html
import re

_LINK = re.compile(r"https?://[^\s<>\"'{}|\\^`]*[\w/=&#%~+-]")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BLOCK_END = re.compile(r"</(?:p|div|li|ul|ol|h[1-6]|tr|table|blockquote)\s*>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<![^<>]*>")
_LINE_END = re.compile(r"\r\n?")


def to_html(text: str) -> str:
    """The text as HTML that shows it as it is: escaped, line ends as breaks, addresses as links."""
    parts: list[str] = []
    at = 0
    for found in _LINK.finditer(text):
        address = html.escape(found.group())
        parts += [_escaped(text[at : found.start()]), f'<a href="{address}">{address}</a>']
        at = found.end()
    return "".join([*parts, _escaped(text[at:])])


def from_html(markup: str) -> str:
    """The text that a reader of this HTML sees; what `to_html` was given, up to its line ends."""
    text = _BREAK.sub("\n", _UNSEEN.sub("", markup))
    return html.unescape(_TAG.sub("", _BLOCK_END.sub("\n", text)))


def _escaped(text: str) -> str:
    return html.escape(_LINE_END.sub("\n", text)).replace("\n", "<br>")

"""Converting prompt ids to file names and back."""

from __future__ import annotations

import re

__all__ = ["file_name", "id_of", "image_name"]

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-.")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")


def file_name(prompt_id: str) -> str:
    """Return a file name, without suffix, for a prompt id.

    No two ids share a name, even on a file system that ignores case; `id_of` gives the id back.
    Digits, small letters, ``_``, ``-`` and inner dots stay as they are. A capital is written as
    ``+`` and its small letter, and any other character as the bytes of its UTF-8 form, ``=`` and
    two hex digits each.

    >>> file_name("000139"), file_name("Parti/7")
    ('000139', '+parti=2f7')
    """
    name = "".join(map(_written, prompt_id))
    if name.startswith(".") or _RESERVED.match(name):  # hidden, or a device's name on Windows
        name = f"={ord(name[0]):02x}{name[1:]}"
    return name


def image_name(prompt_id: str, image: int) -> str:
    """Return the file name, without suffix, of a prompt's image of some number, from 0.

    No two images share one: `file_name` never writes a ``+`` before a digit.

    >>> image_name("000139", 0), image_name("000139", 2)
    ('000139', '000139+2')
    """
    return file_name(prompt_id) + (f"+{image}" if image else "")


def id_of(name: str) -> str:
    """Return the prompt id of a file name without suffix.

    >>> id_of("+parti=2f7")
    'Parti/7'
    """
    data = re.sub(
        rb"\+([a-z])|=([0-9a-f]{2})",
        lambda found: found[1].upper() if found[1] else bytes.fromhex(found[2].decode()),
        name.encode(),
    )
    return data.decode()


def _written(character: str) -> str:
    if character in _PLAIN:
        return character
    if "A" <= character <= "Z":
        return f"+{character.lower()}"
    return "".join(f"={byte:02x}" for byte in character.encode())

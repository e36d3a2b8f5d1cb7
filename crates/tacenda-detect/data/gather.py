"""Gathers the word lists of this folder; README.md says from what, and under which licences.

`python gather.py SMALL_WORD_LIST` with Faker 40.54.0 and names 0.3.0 installed and
`american-english-small` of Debian's `wamerican-small` 2020.12.07. The same input gives the same
files.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import faker.providers.address
import faker.providers.lorem
import faker.providers.person
import names

HERE = Path(__file__).parent

# Names of one locale that are English words as well are left out: a list of "names" that has
# "Server", "Unknown" and "Valid" in it would find people everywhere.
LOCALES_OF_A_WORD = 2
# A name that stands alone is one only when several languages know it as one.
LOCALES_OF_A_COMMON_NAME = 3
# More than half of the countries that know it, and this many, have it as a given name.
LOCALES_OF_A_SURE_NAME = 5
# A rare family name as short as this is a word or an abbreviation somewhere.
SHORT = 3


def providers(package: object) -> Iterator[tuple[str, type]]:
    """The provider of each locale below a package of Faker's."""
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):  # type: ignore[attr-defined]
        if module.ispkg:
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")  # type: ignore[attr-defined]
            yield module.name, loaded.Provider


def texts(provider: type, wanted: tuple[str, ...]) -> Iterator[str]:
    """The words of the attributes whose names begin with one of `wanted`."""
    for name in dir(provider):
        values = getattr(provider, name)
        if not name.startswith(wanted) or "format" in name or callable(values):
            continue
        for value in values if isinstance(values, (dict, list, tuple, set)) else ():
            while isinstance(value, tuple):
                value = value[0] if value else ""
            if isinstance(value, str) and "{{" not in value:
                yield value.strip().replace("\u2019", "'")


def is_word(text: str) -> bool:
    """One capitalised word in the Latin alphabet."""
    latin = all(ord(c) < 0x180 or 0x1E00 <= ord(c) <= 0x1EFF for c in text)
    letters = text.replace("-", "").replace("'", "")
    return latin and letters.isalpha() and len(letters) > 1 and text[0].isupper()


def gather(package: object, wanted: tuple[str, ...], *, parts: bool) -> dict[str, set[str]]:
    """Each word and the locales that have it."""
    found: dict[str, set[str]] = {}
    for locale, provider in providers(package):
        for text in texts(provider, wanted):
            # Of places only those of one word: "San Carlos" does not make a place of Carlos.
            for word in text.split() if parts else [text]:
                if is_word(word):
                    found.setdefault(word, set()).add(locale)
    return found


def fold(word: str) -> str:
    """Small letters without accents."""
    letters = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def census(*files: str) -> set[str]:
    """Names of the census of the United States of 1990, which writes them in capitals."""
    folder = Path(names.__file__).parent
    lines = [line for file in files for line in (folder / file).read_text("ascii").splitlines()]
    return {line.split()[0].lower() for line in lines}


def write(name: str, words: set[str]) -> None:
    """One word a line, sorted."""
    (HERE / name).write_text("".join(f"{word}\n" for word in sorted(words)), encoding="utf-8")


def main() -> None:
    """Writes the lists."""
    listed = Path(sys.argv[1]).read_text(encoding="utf-8").split()
    english = {word for word in listed if word.isalpha() and word.islower()}
    words = {word for word in english if word.isascii() and len(word) > 1}
    for _, provider in providers(faker.providers.lorem):
        words |= {
            word
            for text in texts(provider, ("word_list", "common_words"))
            for word in [text.lower()]
            if is_word(word.capitalize()) and text.islower()
        }

    def kept(found: dict[str, set[str]]) -> dict[str, set[str]]:
        return {
            word: locales
            for word, locales in found.items()
            if word.lower() not in english or len(locales) >= LOCALES_OF_A_WORD
        }

    given = gather(
        faker.providers.person, ("first_names", "first_name_", "first_romanized"), parts=True
    )
    family = gather(
        faker.providers.person, ("last_names", "last_name_", "last_romanized"), parts=True
    )
    places = gather(
        faker.providers.address,
        ("cities", "city_names", "real_city", "countries", "states", "provinces", "regions",
         "counties", "departments", "cantons", "distritos"),
        parts=False,
    )  # fmt: skip
    given = kept(given)
    common = {word for word, locales in given.items() if len(locales) >= LOCALES_OF_A_COMMON_NAME}
    write("given-common.txt", common)
    write("given-rare.txt", set(given) - common)
    sure = {
        word
        for word, locales in given.items()
        if len(locales) >= LOCALES_OF_A_SURE_NAME
        and len(locales) > 2 * len(family.get(word, ()))
        and word.lower() not in english
        and word not in places
    }
    write("given-sure.txt", sure)
    write("family.txt", {word for word in family if not word.isupper()})
    write(
        "places.txt",
        {
            word
            for word, locales in places.items()
            if locales != {"it_IT"}
            and len(word) > 3
            and word.lower() not in english
            and word not in common
        },
    )
    # What is a word abroad and a name in several countries is a name.
    named = {word.lower() for word, locales in given.items() if len(locales) >= LOCALES_OF_A_WORD}
    words -= named - english
    write("words.txt", words)

    # Of the census only what is in no other list: rare names, and no words or towns.
    others = {fold(word) for word in words | set(places)}
    write(
        "family-census.txt",
        {
            word.capitalize()
            for word in census("dist.all.last") - others - {fold(word) for word in family}
            if len(word) > SHORT
        },
    )
    write(
        "given-census.txt",
        {
            word.capitalize()
            for word in census("dist.female.first", "dist.male.first")
            - others
            - {fold(word) for word in given}
            if len(word) >= SHORT
        },
    )


if __name__ == "__main__":
    main()

"""The words of a command line -> the words for papermill, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import ParameterError
from experiments.typed import Typed, told


@dataclass(frozen=True)
class Given:
    """Parameters as somebody typed them."""

    files: tuple[str, ...] = ()
    """Of YAML; a later one wins."""
    yaml: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    """Name and value, of which a number becomes one."""
    texts: tuple[tuple[str, str], ...] = ()
    """Name and value that stay texts."""

    @classmethod
    def of(
        cls,
        named: Sequence[str],
        files: Sequence[str] = (),
        yaml: Sequence[str] = (),
        pairs: Sequence[tuple[str, str]] = (),
        texts: Sequence[tuple[str, str]] = (),
    ) -> Given:
        """Takes what the options gave, and the words beside them: `name=value`, or a file of parameters.

        Raises:
            ParameterError: a word is neither, or a file is not there.
        """
        more = [word for word in named if "=" not in word]
        if strange := [word for word in more if Path(word).suffix not in (".yaml", ".yml")]:
            raise ParameterError(f"{strange[0]!r} is neither name=value nor a YAML file of parameters.")
        equal = [(name, value) for word in named if "=" in word for name, _, value in [word.partition("=")]]
        read = (*files, *more)
        for file in read:
            _check_there(file)
        return cls(read, tuple(yaml), (*pairs, *equal), tuple(texts))

    @property
    def words(self) -> list[str]:
        """For papermill."""
        return [
            *(word for file in self.files for word in ("-f", file)),
            *(word for one in self.yaml for word in ("-y", one)),
            *(word for name, value in self.pairs for word in ("-p", name, value)),
            *(word for name, value in self.texts for word in ("-r", name, value)),
        ]

    @property
    def typed(self) -> dict[str, Typed]:
        """Parameter -> what papermill makes of it, and what was meant."""
        raw = {name: Typed(value, value, of_yaml=False) for name, value in self.texts}
        # `told` looks for options before the last two words, as of a command line whose notebook stands first.
        return told([*self.words, "", ""], Path.cwd()) | raw

    @property
    def stem(self) -> str:
        """Of the last file of parameters: what a result is named after; empty where there is none."""
        return Path(self.files[-1]).stem if self.files else ""

    def with_texts(self, added: Mapping[str, str]) -> Given:
        """The same, and these besides."""
        return Given(self.files, self.yaml, self.pairs, (*self.texts, *added.items()))


def _check_there(file: str) -> None:
    if not Path(file).is_file():
        there = ", ".join(_beside(file))
        raise ParameterError(f'there is no parameter file "{file}"{f"; these are there: {there}" if there else ""}.')


def _beside(file: str) -> Iterator[str]:
    folder = Path(file).parent
    yield from (str(path) for path in sorted((folder if folder.is_dir() else Path("params")).glob("*.yaml")))

"""The presets and other settings of Mage that a site's settings for a peer come to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from thumbs.toolkit.migration import easy_options, pictures, spec_fields, versatile
from thumbs.toolkit.migration.editing.edits import Unmapped
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.editing.wanted import Wanted, different_options, preset_name
from thumbs.toolkit.migration.imagekit import DEFAULT_GENERATOR


@dataclass(slots=True)
class Suggested:
    """Keys of THUMBS, and a sentence for each name that has no equivalent."""

    settings: dict[str, object] = field(default_factory=dict)
    presets: dict[str, dict[str, str]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)  # the first name that each preset stands for
    _refused: set[str] = field(default_factory=set)

    def add(self, name: str, wanted: Wanted) -> None:
        """Add a preset. Raises `Unmapped` where it stands for another name with other options: then neither is kept."""
        preset, value = preset_name(name), wanted.as_preset()
        if preset in self._refused or self.presets.setdefault(preset, value) != value:
            self.refuse(name)
            raise Unmapped(different_options(self._names[preset], name))
        self._names.setdefault(preset, name)

    def refuse(self, name: str) -> bool:
        """Keep no preset for `name`, nor for another name that is the same preset; whether there was one."""
        preset = preset_name(name)
        self._refused.add(preset)
        self._names.setdefault(preset, name)
        return self.presets.pop(preset, None) is not None


def of_easy(site: SiteSettings) -> Suggested:
    """From THUMBNAIL_ALIASES and THUMBNAIL_DEFAULT_OPTIONS."""
    made = Suggested()
    for target, aliases in site.aliases.items():
        for name in aliases:
            try:
                known = easy_options.known_alias(site, name) or {}
                made.add(name, easy_options.wanted_of_alias(known, site))
            except Unmapped as error:
                made.left.append(f"THUMBNAIL_ALIASES[{target!r}][{name!r}]: {error}")
    own = [path for path in site.processors if not path.startswith("easy_thumbnails.processors.")]
    made.left += [f"THUMBNAIL_PROCESSORS has {path}: Mage has no processors of a site's own." for path in own]
    return made


def of_imagekit(generators: Mapping[str, object]) -> Suggested:
    """From the registry of specs: each generator's class, or its function, by its id."""
    made = Suggested()
    for name, generator in generators.items():
        if name == DEFAULT_GENERATOR:
            continue
        try:
            made.add(name, _of_spec(generator))
        except Unmapped as error:
            made.left.append(f"{name}: {error}")
            if made.refuse(name):
                made.left.append(f"{name}: another generator is the same preset, which is left out.")
    return made


def _of_spec(generator: object) -> Wanted:
    processors = getattr(generator, "processors", None)
    if not isinstance(processors, list | tuple):
        raise Unmapped("Its processors are made when it runs.")
    read = [(type(each).__name__, dict(vars(each))) for each in processors]
    return spec_fields.wanted(read, getattr(generator, "format", None), getattr(generator, "options", None))


def of_pictures(site: SiteSettings) -> Suggested:
    """From PICTURES: breakpoints and the container width."""
    made = Suggested()
    made.settings = {name: pictures.setting(site, name) for name in ("BREAKPOINTS", "CONTAINER_WIDTH")}
    if pictures.setting(site, "GRID_COLUMNS") != 12:
        made.left.append('PICTURES["GRID_COLUMNS"]: Mage\'s grid has twelve columns.')
    return made


def of_versatile(site: SiteSettings) -> Suggested:
    """From VERSATILEIMAGEFIELD_RENDITION_KEY_SETS: `crop__400x400`."""
    made = Suggested()
    for group, name, key in _keys(site.rendition_sets):
        try:
            sizer, _, size = key.partition("__")
            if "__" in size or not size:
                raise Unmapped(f"Mage has no equivalent of {key}.")
            made.add(name, versatile.wanted(sizer, size))
        except (Unmapped, ValueError) as error:
            made.left.append(f"VERSATILEIMAGEFIELD_RENDITION_KEY_SETS[{group!r}], {name!r}: {error}")
    return made


def _keys(sets: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    for group, pairs in sets.items():
        for pair in pairs if isinstance(pairs, list | tuple) else ():
            if len(pair) == 2 and pair[1] != "url":
                yield group, str(pair[0]), str(pair[1])


def of(peer: str, site: SiteSettings, generators: Mapping[str, object]) -> Suggested:
    """The settings for a peer. Those without names for kinds of thumbnails have none to suggest."""
    if peer == "imagekit":
        return of_imagekit(generators)
    makers = {"easy": of_easy, "pictures": of_pictures, "versatile": of_versatile}
    return makers[peer](site) if peer in makers else Suggested()

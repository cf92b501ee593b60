"""What a URL can ask for: each has a media type and an extension, and a download name is one of them or none."""

import pytest

from thumbs.image.formats import FORMATS, OUTPUT_NAMES
from thumbs.image.outputs import JSON, content_type_of, output_of_name, usual_extension

OUTPUTS = sorted({*OUTPUT_NAMES.values(), JSON})


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_usual_extension_of_an_output_names_it(output: str) -> None:
    for extension in (usual_extension(output), usual_extension(output).upper()):
        assert output_of_name(f"tom.{extension}") == output


def test_data_are_json_and_pictures_have_the_media_types_of_their_formats() -> None:
    assert content_type_of(JSON) == "application/json"
    assert {content_type_of(name) for name in OUTPUTS} - {"application/json"} == {
        FORMATS[name].content_type for name in OUTPUT_NAMES.values()
    }


@pytest.mark.parametrize(
    "name", ["", "json", "tom", "tom.txt", "tom.svg", "tom.tiff", "tom.json.", "tom.json.gz", "tomjson"]
)
def test_another_extension_is_that_of_no_output(name: str) -> None:
    assert output_of_name(name) is None

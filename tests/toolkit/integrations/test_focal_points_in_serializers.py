"""A client of an API that sends a wrong focal point gets its mistake, not a server error."""

from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from tests.gallery.models import FocusedPhoto
from tests.support.gallery import gallery_tables
from thumbs.fields import FocalPointField

serializers = pytest.importorskip("rest_framework.serializers")

WRONG = ["x", "0.5", "0.5;0.5", "1.5,0", "nan,nan", "0.12345,0.5", '"><b>']


@pytest.fixture(autouse=True)
def _tables() -> Iterator[None]:
    with gallery_tables():
        yield


def serializer(focus: object) -> object:
    class FocusSerializer(serializers.ModelSerializer):  # type: ignore[misc, name-defined]
        class Meta:
            model = FocusedPhoto
            fields = ("focus",)

    return FocusSerializer(data={"focus": focus})


@pytest.mark.parametrize("focus", WRONG)
def test_a_wrong_focal_point_is_an_error_of_its_field(focus: str) -> None:
    made = serializer(focus)
    assert not made.is_valid()  # type: ignore[attr-defined]
    (message,) = made.errors["focus"]  # type: ignore[attr-defined]
    assert "focal point" in message


@pytest.mark.parametrize(("focus", "saved"), [("0.5, 0.50", "0.5,0.5"), ("0.31x0.62", "0.31,0.62"), ("", "")])
def test_a_right_one_is_saved(focus: str, saved: str) -> None:
    made = serializer(focus)
    assert made.is_valid(), made.errors  # type: ignore[attr-defined]
    assert made.save().focus == saved  # type: ignore[attr-defined]


@pytest.mark.parametrize("pair", [(10**400, 0), (0, -(10**400)), [10**5000, 1]])
def test_numbers_of_any_size_are_a_mistake(pair: object) -> None:
    with pytest.raises(ValidationError):
        FocalPointField().to_python(pair)

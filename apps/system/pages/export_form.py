"""The form that asks for an export."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from apps.recordings.exports.services import MAX_NAME_LENGTH
from apps.streams.models import Stream
from apps.system.pages.moments import MomentInput


def stream_words(stream: Stream) -> str:
    """Return a stream's name: its camera's, and its own where there are others."""
    return stream.camera.name if stream.name == "main" else f"{stream.camera.name}, {stream.name}"


class StreamChoice(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # it has no parameters at run time
    """Streams, by the names of their cameras."""

    def label_from_instance(self, obj: Any) -> str:
        return stream_words(cast("Stream", obj))


class ExportForm(forms.Form):
    """Some cameras and a stretch of time."""

    streams = StreamChoice(
        Stream.objects.none(), widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Cameras")
    )
    start = forms.DateTimeField(label=gettext_lazy("From"), widget=MomentInput)
    end = forms.DateTimeField(
        label=gettext_lazy("To"), widget=MomentInput, help_text=gettext_lazy("24 hours later at most.")
    )
    name = forms.CharField(
        max_length=MAX_NAME_LENGTH,
        required=False,
        label=gettext_lazy("Name (optional)"),
        help_text=gettext_lazy("To find it again; it is also in the manifest."),
    )

    def __init__(self, data: object, *, streams: "QuerySet[Stream]") -> None:
        super().__init__(data)  # type: ignore[arg-type]  # a QueryDict
        field = cast("forms.ModelMultipleChoiceField[Stream]", self.fields["streams"])
        field.queryset = streams

    def clean_streams(self) -> Sequence[Stream]:
        return list(self.cleaned_data["streams"])

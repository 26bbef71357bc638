"""Forms of the model pages: what is said about a file, how a version finds things, and where it works."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Account
from apps.catalog.models import Model, ModelVersion
from apps.catalog.parameters import known_parameters
from apps.streams.models import Stream
from apps.system.pages.export_form import stream_words

_MOST_BOXES = 40  # labels shown one by one; more are typed

_PARAMETER_WORDS = {
    "width": gettext_lazy("Picture width it looks at (pixels)"),
    "max_width": gettext_lazy("Picture width it looks at, at most (pixels)"),
    "min_area": gettext_lazy("Smallest area (share of the picture, 0 to 1)"),
    "variance": gettext_lazy("How much a point may flicker"),
    "warm_up_pictures": gettext_lazy("Pictures to learn the background from"),
    "light_change": gettext_lazy("More than this share changed is the light, and no motion (0 to 1)"),
    "pyramid_step": gettext_lazy("Step between sizes that are tried"),
    "stride_px": gettext_lazy("Step between places that are tried (pixels)"),
    "overlap": gettext_lazy("Boxes that overlap by more are one (0 to 1)"),
    "min_face": gettext_lazy("Smallest face (share of the picture's height, 0 to 1)"),
    "neighbours": gettext_lazy("Agreeing finds that make a face"),
    "score_floor": gettext_lazy("Least score that leaves the model (0 to 1)"),
}


class AccountForm(forms.Form):
    """What belongs to an account; the choice is there only where there is one."""

    account = forms.ModelChoiceField(queryset=Account.objects.none(), label=gettext_lazy("Account"))

    def __init__(self, *args: Any, accounts: Sequence[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._only_account = accounts[0] if len(accounts) == 1 else None
        if self._only_account is not None:
            del self.fields["account"]
            return
        field = cast("forms.ModelChoiceField[Account]", self.fields["account"])  # declared above
        field.queryset = Account.objects.filter(pk__in=[account.pk for account in accounts])

    @property
    def only_account(self) -> Account | None:
        """Return the account where there is no choice of it."""
        return self._only_account

    def values(self) -> dict[str, Any]:
        """Return what was entered, with the account also where there is no choice of it."""
        return {"account": self._only_account, **self.cleaned_data}


class ModelUploadForm(AccountForm):
    """A model's file, and what is said about it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "An ONNX file of at most 256 MB. It is looked through and tried before it is kept."
        ),
        widget=forms.FileInput(attrs={"accept": ".onnx"}),
    )
    name = forms.CharField(
        max_length=120,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("A name that is there already gets a new version; cameras stay on theirs."),
    )
    labels = forms.CharField(
        max_length=20_000,
        required=False,
        label=gettext_lazy("Labels (optional)"),
        help_text=gettext_lazy("With commas and in order, for a file that does not name its classes itself."),
        widget=forms.TextInput(attrs={"autocapitalize": "none"}),
    )
    licence = forms.CharField(max_length=120, required=False, label=gettext_lazy("Licence (optional)"))
    origin = forms.CharField(
        max_length=300, required=False, label=gettext_lazy("Where it is from (optional)")
    )
    author = forms.CharField(max_length=120, required=False, label=gettext_lazy("Author (optional)"))
    field_order = ("account", "file", "name", "labels", "licence", "origin", "author")

    def clean_labels(self) -> list[str]:
        """Return the labels one by one."""
        return [label.strip() for label in self.cleaned_data["labels"].split(",") if label.strip()]


class TrainingForm(AccountForm):
    """A dataset, and what to make of it."""

    file = forms.FileField(
        label=gettext_lazy("Dataset"),
        help_text=gettext_lazy(
            "A zip with data.yaml, pictures and label files, as Ultralytics describes them; at most 4 GB."
        ),
        widget=forms.FileInput(attrs={"accept": ".zip"}),
    )
    name = forms.CharField(
        max_length=120,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("Of the model that comes out; one that is there already gets a new version."),
    )
    architecture = forms.ChoiceField(
        choices=[
            ("tiny", gettext_lazy("tiny (few simple shapes, minutes)")),
            *((f"{family}{size}", f"{title} {size}") for family, title in (
                ("yolov8", "YOLOv8"), ("yolo11", "YOLO11"), ("yolo26", "YOLO26"),
            ) for size in ("n", "s", "m")),
        ],
        initial="yolov8n",
        label=gettext_lazy("Architecture"),
        help_text=gettext_lazy("n is small and fast, m is larger and finds more."),
    )  # fmt: skip
    epochs = forms.IntegerField(min_value=1, max_value=1000, initial=50, label=gettext_lazy("Epochs"))
    picture_px = forms.IntegerField(
        min_value=32,
        max_value=1280,
        initial=320,
        label=gettext_lazy("Picture size (pixels)"),
        widget=forms.NumberInput(attrs={"step": "32"}),
    )
    batch = forms.IntegerField(min_value=1, max_value=64, initial=8, label=gettext_lazy("Pictures at a time"))
    field_order = ("account", "file", "name", "architecture", "epochs", "picture_px", "batch")


class ModelInfoForm(forms.Form):
    """What people say about a model."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    description = forms.CharField(
        max_length=5000,
        required=False,
        label=gettext_lazy("Description"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    licence = forms.CharField(max_length=120, required=False, label=gettext_lazy("Licence"))
    author = forms.CharField(max_length=120, required=False, label=gettext_lazy("Author"))

    def __init__(self, data: Any, *, model: Model) -> None:
        names = ("name", "description", "licence", "author")
        super().__init__(data, initial={name: getattr(model, name) for name in names}, auto_id="info_%s")


class ParametersForm(forms.Form):
    """A version's default parameters; what is left empty is as the model has it."""

    def __init__(self, data: Any, *, version: ModelVersion) -> None:
        super().__init__(data, initial=version.parameters, auto_id=f"parameters_{version.pk}_%s")
        for name, known in known_parameters(version.builtin).items():
            is_whole = known["type"] == "int"
            kind = forms.IntegerField if is_whole else forms.FloatField
            self.fields[name] = kind(
                required=False,
                label=_PARAMETER_WORDS.get(name, name),
                widget=forms.NumberInput(
                    attrs={"step": "1" if is_whole else "any", "placeholder": str(known["default"])}
                ),
            )

    def parameters(self) -> dict[str, Any]:
        """Return those that were entered."""
        return {name: value for name, value in self.cleaned_data.items() if value is not None}


class OneStream(forms.ModelChoiceField):  # type: ignore[type-arg]  # it has no parameters at run time
    """A stream, by the name of its camera."""

    def label_from_instance(self, obj: Any) -> str:
        return stream_words(cast("Stream", obj))


class AttachForm(forms.Form):
    """A version at work on a camera."""

    stream = OneStream(Stream.objects.none(), label=gettext_lazy("Camera"), empty_label=None)
    labels = forms.MultipleChoiceField(
        required=False,
        choices=(),
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Look for"),
        help_text=gettext_lazy("None chosen: everything it knows."),
    )
    min_confidence = forms.FloatField(
        min_value=0,
        max_value=1,
        initial=0.4,
        label=gettext_lazy("Least confidence"),
        help_text=gettext_lazy("From 0 to 1."),
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )
    rate_fps = forms.FloatField(
        min_value=0.1,
        max_value=60,
        initial=5,
        label=gettext_lazy("Pictures a second, at most"),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )

    def __init__(self, data: Any, *, version: ModelVersion, streams: "QuerySet[Stream]") -> None:
        super().__init__(data, auto_id=f"attach_{version.pk}_%s")
        field = cast("forms.ModelChoiceField[Stream]", self.fields["stream"])
        field.queryset = streams
        self._known = [str(label) for label in version.labels]
        if len(self._known) < 2:
            del self.fields["labels"]
        elif len(self._known) <= _MOST_BOXES:
            boxes = cast("forms.MultipleChoiceField", self.fields["labels"])
            boxes.choices = [(label, label) for label in self._known]
        else:
            self.fields["labels"] = forms.CharField(
                required=False,
                label=gettext_lazy("Look for"),
                help_text=gettext_lazy("Labels with commas. Empty: everything it knows."),
                widget=forms.TextInput(attrs={"autocapitalize": "none"}),
            )

    def clean_labels(self) -> list[str]:
        """Return labels that the version knows, however they were entered."""
        entered = self.cleaned_data["labels"]
        if isinstance(entered, str):
            entered = [label.strip() for label in entered.split(",") if label.strip()]
        for label in entered:
            if label not in self._known:
                raise forms.ValidationError(_("The model does not know “%(label)s”.") % {"label": label})
        return list(entered)

    def analytic(self) -> Mapping[str, Any]:
        """Return what differs from an analytic's defaults."""
        return {name: value for name, value in self.cleaned_data.items() if name != "stream"}

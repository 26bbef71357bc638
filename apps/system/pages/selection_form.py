"""A stretch of time, as the timeline sends it."""

from django import forms

from apps.recordings.services import MAX_NAME_LENGTH


class SelectionForm(forms.Form):
    """From when to when, and what to do with it."""

    start = forms.DateTimeField()
    end = forms.DateTimeField()
    name = forms.CharField(max_length=MAX_NAME_LENGTH, required=False)
    held = forms.BooleanField(required=False)
